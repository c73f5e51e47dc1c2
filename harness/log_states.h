// LogStates: a recorded dm-log-writes log as a source of crash states.
//
// The walk stops once for each entry of the log: a *moment*. What was written and not yet flushed is
// free then, per sector (or 4 KiB block), each unit by itself, and every choice of survivors is a crash
// state. So:
//   a write       is free from its own moment on;
//   a FUA write   is free at its own moment (still in flight, it may be torn) and durable at the next;
//   a flush       makes durable what stands before it in the log; a write that carries FLUSH is one,
//                 ahead of its data;
//   a discard     is a write of zeroes. So is the device before the log begins;
//   a mark        changes nothing and has no states of its own.
// The log is in the order of completion as the target sees it: unflushed writes are listed ahead of the
// flush that was submitted after they had completed. So what is free here was free in truth. The
// reverse does not hold: that a write listed behind a flush was in flight before it, and may have landed
// early, is not in the log, and such states are left out.
//
// `caches` says which parts of the recorded device stand for disks of their own: a flush then empties
// only the cache of the part in which its sector lies. Without, the device is one disk.
//
// The states of a moment are numbered, and number n is the same state whatever else is asked, so that
// "ENTRY.NUMBER" names a state for good (given log and options). If all combinations are no more
// than `exhaustive`, they are all there; else by policy: none, all, each write alone, all writes but
// one, prefixes, each unit alone (those for which that is new), all units but one, random subsets.
// A unit whose candidates all equal what is durable is not free: it makes no difference.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "models/disk/crash_space.h"
#include "models/disk/image.h"
#include "models/disk/pristine.h"
#include "models/workload/log_writes.h"

namespace dmsim {

struct LogStateOptions {
  std::uint64_t device_sectors = 0;      // 0: as far as the log reaches
  std::uint32_t atomic_sectors = 1;      // 1 or 8
  std::vector<SectorRange> caches{};     // disjoint; what lies outside shares one more. Empty: one cache
  std::vector<SectorRange> stale{};      // hold 0xFF bytes before the log begins
  std::uint64_t exhaustive = 256;        // combinations of one moment that are all taken
  std::uint64_t random_subsets = 16;     // of a moment that is not exhausted
  std::uint64_t seed = 1;                // of the random subsets
  std::size_t first_entry = 0;           // moments before it have no states
  std::size_t end_entry = std::numeric_limits<std::size_t>::max();  // the walk ends before it
};

class LogStates {
 public:
  // Requires that `log` outlives this and that its entries lie within the device.
  LogStates(const WriteLog& log, LogStateOptions options);

  // Goes to the next moment; false: there is none.
  bool next();

  // Of the current moment:
  std::size_t entry() const { return entry_; }
  const LogEntry& log_entry() const { return log_.entries()[entry_]; }
  const CrashSpace& space() const { return space_; }
  // What became durable since the moment before; at the first moment everything that is not zero.
  std::span<const SectorRange> made_durable() const { return made_durable_; }
  std::uint64_t count() const { return sections_.empty() ? 0 : sections_.back().end; }
  bool exhausted() const { return exhausted_; }
  // Requires number < count(). Drawn from this walk's pools: does not outlive it.
  Image state(std::uint64_t number);
  // The same as choices, one for each unit of the space: 0 what is durable, k its k-th candidate.
  void choose(std::uint64_t number, std::vector<std::uint32_t>* choices) const;
  // Which policy made it, in words: "all but sector 24578".
  std::string policy(std::uint64_t number) const;
  // What became of an entry's own units: "lost", "landed", "landed but for sectors 8, 9".
  std::string fate(std::size_t entry, std::span<const std::uint32_t> choices) const;
  // One line for each entry that is free at this moment.
  std::vector<std::string> survivors(std::uint64_t number) const;

  // Entries whose effect is not durable at this moment, oldest first.
  const std::vector<std::size_t>& free_entries() const { return free_entries_; }

 private:
  enum class Policy : std::uint8_t {
    kCombination, kNone, kAll, kWriteAlone, kAllWritesButOne, kPrefix, kUnitAlone, kAllUnitsButOne,
    kRandom,
  };
  struct Section {
    Policy policy;
    std::uint64_t begin;  // of the numbers
    std::uint64_t end;
  };
  struct Piece {  // what an entry wrote to one page
    std::uint64_t index;
    std::uint8_t mask;
    std::size_t entry;
    PageRef content;
  };
  struct Alone {  // one candidate of one unit
    std::uint32_t unit;
    std::uint32_t choice;
  };

  void fill_stale();
  void take(const LogEntry& entry);
  void add_write(const LogEntry& entry);
  void add_discard(const LogEntry& entry);
  void add_piece(std::uint64_t index, std::uint8_t mask, PageRef content);
  void flush(std::size_t cache);
  void land_fua();
  void land(const Piece& piece);
  std::size_t cache_of(Sector sector) const;
  void build_space();
  void number_states();
  void add_section(Policy policy, std::uint64_t count);
  const Section& section_of(std::uint64_t number) const;
  // The newest candidate of a unit that `wanted(entry)` takes; 0: none.
  template <typename Wanted>
  std::uint32_t newest(const FreeUnit& unit, Wanted wanted) const;
  template <typename Wanted>
  void choose_newest(Wanted wanted, std::vector<std::uint32_t>* choices) const;
  std::size_t entry_of(const CrashCandidate& candidate) const {
    return static_cast<std::size_t>(candidate.submit - 1);
  }

  const WriteLog& log_;
  const LogStateOptions options_;
  PagePool pages_;
  ImagePool images_;
  Pristine zeroes_;
  PageSpace page_space_;
  std::size_t next_entry_ = 0;
  std::size_t entry_ = 0;
  std::vector<Piece> pending_;  // oldest first
  bool fua_in_flight_ = false;  // the newest entry's pieces land before the next moment
  bool base_moved_ = true;      // since the moment before
  std::vector<SectorRange> made_durable_;
  CrashSpaceBuilder builder_;
  CrashSpace space_;
  std::optional<Image> all_;    // every unit's newest candidate
  std::vector<Section> sections_;
  bool exhausted_ = false;
  std::vector<std::size_t> free_entries_;
  std::vector<Alone> alone_;
  std::vector<std::uint32_t> choices_;  // reused
};

}  // namespace dmsim
