// Contents through the mapping that is in force: a table that points elsewhere, with and without its content.
#include <gtest/gtest.h>

#include "harness/oracle_names.h"
#include "harness/run.h"
#include "harness/test_plans.h"

namespace dmsim {
namespace {

// A linear device that an administrator loads `table` into while somebody writes.
Plan moved_plan(const std::string& table, bool written) {
  Plan plan;
  plan.scenario = "moved";
  plan.disks = {test::disk("old", 256), test::disk("new", 256)};
  plan.devices = {{"lv", "0 128 linear old 0", true}};
  WriteTask writer;
  writer.device = "lv";
  writer.area.range = {0, 64};
  writer.pace = {Duration(), {Duration::microseconds(50), Duration::microseconds(400)}, written ? 40u : 1u};
  DmsetupTask administrator{Duration::milliseconds(4), {}};
  for (const auto verb : {DmsetupStep::Verb::kLoad, DmsetupStep::Verb::kResume}) {
    DmsetupStep step;
    step.verb = verb;
    step.device = "lv";
    if (verb == DmsetupStep::Verb::kLoad) step.text = table;
    administrator.steps.push_back(step);
  }
  plan.tasks = {{"writer", writer}, {"administrator", administrator}};
  plan.checks = {std::string(oracle::kMovedEqualsModel)};
  return plan;
}

Verdict verdict_of(const Plan& plan) {
  Workshop workshop;
  RunOptions options;
  options.runs = 3;
  return run_variant(plan, workshop, options).verdict;
}

TEST(JudgeMoved, a_mapping_that_points_where_nothing_was_copied_is_seen_when_it_goes_live) {
  const Verdict verdict = verdict_of(moved_plan("0 128 linear new 0", true));
  ASSERT_FALSE(verdict.violations.empty());
  EXPECT_EQ(verdict.violations.front().oracle, oracle::kMovedEqualsModel);
  EXPECT_EQ(verdict.violations.front().state.substr(0, 29), "after a change of the mapping");
}

TEST(JudgeMoved, sectors_that_nobody_ever_wrote_are_compared_too) {
  Plan plan = moved_plan("0 64 linear old 0\n64 64 linear new 64", true);
  const Verdict verdict = verdict_of(plan);
  ASSERT_FALSE(verdict.violations.empty());
  EXPECT_EQ(verdict.violations.front().state, "after a change of the mapping, never written");
}

TEST(JudgeMoved, a_mapping_that_points_to_the_same_place_holds) {
  EXPECT_TRUE(verdict_of(moved_plan("0 64 linear old 0\n64 64 linear old 64", true)).violations.empty());
}

TEST(JudgeMoved, after_a_power_cut_what_the_plan_boots_with_is_compared) {
  // The disk holds the write back; the mapping that comes up again is the old one.
  Plan plan = moved_plan("0 128 linear old 0", true);
  std::get<WriteTask>(plan.tasks[0].body).flush_every = 1;
  test::cut_anywhere(plan);
  EXPECT_TRUE(verdict_of(plan).violations.empty());
  plan.faults = {test::fault("old", FaultKind::kLyingFlush)};
  plan.expect.blame = Blame::kDisk;
  const Verdict verdict = verdict_of(plan);
  ASSERT_FALSE(verdict.violations.empty());
  EXPECT_EQ(verdict.violations.front().oracle, oracle::kMovedEqualsModel);
  EXPECT_EQ(verdict.violations.front().state.substr(0, 17), "after a power cut");
}

}  // namespace
}  // namespace dmsim
