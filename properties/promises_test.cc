// The promises of the fixed engine, one property each, over generated plans. RC_PARAMS="seed=..." repeats a
// failure; what RapidCheck prints is the list of draws, shrunk.
// RC_PARAMS="max_success=1000" tries harder.
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>

#include "harness/oracle_names.h"
#include "properties/generated.h"
#include "properties/planted.h"

namespace dmsim {
namespace {

// Promises about clones and snapshots are held to plans about them.
GeneratorOptions plans_about(std::string_view promise) {
  GeneratorOptions options;
  if (promise == oracle::kCommittedDurable) options.about = {PlanSubject::kClone};
  if (promise == oracle::kSnapshotEquals || promise == oracle::kOriginModel) {
    options.about = {PlanSubject::kSnapshot};
  }
  return options;
}

// What no generated plan is held to: a BUG is a kernel's, the next two and moves need volume groups, and torn contents
// can only be told where pages change under writes, which is checked where a switch asks for it.
constexpr std::string_view kNotGenerated[] = {oracle::kCanary,       oracle::kNoEngineBug, oracle::kFrozenImage,
                                              oracle::kOneSuspender, oracle::kVersion,     oracle::kMovedEqualsModel};

class Promise : public ::testing::TestWithParam<std::string_view> {};

TEST_P(Promise, is_kept_by_the_fixed_engine_on_generated_plans) {
  const std::string promise(GetParam());
  Workshop workshop;
  std::uint64_t held_to_it = 0;
  const bool held = rc::check(promise, [&](const PropertyInput& input) {
    ListedDraws draws(input.draws);
    Plan plan = generate_plan(draws, plans_about(promise));
    if (std::find(plan.checks.begin(), plan.checks.end(), promise) == plan.checks.end()) return;
    plan.checks = {promise};
    ++held_to_it;
    const VariantResult result = run_once(plan, input.seed, 40, workshop);
    RC_ASSERT(result.refused.empty());
    for (const Violation& violation : result.verdict.violations) RC_FAIL(violation.sentence);
  });
  EXPECT_TRUE(held);
  EXPECT_GT(held_to_it, 0u) << "no plan was held to this promise";
}

std::vector<std::string_view> promises() {
  std::vector<std::string_view> out;
  for (const OracleInfo& info : oracle_table()) {
    const auto* const end = std::end(kNotGenerated);
    if (std::find(std::begin(kNotGenerated), end, info.name) == end) out.push_back(info.name);
  }
  return out;
}

INSTANTIATE_TEST_SUITE_P(Generated, Promise, ::testing::ValuesIn(promises()), [](const auto& promise) {
  return test_name(promise.param);
});

}  // namespace
}  // namespace dmsim
