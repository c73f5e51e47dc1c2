// Runs of small plans: every oracle with a planted bug and its fixed twin, the kinds of power cut, what a
// limit on cuts does, and that a seed decides everything.
#include "harness/run.h"

#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "harness/test_plans.h"

namespace dmsim {
namespace {

using When = PowerCutPlan::When;

VariantResult explore(const Plan& plan, std::uint64_t seed = 1,
                      std::optional<std::uint64_t> runs = std::nullopt,
                      std::optional<std::uint64_t> cuts = std::nullopt) {
  Workshop workshop;
  RunOptions options;
  options.seed = seed;
  options.runs = runs;
  options.cuts = cuts;
  return run_variant(plan, workshop, options);
}

std::string words(const VariantResult& result) {
  std::string out = result.refused;
  for (const Violation& violation : result.verdict.violations) {
    out += violation.oracle + " (" + std::string(blame_name(violation.blame)) + "): " + violation.sentence + "\n";
    for (const std::string& detail : violation.details) out += "  " + detail + "\n";
  }
  return out.empty() ? "holds" : out;
}

class EveryPlantedBug : public testing::TestWithParam<test::PlantedBug> {};

TEST_P(EveryPlantedBug, is_caught_and_its_fixed_twin_passes) {
  const test::PlantedBug& bug = GetParam();
  const VariantResult faulty = explore(test::with(bug.plan, bug.faulty));
  ASSERT_FALSE(faulty.verdict.violations.empty()) << words(faulty);
  EXPECT_EQ(faulty.verdict.violations.front().oracle, bug.oracle) << words(faulty);
  EXPECT_EQ(faulty.verdict.violations.front().blame, Blame::kEngine);
  EXPECT_TRUE(faulty.crash.has_value());
  const VariantResult fixed = explore(test::with(bug.plan, bug.fixed));
  EXPECT_EQ(words(fixed), "holds");
  EXPECT_FALSE(fixed.crash.has_value());
}

INSTANTIATE_TEST_SUITE_P(Oracles, EveryPlantedBug, testing::ValuesIn(test::planted_bugs()),
                         [](const auto& tested) {
                           std::string name = tested.param.name;
                           for (char& letter : name) {
                             if (letter == '-') letter = '_';
                           }
                           return name;
                         });

TEST(Oracles, each_has_a_planted_bug_among_those_tested) {
  // The native engine has no BUG to meet: engine/linux/host shows that one.
  std::set<std::string_view> shown{oracle::kCanary, oracle::kNoEngineBug};
  for (const test::PlantedBug& bug : test::planted_bugs()) shown.insert(bug.oracle);
  for (const OracleInfo& info : oracle_table()) EXPECT_TRUE(shown.contains(info.name)) << info.name;
}

// Recovery goes on meanwhile, and its first copy takes ten seconds: those would be the next steps of a batch.
TEST(FirstLife, tasks_begin_as_soon_as_the_boot_is_over) {
  Plan plan = test::mirror_plan();
  plan.disks[0].read = {Duration::seconds(10), Duration::seconds(10)};
  plan.checks = {std::string(oracle::kLiveness)};  // nothing that is watched at every step
  plan.tasks.push_back(test::script("W0+8", Duration()));
  Workshop workshop;
  RunOptions options;
  options.runs = 1;
  options.keep_run = 1;
  const VariantResult result = run_variant(plan, workshop, options);
  std::uint64_t id = 0;
  std::int64_t begun_ns = -1;
  for (const std::string& event : result.kept_trace) {
    if (event.find(" task.begin ") != std::string::npos) std::istringstream(event) >> id >> begun_ns;
  }
  EXPECT_GE(begun_ns, 0);
  EXPECT_LT(begun_ns, Duration::seconds(1).count_ns());
}

}  // namespace
}  // namespace dmsim
