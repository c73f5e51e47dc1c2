// What tests of generated plans have in common: a plan and its run are both functions of one seed; a planted bug must
// be found by the seeds 1, 2, 3, ... within its budget, and the fixed engine must go through as many without a finding.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/switches.h"
#include "harness/generate.h"
#include "harness/run.h"

namespace dmsim {

struct PlantedBug {
  std::string_view name;
  std::string_view value;
  std::uint64_t runs;  // within which it is found: what was measured, doubled, at least 50
};
// A value that no generated plan shows as a fault. Why stands beside it.
struct NotPlanted {
  std::string_view name;
  std::string_view value;
};

// The name of a parameterised test: letters, digits and underscores.
std::string test_name(std::string_view words);
inline std::string name_of_bug(const ::testing::TestParamInfo<PlantedBug>& bug) {
  return test_name(std::string(bug.param.name) + "_" + std::string(bug.param.value));
}

// Which plans, and how thoroughly each is tried.
struct GeneratedRuns {
  std::vector<PlanSubject> about;  // empty: what the switches are about
  std::uint64_t cuts = 40;         // opportunities to cut the power in each run, at most

  Plan plan(std::uint64_t seed, const SwitchValues& switches = {}) const;
  VariantResult run(std::uint64_t seed, const SwitchValues& switches, Workshop& workshop) const;
};

VariantResult run_once(const Plan& plan, std::uint64_t seed, std::uint64_t cuts, Workshop& workshop);

// Seeds 1 to `seeds`. A plan is written and read back without loss.
void expect_round_trip(const GeneratedRuns& runs, std::uint64_t seeds);
// Each violation is a failure of the test, with its seed. DMSIM_PROPERTY_SECONDS (40) asks for more or fewer seeds.
void expect_no_finding(const GeneratedRuns& runs, std::uint64_t seeds);
// Long searches are skipped under a sanitizer, where once is enough, and when fewer seconds are asked for.
void expect_found(const GeneratedRuns& runs, const PlantedBug& bug);
// Every value but the fixed ones stands in one of the two lists.
void expect_listed(std::span<const SwitchInfo> switches, std::span<const PlantedBug> found,
                   std::span<const NotPlanted> not_found = {});

}  // namespace dmsim
