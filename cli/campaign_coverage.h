// What a run has reached: pairs of trace events that followed each other at one actor.
#pragma once

#include <cstdint>
#include <unordered_set>
#include <vector>

#include "sim/trace.h"

namespace dmsim {

// Transitions known; only looked up, never iterated.
using KnownTransitions = std::unordered_set<std::uint64_t>;

// A place of a kernel's source among the transitions.
inline std::uint64_t place_as_transition(std::size_t place) { return mix_words(0x706C616365, place); }

class CoverageListener final : public TraceListener {
 public:
  explicit CoverageListener(const KnownTransitions& known) : known_(known) {}

  void on_event(const TraceEvent& event) override {
    const auto actor = static_cast<std::size_t>(event.actor);
    if (last_.size() <= actor) last_.resize(actor + 1, 0);
    const std::uint64_t transition = mix_words(last_[actor], event.kind->hash);
    last_[actor] = event.kind->hash;
    if (known_.contains(transition) || !seen_.insert(transition).second) return;
    fresh_.push_back(transition);
  }
  void on_place(std::size_t place) {
    const std::uint64_t transition = place_as_transition(place);
    if (!known_.contains(transition)) fresh_.push_back(transition);
  }
  // Not known before and not yet taken, in order of appearance.
  std::vector<std::uint64_t> take_fresh() {
    seen_.clear();
    last_.clear();
    return std::move(fresh_);
  }

 private:
  const KnownTransitions& known_;
  std::vector<std::uint64_t> last_;  // by actor
  KnownTransitions seen_;
  std::vector<std::uint64_t> fresh_;
};

}  // namespace dmsim
