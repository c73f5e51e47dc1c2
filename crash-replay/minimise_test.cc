// The whole minimiser: what it promises of every crash, and how small the first two seeds become.
#include "crash-replay/minimise.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "crash-replay/crash_file.h"
#include "crash-replay/minimise/test_crashes.h"
#include "scenarios/scenario_loader.h"

namespace dmsim {
namespace {

using test::find_crash;
using test::unmarked_plan;
using test::whole_vocabulary;

MinimiseResult minimised(const Crash& crash, unsigned effort = 2, std::uint64_t tries = 400'000) {
  Workshop workshop;
  MinimiseOptions options;
  options.effort = effort;
  options.tries = tries;
  return minimise(crash, workshop, whole_vocabulary(), options);
}

TEST(minimise, the_smaller_crash_replays_to_its_fingerprint_from_its_file) {
  Workshop workshop;
  const Crash crash = find_crash(unmarked_plan(), workshop);
  const MinimiseResult result = minimised(crash);
  ASSERT_TRUE(result.reproduced);
  EXPECT_TRUE(result.finished);
  EXPECT_EQ(result.unsteady, 0u);
  EXPECT_TRUE(result.after < result.before);
  const std::string path = testing::TempDir() + "dmsim-minimised.yaml";
  ASSERT_TRUE(save_crash(result.crash, path).ok());
  const auto read = read_crash(path, whole_vocabulary());
  std::remove(path.c_str());
  ASSERT_TRUE(read.ok()) << read.error().to_string();
  const ReplayResult replay = replay_crash(*read, workshop);
  EXPECT_TRUE(replay.reproduced);
  EXPECT_TRUE(replay.same_fingerprint);
  EXPECT_EQ(replay.departures, 0u);
  EXPECT_EQ(signature(replay.run.violations.front()), signature(crash.violations.front()));
}

TEST(minimise, equal_crashes_become_equal_crashes) {
  Workshop workshop;
  const Crash crash = find_crash(unmarked_plan(), workshop);
  const MinimiseResult first = minimised(crash);
  const MinimiseResult second = minimised(crash);
  EXPECT_EQ(write_crash(first.crash), write_crash(second.crash));
  EXPECT_EQ(first.tries, second.tries);
}

TEST(minimise, what_is_as_small_as_it_goes_stays_as_it_is) {
  Workshop workshop;
  const MinimiseResult first = minimised(find_crash(unmarked_plan(), workshop));
  ASSERT_TRUE(first.finished);
  const MinimiseResult second = minimised(first.crash);
  EXPECT_EQ(second.accepted, 0u);
  EXPECT_EQ(write_crash(second.crash), write_crash(first.crash));
}

TEST(minimise, tries_are_bounded_and_what_there_is_is_kept) {
  Workshop workshop;
  const Crash crash = find_crash(unmarked_plan(), workshop);
  const MinimiseResult result = minimised(crash, 2, 60);
  EXPECT_FALSE(result.finished);
  EXPECT_LE(result.tries, 62u);
  EXPECT_FALSE(result.before < result.after);
  EXPECT_TRUE(replay_crash(result.crash, workshop).same_fingerprint);
}

TEST(minimise, whoever_asks_to_stop_gets_what_there_is) {
  Workshop workshop;
  const Crash crash = find_crash(unmarked_plan(), workshop);
  MinimiseOptions options;
  std::uint64_t asked = 0;
  options.stop = [&asked] { return ++asked > 100; };
  const MinimiseResult result = minimise(crash, workshop, whole_vocabulary(), options);
  EXPECT_FALSE(result.finished);
  EXPECT_LE(result.tries, 110u);
  EXPECT_TRUE(replay_crash(result.crash, workshop).same_fingerprint);
}

TEST(minimise, a_crash_that_does_not_occur_is_given_back) {
  Workshop workshop;
  Crash crash = find_crash(unmarked_plan(), workshop);
  crash.plan.switches.clear();
  const MinimiseResult result = minimised(crash);
  EXPECT_FALSE(result.reproduced);
  EXPECT_EQ(result.crash.choices, crash.choices);
}

// Two bugs in one plan. The simpler one to show lies on the way of every pass that works on the other.
TEST(minimise, another_broken_promise_is_never_taken_for_the_recorded_one) {
  Workshop workshop;
  Plan plan = test::mirror_plan("0");
  plan.faults = {test::fault("log0", FaultKind::kWriteError)};
  plan.faults[0].from = test::after_sync();
  plan.switches = {{"mirror.issue_on_log_fail_without_he", "off"}, {"mirror.nosync_entry", "never-reclaim"}};
  plan.tasks = {test::writer(5), test::reader(3)};
  Plan leaks = plan;
  leaks.checks = {std::string(oracle::kNoLeak)};
  leaks.tasks = {test::writer(30, Duration())};
  leaks.faults.clear();
  const Crash leak = find_crash(leaks, workshop);
  plan.checks = {std::string(oracle::kNoFalseSuccess)};
  const Crash false_success = find_crash(plan, workshop);
  ASSERT_NE(signature(leak.violations.front()), signature(false_success.violations.front()));
  for (Crash crash : {leak, false_success}) {
    const std::string wanted = signature(crash.violations.front());
    crash.plan.checks = {std::string(oracle::kNoLeak), std::string(oracle::kNoFalseSuccess)};
    const MinimiseResult result = minimised(crash, 1);
    ASSERT_TRUE(result.reproduced);
    EXPECT_EQ(signature(result.crash.violations.front()), wanted);
    EXPECT_TRUE(result.after < result.before);
  }
}

// A store of one chunk would not come up either, with the bug or without.
TEST(minimise, what_does_not_come_up_after_a_power_cut_comes_up_without_one) {
  Workshop workshop;
  const auto plans = load_scenario("scenarios/snapshot/create-torn.yaml", whole_vocabulary());
  ASSERT_TRUE(plans.ok());
  for (const Plan& plan : *plans) {
    if (plan.variant != "header-first") continue;
    const VariantResult found = run_variant(plan, workshop, {});
    ASSERT_TRUE(found.crash && found.crash->violations.front().state == "does not come up");
    const MinimiseResult result = minimised(*found.crash, 1, 5'000);
    ASSERT_TRUE(result.reproduced);
    EXPECT_TRUE(result.after < result.before);
    Plan smaller = result.crash.plan;
    smaller.power_cut.when = PowerCutPlan::When::kNever;
    ReplayedChoices plainest({});
    EXPECT_EQ(run_linear(smaller, workshop, plainest).refused, "");
    return;
  }
  FAIL() << "no such variant";
}

class MinimisePlanted : public testing::TestWithParam<test::PlantedBug> {};

TEST_P(MinimisePlanted, becomes_smaller_and_stays_the_same_bug) {
  Workshop workshop;
  Plan plan = test::with(GetParam().plan, GetParam().faulty);
  plan.runs = 60;
  const Crash crash = find_crash(plan, workshop);
  const MinimiseResult result = minimised(crash, 1, 2'000);
  ASSERT_TRUE(result.reproduced);
  EXPECT_EQ(result.unsteady, 0u);
  EXPECT_TRUE(result.after < result.before);
  EXPECT_EQ(signature(result.crash.violations.front()), signature(crash.violations.front()));
  EXPECT_TRUE(replay_crash(result.crash, workshop).same_fingerprint);
}

INSTANTIATE_TEST_SUITE_P(Long, MinimisePlanted, testing::ValuesIn(test::planted_bugs()),
                         [](const auto& bug) {
                           std::string name = bug.param.name;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

Crash seed_crash(const std::string& scenario, const std::string& variant, Workshop& workshop) {
  const auto plans = load_scenario("scenarios/seeds/" + scenario + ".yaml", whole_vocabulary());
  CHECK(plans.ok());
  for (const Plan& plan : *plans) {
    if (plan.variant == variant) return find_crash(plan, workshop);
  }
  CHECK(false, scenario, variant);
  return {};
}

TEST(LongMinimise, the_first_seed_comes_out_at_a_dozen_events) {
  Workshop workshop;
  const MinimiseResult result =
      minimised(seed_crash("mirror-unstable-page", "mmap-store-pdflush", workshop), 4, 2'000'000);
  EXPECT_LE(result.after.io_events, 12u) << write_crash(result.crash);
  EXPECT_EQ(result.after.tasks, 1u);
  EXPECT_LE(result.after.not_plain, 12u);
}

TEST(LongMinimise, the_second_seed_comes_out_at_a_dozen_events) {
  Workshop workshop;
  const MinimiseResult result = minimised(seed_crash("mirror-nosync-promoted", "as-2006", workshop), 3);
  EXPECT_LE(result.after.io_events, 12u) << size_words(result.after);
  EXPECT_EQ(result.after.tasks, 2u);
  EXPECT_LE(result.after.not_plain, 12u);
}

}  // namespace
}  // namespace dmsim
