// Exploration: one run of a plan, with every instant at which power could be cut looked into while it runs.
//
// The first life runs once. At each opportunity the explorer takes the disks' moment, chooses sets of survivors, and
// lives on from each in worlds of their own, while the first life waits; equal crash states are tried once. What is
// found is written down as the linear run that leads there (run_linear() in run.h).
#pragma once

#include <cstdint>
#include <unordered_set>

#include "harness/run.h"

namespace dmsim {

// One run with that seed, added to `*result`. `choices` are the first life's. `seen` are the crash states that
// need not be tried again; it may be shared between runs when equal states lead to equal lives (exhaustive
// search). `listener` (may be null) hears the first life's trace. True: a promise was broken.
bool explore_run(const Plan& plan, Workshop& workshop, const RunOptions& options, std::uint64_t seed,
                 ChoiceSource& choices, std::unordered_set<std::uint64_t>& seen, TraceListener* listener,
                 VariantResult* result);

}  // namespace dmsim
