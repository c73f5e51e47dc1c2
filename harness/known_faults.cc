#include "harness/known_faults.h"

#include <algorithm>

#include <fmt/format.h>

#include "harness/engine_factory.h"
#include "harness/oracle_names.h"
#include "harness/run.h"

namespace dmsim {
namespace {

// What tells a known fault by itself: trouble inside a kernel for which the native engine has no counterpart, and
// what only a schedule brings about that the native engine meets once in thousands of runs.
struct Symptom {
  std::string_view fault;
  std::string_view oracle;
  std::string_view words;  // in the violation's sentence
};
constexpr Symptom kSymptoms[] = {
    {"mirror.retry_region=shifted", oracle::kNoEngineBug, "in_sync() goes beyond a bitmap"},
    // A record for the store that the old table was left with, which has room for none.
    {"snapshot.drain_on_handover=off", oracle::kNoEngineBug, "BUG_ON(index >= ps->exceptions_per_area)"},
    // Only that runs without an end and without a task. The native engine does the same, with no switch.
    {"pushed-back-in-circles", oracle::kLiveness, "times since a task last did, and go on"},
    // A write is held for a leg that has been forgiven: only those two faults forgive.
    {"mirror.unheard_failure=forgiven", oracle::kAnswers, "but its status shows no failure"},
};

// User space is the plan's, whatever the engine: a cure of its commands may be all that keeps the promise.
SwitchValues with_user_space_of(const Plan& plan, SwitchValues switches) {
  for (const auto& [name, value] : plan.switches) {
    if (name.starts_with("lvm.") || name.starts_with("pvmove.")) switches.emplace(name, value);
  }
  return switches;
}

// Whether the native engine breaks the promise, too, with these switches.
bool breaks_it_too(Plan plan, SwitchValues switches, const Violation& violation, Workshop& workshop,
                   const KnownFaultOptions& options) {
  if (options.on_attempt) options.on_attempt();
  plan.engine = "native";
  plan.switches = with_user_space_of(plan, std::move(switches));
  // Not the state: what somebody waits for has other names in a kernel, and how much was lost is chance.
  const auto same = [&](const Violation& each) {
    return each.oracle == violation.oracle && each.blame == violation.blame;
  };
  for (std::uint64_t run = 0; run < options.runs; ++run) {
    RunOptions how;
    how.seed = options.seed + run;
    how.runs = 1;
    how.cuts = options.cuts;
    const VariantResult result = run_variant(plan, workshop, how);
    if (!result.refused.empty()) return false;
    const auto& violations = result.verdict.violations;
    if (std::any_of(violations.begin(), violations.end(), same)) return true;
  }
  return false;
}

// A switch of a target that no table of the plan has explains nothing.
bool concerns(const SwitchInfo& info, const Plan& plan) {
  const std::string_view room = info.name.substr(0, info.name.find('.'));
  if (room == "core") return true;
  const auto mentions = [room](const std::string& text) { return text.find(room) != std::string::npos; };
  return std::any_of(plan.devices.begin(), plan.devices.end(),
                     [&](const DevicePlan& device) { return mentions(device.table); }) ||
         plan.devices.empty();
}

// The plan with that promise only; as it is when the promise is one that is always checked. A power cut may
// come at any instant, not only at the one that the plan names: the native engine does the same at other times. And
// more than nothing or everything may survive it.
Plan with_one_check(Plan plan, const std::string& oracle) {
  PowerCutPlan& cut = plan.power_cut;
  if (cut.when != PowerCutPlan::When::kNever) cut.when = PowerCutPlan::When::kAny;
  cut.states_per_cut = std::max<std::uint32_t>(cut.states_per_cut, 6);
  const bool can_be_chosen = std::find(plan.checks.begin(), plan.checks.end(), oracle) != plan.checks.end();
  if (can_be_chosen) plan.checks = {oracle};
  return plan;
}

// The switches in Linux's place that break the promise together and not without any one of them.
SwitchValues combination(const Plan& plan, const Violation& violation, Workshop& workshop,
                         const KnownFaultOptions& options) {
  SwitchValues all;
  for (const SwitchInfo& info : all_switches()) {
    if (info.linux_value.empty() || !concerns(info, plan)) continue;
    all.emplace(info.name, info.linux_value);
  }
  if (all.size() < 2 || !breaks_it_too(plan, all, violation, workshop, options)) return {};
  SwitchValues needed = all;
  for (const auto& [name, value] : all) {
    SwitchValues fewer = needed;
    fewer.erase(name);
    if (breaks_it_too(plan, fewer, violation, workshop, options)) needed = std::move(fewer);
  }
  return needed;
}

std::string in_words(const SwitchValues& switches) {
  std::string out;
  for (const auto& [name, value] : switches) out += fmt::format("{}{}={}", out.empty() ? "" : " and ", name, value);
  return out;
}

}  // namespace

std::string known_fault(const Plan& whole, const Violation& violation, Workshop& workshop,
                        const KnownFaultOptions& options) {
  for (const Symptom& symptom : kSymptoms) {
    const bool shows = violation.sentence.find(symptom.words) != std::string::npos;
    if (violation.oracle == symptom.oracle && shows) return std::string(symptom.fault);
  }
  const Plan plan = with_one_check(whole, violation.oracle);
  for (const SwitchInfo& info : all_switches()) {
    if (info.linux_value.empty() || !concerns(info, plan)) continue;
    const SwitchValues as_linux{{std::string(info.name), std::string(info.linux_value)}};
    if (!breaks_it_too(plan, as_linux, violation, workshop, options)) continue;
    if (breaks_it_too(plan, {}, violation, workshop, options)) return {};
    return in_words(as_linux);
  }
  const SwitchValues together = combination(plan, violation, workshop, options);
  if (!together.empty() && !breaks_it_too(plan, {}, violation, workshop, options)) return in_words(together);
  return {};
}

}  // namespace dmsim
