// Clones over generated plans: each promise holds on the fixed engine, each planted bug is found from a random
// start, seeds 1, 2, 3, ...
#include <gtest/gtest.h>

#include <algorithm>

#include "engine/native/clone/clone_switches.h"
#include "harness/engine_factory.h"
#include "harness/known_faults.h"
#include "harness/oracle_names.h"
#include "properties/generated.h"
#include "properties/planted.h"

namespace dmsim {
namespace {

const GeneratedRuns kRuns{{PlanSubject::kClone}};

TEST(ClonePlans, are_understood_by_the_loader_and_written_without_loss) { expect_round_trip(kRuns, 1000); }

TEST(ClonePlans, lie_upon_other_devices_now_and_then) {
  std::uint64_t stacked = 0;
  for (std::uint64_t seed = 1; seed <= 1000; ++seed) stacked += kRuns.plan(seed).devices.size() > 1 ? 1 : 0;
  EXPECT_GT(stacked, 50u);
}

TEST(ClonePlans, are_as_plain_as_can_be_when_all_draws_are_zero) {
  PlainChoices plain;
  const Plan plan = generate_plan(plain, {{}, {PlanSubject::kClone}});
  EXPECT_EQ(plan.tasks.size(), 1u);
  EXPECT_EQ(plan.devices.size(), 1u);
  EXPECT_TRUE(plan.faults.empty());
}

TEST(ClonePlans, come_with_a_switch_of_the_clone_and_with_no_other) {
  const auto is_about_clones = [](const SwitchValues& switches) {
    RandomChoices choices(7);
    const Plan plan = generate_plan(choices, {switches});
    return std::any_of(plan.disks.begin(), plan.disks.end(),
                       [](const DiskOptions& disk) { return disk.name == "meta"; });
  };
  EXPECT_TRUE(is_about_clones({{"clone.phase", "two"}}));
  EXPECT_FALSE(is_about_clones({{"mirror.buffer", "stable"}}));
}

// --- the fixed engine ---------------------------------------------------------------------------

class ClonePromise : public ::testing::TestWithParam<std::string_view> {};

TEST_P(ClonePromise, is_kept_by_the_fixed_engine_on_generated_plans) {
  const std::string promise(GetParam());
  Workshop workshop;
  std::uint64_t held_to_it = 0;
  const bool held = rc::check(promise, [&](const PropertyInput& input) {
    ListedDraws draws(input.draws);
    Plan plan = generate_plan(draws, {{}, {PlanSubject::kClone}});
    if (std::find(plan.checks.begin(), plan.checks.end(), promise) == plan.checks.end()) return;
    plan.checks = {promise};
    ++held_to_it;
    const VariantResult result = run_once(plan, input.seed, kRuns.cuts, workshop);
    RC_ASSERT(result.refused.empty());
    for (const Violation& violation : result.verdict.violations) RC_FAIL(violation.sentence);
  });
  EXPECT_TRUE(held);
  EXPECT_GT(held_to_it, 0u) << "no plan was held to this promise";
}

constexpr std::string_view kPromises[] = {
    oracle::kCommittedDurable, oracle::kReadYourWrites, oracle::kStableRead,     oracle::kDurability,
    oracle::kUntouched,        oracle::kNoFalseError,   oracle::kNoFalseSuccess, oracle::kLiveness,
    oracle::kNoLeak,           oracle::kAnswers};

INSTANTIATE_TEST_SUITE_P(Generated, ClonePromise, ::testing::ValuesIn(kPromises), [](const auto& promise) {
  return test_name(promise.param);
});

// All promises of a plan at once; what is known of Linux is no news.
class ClonesOfAKernel : public ::testing::TestWithParam<std::string_view> {};

TEST_P(ClonesOfAKernel, keep_their_promises_or_show_what_is_known) {
  const std::string engine(GetParam());
  if (const std::string why = why_not_available(engine); !why.empty()) GTEST_SKIP() << why;
  ASSERT_EQ(why_no_engine(engine), "");
  Workshop workshop;
  std::uint64_t states = 0;
  const bool held = rc::check(engine, [&](const PropertyInput& input) {
    ListedDraws draws(input.draws);
    Plan plan = generate_plan(draws, {{}, {PlanSubject::kClone}});
    plan.engine = engine;
    const VariantResult result = run_once(plan, input.seed, kRuns.cuts, workshop);
    RC_ASSERT(result.refused.empty());
    states += result.verdict.statistics.crash_states;
    if (!result.crash) return;
    for (const Violation& violation : result.verdict.violations) {
      if (known_fault(result.crash->plan, violation, workshop).empty()) RC_FAIL(violation.sentence);
    }
  });
  EXPECT_TRUE(held);
  EXPECT_GT(states, 0u);
}

INSTANTIATE_TEST_SUITE_P(Linux, ClonesOfAKernel, ::testing::Values("linux-6.1", "linux-6.12"), [](const auto& engine) {
  return test_name(engine.param);
});

// Whatever the durable metadata say is so in memory. (Not of a table that is not resumed yet: it reads them then.)
TEST(CloneProperties, durable_metadata_never_say_more_than_memory) {
  Workshop workshop;
  std::uint64_t looks = 0;
  const bool held = rc::check([&](const PropertyInput& input) {
    ListedDraws draws(input.draws);
    Plan plan = generate_plan(draws, {{}, {PlanSubject::kClone}});
    const bool reloads = std::any_of(plan.tasks.begin(), plan.tasks.end(), [](const TaskPlan& task) {
      const auto* admin = std::get_if<DmsetupTask>(&task.body);
      return admin != nullptr &&
             std::any_of(admin->steps.begin(), admin->steps.end(), [](const DmsetupStep& step) {
               return step.verb == DmsetupStep::Verb::kLoad;
             });
    });
    if (!plan.faults.empty() || reloads) return;
    plan.checks = {std::string(oracle::kLiveness)};
    RandomChoices choices(input.seed);
    World world(plan, workshop, choices, Trace::Keep::kTail);
    std::string refused;
    world.boot(&refused, nullptr);
    RC_ASSERT(refused.empty());
    world.start_tasks();
    bool less = false;
    const auto look = [&] {
      ++looks;
      for (const auto& [device, view] : world.clone_views()) {
        const Image& media = world.disk(view->metadata_device())->media();
        const auto durable = view->hydrated_by([&](Sector first, std::uint32_t count, std::byte* out) {
          media.read({first, first + count}, {out, count * kSectorBytes});
        });
        for (std::uint64_t region = 0; durable.ok() && region < view->region_count(); ++region) {
          less = less || ((*durable)[region] && !view->hydrated(region));
        }
        less = less || !durable.ok();
      }
      return false;
    };
    world.run_until([&] { return world.tasks_done(); }, look);
    RC_ASSERT(!less);
  });
  EXPECT_TRUE(held);
  EXPECT_GT(looks, 0u);
}

TEST(FixedClone, goes_through_the_plans_of_the_planted_bugs_without_a_finding) { expect_no_finding(kRuns, 1500); }

// --- planted bugs -------------------------------------------------------------------------------

constexpr PlantedBug kBugs[] = {
    {"clone.flush_dest", "off", 50},    {"clone.flush_dest", "after", 50},
    {"clone.phase", "one", 50},         {"clone.track", "word", 50},
    {"clone.overwrite_fua", "ack", 50}, {"clone.overwrite_fua", "forgotten-below", 200},
    {"clone.set_bit_time", "start", 50},
    {"clone.flush_commits", "off", 50}, {"clone.discard_waits", "off", 50},
    {"clone.metadata_load", "load", 50}, {"clone.partial_discard", "wrong-range", 58},
};

class PlantedInClone : public ::testing::TestWithParam<PlantedBug> {};
TEST_P(PlantedInClone, is_found_from_a_random_start) { expect_found(kRuns, GetParam()); }
INSTANTIATE_TEST_SUITE_P(Generated, PlantedInClone, ::testing::ValuesIn(kBugs), name_of_bug);

TEST(PlantedClones, are_all_in_the_list) { expect_listed(clone_switches(), kBugs); }

}  // namespace
}  // namespace dmsim
