// Crashes for the minimiser's tests, made by exploring small plans.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/engine_factory.h"
#include "harness/run.h"
#include "harness/test_plans.h"
#include "scenarios/vocabulary.h"

namespace dmsim::test {

inline const Vocabulary& whole_vocabulary() {
  static const std::vector<std::string_view> oracles = [] {
    std::vector<std::string_view> names;
    for (const OracleInfo& info : oracle_table()) names.push_back(info.name);
    return names;
  }();
  static const Vocabulary words{oracles, all_switches(), engine_names()};
  return words;
}

inline Crash find_crash(const Plan& plan, Workshop& workshop) {
  const VariantResult result = run_variant(plan, workshop, {});
  CHECK(result.crash.has_value(), plan.scenario);
  return *result.crash;
}

// Legs that differ where the log calls them clean: a mirror that marks nothing dirty, ten writes, a cut.
inline Plan unmarked_plan(std::uint64_t writes = 10) {
  Plan plan = mirror_plan();
  plan.scenario = "unmarked";
  plan.switches["mirror.mark_dirty"] = "off";
  plan.checks = {std::string(oracle::kLegsIdentical), std::string(oracle::kLiveness)};
  plan.tasks = {writer(writes)};
  cut_anywhere(plan);
  return plan;
}

}  // namespace dmsim::test
