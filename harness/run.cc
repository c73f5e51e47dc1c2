#include "harness/run.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "harness/afterlife.h"
#include "harness/oracle_names.h"

namespace dmsim {
namespace {

// Cuts explored in a run before exploring thins out, when a limit is given: see Thinning.
class Thinning {
 public:
  explicit Thinning(std::optional<std::uint64_t> limit) : limit_(limit) {}

  // Whether the opportunity is to be explored. With a limit of n, half of n are the first ones, the
  // next quarter every second, the next eighth every fourth: early and late are both looked at.
  bool take(std::uint64_t opportunity) {
    if (!limit_) return true;
    if (taken_ >= *limit_) return false;
    if (opportunity % stride_ != 0) return false;
    ++taken_;
    if (taken_ >= next_thinning_) {
      stride_ *= 2;
      next_thinning_ += std::max<std::uint64_t>(1, (*limit_ - taken_) / 2);
    }
    return true;
  }

 private:
  std::optional<std::uint64_t> limit_;
  std::uint64_t taken_ = 0;
  std::uint64_t stride_ = 1;
  std::uint64_t next_thinning_ = limit_ ? std::max<std::uint64_t>(1, *limit_ / 2) : 0;
};

// The choices of lives after a cut that is being explored: random, but for what the survivor policy
// lays down, and for the next cut.
class StateChoices final : public ChoiceSource {
 public:
  StateChoices(std::uint64_t seed, SurvivorPolicy policy)
      : random_(seed), policy_(policy) {}
  // Choices of later lives are free.
  void end_of_survivors() { policy_ = SurvivorPolicy::kChosen; }

 private:
  std::uint64_t choose(const ChoicePoint& point, Actor who, std::uint64_t bound) override {
    if (point.hash == kSurvivor.hash) {
      if (policy_ == SurvivorPolicy::kNone) return 0;
      if (policy_ == SurvivorPolicy::kAll) return bound - 1;
    }
    // Recovery is short: half of the lives are not cut, the others early.
    if (point.hash == kCutAt.hash) return random_.draw(point, who, 2) * random_.draw(point, who, 200);
    return random_.draw(point, who, bound);
  }
  RandomChoices random_;
  SurvivorPolicy policy_;
};

// When a life is to be cut in a linear run.
class CutWatch {
 public:
  // Draws where, if this life may be cut at all.
  CutWatch(World& world, bool may_be_cut) : world_(world) {
    if (may_be_cut) at_ = world.choices().draw(kCutAt, Actor::kNobody, kCutAtBound);
    generation_ = world.crash_generation();
  }
  // After a step: whether the power goes now.
  bool strikes() {
    if (world_.power_cut_requested()) return true;
    const std::uint64_t generation = world_.crash_generation();
    if (generation == generation_) return false;
    generation_ = generation;
    return ++opportunity_ == at_;
  }
  std::uint64_t opportunity() const { return opportunity_; }

 private:
  World& world_;
  std::uint64_t at_ = 0;
  std::uint64_t opportunity_ = 0;
  std::uint64_t generation_ = 0;
};

bool may_cut(const Plan& plan, std::uint32_t life) {
  return plan.power_cut.when != PowerCutPlan::When::kNever && life < plan.power_cut.depth;
}

// The course of a first life, from power on to rest. `paused` may be null.
class FirstLife {
 public:
  FirstLife(World& world, std::string* refused) : world_(world), refused_(refused) {}

  // Goes on until the life is over (kDone, kStuck) or `paused` says so.
  Stretch go_on(const World::Condition& paused) {
    Stretch stretch = Stretch::kDone;
    while (stage_ != Stage::kOver) {
      stretch = stage(paused);
      if (stretch != Stretch::kDone) return stretch;
      advance();
    }
    return Stretch::kDone;
  }
  bool tasks_over() const { return stage_ == Stage::kSettling || stage_ == Stage::kOver; }

 private:
  enum class Stage { kBooting, kWorking, kSettling, kOver };

  Stretch stage(const World::Condition& paused) {
    switch (stage_) {
      case Stage::kBooting: return world_.boot(refused_, paused);
      case Stage::kWorking: return world_.run_until([this] { return world_.tasks_done(); }, paused);
      case Stage::kSettling:
        return world_.run_until(
            [this] { return world_.at_rest() || world_.now() >= settled_by_; }, paused);
      case Stage::kOver: return Stretch::kDone;
    }
    UNMODELLED("stage of a life");
  }

  void advance() {
    switch (stage_) {
      case Stage::kBooting:
        if (!refused_->empty()) {
          stage_ = Stage::kOver;
          return;
        }
        world_.start_tasks();
        stage_ = Stage::kWorking;
        return;
      case Stage::kWorking:
        settled_by_ = world_.now() + world_.plan().machine.settle;
        world_.begin_settling();
        stage_ = Stage::kSettling;
        return;
      case Stage::kSettling:
        world_.judge().at_rest();
        stage_ = Stage::kOver;
        return;
      case Stage::kOver: return;
    }
  }

  World& world_;
  std::string* refused_;
  Stage stage_ = Stage::kBooting;
  Instant settled_by_;
};

// One run of a plan by exploring.
class Exploration {
 public:
  Exploration(const Plan& plan, Workshop& workshop, const RunOptions& options, std::uint64_t seed)
      : plan_(plan),
        workshop_(workshop),
        options_(options),
        seed_(seed),
        choices_(seed),
        world_(plan, workshop, choices_, Trace::Keep::kTail),
        thinning_(options.cuts) {}

  void run(VariantResult* result) {
    result_ = result;
    FirstLife life(world_, &result->refused);
    const bool cuts = plan_.power_cut.when != PowerCutPlan::When::kNever;
    generation_ = world_.crash_generation();
    World::Condition paused;
    if (cuts) {
      paused = [this, &life] { return found_ || stopped() || (consider(life), found_); };
    }
    life.go_on(paused);
    if (!found_ && !world_.judge().violations().empty()) {
      conclude(world_, {}, 0);
    }
    fingerprint_.fold(world_.trace().fingerprint().value());
    result->verdict.fingerprint.fold(fingerprint_.value());
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

  // After a step of the first life: is this where power may be cut, and what follows if it is?
  void consider(const FirstLife& life) {
    const bool forced = world_.power_cut_requested() && !forced_done_;
    const std::uint64_t generation = world_.crash_generation();
    if (generation == generation_ && !forced) return;
    if (generation != generation_) {
      generation_ = generation;
      ++opportunity_;
    }
    if (forced) {
      forced_done_ = true;
    } else {
      switch (plan_.power_cut.when) {
        case PowerCutPlan::When::kNever: return;
        case PowerCutPlan::When::kAny:
          if (!thinning_.take(opportunity_)) return;
          break;
        case PowerCutPlan::When::kAt:
          if (at_done_ || world_.now() < Instant() + plan_.power_cut.at) return;
          at_done_ = true;
          break;
        case PowerCutPlan::When::kAtEnd:
          if (at_done_ || !life.tasks_over()) return;
          at_done_ = true;
          break;
      }
    }
    explore();
  }

  void explore() {
    ++result_->verdict.statistics.power_cuts;
    take_moment(world_, opportunity_, &moment_);
    const std::uint32_t states =
        moment_.free_units == 0 ? 1 : std::max<std::uint32_t>(1, plan_.power_cut.states_per_cut);
    for (std::uint32_t state = 0; state < states && !found_; ++state) {
      SurvivorPolicy policy = plan_.power_cut.survivors;
      if (policy == SurvivorPolicy::kChosen && states > 2) {
        if (state == 0) policy = SurvivorPolicy::kNone;
        if (state == 1) policy = SurvivorPolicy::kAll;
      } else if (policy != SurvivorPolicy::kChosen && state > 0) {
        return;
      }
      try_state(mix_words(mix_words(seed_, opportunity_), state), policy);
    }
  }

  void try_state(std::uint64_t seed, SurvivorPolicy policy) {
    StateChoices choices(seed, policy);
    draw_survivors(moment_, world_, choices, &survivors_);
    if (!seen_.insert(crash_state_fingerprint(survivors_.images, world_)).second) {
      ++result_->verdict.statistics.duplicate_states;
      return;
    }
    choices.end_of_survivors();
    std::vector<std::unique_ptr<World>> lives;
    lives.push_back(reboot(world_, moment_, survivors_, choices, Trace::Keep::kTail));
    while (true) {
      World& life = *lives.back();
      ++result_->verdict.statistics.crash_states;
      CutWatch watch(life, may_cut(plan_, life.life()));
      const bool may = may_cut(plan_, life.life());
      const Stretch stretch =
          live_on(life, may ? World::Condition([&] { return watch.strikes(); }) : nullptr);
      if (!life.judge().violations().empty()) {
        conclude(life, choices.record(), opportunity_);
        break;
      }
      if (stretch != Stretch::kPaused) break;
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
    if (may_cut(plan_, 0)) {
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
  Workshop& workshop_;
  const RunOptions& options_;
  std::uint64_t seed_;
  RandomChoices choices_;
  World world_;
  Thinning thinning_;
  VariantResult* result_ = nullptr;
  Fingerprint fingerprint_;
  CutMoment moment_;
  Survivors survivors_;
  std::unordered_set<std::uint64_t> seen_;  // crash states already tried; never iterated
  std::uint64_t generation_ = 0;
  std::uint64_t opportunity_ = 0;
  bool forced_done_ = false;
  bool at_done_ = false;
  bool found_ = false;
};

}  // namespace

VariantResult run_variant(const Plan& plan, Workshop& workshop, const RunOptions& options) {
  VariantResult result;
  const std::uint64_t runs = options.runs.value_or(plan.runs);
  for (std::uint64_t run = 0; run < runs && !result.stopped; ++run) {
    if (options.stop != nullptr && options.stop()) {
      result.stopped = true;
      break;
    }
    Exploration exploration(plan, workshop, options, options.seed + run);
    exploration.run(&result);
    if (options.progress != nullptr) options.progress(result.verdict);
    if (exploration.found() || !result.refused.empty()) break;
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
    CutWatch watch(life, may);
    World::Condition paused;
    bool reached = false;
    if (may || options.until != 0) {
      paused = [&] {
        reached = options.until != 0 && life.trace().last_id() >= options.until;
        return reached || (may && watch.strikes());
      };
    }
    Stretch stretch = Stretch::kDone;
    if (life.life() == 0) {
      FirstLife first(life, &out.refused);
      stretch = first.go_on(paused);
    } else {
      stretch = live_on(life, paused);
    }
    out.statistics.add(life.statistics());
    if (stretch != Stretch::kPaused || reached) break;
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
