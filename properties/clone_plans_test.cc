// Clones over generated plans: each promise holds on the fixed engine, each planted bug is found from a random
// start, seeds 1, 2, 3, ... Budgets are what was measured, doubled, at least 50.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "engine/native/clone/clone_switches.h"
#include "harness/engine_factory.h"
#include "harness/known_faults.h"
#include "harness/oracle_names.h"
#include "properties/generated.h"
#include "scenarios/plan_yaml.h"

namespace dmsim {
namespace {

VariantResult run_once(const Plan& plan, std::uint64_t seed, Workshop& workshop) {
  RunOptions options;
  options.seed = seed;
  options.runs = 1;
  options.cuts = 40;
  return run_variant(plan, workshop, options);
}

VariantResult run_seed(std::uint64_t seed, const SwitchValues& switches, Workshop& workshop) {
  RandomChoices choices(seed);
  return run_once(generate_plan(choices, {switches, {PlanSubject::kClone}}), seed, workshop);
}

TEST(ClonePlans, are_understood_by_the_loader_and_written_without_loss) {
  std::vector<std::string_view> names;
  for (const OracleInfo& info : oracle_table()) names.push_back(info.name);
  const Vocabulary words{names, all_switches(), engine_names()};
  std::uint64_t stacked = 0;
  for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
    RandomChoices choices(seed);
    const Plan plan = generate_plan(choices, {{}, {PlanSubject::kClone}});
    stacked += plan.devices.size() > 1 ? 1 : 0;
    const auto read = read_plan(write_plan(plan), "generated", words);
    ASSERT_TRUE(read.ok()) << "seed " << seed << ": " << read.error().to_string();
    ASSERT_EQ(*read, plan) << "seed " << seed;
  }
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
    const VariantResult result = run_once(plan, input.seed, workshop);
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
  std::string name(promise.param);
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
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
    const VariantResult result = run_once(plan, input.seed, workshop);
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
  std::string name(engine.param);
  std::replace_if(name.begin(), name.end(), [](char c) { return c == '-' || c == '.'; }, '_');
  return name;
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

TEST(FixedClone, goes_through_the_plans_of_the_planted_bugs_without_a_finding) {
  Workshop workshop;
  for (std::uint64_t seed = 1; seed <= 1500; ++seed) {
    const VariantResult result = run_seed(seed, {}, workshop);
    ASSERT_TRUE(result.refused.empty()) << "seed " << seed << ": " << result.refused;
    for (const Violation& violation : result.verdict.violations) {
      ADD_FAILURE() << "seed " << seed << ": " << signature(violation) << ": " << violation.sentence;
    }
  }
}

// --- planted bugs -------------------------------------------------------------------------------

struct PlantedBug {
  std::string_view name;
  std::string_view value;
  std::uint64_t runs;
};

constexpr PlantedBug kBugs[] = {
    {"clone.flush_dest", "off", 50},    {"clone.flush_dest", "after", 50},
    {"clone.phase", "one", 50},         {"clone.track", "word", 50},
    {"clone.overwrite_fua", "ack", 50}, {"clone.overwrite_fua", "forgotten-below", 200},
    {"clone.set_bit_time", "start", 50},
    {"clone.flush_commits", "off", 50}, {"clone.discard_waits", "off", 50},
    {"clone.metadata_load", "load", 50}, {"clone.partial_discard", "wrong-range", 58},
};

class PlantedInClone : public ::testing::TestWithParam<PlantedBug> {};

TEST_P(PlantedInClone, is_found_from_a_random_start) {
  const PlantedBug& bug = GetParam();
  const SwitchValues switches{{std::string(bug.name), std::string(bug.value)}};
  Workshop workshop;
  for (std::uint64_t seed = 1; seed <= bug.runs; ++seed) {
    const VariantResult result = run_seed(seed, switches, workshop);
    ASSERT_TRUE(result.refused.empty()) << result.refused;
    if (result.crash) {
      RecordProperty("runs", static_cast<int>(seed));
      return;
    }
  }
  FAIL() << bug.name << "=" << bug.value << " is not found in " << bug.runs << " runs";
}

INSTANTIATE_TEST_SUITE_P(Generated, PlantedInClone, ::testing::ValuesIn(kBugs), [](const auto& bug) {
  std::string name = std::string(bug.param.name) + "_" + std::string(bug.param.value);
  std::replace_if(name.begin(), name.end(), [](char c) { return c == '.' || c == '-'; }, '_');
  return name;
});

TEST(PlantedClones, are_all_in_the_list) {
  for (const SwitchInfo& info : clone_switches()) {
    for (const std::string_view value : info.values.subspan(1)) {
      EXPECT_TRUE(std::any_of(std::begin(kBugs), std::end(kBugs), [&](const PlantedBug& bug) {
        return bug.name == info.name && bug.value == value;
      })) << info.name << "=" << value;
    }
  }
}

}  // namespace
}  // namespace dmsim
