// Where and how often the power is cut, and what one seed decides.
#include <gtest/gtest.h>

#include "harness/run.h"
#include "harness/test_plans.h"

namespace dmsim {
namespace {

using When = PowerCutPlan::When;

VariantResult explore(const Plan& plan, std::optional<std::uint64_t> cuts = std::nullopt,
                      std::uint64_t seed = 1) {
  Workshop workshop;
  RunOptions options;
  options.seed = seed;
  options.runs = 1;
  options.cuts = cuts;
  return run_variant(plan, workshop, options);
}

// One disk with a volatile cache, behind a linear device.
Plan linear_plan(const std::string& io, When when) {
  Plan plan;
  plan.scenario = "linear";
  plan.disks = {test::disk("sda", 1024)};
  plan.devices = {{"lv", "0 1024 linear sda 0", true}};
  plan.tasks = {test::script(io, Duration::milliseconds(1))};
  plan.checks = {std::string(oracle::kDurability), std::string(oracle::kUntouched),
                 std::string(oracle::kLiveness)};
  plan.power_cut.when = when;
  return plan;
}

// The only violation of a run in which every life finds the canary, or whatever else is wrong.
LinearRun live(const Plan& plan, Workshop& workshop, std::uint64_t seed = 1) {
  RandomChoices choices(seed);
  return run_linear(plan, workshop, choices);
}

TEST(PowerCut, never_leaves_one_life) {
  const VariantResult result = explore(linear_plan("W0+8 c(W0+8)", When::kNever));
  EXPECT_EQ(result.verdict.statistics.power_cuts, 0u);
  EXPECT_EQ(result.verdict.statistics.crash_states, 0u);
  Workshop workshop;
  EXPECT_EQ(live(linear_plan("W0+8 c(W0+8)", When::kNever), workshop).lives.size(), 1u);
}

TEST(PowerCut, any_cuts_at_every_opportunity) {
  // Submission, transfer (and completion) of one write.
  const VariantResult result = explore(linear_plan("W0+8 c(W0+8)", When::kAny));
  EXPECT_GE(result.verdict.statistics.power_cuts, 2u);
  EXPECT_LE(result.verdict.statistics.power_cuts, 4u);
  const VariantResult longer = explore(linear_plan("W0+8 c(W0+8) F c(F) W8+8 c(W8+8)", When::kAny));
  EXPECT_GT(longer.verdict.statistics.power_cuts, result.verdict.statistics.power_cuts);
}

TEST(PowerCut, at_an_instant_comes_once_and_then) {
  Plan plan = linear_plan("W0+8 c(W0+8)", When::kAt);
  plan.power_cut.at = Duration::milliseconds(500);  // long after everything has come to rest
  EXPECT_EQ(explore(plan).verdict.statistics.power_cuts, 1u);
  Workshop workshop;
  const LinearRun run = live(plan, workshop);
  ASSERT_EQ(run.lives.size(), 2u);
  EXPECT_EQ(run.lives[0]->now(), Instant() + Duration::milliseconds(500));
  EXPECT_GE(run.lives[1]->now(), run.lives[0]->now());
}

TEST(PowerCut, at_the_end_comes_when_the_tasks_have_ended_although_all_is_at_rest) {
  const Plan plan = linear_plan("W0+8 c(W0+8)", When::kAtEnd);
  const VariantResult result = explore(plan);
  EXPECT_EQ(result.verdict.statistics.power_cuts, 1u);
  EXPECT_GE(result.verdict.statistics.crash_states, 1u);
  Workshop workshop;
  const LinearRun run = live(plan, workshop);
  ASSERT_EQ(run.lives.size(), 2u);
  EXPECT_TRUE(run.lives[0]->tasks_done());
}

TEST(PowerCut, of_a_script_comes_where_it_says_whatever_the_policy) {
  for (const When when : {When::kNever, When::kAny, When::kAtEnd}) {
    Workshop workshop;
    const Plan plan = linear_plan("W0+8 c(W0+8) * W8+8 c(W8+8)", when);
    EXPECT_GE(explore(plan).verdict.statistics.power_cuts, 1u);
    if (when == When::kAny) continue;  // may be cut earlier
    const LinearRun run = live(plan, workshop);
    ASSERT_EQ(run.lives.size(), 2u);
    EXPECT_EQ(run.lives[0]->reference("lv")->writes(), 1u) << "nothing goes on after it";
  }
}

// The state after a flush is the write, without one anything: two free units of one page give 1 or 2^n.
TEST(PowerCut, survivors_follow_the_plan) {
  Plan plan = linear_plan("W0+2 c(W0+2) *", When::kNever);
  for (const auto policy : {SurvivorPolicy::kNone, SurvivorPolicy::kAll, SurvivorPolicy::kChosen}) {
    plan.power_cut.survivors = policy;
    plan.power_cut.states_per_cut = 16;
    const RunStatistics got = explore(plan).verdict.statistics;
    EXPECT_EQ(got.power_cuts, 1u);
    if (policy == SurvivorPolicy::kChosen) {
      EXPECT_EQ(got.crash_states, 4u) << "each of two sectors survives or does not";
    } else {
      EXPECT_EQ(got.crash_states, 1u);
    }
  }
}

TEST(PowerCut, a_durable_write_leaves_nothing_free) {
  Plan plan = linear_plan("W0+2 c(W0+2) F c(F) *", When::kNever);
  plan.power_cut.states_per_cut = 16;
  EXPECT_EQ(explore(plan).verdict.statistics.crash_states, 1u);
  EXPECT_TRUE(explore(plan).verdict.violations.empty());
}

TEST(PowerCut, equal_states_are_checked_once_and_counted) {
  Plan plan = test::mirror_plan();
  plan.tasks = {test::writer(10)};
  test::cut_anywhere(plan);
  plan.power_cut.states_per_cut = 8;
  const RunStatistics got = explore(plan).verdict.statistics;
  EXPECT_GT(got.duplicate_states, 0u);
  EXPECT_GT(got.crash_states, got.power_cuts / 4);
}

TEST(PowerCut, a_limit_on_cuts_is_kept) {
  Plan plan = test::mirror_plan();
  plan.tasks = {test::writer(60)};
  test::cut_anywhere(plan);
  const std::uint64_t all = explore(plan).verdict.statistics.power_cuts;
  EXPECT_GT(all, 200u);
  for (const std::uint64_t limit : {0u, 1u, 2u, 3u, 7u, 20u}) {
    EXPECT_EQ(explore(plan, limit).verdict.statistics.power_cuts, limit);
  }
  EXPECT_EQ(explore(plan, 1'000'000).verdict.statistics.power_cuts, all);
}

TEST(PowerCut, recovery_can_be_cut_again) {
  Plan plan = test::mirror_plan();
  plan.tasks = {test::writer(20)};
  test::cut_anywhere(plan);
  const RunStatistics once = explore(plan).verdict.statistics;
  plan.power_cut.depth = 2;
  const RunStatistics twice = explore(plan).verdict.statistics;
  EXPECT_GT(twice.crash_states, once.crash_states);
  EXPECT_TRUE(explore(plan).verdict.violations.empty());
  Workshop workshop;
  std::size_t most = 0;
  // In a linear run nearly every drawn opportunity is beyond the life's end; small ones are scripted.
  class SmallCuts final : public ChoiceSource {
    std::uint64_t choose(const ChoicePoint& point, Actor who, std::uint64_t bound) override {
      return point.hash == hash_name("power.cut", 9) ? 3 : random_.draw(point, who, bound);
    }
    RandomChoices random_{7};
  } choices;
  most = run_linear(plan, workshop, choices).lives.size();
  EXPECT_EQ(most, 3u) << "the first life, a recovery that was cut, and one that was not";
}

TEST(Seeds, survivors_and_cuts_decide_everything_that_follows) {
  for (const test::PlantedBug& bug : test::planted_bugs()) {
    SCOPED_TRACE(bug.name);
    for (const SwitchValues& switches : {bug.faulty, bug.fixed}) {
      const Plan plan = test::with(bug.plan, switches);
      const VariantResult one = explore(plan, std::nullopt, 5);
      const VariantResult two = explore(plan, std::nullopt, 5);
      EXPECT_EQ(one.verdict.fingerprint.value(), two.verdict.fingerprint.value());
      EXPECT_EQ(one.verdict.violations.size(), two.verdict.violations.size());
      EXPECT_EQ(one.verdict.statistics.crash_states, two.verdict.statistics.crash_states);
      const VariantResult other = explore(plan, std::nullopt, 6);
      EXPECT_NE(one.verdict.fingerprint.value(), other.verdict.fingerprint.value());
    }
  }
}

// What ran before in a workshop leaves no mark on what runs next.
TEST(Seeds, survivors_and_cuts_decide_everything_that_follows_in_a_used_workshop_too) {
  Workshop workshop;
  RunOptions options;
  options.runs = 1;
  const Plan plan = test::unstable_page_plan();
  const std::uint64_t fresh = run_variant(plan, workshop, options).verdict.fingerprint.value();
  for (const test::PlantedBug& bug : test::planted_bugs()) run_variant(bug.plan, workshop, options);
  EXPECT_EQ(run_variant(plan, workshop, options).verdict.fingerprint.value(), fresh);
}

TEST(Worlds, a_thousand_one_after_another_leave_nothing_behind) {
  Workshop workshop;
  Plan plan = test::mirror_plan();
  plan.tasks = {test::writer(2), test::store(512, {Duration(), Duration::microseconds(10)}, 3)};
  RunOptions options;
  options.runs = 1;
  std::uint64_t baseline = 0;
  for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
    options.seed = seed;
    plan.power_cut.when = seed % 10 == 0 ? When::kAtEnd : When::kNever;
    EXPECT_TRUE(run_variant(plan, workshop, options).verdict.violations.empty()) << seed;
    if (seed == 1) baseline = workshop.pages().live();
    if (seed % 100 == 0) {
      // What each disk starts from is made page by page, when it is first read, and kept.
      EXPECT_LE(workshop.pages().live(), baseline + 3 * 128) << seed;
    }
  }
  const std::uint64_t after = workshop.pages().live();
  options.seed = 1;
  run_variant(plan, workshop, options);
  EXPECT_EQ(workshop.pages().live(), after);
}

TEST(Runs, plain_plans_without_faults_break_nothing_over_many_seeds) {
  Workshop workshop;
  RunOptions options;
  options.runs = 40;
  Plan plan = test::mirror_plan();
  plan.disks[0].evict_every = plan.disks[1].evict_every = Duration::milliseconds(1);
  plan.disks[1].atomic_sectors = 8;
  plan.disks[0].transfer_steps = 4;
  plan.machine.pdflush = PdflushOptions{Duration::milliseconds(5), Duration::milliseconds(10)};
  plan.tasks = {test::writer(20, Duration()), test::reader(20, Duration())};
  const VariantResult result = run_variant(plan, workshop, options);
  EXPECT_TRUE(result.verdict.violations.empty())
      << result.verdict.violations.front().oracle << ": " << result.verdict.violations.front().sentence;
  EXPECT_EQ(result.verdict.statistics.runs, 40u);
  test::cut_anywhere(plan);
  options.runs = 4;
  const VariantResult cut = run_variant(plan, workshop, options);
  EXPECT_TRUE(cut.verdict.violations.empty())
      << cut.verdict.violations.front().oracle << ": " << cut.verdict.violations.front().sentence;
}

TEST(Runs, a_refused_table_is_told_and_ends_the_runs) {
  Plan plan = test::mirror_plan();
  plan.devices[0].table = "0 1024 mirror disk 2 log0 100 2 leg0 0 leg1 0";
  const VariantResult result = explore(plan);
  EXPECT_NE(result.refused.find("device lv does not come up: EINVAL"), std::string::npos)
      << result.refused;
}

TEST(Runs, stop_is_heeded_with_and_without_cuts) {
  for (const When when : {When::kNever, When::kAny}) {
    Workshop workshop;
    Plan plan = test::mirror_plan();
    plan.tasks = {test::writer(1000)};
    plan.power_cut.when = when;
    RunOptions options;
    options.runs = 1'000'000'000;
    int asked = 0;
    options.stop = [&] { return ++asked > 500; };
    const VariantResult result = run_variant(plan, workshop, options);
    EXPECT_TRUE(result.stopped);
    EXPECT_LE(result.verdict.statistics.runs, 500u);
  }
}

}  // namespace
}  // namespace dmsim
