// LVM1 over generated plans: the fixed form keeps every promise, each planted bug is found from a random start, seeds
// 1, 2, 3, ... Budgets are what was measured, doubled, at least 50.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "engine/lvm/lvm1_switches.h"
#include "harness/engine_factory.h"
#include "harness/oracle_names.h"
#include "properties/generated.h"
#include "scenarios/plan_yaml.h"

namespace dmsim {
namespace {

const SwitchValues kFixed{};

Plan plan_of(std::uint64_t seed, const SwitchValues& switches) {
  RandomChoices choices(seed);
  return generate_plan(choices, {switches, {PlanSubject::kLvm1}});
}

VariantResult run_seed(std::uint64_t seed, const SwitchValues& switches, Workshop& workshop) {
  RunOptions options;
  options.seed = seed;
  options.runs = 1;
  options.cuts = 40;
  return run_variant(plan_of(seed, switches), workshop, options);
}

TEST(Lvm1Plans, are_understood_by_the_loader_and_written_without_loss) {
  std::vector<std::string_view> names;
  for (const OracleInfo& info : oracle_table()) names.push_back(info.name);
  const Vocabulary words{names, all_switches(), engine_names()};
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    const Plan plan = plan_of(seed, kFixed);
    const auto read = read_plan(write_plan(plan), "generated", words);
    ASSERT_TRUE(read.ok()) << "seed " << seed << ": " << read.error().to_string();
    ASSERT_EQ(*read, plan) << "seed " << seed;
  }
}

TEST(Lvm1Plans, are_kept_by_the_fixed_form) {
  Workshop workshop;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    const VariantResult result = run_seed(seed, kFixed, workshop);
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
    {"lvm1.locked_copy", "absent", 50},      {"lvm1.drain", "fsync-dev", 50},
    {"lvm1.copy", "buffered", 110},          {"lvm1.copy_memory", "allocated", 600},
    {"lvm1.map_commit", "after-unlock", 200},
};

class PlantedInLvm1 : public ::testing::TestWithParam<PlantedBug> {};

TEST_P(PlantedInLvm1, is_found_from_a_random_start) {
  const PlantedBug& bug = GetParam();
  Workshop workshop;
  for (std::uint64_t seed = 1; seed <= bug.runs; ++seed) {
    const VariantResult result = run_seed(seed, {{std::string(bug.name), std::string(bug.value)}}, workshop);
    ASSERT_TRUE(result.refused.empty()) << result.refused;
    if (!result.crash) continue;
    RecordProperty("runs", static_cast<int>(seed));
    return;
  }
  FAIL() << bug.name << "=" << bug.value << " is not found in " << bug.runs << " runs";
}

INSTANTIATE_TEST_SUITE_P(Generated, PlantedInLvm1, ::testing::ValuesIn(kBugs), [](const auto& bug) {
  std::string name = std::string(bug.param.name) + "_" + std::string(bug.param.value);
  std::replace_if(name.begin(), name.end(), [](char c) { return c == '.' || c == '-'; }, '_');
  return name;
});

TEST(PlantedInLvm1List, holds_every_switch) {
  std::set<std::pair<std::string_view, std::string_view>> listed;
  for (const PlantedBug& bug : kBugs) listed.insert({bug.name, bug.value});
  for (const SwitchInfo& info : lvm1::lvm1_switches()) {
    for (const std::string_view value : info.values.subspan(1)) {
      EXPECT_TRUE(listed.contains({info.name, value})) << info.name << "=" << value;
    }
  }
}

}  // namespace
}  // namespace dmsim
