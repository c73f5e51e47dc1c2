// FirstLife: the course of the life that the plan describes, from power on to rest; and when a life is cut.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "harness/afterlife.h"
#include "harness/world.h"

namespace dmsim {

// When a life is to be cut in a linear run.
class CutWatch {
 public:
  // Draws where, if that is a matter of chance in this life.
  CutWatch(World& world, bool by_chance) : world_(world) {
    if (by_chance) at_ = world.choices().draw(kCutAt, Actor::kNobody, kCutAtBound);
    generation_ = world.crash_generation();
  }
  // After a step: whether the power goes now.
  bool strikes() {
    const std::uint64_t generation = world_.crash_generation();
    const bool opportunity = generation != generation_;
    generation_ = generation;
    if (opportunity) ++opportunity_;
    return world_.power_cut_requested() || (opportunity && opportunity_ == at_);
  }
  std::uint64_t opportunity() const { return opportunity_; }

 private:
  World& world_;
  std::uint64_t at_ = 0;
  std::uint64_t opportunity_ = 0;
  std::uint64_t generation_ = 0;
};

// Whether chance says where that life is cut. The first one's cut may be laid down by the plan instead.
bool cut_by_chance(const Plan& plan, std::uint32_t life);
// Whether that life may be cut at all, by chance, by the plan or by a task's script.
bool may_cut(const Plan& plan, std::uint32_t life);

// The course of a first life, from power on to rest. It may be left at any step and gone on with.
class FirstLife {
 public:
  // `*refused` gets the reason when a table is refused at boot, and must stay where it is. `stop` (may be
  // null) ends the life early.
  FirstLife(World& world, std::string* refused, std::function<bool()> stop = nullptr);

  // Goes on until the life is over (kDone, kStuck), `paused` (may be null) says so, or `stop` (kPaused too).
  Stretch go_on(const World::Condition& paused);

 private:
  enum class Stage { kBooting, kWorking, kSettling, kLooking, kOver };

  Stretch stage(const World::Condition& paused);
  void advance();
  bool stopped() const { return stop_ != nullptr && stop_(); }
  bool cut_at_instant() const;
  bool settled() const;

  World& world_;
  std::string* refused_;
  std::function<bool()> stop_;
  Stage stage_ = Stage::kBooting;
  bool looked_ = false;
  Instant settled_by_;
};

}  // namespace dmsim
