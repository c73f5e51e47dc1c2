// Running a plan: many seeds, many power cuts each, until a promise is broken or the budget is used.
//
// Two ways through the same machine. *Exploring*: one first life runs to its end while, at chosen
// opportunities, next lives are tried from what a cut there might leave. *Linear*: one life after the
// other, each cut where its choices say. A crash found by exploring is written down as the choices of
// the linear run that leads to it, and replays to the same fingerprint.
//
// An *opportunity* is a step after which the set of images that a cut may leave is another one than
// before (Disk::generation). Cutting between two opportunities gives nothing that cutting at the
// earlier one does not.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/plan.h"
#include "harness/strategies.h"
#include "harness/verdict.h"
#include "harness/workshop.h"
#include "harness/world.h"
#include "sim/choice.h"

namespace dmsim {

struct RunOptions {
  std::uint64_t seed = 1;                  // the first run's; the next run takes the next
  std::optional<std::uint64_t> runs;       // instead of the plan's
  std::optional<std::uint64_t> cuts;       // cuts explored in each run; none: all opportunities
  StrategyOptions strategy;
  TraceListener* listener = nullptr;       // of each run's first life; instead of the strategy's own
  std::function<void(const Verdict&)> progress;  // after each run; may be null
  std::function<bool()> stop;              // asked often; true: end early. May be null
  std::uint64_t keep_run = 0;              // the first life of this run (1: the first) keeps its trace; 0: none
};

// A run that broke a promise, as a crash file holds it.
struct Crash {
  Plan plan;
  std::vector<LabelledChoice> choices;
  std::vector<Violation> violations;       // not empty
  std::uint64_t fingerprint = 0;           // of the trace of all lives, at the end
  std::uint64_t seed = 0;                  // where it was found
};

struct VariantResult {
  Verdict verdict;
  std::optional<Crash> crash;
  std::string refused;                     // not empty: a table was refused at first boot
  bool stopped = false;                    // `stop` ended it early
  std::uint64_t cuts_not_exhausted = 0;    // exhaustive search: cuts with more sets than the budget
  std::string search;                      // what the strategy says of the search; may be empty
  std::vector<std::uint64_t> run_fingerprints;  // of all lives of each run
  std::vector<std::string> kept_trace;     // RunOptions::keep_run: an event a line
};

// Why the plan cannot be run at all: an engine that this program does not have, a recording that cannot be
// understood; nothing: it can. Everything below requires that it can.
std::optional<InputError> why_not_runnable(const Plan& plan);

// Explores. Ends at the first life that breaks a promise.
VariantResult run_variant(const Plan& plan, Workshop& workshop, const RunOptions& options);

// One linear run: all lives that `choices` lead through. The worlds are kept for whoever wants to look.
struct LinearRun {
  std::vector<std::unique_ptr<World>> lives;  // destroyed last first
  std::vector<Violation> violations;
  std::uint64_t fingerprint = 0;
  std::string refused;
  RunStatistics statistics;

  LinearRun() = default;
  LinearRun(LinearRun&&) = default;
  LinearRun& operator=(LinearRun&&) = default;
  ~LinearRun() {
    while (!lives.empty()) lives.pop_back();
  }
};
struct LinearOptions {
  Trace::Keep keep = Trace::Keep::kAll;
  TraceId until = 0;                       // stops the run after that event; 0: at its end
  void (*at_until)() = nullptr;            // called at that event, on the spot; null: nothing
};
LinearRun run_linear(const Plan& plan, Workshop& workshop, ChoiceSource& choices,
                     const LinearOptions& options = {});

}  // namespace dmsim
