// RegionHash: what happens to each region of a mirror at this moment.
//
// A region has an entry while there is something to know beyond the log's bits: writes under way, a
// recovery, or the fact that it must not become clean. A region without an entry is what the log
// says: in sync (then clean) or not.
//
//   CLEAN       nothing under way; the entry waits on the clean list to be forgotten, its clean bit
//   set DIRTY       writes go to all legs NOSYNC      writes go to the default leg only RECOVERING
//   writes are delayed; recovery waits for those under way, copies, and dispatches
//
// Every change of state goes through next_step(), a pure function; apply() only carries it out. All
// lists are taken up by the worker in update_states(), which may block in the log; writes end in
// interrupt context.
//
// One thing differs from Linux by intention: a flush that failed while a region waits for its
// writes before recovery ends that recovery (switch mirror.flush_failure_ends_recovery); in
// Linux 6.1 and 6.12 it is never taken up again, and a suspend waits for it for ever.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "engine/native/mirror/dirty_log.h"
#include "engine/native/mirror/mirror_switches.h"
#include "sim/wait.h"

namespace dmsim::native {

enum class RegionState : std::uint8_t { kClean, kDirty, kNosync, kRecovering };

// The list an entry is in, or who works on it.
enum class RegionPlace : std::uint8_t {
  kNowhere,     // writes are under way, or it is NOSYNC
  kCleanList,   // CLEAN: to be forgotten
  kAging,       // DIRTY without writes, waiting to become clean (mirror.buffer=delayed-clean)
  kQuiesced,    // RECOVERING without writes: to be copied
  kCopying,     // RECOVERING: being copied
  kRecovered,   // RECOVERING: the copy succeeded
  kCopyFailed,  // RECOVERING: the copy failed
};
inline constexpr std::size_t kRegionPlaces = 7;

enum class RegionEvent : std::uint8_t {
  kWriteBegins,    // pending has just grown
  kLastWriteEnds,  // pending has just become 0
  kAged,           // nothing was written for long enough
  kRecoveryChosen,
  kWriteFailed,  // on some leg
  kCopyBegins,
  kCopySucceeds,
  kCopyFails,
  kKept,  // recovered, but the entry stays (mirror.nosync_entry=never-reclaim)
};

struct RegionStep {
  RegionState state;
  RegionPlace place;
  bool mark_dirty = false;        // tell the log before anything is written
  bool abandon_recovery = false;  // the recovery that was chosen will not take place
  bool spoil_copy = false;        // the copy under way counts as failed, whatever comes of it
};

struct RegionConditions {
  bool pending = false;       // writes are under way
  bool flush_failed = false;  // a flush of some leg has failed: nothing becomes clean any more
};

RegionStep next_step(RegionState state, RegionPlace place, RegionEvent event,
                     const RegionConditions& conditions, const MirrorSwitches& switches);

struct Region {
  std::uint64_t index = 0;
  RegionState state = RegionState::kClean;
  RegionPlace place = RegionPlace::kNowhere;
  bool copy_spoiled = false;
  std::uint32_t pending = 0;   // writes under way
  Instant idle_since;          // meaningful in kAging
  BioList delayed;             // writes that wait for the end of recovery
  Region* previous = nullptr;  // in the list of `place`, or in the free list
  Region* next = nullptr;
};

// What the hash needs of its mirror. Both are called in any context.
class RegionHashOwner {
 public:
  virtual void dispatch_delayed(BioList& writes) = 0;
  virtual void wake_worker() = 0;

 protected:
  ~RegionHashOwner() = default;
};

class RegionHash {
 public:
  static constexpr std::uint64_t kMaxRecovery = 1;  // regions recovered at a time

  RegionHash(DirtyLog& log, RegionHashOwner& owner, const LogSite& site);
  RegionHash(const RegionHash&) = delete;
  RegionHash& operator=(const RegionHash&) = delete;

  RegionState state(std::uint64_t region) const;

  void begin_write(std::uint64_t region);        // worker
  void end_write(std::uint64_t region);          // any context; once for each begin_write
  void delay(std::uint64_t region, Bio& write);  // worker; until recovery of the region is over
  void write_failed(std::uint64_t region);       // worker; the write has not ended yet
  void flush_failed() { flush_failed_ = true; }

  // Worker: makes of the lists what they ask for, then flushes the log.
  void update_states(bool errors_handled);
  // Worker: lets regions become clean that have been idle since `before`.
  void age(Instant before);
  // The region that has been idle longest; null: none.
  const Region* oldest_aging() const { return lists_[at(RegionPlace::kAging)].first; }

  // Worker: picks regions to recover as far as slots allow; then each is handed out by start_copy()
  // (null: no more), and comes back through end_copy() (any context).
  void choose_recovery();
  Region* start_copy();
  void end_copy(Region& region, bool success);
  // Takes all slots, waiting for recoveries under way.
  void stop_recovery();
  void start_recovery();

  std::uint64_t tracked() const { return tracked_; }
  const Region* find(std::uint64_t region) const { return by_index_[region]; }
  std::uint64_t generation() const { return generation_; }
  // Entries for which nothing is under way and that should have been forgotten.
  std::uint64_t leaked() const;

 private:
  struct List {
    Region* first = nullptr;
    Region* last = nullptr;
  };
  static constexpr std::size_t at(RegionPlace place) { return static_cast<std::size_t>(place); }
  void apply(Region& region, RegionEvent event);
  void move(Region& region, RegionPlace place);
  Region& find_or_add(std::uint64_t region);
  void forget(Region& region);
  void finish_recovery(Region& region, bool in_sync);
  bool choose_one();
  // Switches are on under which an entry may vanish while writes to its region are under way.
  bool may_lose_entries() const {
    return !switches_.recover_waits_for_pending ||
           switches_.nosync_entry == NosyncEntry::kFreeEarly;
  }
  void settle_recovered(Region& region);

  DirtyLog& log_;
  RegionHashOwner& owner_;
  const MirrorSwitches& switches_;
  Scheduler& scheduler_;
  Actor actor_;
  std::array<std::uint64_t, 5> words_;  // trace texts: the four states, then "gone"
  std::vector<Region*> by_index_;       // null: no entry
  std::array<List, kRegionPlaces> lists_;
  std::deque<Region> storage_;
  Region* free_ = nullptr;
  std::uint64_t tracked_ = 0;
  std::uint64_t generation_ = 0;
  bool flush_failed_ = false;
  Semaphore slots_;              // recoveries that may still begin; 0 while suspended
  WaitQueue stopped_;            // woken when in_flight_ becomes 0
  std::uint64_t in_flight_ = 0;  // recoveries chosen and not finished
};

}  // namespace dmsim::native
