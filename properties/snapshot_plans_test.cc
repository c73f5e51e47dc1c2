// Snapshots over generated plans: the fixed engine keeps every promise, each planted bug is found from a random
// start, seeds 1, 2, 3, ... Budgets are what was measured, doubled, at least 50.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "engine/native/snapshot/snapshot_switches.h"
#include "base/sanitizer.h"
#include "harness/engine_factory.h"
#include "harness/oracle_names.h"
#include "properties/generated.h"
#include "scenarios/plan_yaml.h"

namespace dmsim {
namespace {

VariantResult run_seed(std::uint64_t seed, const SwitchValues& switches, Workshop& workshop) {
  RandomChoices choices(seed);
  GeneratorOptions generator;
  generator.switches = switches;
  generator.about = {PlanSubject::kSnapshot};
  const Plan plan = generate_plan(choices, generator);
  RunOptions options;
  options.seed = seed;
  options.runs = 1;
  options.cuts = 40;
  return run_variant(plan, workshop, options);
}

TEST(SnapshotPlans, are_understood_by_the_loader_and_written_without_loss) {
  std::vector<std::string_view> names;
  for (const OracleInfo& info : oracle_table()) names.push_back(info.name);
  const Vocabulary words{names, all_switches(), engine_names()};
  GeneratorOptions generator;
  generator.about = {PlanSubject::kSnapshot};
  for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
    RandomChoices choices(seed);
    const Plan plan = generate_plan(choices, generator);
    const auto read = read_plan(write_plan(plan), "generated", words);
    ASSERT_TRUE(read.ok()) << "seed " << seed << ": " << read.error().to_string();
    ASSERT_EQ(*read, plan) << "seed " << seed;
  }
}

TEST(SnapshotPlans, are_kept_by_the_fixed_engine) {
  Workshop workshop;
  for (std::uint64_t seed = 1; seed <= 4000; ++seed) {
    const VariantResult result = run_seed(seed, {}, workshop);
    ASSERT_TRUE(result.refused.empty()) << "seed " << seed << ": " << result.refused;
    for (const Violation& violation : result.verdict.violations) {
      ADD_FAILURE() << "seed " << seed << ": " << signature(violation) << ": " << violation.sentence;
    }
  }
}

struct PlantedBug {
  std::string_view name;
  std::string_view value;
  std::uint64_t runs;
};

constexpr PlantedBug kBugs[] = {
    {"snapshot.sort_by_chunk", "off", 76},
    {"snapshot.sibling_lock", "off", 1096},
    {"snapshot.registration", "allocates-locked", 50},
    {"snapshot.track_reads", "off", 50},
    {"snapshot.order_completion", "off", 50},
    {"snapshot.commit_on_copy_error", "off", 266},
    {"snapshot.own_header_buffer", "off", 270},
    {"snapshot.load_last_area", "off", 162},
    {"snapshot.area_preflush", "off", 50},
    {"snapshot.area_fua", "off", 50},
    {"snapshot.header_fua", "off", 50},
    {"snapshot.overflow", "invalidate", 138},
    {"snapshot.fail_reads_of_invalid", "off", 4634},
    {"snapshot.invalidate", "inline", 50},
    {"snapshot.throttle", "locked", 322},
    {"snapshot.suspend_on_handover", "off", 50},
    {"snapshot.drain_on_handover", "off", 8270},
    {"snapshot.active_before_origin", "off", 4094},
    {"snapshot.merge_flush", "off", 404},
    {"snapshot.merge_queue_writes", "off", 256},
    {"snapshot.merge_other_snaps", "off", 50},
};

constexpr PlantedBug kNotFound[] = {
    {"snapshot.create", "header-first", 0},  // needs a store on what was something else before
    {"snapshot.destroy_waits", "off", 0},    // no generated administrator takes a snapshot away
    {"snapshot.registration", "allocates-first", 0},  // no fault: the same, with memory to be found
    {"snapshot.throttle", "low", 0},         // no fault: the same, with fewer copies at once
};

class PlantedSnapshot : public ::testing::TestWithParam<PlantedBug> {};

TEST_P(PlantedSnapshot, is_found_from_a_random_start) {
  const PlantedBug& bug = GetParam();
#if defined(DMSIM_ADDRESS_SANITIZER)
  if (bug.runs > 1000) GTEST_SKIP() << "a long search is done once, without a sanitizer";
#endif
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

INSTANTIATE_TEST_SUITE_P(Generated, PlantedSnapshot, ::testing::ValuesIn(kBugs), [](const auto& bug) {
  std::string name = std::string(bug.param.name) + "_" + std::string(bug.param.value);
  std::replace_if(name.begin(), name.end(), [](char c) { return c == '.' || c == '-'; }, '_');
  return name;
});

TEST(PlantedSnapshots, are_all_in_one_of_the_two_lists) {
  std::set<std::pair<std::string_view, std::string_view>> listed;
  for (const PlantedBug& bug : kBugs) listed.insert({bug.name, bug.value});
  for (const PlantedBug& bug : kNotFound) listed.insert({bug.name, bug.value});
  for (const SwitchInfo& info : snapshot_switches()) {
    for (const std::string_view value : info.values.subspan(1)) {
      EXPECT_TRUE(listed.contains({info.name, value})) << info.name << "=" << value;
    }
  }
}

}  // namespace
}  // namespace dmsim
