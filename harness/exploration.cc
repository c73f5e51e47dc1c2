#include "harness/exploration.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "harness/afterlife.h"
#include "harness/first_life.h"
#include "harness/survivor_sets.h"
#include "harness/thinning.h"

namespace dmsim {
namespace {

// The choices of lives after a cut that is being explored: the survivors that were laid down for the
// first of them, and chance for all that follows, or the plainest course when the search is exhaustive.
class StateChoices final : public ChoiceSource {
 public:
  StateChoices(std::uint64_t seed, bool plain) : random_(seed), plain_(plain) {}
  std::vector<std::uint32_t>& survivors() { return survivors_; }

 private:
  std::uint64_t choose(const ChoicePoint& point, Actor, std::uint64_t bound) override {
    if (point.hash == kSurvivor.hash && at_ < survivors_.size()) {
      // Units with no candidate are not drawn; every unit has one.
      return survivors_[at_++];
    }
    if (plain_) return 0;
    // Recovery is short: half of the lives are not cut, the others early.
    if (point.hash == kCutAt.hash) {
      const bool cut = random_.below(2) != 0;  // one after the other: operands have no order
      const std::uint64_t at = random_.below(200);
      return cut ? at : 0;
    }
    return random_.below(bound);
  }
  RandomNumbers random_;
  bool plain_;
  std::vector<std::uint32_t> survivors_;
  std::size_t at_ = 0;
};

// One run of a plan by exploring.
class Exploration {
 public:
  // `seen` are the crash states that need not be tried again; it may be shared between runs when
  // equal states lead to equal lives (exhaustive search).
  Exploration(const Plan& plan, Workshop& workshop, const RunOptions& options, std::uint64_t seed,
              ChoiceSource& choices, std::unordered_set<std::uint64_t>& seen, bool keep_trace)
      : plan_(plan),
        options_(options),
        seed_(seed),
        choices_(choices),
        keeps_trace_(keep_trace),
        world_(plan, workshop, choices_, keep_trace ? Trace::Keep::kAll : Trace::Keep::kTail),
        thinning_(options.cuts, seed),
        seen_(seen) {}
  void listen(TraceListener* listener) { world_.trace().set_listener(listener); }

  void run(VariantResult* result) {
    result_ = result;
    FirstLife life(world_, &result->refused, [this] { return stopped(); });
    generation_ = world_.crash_generation();
    World::Condition paused;
    if (may_cut(plan_, 0)) {
      paused = [this] { return stopped() || (consider(), found_ || forced_done_); };
    }
    life.go_on(paused);
    if (!found_ && !world_.judge().violations().empty()) {
      conclude(world_, {}, 0);
    }
    fingerprint_.fold(world_.trace().fingerprint().value());
    result->verdict.fingerprint.fold(fingerprint_.value());
    result->run_fingerprints.push_back(fingerprint_.value());
    if (keeps_trace_) {
      for (const TraceEvent& event : world_.trace().kept()) {
        result->kept_trace.push_back(world_.trace().render(event));
      }
    }
    RunStatistics statistics = world_.statistics();
    statistics.runs = 1;
    result->verdict.statistics.add(statistics);
  }
  bool found() const { return found_; }

 private:
  bool stopped() {
    if (options_.stop != nullptr && options_.stop()) result_->stopped = true;
    return result_->stopped;
  }

  // After a step of the first life: is this where power may be cut, and what follows if it is? Where
  // the plan or a script lays the cut down, the life ends with it.
  void consider() {
    const std::uint64_t generation = world_.crash_generation();
    const bool opportunity = generation != generation_;
    generation_ = generation;
    if (opportunity) ++opportunity_;
    if (world_.power_cut_requested()) {
      forced_done_ = true;
      explore();
      return;
    }
    if (!opportunity || !cut_by_chance(plan_, 0) || world_.now() < Instant() + plan_.power_cut.from) return;
    if (!thinning_.take(opportunity_)) return;
    explore();
  }

  void explore() {
    ++result_->verdict.statistics.power_cuts;
    take_moment(world_, opportunity_, &moment_);
    SurvivorSets sets(moment_, plan_.power_cut.survivors,
                      std::max<std::uint32_t>(1, plan_.power_cut.states_per_cut),
                      mix_words(seed_, opportunity_));
    if (sets.exhaustive()) ++result_->verdict.statistics.exhaustive_cuts;
    if (exhaustive() && !sets.exhaustive()) ++result_->cuts_not_exhausted;
    for (std::uint64_t state = 0; !found_ && sets.next(&chosen_); ++state) {
      try_state(mix_words(mix_words(seed_, opportunity_), state));
    }
  }
  bool exhaustive() const {
    return options_.strategy.kind == StrategyOptions::Kind::kExhaustive;
  }

  void try_state(std::uint64_t seed) {
    StateChoices choices(seed, exhaustive());
    choices.survivors() = chosen_;
    draw_survivors(moment_, world_, choices, &survivors_);
    if (!seen_.insert(crash_state_fingerprint(survivors_.images, world_)).second) {
      ++result_->verdict.statistics.duplicate_states;
      return;
    }
    std::vector<std::unique_ptr<World>> lives;
    lives.push_back(reboot(world_, moment_, survivors_, choices, Trace::Keep::kTail));
    while (true) {
      World& life = *lives.back();
      ++result_->verdict.statistics.crash_states;
      const bool may = may_cut(plan_, life.life());
      CutWatch watch(life, may);
      const Stretch stretch =
          live_on(life, may ? World::Condition([&] { return watch.strikes(); }) : nullptr);
      if (!life.judge().violations().empty()) {
        conclude(life, choices.record(), opportunity_);
        break;
      }
      if (stretch != Stretch::kPaused) break;
      ++result_->verdict.statistics.power_cuts;
      CutMoment moment;
      take_moment(life, watch.opportunity(), &moment);
      Survivors survivors;
      draw_survivors(moment, life, choices, &survivors);
      lives.push_back(reboot(life, moment, survivors, choices, Trace::Keep::kTail));
    }
    fingerprint_.fold(lives.back()->trace().fingerprint().value());
    while (!lives.empty()) {
      RunStatistics statistics = lives.back()->statistics();
      result_->verdict.statistics.events += statistics.events;
      result_->verdict.statistics.slices += statistics.slices;
      result_->verdict.statistics.trace_events += statistics.trace_events;
      result_->verdict.statistics.excused += statistics.excused;
      result_->verdict.statistics.hangs += statistics.hangs;
      lives.pop_back();
    }
  }

  // A promise was broken in `life`: writes down the linear run that leads there.
  void conclude(const World& life, const std::vector<Choice>& later, std::uint64_t cut_at) {
    found_ = true;
    Crash crash;
    crash.plan = plan_;
    crash.seed = seed_;
    crash.violations = life.judge().violations();
    crash.fingerprint = life.trace().fingerprint().value();
    if (cut_by_chance(plan_, 0)) {
      crash.choices.push_back({std::string(kCutAt.name), "-", kCutAtBound,
                               forced_done_ ? 0 : cut_at});
    }
    const ActorNames& names = life.trace().actors();
    for (const auto* record : {&choices_.record(), &later}) {
      for (LabelledChoice& choice : label_choices(*record, names)) {
        crash.choices.push_back(std::move(choice));
      }
    }
    result_->verdict.violations = crash.violations;
    result_->crash = std::move(crash);
  }

  const Plan& plan_;
  const RunOptions& options_;
  std::uint64_t seed_;
  ChoiceSource& choices_;
  bool keeps_trace_;
  World world_;
  Thinning thinning_;
  VariantResult* result_ = nullptr;
  Fingerprint fingerprint_;
  CutMoment moment_;
  Survivors survivors_;
  std::vector<std::uint32_t> chosen_;  // of the set of survivors that is being tried
  std::unordered_set<std::uint64_t>& seen_;  // never iterated
  std::uint64_t generation_ = 0;
  std::uint64_t opportunity_ = 0;
  bool forced_done_ = false;
  bool found_ = false;
};

}  // namespace

bool explore_run(const Plan& plan, Workshop& workshop, const RunOptions& options, std::uint64_t seed,
                 ChoiceSource& choices, std::unordered_set<std::uint64_t>& seen, TraceListener* listener,
                 VariantResult* result) {
  const bool keep_trace = result->run_fingerprints.size() + 1 == options.keep_run;
  Exploration exploration(plan, workshop, options, seed, choices, seen, keep_trace);
  exploration.listen(listener);
  exploration.run(result);
  return exploration.found();
}

}  // namespace dmsim
