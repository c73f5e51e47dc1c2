// ChoiceSource: the one source of chance.
//
// Whatever could go either way is drawn here, with a label: the choice point's name and the actor it
// concerns. A run is (plan, choices) and nothing else. The value 0 always means the plainest outcome
// (no fault, first in line, shortest delay), so that a smaller list of choices is a simpler run.
//
// Strategies (random by seed, replay of a file, and those of the search) override choose(). Every
// drawn value is recorded, so that any run can be written down as it is.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/check.h"
#include "base/fingerprint.h"
#include "base/ratio.h"
#include "sim/actor.h"
#include "sim/time.h"

namespace dmsim {

// A place in the code where a choice is drawn. Defined `inline constexpr` beside that code.
struct ChoicePoint {
  std::string_view name;  // "disk.transfer", "sched.next"; stable across versions of the tool
  std::uint64_t hash;
  constexpr explicit ChoicePoint(std::string_view n)
      : name(n), hash(hash_name(n.data(), n.size())) {}
};

// One drawn choice, as recorded.
struct Choice {
  const ChoicePoint* point;
  Actor who;
  std::uint64_t bound;  // >= 2: draws with a single outcome are not choices and are not recorded
  std::uint64_t value;  // < bound
};

class ChoiceSource {
 public:
  virtual ~ChoiceSource() = default;

  // A value in [0, bound). Requires bound >= 1. A bound of 1 draws nothing.
  std::uint64_t draw(const ChoicePoint& point, Actor who, std::uint64_t bound) {
    CHECK(bound >= 1);
    if (bound == 1) return 0;
    const std::uint64_t value = choose(point, who, bound);
    CHECK(value < bound, point.name, value, bound);
    record_.push_back({&point, who, bound, value});
    return value;
  }

  // The same among actors, for sources that rank them (PCT): an index into `candidates`, at least two.
  std::uint64_t draw_among(const ChoicePoint& point, std::span<const Actor> candidates) {
    const std::uint64_t value = choose_among(point, candidates);
    CHECK(value < candidates.size(), point.name, value, candidates.size());
    record_.push_back({&point, Actor::kNobody, candidates.size(), value});
    return value;
  }
  bool ranks_actors() const { return ranks_actors_; }

  // True with the given probability.
  bool chance(const ChoicePoint& point, Actor who, Ratio probability) {
    if (probability.numerator == 0) return false;
    if (probability.numerator >= probability.denominator) return true;
    return draw(point, who, probability.denominator) >=
           probability.denominator - probability.numerator;
  }

  // A duration in [least, most], at nanosecond grain. Requires least <= most.
  Duration duration(const ChoicePoint& point, Actor who, Duration least, Duration most) {
    CHECK(least <= most);
    const auto span = static_cast<std::uint64_t>((most - least).count_ns()) + 1;
    return least + Duration::nanoseconds(static_cast<std::int64_t>(draw(point, who, span)));
  }

  // The names of the actors that the next draws are about. A world announces them when it is built
  // (after a power cut the next world does): sources that tell actors by name listen.
  virtual void attach(const ActorNames& names) { (void)names; }

  // Everything drawn so far, in order. Lives as long as the source.
  const std::vector<Choice>& record() const { return record_; }
  void forget_record() { record_.clear(); }

 protected:
  virtual std::uint64_t choose(const ChoicePoint& point, Actor who, std::uint64_t bound) = 0;
  // Asked instead of choose() only of sources that rank actors.
  virtual std::uint64_t choose_among(const ChoicePoint& point, std::span<const Actor> candidates) {
    return choose(point, Actor::kNobody, candidates.size());
  }
  void rank_actors() { ranks_actors_ = true; }

 private:
  std::vector<Choice> record_;
  bool ranks_actors_ = false;
};

// The plainest run: every choice is 0.
class PlainChoices final : public ChoiceSource {
  std::uint64_t choose(const ChoicePoint&, Actor, std::uint64_t) override { return 0; }
};

// SplitMix64: the numbers behind every random strategy, the same on every machine.
class RandomNumbers {
 public:
  explicit RandomNumbers(std::uint64_t seed) : state_(seed) {}
  // In [0, bound). Requires bound >= 1.
  std::uint64_t below(std::uint64_t bound) {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ull);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    z ^= z >> 31;
    return static_cast<std::uint64_t>((static_cast<unsigned __int128>(z) * bound) >> 64);
  }

 private:
  std::uint64_t state_;
};

// Random by seed.
class RandomChoices final : public ChoiceSource {
 public:
  explicit RandomChoices(std::uint64_t seed) : numbers_(seed) {}

 private:
  std::uint64_t choose(const ChoicePoint&, Actor, std::uint64_t bound) override {
    return numbers_.below(bound);
  }
  RandomNumbers numbers_;
};

// A choice as a file holds it: by name, so that it outlives the program that wrote it.
struct LabelledChoice {
  std::string point;
  std::string who;
  std::uint64_t bound = 0;
  std::uint64_t value = 0;
  friend bool operator==(const LabelledChoice&, const LabelledChoice&) = default;
};

// Replays a recorded list. In order as long as labels agree; where they do not (the tool or the plan
// has changed since), each label goes on with its own next value, and a label that has run out, or a
// value that no longer fits its bound, draws 0. Every such step counts as a departure.
class ReplayedChoices final : public ChoiceSource {
 public:
  explicit ReplayedChoices(std::vector<LabelledChoice> choices);
  // The same, with the names known already; they outlive their use.
  ReplayedChoices(std::vector<LabelledChoice> choices, const ActorNames& names)
      : ReplayedChoices(std::move(choices)) {
    attach(names);
  }
  void attach(const ActorNames& names) override { names_ = &names; }

  // Draws that did not meet the recorded label, bound and value, and the first of them in words.
  std::uint64_t departures() const { return departures_; }
  const std::string& first_departure() const { return first_departure_; }
  // Recorded choices that nothing has asked for (yet).
  std::uint64_t unused() const { return choices_.size() - used_count_; }

 private:
  std::uint64_t choose(const ChoicePoint& point, Actor who, std::uint64_t bound) override;
  void depart(const ChoicePoint& point, Actor who, std::string_view why);

  std::vector<LabelledChoice> choices_;
  const ActorNames* names_ = nullptr;
  std::vector<bool> used_;
  std::size_t used_count_ = 0;
  std::size_t cursor_ = 0;
  // Only looked up by key, never iterated.
  std::unordered_map<std::string, std::vector<std::size_t>> by_label_;  // reversed: next at the back
  std::uint64_t departures_ = 0;
  std::string first_departure_;
};

// The record of `source` in file form.
std::vector<LabelledChoice> label_choices(const std::vector<Choice>& record,
                                          const ActorNames& names);

}  // namespace dmsim
