// MoveWatch: looks at the mirror of a move while the command that moves is busy, and takes it out of the way when an
// image of it is in trouble.
//
// A mirror that handles errors holds a write that failed on one image until somebody repairs it, and whoever waits for
// that write may be the very one who would: a suspend of a volume above, whose worker waits for a flush of its legs;
// or another command, which holds the group's lock and reads the volume. So the watch takes no lock of the group,
// changes nothing in the metadata, and is a thread of its own. All it does is the *retreat*: the move's device gets
// the old extents of what is not done, by a noflush suspend, and what was held is issued again there. For the metadata
// the segment counts as running all the while, and the command aborts the move when it next looks.
//
// The command says to what may be retreated, and when no retreat may begin: while it loads a table of its own for the
// device; and once everything above is suspended, for then nothing is held, and it is about to change the device
// itself.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "engine/lvm/commands.h"

namespace dmsim::lvm {

// A step of a move begins; the actor is who makes it.
inline constexpr TraceKind kMoveStep{
    "pvmove.step", {{{"volume", ArgForm::kActor}, {"what", ArgForm::kText}, {"segment"}, {"of"}, {}}}};
void tell_move(LvmEnvironment& env, std::string_view device, std::string_view what, std::uint64_t segment = 0,
               std::uint64_t of = 0);

// One at a time for each device; nothing is done where there is no mirror any more.
CommandResult retreat_to(Session& session, const std::string& device, const std::string& table);

class MoveWatch {
 public:
  // Begins to watch. The environment outlives it; who holds it stops it.
  static std::shared_ptr<MoveWatch> start(LvmEnvironment& env, std::string device, Duration poll);

  // The table of a retreat from now on; empty: none may begin.
  void may_retreat_to(std::string table);
  // Waits for the end of a retreat that has begun, and lets none begin until go_on(). False: there was one.
  bool stand_still(Scheduler& scheduler);
  void go_on() { stands_still_ = false; }
  bool retreated() const { return state_ == State::kRetreated; }
  void stop() { stopped_ = true; }

 private:
  enum class State : std::uint8_t { kWatching, kRetreating, kRetreated };
  void live(LvmEnvironment& env, Duration poll);

  std::string device_;
  std::string table_;
  State state_ = State::kWatching;
  bool stands_still_ = false;
  bool stopped_ = false;
};

}  // namespace dmsim::lvm
