// The planted bugs of snapshots, of their stores and of the origin's part in them.
//
// The table of names is for people and plans; a target parses it once into SnapshotSwitches, and asks
// fields from then on. The first value of each is the fixed behaviour.
#pragma once

#include <cstdint>
#include <span>

#include "engine/switches.h"

namespace dmsim {

std::span<const SwitchInfo> snapshot_switches();

namespace native {

enum class Registration : std::uint8_t { kReserved, kAllocatesFirst, kAllocatesLocked };
enum class Throttle : std::uint8_t { kUnlocked, kLow, kLocked };

// One field per switch, at its fixed value.
struct SnapshotSwitches {
  bool sort_by_chunk = true;
  bool sibling_lock = true;
  bool destroy_waits = true;
  Registration registration = Registration::kReserved;
  bool track_reads = true;
  bool order_completion = true;
  bool commit_on_copy_error = true;
  bool own_header_buffer = true;
  bool load_last_area = true;
  bool area_preflush = true;
  bool area_fua = true;
  bool header_fua = true;
  bool create_area_first = true;
  bool overflow_by_table = true;
  bool fail_reads_of_invalid = true;
  bool invalidate_apart = true;
  Throttle throttle = Throttle::kUnlocked;
  bool suspend_on_handover = true;
  bool drain_on_handover = true;
  bool active_before_origin = true;
  bool merge_flush = true;
  bool merge_queue_writes = true;
  bool merge_other_snaps = true;

  // An origin write waits at one exception, to which the others are tied (see Origins::Tie), as before 2009.
  bool tied() const { return !sort_by_chunk || !sibling_lock; }
  // Copies of chunks under way from which on writers wait.
  std::uint32_t copies_at_once() const { return throttle == Throttle::kUnlocked ? 2048 : 2; }
};

// Requires values of the table: whoever read the plan has judged them. Other rooms' names are
// ignored.
SnapshotSwitches parse_snapshot_switches(const SwitchValues& values);

}  // namespace native
}  // namespace dmsim
