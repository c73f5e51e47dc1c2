// Strategies: ways to go through the runs of a plan. Each is a source of choices that learns from one
// run what to try in the next.
//
//   random      a new seed for each run
//   pct         priorities for actors, lowered at a few random points of the run (Burckhardt et al., "A
//               randomized scheduler with probabilistic guarantees of finding bugs", 2010): a bug that
//               needs d ordering constraints is met with a guaranteed probability
//   exhaustive  depth first over the choices of the first life, each bounded to a few values. Choices that
//               commute with everything else are left at 0 (partial-order reduction, see below)
//   coverage    runs that reached a new transition of the trace are kept; most runs change a kept one
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/result.h"
#include "sim/choice.h"
#include "sim/trace.h"

namespace dmsim {

struct StrategyOptions {
  enum class Kind : std::uint8_t { kRandom, kPct, kExhaustive, kCoverage };
  Kind kind = Kind::kRandom;
  std::uint32_t bug_depth = 3;            // pct: d, at least 1
  std::uint32_t values = 2;               // exhaustive: of a choice, at most; at least 2
  std::uint64_t most_paths = 1'000'000;   // exhaustive: runs before the search is cut off
  // exhaustive: nobody stores to memory that is being written from. When data moves between submission
  // and completion then makes no difference: content and what a power cut may leave are the same.
  bool memory_is_stable = false;
};

// "random", "pct:3", "exhaustive:2", "coverage".
Result<StrategyOptions> parse_strategy(const std::string& text);

class Strategy {
 public:
  virtual ~Strategy() = default;
  // The choices of the next run; null: there is nothing left to try. `seed` is the run's.
  virtual ChoiceSource* begin_run(std::uint64_t seed) = 0;
  // Told of the run's first life as it happens; null: not interested.
  virtual TraceListener* listener() { return nullptr; }
  virtual void end_run() {}
  // In words, for the report: "complete: 96 schedules"; empty: nothing to say.
  virtual std::string summary() const { return {}; }
};

std::unique_ptr<Strategy> make_strategy(const StrategyOptions& options);

}  // namespace dmsim
