#include "harness/strategies.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "base/nearest.h"
#include "models/disk/disk.h"
#include "sim/scheduler.h"

namespace dmsim {
namespace {

class RandomStrategy final : public Strategy {
 public:
  ChoiceSource* begin_run(std::uint64_t seed) override { return &choices_.emplace(seed); }

 private:
  std::optional<RandomChoices> choices_;
};

// Slices that a run is taken to have when change points are laid: the guarantee is for runs up to that.
constexpr std::uint64_t kPctSteps = 2000;

class PctChoices final : public ChoiceSource {
 public:
  PctChoices(std::uint64_t seed, std::uint32_t depth) : random_(seed) {
    rank_actors();
    for (std::uint32_t i = 1; i < depth; ++i) change_points_.push_back(random_.below(kPctSteps));
    std::sort(change_points_.begin(), change_points_.end());
  }

 private:
  std::uint64_t choose(const ChoicePoint&, Actor, std::uint64_t bound) override {
    return random_.below(bound);
  }
  // The one of the highest priority runs; at a change point it then falls below all others.
  std::uint64_t choose_among(const ChoicePoint&, std::span<const Actor> candidates) override {
    std::uint64_t best = 0;
    for (std::uint64_t i = 1; i < candidates.size(); ++i) {
      if (priority(candidates[i]) > priority(candidates[best])) best = i;
    }
    ++step_;
    if (!change_points_.empty() && step_ >= change_points_.front()) {
      change_points_.erase(change_points_.begin());
      priorities_[candidates[best]] = change_points_.size();
    }
    return best;
  }
  std::uint64_t priority(Actor actor) {
    const auto found = priorities_.find(actor);
    if (found != priorities_.end()) return found->second;
    return priorities_[actor] = 1000 + random_.below(1'000'000);
  }

  RandomNumbers random_;
  std::vector<std::uint64_t> change_points_;                 // ascending
  std::unordered_map<Actor, std::uint64_t> priorities_;      // never iterated
  std::uint64_t step_ = 0;
};

class PctStrategy final : public Strategy {
 public:
  explicit PctStrategy(std::uint32_t depth) : depth_(depth) {}
  ChoiceSource* begin_run(std::uint64_t seed) override { return &choices_.emplace(seed, depth_); }

 private:
  std::uint32_t depth_;
  std::optional<PctChoices> choices_;
};

// Depth first: a run follows the path as far as it goes and takes 0 from there on; the next path is
// the last choice of this one that has a value left, moved on by one.
class ExhaustiveChoices final : public ChoiceSource {
 public:
  struct Step {
    std::uint64_t option;   // of `options`
    std::uint64_t options;  // >= 2
  };
  ExhaustiveChoices(std::vector<Step>& path, const StrategyOptions& options)
      : path_(path), values_(options.values), memory_is_stable_(options.memory_is_stable) {}

 private:
  // Of many values a few stand for all: the least, the greatest, and evenly between.
  std::uint64_t choose(const ChoicePoint& point, Actor, std::uint64_t bound) override {
    if (memory_is_stable_ && point.hash == kDiskTransferDelay.hash) return 0;
    const std::uint64_t options = std::min<std::uint64_t>(bound, values_);
    if (at_ == path_.size()) path_.push_back({0, options});
    CHECK(path_[at_].options == options, "a run is not a function of its choices");
    const std::uint64_t option = path_[at_++].option;
    return options == bound ? option : option * (bound - 1) / (options - 1);
  }
  std::vector<Step>& path_;
  std::uint32_t values_;
  bool memory_is_stable_;
  std::size_t at_ = 0;
};

class ExhaustiveStrategy final : public Strategy {
 public:
  explicit ExhaustiveStrategy(const StrategyOptions& options) : options_(options) {}

  ChoiceSource* begin_run(std::uint64_t) override {
    if (complete_ || paths_ >= options_.most_paths) return nullptr;
    return &choices_.emplace(path_, options_);
  }
  void end_run() override {
    ++paths_;
    while (!path_.empty() && path_.back().option + 1 == path_.back().options) path_.pop_back();
    if (path_.empty()) {
      complete_ = true;
    } else {
      ++path_.back().option;
    }
  }
  std::string summary() const override {
    return complete_ ? fmt::format("complete: {} schedules", paths_)
                     : fmt::format("cut at bound: {} schedules", paths_);
  }

 private:
  StrategyOptions options_;
  std::vector<ExhaustiveChoices::Step> path_;
  std::uint64_t paths_ = 0;
  bool complete_ = false;
  std::optional<ExhaustiveChoices> choices_;
};

// Follows a kept run up to a point, then chance; now and then one value on the way is another.
class MutatedChoices final : public ChoiceSource {
 public:
  MutatedChoices(std::uint64_t seed, const std::vector<Choice>* kept) : random_(seed), kept_(kept) {
    if (kept_ == nullptr || kept_->empty()) {
      kept_ = nullptr;
      return;
    }
    follow_ = random_.below(kept_->size() + 1);
  }

 private:
  std::uint64_t choose(const ChoicePoint& point, Actor who, std::uint64_t bound) override {
    if (kept_ != nullptr && at_ < follow_) {
      const Choice& choice = (*kept_)[at_++];
      const bool fits = choice.point == &point && choice.who == who && choice.value < bound;
      if (!fits) follow_ = at_;
      if (fits && random_.below(64) != 63) return choice.value;
    }
    return random_.below(bound);
  }
  RandomNumbers random_;
  const std::vector<Choice>* kept_;
  std::uint64_t follow_ = 0;
  std::uint64_t at_ = 0;
};

class CoverageStrategy final : public Strategy, private TraceListener {
 public:
  ChoiceSource* begin_run(std::uint64_t seed) override {
    last_kind_.clear();
    new_transitions_ = 0;
    const std::vector<Choice>* base = nullptr;
    if (!kept_.empty() && seed % 4 != 0) base = &kept_[mix_words(seed, 1) % kept_.size()];
    return &choices_.emplace(seed, base);
  }
  TraceListener* listener() override { return this; }
  void end_run() override {
    if (new_transitions_ > 0) kept_.push_back(choices_->record());
  }
  std::string summary() const override {
    return fmt::format("{} transitions, {} runs kept", seen_.size(), kept_.size());
  }

 private:
  // A transition: what an actor did after what it had done, and the arguments that name states.
  void on_event(const TraceEvent& event) override {
    std::uint64_t state = event.kind->hash;
    for (std::size_t i = 0; i < event.args.size(); ++i) {
      if (event.kind->args[i].form == ArgForm::kEnum) state = mix_words(state, event.args[i]);
    }
    std::uint64_t& before = last_kind_[event.actor];
    if (seen_.insert(mix_words(before, state)).second) ++new_transitions_;
    before = state;
  }

  std::unordered_set<std::uint64_t> seen_;               // never iterated
  std::unordered_map<Actor, std::uint64_t> last_kind_;   // never iterated
  std::uint64_t new_transitions_ = 0;
  std::vector<std::vector<Choice>> kept_;
  std::optional<MutatedChoices> choices_;
};

}  // namespace

Result<StrategyOptions> parse_strategy(const std::string& text) {
  constexpr std::array<std::string_view, 4> kNames{"random", "pct", "exhaustive", "coverage"};
  const std::size_t colon = text.find(':');
  const std::string name = text.substr(0, colon);
  StrategyOptions options;
  const auto known = std::find(kNames.begin(), kNames.end(), name);
  if (known == kNames.end()) {
    return Failure{InputError{"", 0, 0,
                              "unknown strategy '" + name + "'" + did_you_mean(name, kNames) +
                                  "; there are random, pct:DEPTH, exhaustive:VALUES and coverage", -1}};
  }
  options.kind = static_cast<StrategyOptions::Kind>(known - kNames.begin());
  if (colon == std::string::npos) return options;
  std::uint32_t number = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data() + colon + 1, end, number);
  const bool pct = options.kind == StrategyOptions::Kind::kPct;
  const bool exhaustive = options.kind == StrategyOptions::Kind::kExhaustive;
  if (parsed.ec != std::errc() || parsed.ptr != end || (!pct && !exhaustive) ||
      number < (exhaustive ? 2u : 1u)) {
    return Failure{InputError{"", 0, 0,
                              "strategy '" + text + "': expected pct:DEPTH (1 or more) or "
                              "exhaustive:VALUES (2 or more)", -1}};
  }
  (pct ? options.bug_depth : options.values) = number;
  return options;
}

std::unique_ptr<Strategy> make_strategy(const StrategyOptions& options) {
  switch (options.kind) {
    case StrategyOptions::Kind::kRandom: return std::make_unique<RandomStrategy>();
    case StrategyOptions::Kind::kPct: return std::make_unique<PctStrategy>(options.bug_depth);
    case StrategyOptions::Kind::kExhaustive:
      return std::make_unique<ExhaustiveStrategy>(options);
    case StrategyOptions::Kind::kCoverage: return std::make_unique<CoverageStrategy>();
  }
  UNMODELLED("strategy");
}

}  // namespace dmsim
