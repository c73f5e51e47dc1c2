// Minimise: from a crash file to the smallest one that still shows the same broken promise.
//
// Passes (crash-replay/minimise/, one file each) propose smaller plans and smaller lists of choices, over
// and over, until none of them finds anything: a fixpoint. Then the same once more with greater effort
// (crash-replay/minimise/shrink.h). Everything is decided by replaying; equal crashes and limits give equal results,
// unless `stop` ended it. docs/MINIMISING.md tells a user what to expect.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

#include "crash-replay/minimise/shrink.h"

namespace dmsim {

struct MinimiseProgress {
  std::string_view pass;       // that has just ended
  unsigned effort = 0;
  std::uint64_t tries = 0;
  bool smaller = false;        // it has found something
  const Crash* crash = nullptr;  // as small as it is now
  CrashSize size;
};

struct MinimiseOptions {
  std::uint64_t tries = 1'000'000;  // runs and crash states
  unsigned effort = kMostEffort;    // the greatest one to go to, see shrink.h
  std::function<bool()> stop;       // asked often; true: keep what there is. May be null
  std::function<void(const MinimiseProgress&)> progress;  // after each pass; may be null
};

struct MinimiseResult {
  bool reproduced = false;   // false: the crash does not break its promise, and is given back unchanged
  bool finished = false;     // nothing smaller is found any more, and not for want of tries or time
  Crash crash;
  CrashSize before;
  CrashSize after;
  std::uint64_t tries = 0;
  std::uint64_t accepted = 0;
  std::uint64_t unsteady = 0;  // runs that came out differently when they were repeated
};

MinimiseResult minimise(const Crash& crash, Workshop& workshop, const Vocabulary& vocabulary,
                        const MinimiseOptions& options = {});

// All passes, in the order in which they run: those that take most away come first.
std::span<const ShrinkPass> shrink_passes();

}  // namespace dmsim
