#include "harness/run.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "harness/afterlife.h"
#include "harness/engine_factory.h"
#include "harness/exploration.h"
#include "harness/first_life.h"

namespace dmsim {

std::optional<InputError> why_not_runnable(const Plan& plan) {
  for (const std::uint32_t life : {0u, 1u}) {
    const std::string engine = why_no_engine(engine_of_life(plan, life));
    if (!engine.empty()) return InputError{plan.scenario, 0, 0, engine, -1};
  }
  return unreadable_recording(plan);
}

namespace {

// Nobody stores to memory that a bio is being written from.
bool memory_is_stable(const Plan& plan) {
  return std::all_of(plan.tasks.begin(), plan.tasks.end(), [](const TaskPlan& task) {
    if (const auto* write = std::get_if<WriteTask>(&task.body)) {
      return write->path == Path::kDirect && !write->scribble;
    }
    return !std::holds_alternative<MmapStoreTask>(task.body) &&
           !std::holds_alternative<Ext2Task>(task.body) &&
           !std::holds_alternative<JournalFsTask>(task.body);
  });
}

}  // namespace

VariantResult run_variant(const Plan& plan, Workshop& workshop, const RunOptions& options) {
  VariantResult result;
  const bool exhaustive = options.strategy.kind == StrategyOptions::Kind::kExhaustive;
  const std::uint64_t runs =
      exhaustive ? options.strategy.most_paths : options.runs.value_or(plan.runs);
  StrategyOptions how = options.strategy;
  how.memory_is_stable = memory_is_stable(plan);
  const std::unique_ptr<Strategy> strategy = make_strategy(how);
  std::unordered_set<std::uint64_t> seen;
  for (std::uint64_t run = 0; run < runs && !result.stopped; ++run) {
    if (options.stop != nullptr && options.stop()) {
      result.stopped = true;
      break;
    }
    ChoiceSource* choices = strategy->begin_run(options.seed + run);
    if (choices == nullptr) break;
    if (!exhaustive) seen.clear();
    const bool found =
        explore_run(plan, workshop, options, options.seed + run, *choices, seen,
                    options.listener != nullptr ? options.listener : strategy->listener(), &result);
    strategy->end_run();
    if (options.progress != nullptr) options.progress(result.verdict);
    if (found || !result.refused.empty()) break;
  }
  result.search = strategy->summary();
  if (result.cuts_not_exhausted > 0) {
    result.search += fmt::format("; cut at bound: {} cuts had more survivor sets than were tried",
                                 result.cuts_not_exhausted);
  }
  return result;
}

LinearRun run_linear(const Plan& plan, Workshop& workshop, ChoiceSource& choices,
                     const LinearOptions& options) {
  LinearRun out;
  out.lives.push_back(std::make_unique<World>(plan, workshop, choices, options.keep));
  while (true) {
    World& life = *out.lives.back();
    const bool may = may_cut(plan, life.life());
    CutWatch watch(life, cut_by_chance(plan, life.life()));
    World::Condition paused;
    if (may) paused = [&] { return watch.strikes(); };
    if (options.until != 0) life.stop_at(options.until, options.at_until);
    Stretch stretch = Stretch::kDone;
    if (life.life() == 0) {
      FirstLife first(life, &out.refused);
      stretch = first.go_on(paused);
    } else {
      stretch = live_on(life, paused);
    }
    out.statistics.add(life.statistics());
    if (stretch != Stretch::kPaused || life.stopped()) break;
    if (life.life() > 0 && !life.judge().violations().empty()) break;
    CutMoment moment;
    take_moment(life, watch.opportunity(), &moment);
    Survivors survivors;
    draw_survivors(moment, life, choices, &survivors);
    ++out.statistics.power_cuts;
    ++out.statistics.crash_states;
    out.lives.push_back(reboot(life, moment, survivors, choices, options.keep));
  }
  const World& last = *out.lives.back();
  out.violations = last.judge().violations();
  out.fingerprint = last.trace().fingerprint().value();
  return out;
}

}  // namespace dmsim
