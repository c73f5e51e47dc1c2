// Clones: committed-points-at-durable sees each patch of the fix missing, and verdicts tell the author's four
// consequences apart.
#include <gtest/gtest.h>

#include "harness/run.h"
#include "harness/test_plans.h"

namespace dmsim {
namespace {

VariantResult explore(const Plan& plan, std::uint64_t runs = 10) {
  Workshop workshop;
  RunOptions options;
  options.runs = runs;
  return run_variant(plan, workshop, options);
}

std::string first_state(const Plan& plan) {
  const VariantResult result = explore(plan);
  if (!result.refused.empty()) return "refused: " + result.refused;
  if (result.verdict.violations.empty()) return "holds";
  return result.verdict.violations.front().oracle + ": " + result.verdict.violations.front().state;
}

const SwitchValues kAs2019{
    {"clone.flush_dest", "off"}, {"clone.phase", "one"}, {"clone.track", "word"}};

TaskPlan clone_writer(std::uint32_t block_sectors, std::uint64_t flush_every = 0) {
  WriteTask task;
  task.device = "lv";
  task.area.block_sectors = block_sectors;
  task.pace = {Duration::milliseconds(1), {Duration::microseconds(50), Duration::milliseconds(1)}, 20};
  task.flush_every = flush_every;
  return {"writer", task};
}

Plan only_writes(std::uint32_t region_sectors, std::uint32_t block_sectors) {
  Plan plan = test::clone_plan();
  plan.devices[0].table = fmt::format("0 128 clone meta dest src {} 1 no_hydration", region_sectors);
  plan.switches = kAs2019;
  plan.tasks = {clone_writer(block_sectors)};
  test::cut_anywhere(plan);
  return plan;
}

TEST(CloneJudge, sectors_that_were_never_written_are_the_first_consequence) {
  Plan plan = only_writes(16, 8);
  plan.checks = {std::string(oracle::kUntouched)};
  EXPECT_EQ(first_state(plan), "untouched-sectors: sectors lost that users never wrote");
}

TEST(CloneJudge, a_torn_write_of_one_block_is_the_second) {
  Plan plan = only_writes(8, 1);
  plan.checks = {std::string(oracle::kDurability)};
  EXPECT_EQ(first_state(plan), "durability: a write of one block is neither old nor new");
}

TEST(CloneJudge, an_overwrite_that_is_no_mixture_is_the_third) {
  Plan plan = only_writes(8, 8);
  plan.checks = {std::string(oracle::kDurability)};
  EXPECT_EQ(first_state(plan), "durability: a write is no mixture of old and new");
}

TEST(CloneJudge, what_is_lost_under_a_flush_is_the_fourth) {
  Plan plan = only_writes(8, 8);
  plan.tasks = {clone_writer(8, 1)};
  plan.checks = {std::string(oracle::kDurability)};
  EXPECT_EQ(first_state(plan), "durability: lost although a user's flush was under way");
}

// Copies are always under way when a flush brings about a commit.
Plan busy_clone(SwitchValues switches) {
  Plan plan = test::clone_plan(" 0 2 hydration_threshold 4");
  plan.disks[0].read = {Duration::microseconds(100), Duration::milliseconds(2)};
  plan.disks[1].flush = {Duration::microseconds(500), Duration::milliseconds(2)};
  FlushTask task;
  task.device = "lv";
  task.pace = {Duration::milliseconds(1), {Duration::microseconds(100), Duration::milliseconds(1)}, 10};
  plan.tasks = {{"flusher", task}};
  plan.checks = {std::string(oracle::kCommittedDurable)};
  plan.switches = std::move(switches);
  return plan;
}

TEST(CloneJudge, each_patch_of_the_fix_is_missed_when_it_alone_is_left_out) {
  for (const SwitchValues& without : {SwitchValues{{"clone.flush_dest", "off"}},
                                      SwitchValues{{"clone.flush_dest", "after"}},
                                      SwitchValues{{"clone.phase", "one"}},
                                      SwitchValues{{"clone.track", "word"}}}) {
    EXPECT_TRUE(first_state(busy_clone(without)).starts_with("committed-points-at-durable"))
        << without.begin()->first;
  }
  EXPECT_EQ(first_state(busy_clone({})), "holds");
}

TEST(CloneJudge, a_clone_below_another_device_is_watched_through_it) {
  Plan plan = busy_clone({{"clone.flush_dest", "off"}});
  plan.devices.push_back({"top", "0 104 linear lv 12", true});
  std::get<FlushTask>(plan.tasks[0].body).device = "top";
  EXPECT_TRUE(first_state(plan).starts_with("committed-points-at-durable"));
  plan.switches.clear();
  test::cut_anywhere(plan);
  plan.checks = test::every_check_but({oracle::kVersion});
  EXPECT_EQ(first_state(plan), "holds");
}

TEST(CloneJudge, metadata_on_a_linear_device_are_followed_to_their_disk) {
  Plan plan = busy_clone({{"clone.flush_dest", "off"}});
  plan.devices.insert(plan.devices.begin(), {"ssd", "0 40 linear meta 24", true});
  plan.devices[1].table = "0 128 clone ssd dest src 8 0 2 hydration_threshold 4";
  EXPECT_TRUE(first_state(plan).starts_with("committed-points-at-durable"));
  plan.switches.clear();
  EXPECT_EQ(first_state(plan), "holds");
}

TEST(CloneJudge, a_lying_destination_is_charged_to_the_disk) {
  Plan plan = busy_clone({});
  plan.faults = {test::fault("dest", FaultKind::kLyingFlush)};
  plan.expect = {Expectation::Verdict::kViolates, {std::string(oracle::kCommittedDurable)}, Blame::kDisk};
  const VariantResult result = explore(plan);
  ASSERT_FALSE(result.verdict.violations.empty());
  EXPECT_EQ(result.verdict.violations.front().blame, Blame::kDisk);
}

}  // namespace
}  // namespace dmsim
