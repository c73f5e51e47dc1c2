// Shrink: the crash as small as it has become, and the ways to propose a smaller one.
//
// Every proposal is run. It is taken when the run breaks the same promise (signature() of the first
// violation) and is smaller (CrashSize). What is taken is never the proposal itself but the record of
// its run, so that the best crash always replays without a departure and to its own fingerprint.
//
// A smaller plan often loses the violation although it could show it: choices meant for one instant come
// at another, the power is cut too early. How much is done about that is the *effort*: 0 replays only,
// 1 tries the cut at other opportunities too, more explore the smaller plan afresh, each ten times as
// long as the one before. The passes do not know.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "crash-replay/minimise/crash_size.h"
#include "harness/run.h"
#include "scenarios/vocabulary.h"

namespace dmsim {

inline constexpr unsigned kMostEffort = 4;

class Shrink {
 public:
  struct Limits {
    std::uint64_t tries = ~std::uint64_t{0};  // runs and crash states, of whatever kind
    std::function<bool()> stop;               // asked before each try; may be null
  };

  // Replays `crash`. Everything outlives this.
  Shrink(const Crash& crash, Workshop& workshop, const Vocabulary& vocabulary, Limits limits);

  // Whether the crash breaks its recorded promise at all; nothing else may be called if not.
  bool reproduced() const { return reproduced_; }
  const Crash& best() const { return best_; }
  const CrashSize& size() const { return size_; }
  std::uint64_t tries() const { return tries_; }
  std::uint64_t accepted() const { return accepted_; }
  // Something has been taken that did not come out the same when it was run again: 0 unless the engine
  // or the harness depends on what it must not.
  std::uint64_t unsteady() const { return unsteady_; }
  bool over() const { return tries_ >= limits_.tries || (limits_.stop != nullptr && limits_.stop()); }
  void set_effort(unsigned effort) { effort_ = effort; }
  // What is done with a crash that exploring has found, before anything else is proposed: such a crash is
  // small in its plan, and in nothing else. Only proposes choices.
  void set_tidy(void (*tidy)(Shrink& shrink)) { tidy_ = tidy; }

  // True: taken. Plans that the loader would not accept, and plans that are no smaller, are not run.
  bool try_plan(const Plan& plan);
  bool try_choices(const std::vector<LabelledChoice>& choices);

  // The trace of a replay of the best crash, given to `look` with the world at its end.
  void look_at_run(const std::function<void(const World&)>& look);

 private:
  bool consider(const Plan& plan, const std::vector<LabelledChoice>& choices);
  bool same_promise(const Plan& plan, const LinearRun& run) const;
  Crash written_down(const Plan& plan, const LinearRun& run, const ChoiceSource& choices) const;
  bool is_legal(const Plan& plan, const std::string& text) const;
  // Whether the plan's devices come up when the power stays on.
  bool comes_up(const Plan& plan) const;
  bool try_other_cuts(const Plan& plan);
  bool explore(const Plan& plan);

  Workshop& workshop_;
  const Vocabulary& vocabulary_;
  Limits limits_;
  // The finding is that they do not come up after a power cut, and a plan of which they never would is another thing.
  bool must_come_up_ = false;
  std::string wanted_;          // signature
  Crash best_;
  CrashSize size_;
  bool reproduced_ = false;
  unsigned effort_ = 0;
  void (*tidy_)(Shrink& shrink) = nullptr;
  std::uint64_t tries_ = 0;
  std::uint64_t accepted_ = 0;
  std::uint64_t unsteady_ = 0;
  // Plans (as text) that an exploration has not found the violation in, with how hard it was looked for;
  // and those that the loader refuses. Exploring does not depend on the best crash.
  std::map<std::uint64_t, unsigned> fruitless_;
};

// A way of making crashes smaller.
struct ShrinkPass {
  std::string_view name;
  void (*run)(Shrink& shrink);
};

// Proposes to do without parts of a list of the plan: without runs of many, then of few. `list` leads to
// it; it may be empty in a plan that has changed. `mend` then removes from the plan what cannot be without
// the parts.
template <typename List, typename Mend>
void drop_parts(Shrink& shrink, List list, Mend mend) {
  Plan plan = shrink.best().plan;
  for (std::size_t run = list(plan).size(); run > 0; run /= 2) {
    for (std::size_t at = 0; !shrink.over();) {
      plan = shrink.best().plan;
      auto&& parts = list(plan);
      if (at >= parts.size()) break;
      const auto first = parts.begin() + static_cast<std::ptrdiff_t>(at);
      parts.erase(first, first + static_cast<std::ptrdiff_t>(std::min(run, parts.size() - at)));
      mend(plan);
      if (!shrink.try_plan(plan)) at += run;
    }
  }
}
template <typename List>
void drop_parts(Shrink& shrink, List list) {
  drop_parts(shrink, list, [](Plan&) {});
}

// Proposes smaller values of a number of the plan, the smallest first. `number` leads to it: a pointer,
// null when a plan that has changed does not have it any more.
template <typename Number>
void lower(Shrink& shrink, std::uint64_t floor, Number number) {
  for (bool again = true; again && !shrink.over();) {
    again = false;
    Plan plan = shrink.best().plan;
    auto* at = number(plan);
    if (at == nullptr || *at <= floor) return;
    const std::uint64_t value = *at;
    const std::uint64_t above = value - floor;
    for (const std::uint64_t step : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{2},
                                     std::uint64_t{3}, above / 16, above / 4, above / 2,
                                     above - above / 4, above - 1}) {
      if (step >= above || shrink.over()) continue;
      plan = shrink.best().plan;
      at = number(plan);
      if (at == nullptr) return;
      *at = static_cast<std::remove_reference_t<decltype(*at)>>(floor + step);
      if (!shrink.try_plan(plan)) continue;
      again = true;
      break;
    }
  }
}

}  // namespace dmsim
