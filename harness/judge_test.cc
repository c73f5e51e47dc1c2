// Whom a violation is charged to, what is excused, who waits for whom, and what a plan may expect.
#include "harness/judge.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "harness/run.h"
#include "harness/test_plans.h"
#include "models/disk/image_file.h"

namespace dmsim {
namespace {

VariantResult explore(const Plan& plan, std::uint64_t runs = 6) {
  Workshop workshop;
  RunOptions options;
  options.runs = runs;
  return run_variant(plan, workshop, options);
}

Plan lying_disks() {
  Plan plan = test::mirror_plan();
  plan.tasks = {test::writer(30, test::after_sync(), 3)};
  test::cut_anywhere(plan);
  plan.checks = {std::string(oracle::kDurability)};
  plan.faults = {test::fault("leg0", FaultKind::kLyingFlush), test::fault("leg1", FaultKind::kLyingFlush)};
  return plan;
}

TEST(Judge, a_lying_disk_is_blamed_where_the_plan_is_about_disks) {
  Plan plan = lying_disks();
  plan.expect = {Expectation::Verdict::kViolates, {std::string(oracle::kDurability)}, Blame::kDisk};
  const VariantResult result = explore(plan);
  ASSERT_FALSE(result.verdict.violations.empty());
  EXPECT_EQ(result.verdict.violations.front().blame, Blame::kDisk);
  EXPECT_TRUE(meets(plan.expect, result.verdict));
}

TEST(Judge, what_a_lying_disk_brings_about_is_excused_elsewhere_and_counted) {
  const VariantResult result = explore(lying_disks());
  EXPECT_TRUE(result.verdict.violations.empty());
  EXPECT_GT(result.verdict.statistics.excused, 0u);
}

Plan scribbler() {
  Plan plan = test::mirror_plan();
  WriteTask careless;
  careless.device = "lv";
  careless.area.range = {0, 64};
  careless.pace = {test::after_sync(), {Duration::microseconds(50), Duration::milliseconds(1)}, 60};
  careless.scribble = true;
  // Somebody else keeps the region dirty: else each write waits for the log first, long enough for the
  // buffer to be changed before anything of it has been written.
  WriteTask neighbour = careless;
  neighbour.area.range = {64, 128};
  neighbour.pace.every = {Duration(), Duration::microseconds(100)};
  neighbour.pace.count = 2500;
  neighbour.in_flight = 4;
  neighbour.area.sequential = true;
  neighbour.scribble = false;
  plan.tasks = {{"careless", careless}, {"neighbour", neighbour}};
  plan.checks = {std::string(oracle::kLegsIdentical)};
  return plan;
}

TEST(Judge, an_application_that_changes_its_own_buffer_is_blamed_for_legs_that_differ) {
  Plan plan = scribbler();
  plan.expect = {Expectation::Verdict::kViolates, {std::string(oracle::kLegsIdentical)},
                 Blame::kApplication};
  const VariantResult result = explore(plan);
  ASSERT_FALSE(result.verdict.violations.empty());
  EXPECT_EQ(result.verdict.violations.front().blame, Blame::kApplication);
  EXPECT_TRUE(meets(plan.expect, result.verdict));
}

TEST(Judge, an_application_that_changes_its_own_buffer_is_excused_elsewhere) {
  const VariantResult result = explore(scribbler());
  EXPECT_TRUE(result.verdict.violations.empty());
  EXPECT_GT(result.verdict.statistics.excused, 0u);
}

TEST(Judge, an_engines_bug_is_the_engines_although_somebody_scribbles_elsewhere) {
  Plan plan = scribbler();
  plan.tasks.push_back(test::writer(40));
  std::get<WriteTask>(plan.tasks[2].body).area.range = {512, 1024};
  plan.switches = {{"mirror.mark_dirty", "off"}};
  test::cut_anywhere(plan);
  const VariantResult result = explore(plan);
  ASSERT_FALSE(result.verdict.violations.empty());
  EXPECT_EQ(result.verdict.violations.front().blame, Blame::kEngine);
  EXPECT_GE(result.verdict.violations.front().sectors.begin, 512u);
}

TEST(Judge, a_hang_names_who_waits_for_what) {
  for (const test::PlantedBug& bug : test::bugs_under_faults()) {
    if (bug.oracle != oracle::kLiveness) continue;
    const VariantResult result = explore(test::with(bug.plan, bug.faulty));
    ASSERT_FALSE(result.verdict.violations.empty());
    const auto& details = result.verdict.violations.front().details;
    ASSERT_FALSE(details.empty());
    EXPECT_TRUE(details.front().starts_with("writer waits for ")) << details.front();
    EXPECT_TRUE(std::any_of(details.begin(), details.end(), [](const std::string& line) {
      return line.starts_with("not answered: W") && line.find(" of lv") != std::string::npos;
    })) << details.back();
  }
}

TEST(Judge, the_canary_is_always_found) {
  Plan plan = test::mirror_plan();
  plan.tasks = {test::writer(1)};
  plan.checks = {std::string(oracle::kCanary)};
  const VariantResult result = explore(plan);
  ASSERT_EQ(result.verdict.violations.size(), 1u);
  EXPECT_EQ(result.verdict.violations.front().oracle, oracle::kCanary);
}

TEST(Judge, what_is_not_checked_is_not_reported) {
  for (const test::PlantedBug& bug : test::planted_bugs()) {
    Plan plan = test::with(bug.plan, bug.faulty);
    plan.checks = {std::string(oracle::kAnswers)};
    if (bug.oracle == oracle::kAnswers) plan.checks = {std::string(oracle::kNoLeak)};
    EXPECT_TRUE(explore(plan, 1).verdict.violations.empty()) << bug.name;
  }
}

Verdict verdict_of(const std::vector<std::pair<std::string, Blame>>& violations) {
  Verdict verdict;
  for (const auto& [name, blame] : violations) {
    Violation violation;
    violation.oracle = name;
    violation.blame = blame;
    verdict.violations.push_back(violation);
  }
  return verdict;
}

TEST(Expectation, is_met_by_nothing_but_what_it_names) {
  const Expectation holds;
  const Expectation violates{Expectation::Verdict::kViolates, {"durability", "stable-read"}, Blame::kEngine};
  const Expectation by_disk{Expectation::Verdict::kViolates, {"durability"}, Blame::kDisk};
  EXPECT_TRUE(meets(holds, verdict_of({})));
  EXPECT_FALSE(meets(holds, verdict_of({{"durability", Blame::kEngine}})));
  EXPECT_FALSE(meets(violates, verdict_of({})));
  EXPECT_TRUE(meets(violates, verdict_of({{"stable-read", Blame::kEngine}})));
  EXPECT_TRUE(meets(violates, verdict_of({{"stable-read", Blame::kEngine}, {"durability", Blame::kEngine}})));
  EXPECT_FALSE(meets(violates, verdict_of({{"stable-read", Blame::kEngine}, {"liveness", Blame::kEngine}})));
  EXPECT_FALSE(meets(violates, verdict_of({{"durability", Blame::kDisk}})));
  EXPECT_TRUE(meets(by_disk, verdict_of({{"durability", Blame::kDisk}})));
  EXPECT_FALSE(meets(by_disk, verdict_of({{"durability", Blame::kEngine}})));
}

// ---- a real file system: what e2fsck says of the legs, and what the oracle does

Plan ext2_plan() {
  Plan plan = test::mirror_plan();
  plan.machine.memory.pages = 256;
  plan.machine.pdflush = PdflushOptions{Duration::milliseconds(2), Duration::milliseconds(4)};
  Ext2Task files;
  files.device = "lv";
  files.start = test::after_sync();
  files.files = 20;
  files.file_bytes = 2048;
  files.every = {Duration::microseconds(100), Duration::milliseconds(1)};
  plan.tasks = {{"files", files}};
  plan.checks = {std::string(oracle::kLegsIdentical), std::string(oracle::kLiveness)};
  return plan;
}

// The exit code of e2fsck -fn on a disk's image; 0: clean, 4: errors left.
int e2fsck(const Image& image, const std::string& name) {
  const std::string path = testing::TempDir() + "dmsim-e2fsck-" + name + ".img";
  EXPECT_TRUE(export_raw(image, path).ok());
  const int status = std::system(("PATH=$PATH:/usr/sbin:/sbin e2fsck -fn " + path + " >/dev/null 2>&1").c_str());
  std::filesystem::remove(path);
  return WEXITSTATUS(status);
}

TEST(RealExt2, both_legs_are_clean_for_e2fsck_at_rest) {
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    Workshop workshop;
    RandomChoices choices(seed);
    const LinearRun run = run_linear(ext2_plan(), workshop, choices);
    EXPECT_TRUE(run.violations.empty());
    const World& world = *run.lives.back();
    EXPECT_TRUE(world.at_rest());
    for (const char* leg : {"leg0", "leg1"}) {
      EXPECT_EQ(e2fsck(world.disk(leg)->current_image(), leg), 0) << leg << " seed " << seed;
    }
  }
}

bool equal_images(const Disk& a, const Disk& b) {
  for (std::uint64_t page = 0; page * kPageSectors < a.sectors(); ++page) {
    if (!equal_bytes(a.current_page(page), b.current_page(page))) return false;
  }
  return true;
}

// After a cut and recovery, legs on which the oracle has nothing to say look alike to e2fsck.
TEST(RealExt2, where_the_oracle_holds_after_a_cut_e2fsck_says_the_same_of_both_legs) {
  Plan plan = ext2_plan();
  plan.machine.memory.stable_pages = true;
  plan.power_cut.when = PowerCutPlan::When::kAt;
  int states = 0;
  for (const std::int64_t ms : {45, 50, 55, 60, 70}) {
    plan.power_cut.at = Duration::milliseconds(ms);
    Workshop workshop;
    RandomChoices choices(static_cast<std::uint64_t>(ms));
    const LinearRun run = run_linear(plan, workshop, choices);
    ASSERT_EQ(run.lives.size(), 2u);
    ASSERT_TRUE(run.violations.empty());
    const World& world = *run.lives.back();
    EXPECT_TRUE(equal_images(*world.disk("leg0"), *world.disk("leg1")));
    EXPECT_EQ(e2fsck(world.disk("leg0")->current_image(), "a"),
              e2fsck(world.disk("leg1")->current_image(), "b"));
    ++states;
  }
  EXPECT_EQ(states, 5);
}

TEST(RealExt2, where_the_oracle_is_broken_by_an_unstable_page_the_images_of_the_legs_differ) {
  Plan plan = ext2_plan();
  test::cut_anywhere(plan);
  const VariantResult result = explore(plan, 20);
  ASSERT_TRUE(result.crash);
  const Violation& violation = result.crash->violations.front();
  ASSERT_EQ(violation.oracle, oracle::kLegsIdentical);
  Workshop workshop;
  ReplayedChoices choices(result.crash->choices);
  const LinearRun run = run_linear(result.crash->plan, workshop, choices);
  const World& world = *run.lives.back();
  const Sector where = violation.sectors.begin;
  const auto in_page = static_cast<std::uint32_t>(where % kPageSectors);
  EXPECT_NE(world.disk("leg0")->current_page(where / kPageSectors).sector_digest(in_page),
            world.disk("leg1")->current_page(where / kPageSectors).sector_digest(in_page));
}

TEST(Signature, tells_mirrors_apart_by_what_they_promise) {
  Violation violation;
  violation.oracle = "durability";
  violation.state = "stale content";
  Plan plan;
  plan.devices.push_back({"lv", "0 8 mirror core 1 8 2 a 0 b 0", true});
  EXPECT_EQ(signature(violation, plan), "durability/engine/stale content");
  plan.devices[0].table += " 1 handle_errors";
  EXPECT_EQ(signature(violation, plan), "durability/engine/stale content/handle_errors");
  plan.devices[0].table = "0 8 mirror core 1 8 2 a 0 b 0 2 handle_errors keep_log";
  EXPECT_EQ(signature(violation, plan), "durability/engine/stale content/handle_errors keep_log");
  plan.devices[0].boot = false;
  EXPECT_EQ(signature(violation, plan), "durability/engine/stale content") << "nobody uses it";
}

}  // namespace
}  // namespace dmsim
