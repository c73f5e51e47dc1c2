// Volume groups over generated plans: the fixed engine and the fixed commands keep every promise, each planted
// fault of the commands is found from a random start, seeds 1, 2, 3, ... Budgets are what was measured, doubled,
// at least 50.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "engine/lvm/lvm_switches.h"
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
  generator.about = {PlanSubject::kVolumeGroup};
  const Plan plan = generate_plan(choices, generator);
  RunOptions options;
  options.seed = seed;
  options.runs = 1;
  options.cuts = 10;
  return run_variant(plan, workshop, options);
}

TEST(LvmPlans, are_understood_by_the_loader_and_written_without_loss) {
  std::vector<std::string_view> names;
  for (const OracleInfo& info : oracle_table()) names.push_back(info.name);
  const Vocabulary words{names, all_switches(), engine_names()};
  GeneratorOptions generator;
  generator.about = {PlanSubject::kVolumeGroup};
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    RandomChoices choices(seed);
    const Plan plan = generate_plan(choices, generator);
    const auto read = read_plan(write_plan(plan), "generated", words);
    ASSERT_TRUE(read.ok()) << "seed " << seed << ": " << read.error().to_string();
    ASSERT_EQ(*read, plan) << "seed " << seed;
  }
}

TEST(LvmPlans, are_kept_by_the_fixed_engine) {
  Workshop workshop;
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
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
    {"lvm.lock", "none", 50},
    {"lvm.snapshot_flush", "off", 50},
    {"lvm.snapshot_lockfs", "off", 50},
    {"lvm.resume_order", "origin-first", 54},
    {"lvm.repair_suspend", "flush", 50},
    {"lvm.scan", "reads-suspended", 50},
    {"lvm.backup", "while-suspended", 50},
    {"lvm.resync_monitor", "left-on", 88},
};

// Cures, and what generated plans do not show: scenarios do.
constexpr PlantedBug kNotFound[] = {
    {"lvm.lock", "device", 0},               // half of a cure
    {"lvm.passthrough", "on", 0},            // a cure
    {"lvm.temporary", "zero", 0},            // nobody has a leg open
    {"lvm.memory", "allocated", 0},          // hardly ever is memory full of the volume's pages
    {"lvm.repair_commit", "after-resume", 0},  // not in 1000 runs: the power must fail in one short moment
    {"lvm.metadata_flush", "off", 0},          // not in 1000 runs: the same
};

class PlantedLvm : public ::testing::TestWithParam<PlantedBug> {};

TEST_P(PlantedLvm, is_found_from_a_random_start) {
  const PlantedBug& bug = GetParam();
  const SwitchValues switches{{std::string(bug.name), std::string(bug.value)}};
  Workshop workshop;
  for (std::uint64_t seed = 1; seed <= bug.runs; ++seed) {
    const VariantResult result = run_seed(seed, switches, workshop);
    ASSERT_TRUE(result.refused.empty()) << result.refused;
    if (result.crash) {
      RecordProperty("runs", static_cast<int>(seed));
      RecordProperty("oracle", std::string(result.crash->violations.front().oracle));
      return;
    }
  }
  FAIL() << bug.name << "=" << bug.value << " is not found in " << bug.runs << " runs";
}

INSTANTIATE_TEST_SUITE_P(Generated, PlantedLvm, ::testing::ValuesIn(kBugs), [](const auto& bug) {
  std::string name = std::string(bug.param.name) + "_" + std::string(bug.param.value);
  std::replace_if(name.begin(), name.end(), [](char c) { return c == '.' || c == '-'; }, '_');
  return name;
});

TEST(PlantedLvms, are_all_in_one_of_the_two_lists) {
  std::set<std::pair<std::string_view, std::string_view>> listed;
  for (const PlantedBug& bug : kBugs) listed.insert({bug.name, bug.value});
  for (const PlantedBug& bug : kNotFound) listed.insert({bug.name, bug.value});
  for (const SwitchInfo& info : lvm::lvm_switches()) {
    for (const std::string_view value : info.values.subspan(1)) {
      EXPECT_TRUE(listed.contains({info.name, value})) << info.name << "=" << value;
    }
  }
}

}  // namespace
}  // namespace dmsim
