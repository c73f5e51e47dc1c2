// A variant's result as JSON: what a worker answers, and what --json writes.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "harness/run.h"

namespace dmsim {

// One variant of a scenario, run.
struct VariantReport {
  std::string scenario;
  std::string variant;
  std::string expected;      // in words
  std::string got;           // in words
  bool as_expected = false;
  bool nondeterministic = false;  // --check-twice: two runs differed
  bool bad_input = false;    // a table was refused
  bool unwritten = false;    // a crash file or a trace could not be written
  bool worker_failed = false;
  bool stopped = false;      // interrupted before its end
  std::string fingerprint;
  std::string crash_file;    // empty: none
  std::string search;        // what the strategy says; may be empty
  std::vector<std::uint64_t> run_fingerprints;  // --check-twice only
  std::vector<std::string> kept_trace;          // of one run, when two differed
  std::vector<Violation> violations;
  RunStatistics statistics;
  double seconds = 0;
};

nlohmann::ordered_json to_json(const VariantReport& report);
VariantReport report_from_json(const nlohmann::ordered_json& json);

// "holds", "violates durability or stable-read by disk".
std::string expectation_words(const Expectation& expectation);
// What came out, in the same words.
std::string verdict_words(const Verdict& verdict);

}  // namespace dmsim
