// The crash file: a broken promise that anybody can replay, later and elsewhere.
//
// YAML. It embeds the resolved plan and the labelled choices, so that it needs neither the scenario file
// nor a seed, and outlives changes of the tool: docs/CRASH_FORMAT.md, key by key.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "harness/run.h"
#include "scenarios/vocabulary.h"

namespace dmsim {

inline constexpr int kCrashFormat = 1;

// What a crash file says. The violations are what was seen when it was written.
std::string write_crash(const Crash& crash);
// Writes it whole or not at all: to a temporary file beside `path`, then renamed.
Outcome<> save_crash(const Crash& crash, const std::string& path);

Result<Crash> read_crash(const std::string& path, const Vocabulary& vocabulary);
// The same of a text; `path` is used in errors only.
Result<Crash> parse_crash(const std::string& text, const std::string& path,
                          const Vocabulary& vocabulary);

// What replaying a crash file came to.
struct ReplayResult {
  LinearRun run;
  bool reproduced = false;        // some violation has oracle, device and blame of the first recorded
  bool same_fingerprint = false;
  std::uint64_t departures = 0;   // draws that did not meet the recorded choice
  std::string first_departure;
  std::uint64_t unused = 0;       // recorded choices that nothing asked for
};
ReplayResult replay_crash(const Crash& crash, Workshop& workshop, const LinearOptions& options = {});

}  // namespace dmsim
