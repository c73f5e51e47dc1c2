// Faults of today's Linux that are known: what a kernel's engine shows need not be a new finding.
//
// The rule. Each known fault is a switch of the native engine that has a place of Linux's own
// (SwitchInfo::linux_value). A violation is explained by such a switch when the native engine, with that
// one switch in Linux's place and all others fixed, breaks the same promise under the same plan, within a few
// runs; and when without the switch it does not. It is then the same story told twice, by two implementations.
// Only the promise in question is looked at: a run ends at the first that is broken, and one fault breaks several.
// When no switch does it alone, all of them together are tried; of those, the ones that it takes are named.
// A new fault that breaks the same promise under the same plan is taken for the known one; but not under the
// plans in which the known one cannot show, and those are most. What the native engine cannot show, or only
// once in thousands of runs, is known by its words (kSymptoms).
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "harness/plan.h"
#include "harness/verdict.h"
#include "harness/workshop.h"

namespace dmsim {

struct KnownFaultOptions {
  std::uint64_t seed = 1;  // of the first run of each switch
  std::uint64_t runs = 32;  // with each switch
  std::uint64_t cuts = 40; // in each run
  std::function<void()> on_attempt;  // called before the runs of each set of switches; may be null
};

// "mirror.failed_flush=forgiven", or several, " and " between them: what explains the violation of `plan` by a
// kernel's engine; empty: nothing does. Deterministic.
std::string known_fault(const Plan& plan, const Violation& violation, Workshop& workshop,
                        const KnownFaultOptions& options = {});

}  // namespace dmsim
