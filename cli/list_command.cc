// dmsim list: what there is to name in a scenario.
#include <cstdio>

#include "base/nearest.h"
#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/result_json.h"
#include "cli/vocabulary.h"
#include "harness/engine_factory.h"
#include "harness/oracle_names.h"
#include "scenarios/keys.h"
#include "scenarios/scenario_loader.h"

namespace dmsim {
namespace {

int list_scenarios(std::vector<std::string> paths) {
  if (paths.empty()) paths.push_back("scenarios");
  auto files = find_scenarios(paths);
  if (!files.ok()) {
    std::fprintf(stderr, "%s\n", files.error().to_string().c_str());
    return kExitBadInput;
  }
  for (const std::string& file : *files) {
    auto plans = load_scenario(file, program_vocabulary());
    if (!plans.ok()) {
      std::fprintf(stderr, "%s\n", plans.error().to_string().c_str());
      return kExitBadInput;
    }
    for (const Plan& plan : *plans) {
      fmt::print("{}{}{}  {}  {}\n", plan.scenario, plan.variant.empty() ? "" : "/", plan.variant,
                 plan.engine, expectation_words(plan.expect));
    }
  }
  return kExitHeld;
}

void list_switches() {
  for (const SwitchInfo& info : all_switches()) {
    std::string values;
    for (const std::string_view value : info.values) {
      values += (values.empty() ? "" : "|") + std::string(value);
    }
    fmt::print("{} = {}\n    {}{}{}{}\n", info.name, values, info.about,
               info.fault.empty() ? "" : " (", info.fault, info.fault.empty() ? "" : ")");
  }
}

void list_oracles() {
  for (const OracleInfo& info : oracle_table()) {
    fmt::print("{}\n    {}\n    shown to catch {}\n", info.name, info.promise, info.planted);
  }
}

}  // namespace

int list_command(const ListCommand& command) {
  if (command.what == "scenarios") return list_scenarios(command.paths);
  if (command.what == "switches") {
    list_switches();
  } else if (command.what == "oracles") {
    list_oracles();
  } else if (command.what == "engines") {
    for (const std::string_view name : engine_names()) {
      const std::string why = why_not_available(name);
      fmt::print("{}{}{}\n", name, why.empty() ? "" : "  not available: ", why);
    }
  } else if (command.what == "faults") {
    for (const std::string_view word : kFaultWords) fmt::print("{}\n", word);
  } else if (command.what == "tasks") {
    for (const TaskKind& kind : kTaskKinds) fmt::print("{}\n    {}\n", kind.name, kind.about);
  } else {
    constexpr std::string_view kWhat[] = {"scenarios", "switches", "oracles", "engines", "faults", "tasks"};
    std::fprintf(stderr, "dmsim list: nothing called '%s'%s\n", command.what.c_str(),
                 did_you_mean(command.what, kWhat).c_str());
    return kExitBadInput;
  }
  return kExitHeld;
}

}  // namespace dmsim
