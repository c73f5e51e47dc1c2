// Every planted bug has a scenario that shows it, and beside it, in the same file, a variant without the bug that
// holds over at least a fifth of the runs that the faulty one may take.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "engine/switches.h"
#include "harness/engine_factory.h"
#include "harness/oracle_names.h"
#include "scenarios/scenario_loader.h"

namespace dmsim {
namespace {

using Value = std::pair<std::string, std::string>;

// No faults: a cure, a feature, a circumstance. Scenarios have them where they belong.
const std::set<Value> kNoFaults{
    {"core.resize", "refused"},
    {"lvm.lock", "device"},
    {"lvm.passthrough", "on"},
    {"mirror.buffer", "delayed-clean"},
    {"mirror.buffer", "stable"},
    {"mirror.read_balance", "round-robin"},
    {"mirror.self_sufficient", "on"},
    {"snapshot.registration", "allocates-first"},
    {"snapshot.throttle", "low"},
};

std::vector<std::vector<Plan>> all_scenarios() {
  std::vector<std::string_view> oracles;
  for (const OracleInfo& info : oracle_table()) oracles.push_back(info.name);
  const Vocabulary words{oracles, all_switches(), engine_names()};
  const std::string folder = "scenarios";
  const auto files = find_scenarios(std::span(&folder, 1));
  EXPECT_TRUE(files.ok());
  std::vector<std::vector<Plan>> out;
  for (const std::string& file : *files) {
    auto plans = load_scenario(file, words);
    EXPECT_TRUE(plans.ok()) << file;
    if (plans.ok()) out.push_back(std::move(*plans));
  }
  return out;
}

bool has(const Plan& plan, const Value& value) {
  const auto found = plan.switches.find(value.first);
  return found != plan.switches.end() && found->second == value.second;
}

// Runs of the best twin in the file; 0: there is none.
std::uint64_t twin_runs(const std::vector<Plan>& plans, const Value& value) {
  std::uint64_t most = 0;
  for (const Plan& plan : plans) {
    const bool holds = plan.expect.verdict == Expectation::Verdict::kHolds && plan.engine == "native";
    if (holds && !has(plan, value)) most = std::max(most, plan.runs);
  }
  return most;
}

TEST(SwitchCoverage, every_planted_bug_has_a_scenario_and_a_fixed_twin) {
  const std::vector<std::vector<Plan>> scenarios = all_scenarios();
  for (const SwitchInfo& info : all_switches()) {
    if (info.name.starts_with("linux.")) continue;  // what a kernel must bear, not what is wrong with it
    for (const std::string_view word : info.values.subspan(1)) {
      const Value value{info.name, word};
      if (kNoFaults.contains(value)) continue;
      bool shown = false;
      for (const std::vector<Plan>& plans : scenarios) {
        for (const Plan& plan : plans) {
          if (plan.expect.verdict != Expectation::Verdict::kViolates || !has(plan, value)) continue;
          shown = true;
          EXPECT_GE(twin_runs(plans, value) * 5, plan.runs) << plan.scenario << "/" << plan.variant;
        }
      }
      EXPECT_TRUE(shown) << info.name << "=" << word << " is shown by no scenario";
    }
  }
}

}  // namespace
}  // namespace dmsim
