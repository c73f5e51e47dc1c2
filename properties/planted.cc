#include "properties/planted.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <set>

#include "base/sanitizer.h"
#include "harness/engine_factory.h"
#include "harness/oracle_names.h"
#include "scenarios/plan_yaml.h"

namespace dmsim {
namespace {

constexpr std::uint64_t kLongSearch = 1000;  // runs
constexpr std::uint64_t kWholeSeconds = 40;

// DMSIM_PROPERTY_SECONDS: about how long a hunt for what is not there may take; fewer than the whole ones make every
// such hunt shorter in proportion, and leave long searches to another day.
std::uint64_t property_seconds() {
  const char* const said = std::getenv("DMSIM_PROPERTY_SECONDS");
  return said == nullptr ? kWholeSeconds : std::strtoull(said, nullptr, 10);
}

}  // namespace

std::string test_name(std::string_view words) {
  std::string name(words);
  std::replace_if(name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return name;
}

Plan GeneratedRuns::plan(std::uint64_t seed, const SwitchValues& switches) const {
  RandomChoices choices(seed);
  return generate_plan(choices, {switches, about});
}

VariantResult GeneratedRuns::run(std::uint64_t seed, const SwitchValues& switches, Workshop& workshop) const {
  return run_once(plan(seed, switches), seed, cuts, workshop);
}

VariantResult run_once(const Plan& plan, std::uint64_t seed, std::uint64_t cuts, Workshop& workshop) {
  RunOptions options;
  options.seed = seed;
  options.runs = 1;
  options.cuts = cuts;
  return run_variant(plan, workshop, options);
}

void expect_round_trip(const GeneratedRuns& runs, std::uint64_t seeds) {
  std::vector<std::string_view> names;
  for (const OracleInfo& info : oracle_table()) names.push_back(info.name);
  const Vocabulary words{names, all_switches(), engine_names()};
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const Plan plan = runs.plan(seed);
    const auto read = read_plan(write_plan(plan), "generated", words);
    ASSERT_TRUE(read.ok()) << "seed " << seed << ": " << read.error().to_string();
    ASSERT_EQ(*read, plan) << "seed " << seed;
  }
}

void expect_no_finding(const GeneratedRuns& runs, std::uint64_t seeds) {
  Workshop workshop;
  seeds = std::max<std::uint64_t>(1, seeds * property_seconds() / kWholeSeconds);
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const VariantResult result = runs.run(seed, {}, workshop);
    ASSERT_TRUE(result.refused.empty()) << "seed " << seed << ": " << result.refused;
    for (const Violation& violation : result.verdict.violations) {
      ADD_FAILURE() << "seed " << seed << ": " << signature(violation) << ": " << violation.sentence;
    }
  }
}

void expect_found(const GeneratedRuns& runs, const PlantedBug& bug) {
#if defined(DMSIM_ADDRESS_SANITIZER)
  if (bug.runs > kLongSearch / 10) GTEST_SKIP() << "a long search is done once, without a sanitizer";
#endif
  if (bug.runs > kLongSearch && property_seconds() < kWholeSeconds) GTEST_SKIP() << "a long search is not asked for";
  const SwitchValues switches{{std::string(bug.name), std::string(bug.value)}};
  Workshop workshop;
  for (std::uint64_t seed = 1; seed <= bug.runs; ++seed) {
    const VariantResult result = runs.run(seed, switches, workshop);
    ASSERT_TRUE(result.refused.empty()) << "seed " << seed << ": " << result.refused;
    if (!result.crash) continue;
    ::testing::Test::RecordProperty("runs", static_cast<int>(seed));
    ::testing::Test::RecordProperty("oracle", std::string(result.crash->violations.front().oracle));
    return;
  }
  FAIL() << bug.name << "=" << bug.value << " is not found in " << bug.runs << " runs";
}

void expect_listed(std::span<const SwitchInfo> switches, std::span<const PlantedBug> found,
                   std::span<const NotPlanted> not_found) {
  std::set<std::pair<std::string_view, std::string_view>> listed;
  for (const PlantedBug& bug : found) listed.insert({bug.name, bug.value});
  for (const NotPlanted& value : not_found) listed.insert({value.name, value.value});
  for (const SwitchInfo& info : switches) {
    for (const std::string_view value : info.values.subspan(1)) {
      EXPECT_TRUE(listed.contains({info.name, value})) << info.name << "=" << value;
    }
  }
}

}  // namespace dmsim
