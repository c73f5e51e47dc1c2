#include "crash-replay/minimise/shrink.h"

#include <algorithm>

#include "base/fingerprint.h"
#include "crash-replay/minimise/plan_parts.h"
#include "harness/afterlife.h"
#include "scenarios/plan_yaml.h"

namespace dmsim {
namespace {

// A proposal whose run says more than this many times what the best one says, and this much more, is
// not going to be smaller.
constexpr TraceId kTraceFactor = 2;
constexpr TraceId kTraceSlack = 2000;
// Opportunities at which other cuts are tried, at most.
constexpr std::uint64_t kMostCuts = 300;
// Steps of first lives in an exploration of effort 2; each further effort has ten times as many.
constexpr std::uint64_t kExploredSteps = 4000;

}  // namespace

Shrink::Shrink(const Crash& crash, Workshop& workshop, const Vocabulary& vocabulary, Limits limits)
    : workshop_(workshop), vocabulary_(vocabulary), limits_(std::move(limits)), best_(crash) {
  CHECK(!crash.violations.empty());
  wanted_ = signature(crash.violations.front(), crash.plan);
  ReplayedChoices choices(crash.choices);
  const LinearRun run = run_linear(best_.plan, workshop_, choices);
  reproduced_ = same_promise(best_.plan, run);
  if (!reproduced_) return;
  best_ = written_down(best_.plan, run, choices);
  size_ = measure(best_, run.lives.back()->trace());
  must_come_up_ = crash.violations.front().state == "does not come up" && comes_up(best_.plan);
}

bool Shrink::comes_up(const Plan& plan) const {
  Plan uncut = plan;
  uncut.power_cut.when = PowerCutPlan::When::kNever;
  ReplayedChoices plainest({});
  LinearOptions bounded;
  bounded.until = size_.trace_events * kTraceFactor + kTraceSlack;
  return run_linear(uncut, workshop_, plainest, bounded).refused.empty();
}

bool Shrink::same_promise(const Plan& plan, const LinearRun& run) const {
  return !run.violations.empty() && signature(run.violations.front(), plan) == wanted_;
}

Crash Shrink::written_down(const Plan& plan, const LinearRun& run, const ChoiceSource& choices) const {
  return {plan, label_choices(choices.record(), run.lives.back()->trace().actors()), run.violations,
          run.fingerprint, best_.seed};
}

// Runs the proposal, with a bound on how long it may become. What holds with the bound is run again
// without: being watched at every step can move the end of a run, and so its fingerprint.
bool Shrink::consider(const Plan& plan, const std::vector<LabelledChoice>& choices) {
  if (over()) return false;
  ++tries_;
  ReplayedChoices proposed(choices);
  LinearOptions bounded;
  bounded.until = size_.trace_events * kTraceFactor + kTraceSlack;
  Crash found;
  CrashSize size;
  {
    const LinearRun run = run_linear(plan, workshop_, proposed, bounded);
    if (!same_promise(plan, run)) return false;
    found = written_down(plan, run, proposed);
    size = measure(found, run.lives.back()->trace());
    if (!(size < size_)) return false;
  }
  for (int round = 0; round < 2; ++round) {
    ++tries_;
    ReplayedChoices recorded(found.choices);
    const LinearRun run = run_linear(plan, workshop_, recorded);
    if (!same_promise(plan, run)) return false;
    const bool as_before = run.fingerprint == found.fingerprint && recorded.departures() == 0 &&
                           recorded.unused() == 0;
    found = written_down(plan, run, recorded);
    size = measure(found, run.lives.back()->trace());
    if (!(size < size_)) return false;
    if (!as_before) continue;
    best_ = std::move(found);
    size_ = size;
    ++accepted_;
    return true;
  }
  ++unsteady_;
  return false;
}

bool Shrink::try_choices(const std::vector<LabelledChoice>& choices) {
  if (choices == best_.choices) return false;
  const Plan plan = best_.plan;
  return consider(plan, choices);
}

// Whether a crash file with this plan could be read again.
bool Shrink::is_legal(const Plan& plan, const std::string& text) const {
  // mke2fs wants 64 KiB, which the loader does not ask for.
  for (const TaskPlan& task : plan.tasks) {
    const auto* files = std::get_if<Ext2Task>(&task.body);
    if (files != nullptr && sectors_of(plan, files->device) < 128) return false;
  }
  const Result<Plan> read = read_plan(text, "minimised plan", vocabulary_);
  return read.ok() && *read == plan && (!must_come_up_ || comes_up(plan));
}

bool Shrink::try_plan(const Plan& plan) {
  if (over() || plan_weight(plan) > size_.plan || plan == best_.plan) return false;
  const std::string text = write_plan(plan);
  const std::uint64_t key = hash_name(text.data(), text.size());
  const auto known = fruitless_.find(key);
  if (known != fruitless_.end() && known->second > kMostEffort) return false;
  if (known == fruitless_.end() && !is_legal(plan, text)) {
    fruitless_[key] = kMostEffort + 1;
    return false;
  }
  if (consider(plan, best_.choices)) return true;
  if (effort_ >= 1 && try_other_cuts(plan)) return true;
  if (effort_ < 2 || (known != fruitless_.end() && known->second >= effort_)) return false;
  if (explore(plan)) return true;
  if (!over()) fruitless_[key] = effort_;
  return false;
}

// What used to be the hundredth opportunity is an earlier one when less happens before.
bool Shrink::try_other_cuts(const Plan& plan) {
  std::vector<LabelledChoice> choices = best_.choices;
  if (choices.empty() || choices.front().point != kCutAt.name) return false;
  const std::uint64_t at = choices.front().value;
  const std::uint64_t last = std::min(at + at / 4 + 8, kMostCuts);
  for (std::uint64_t cut = 1; cut <= last; ++cut) {
    if (cut == at) continue;
    choices.front().value = cut;
    if (consider(plan, choices)) return true;
  }
  return false;
}

bool Shrink::explore(const Plan& plan) {
  std::uint64_t steps = kExploredSteps;
  for (unsigned effort = 2; effort < effort_; ++effort) steps *= 10;
  RunOptions options;
  options.runs = steps;  // a run takes a step at least
  options.stop = [&steps, this] {
    if (steps == 0) return true;
    --steps;
    return (steps & 0xFF) == 0 && over();
  };
  VariantResult result = run_variant(plan, workshop_, options);
  tries_ += result.verdict.statistics.crash_states + result.verdict.statistics.runs;
  if (!result.crash || signature(result.crash->violations.front(), plan) != wanted_) return false;
  if (!consider(plan, result.crash->choices)) return false;
  if (tidy_ != nullptr) tidy_(*this);
  return true;
}

void Shrink::look_at_run(const std::function<void(const World&)>& look) {
  ++tries_;
  ReplayedChoices choices(best_.choices);
  const LinearRun run = run_linear(best_.plan, workshop_, choices);
  look(*run.lives.back());
}

}  // namespace dmsim
