// The planted bugs of the mirror, its region hash and its dirty log, and our own extensions of it.
//
// The table of names is for people and plans; a target parses it once into MirrorSwitches, and asks
// enums from then on. The first value of each is the fixed behaviour.
#pragma once

#include <cstdint>
#include <span>

#include "engine/switches.h"

namespace dmsim {

std::span<const SwitchInfo> mirror_switches();

namespace native {

enum class PartialWrite : std::uint8_t { kHold, kAck, kIgnore };
enum class RequeuePhase : std::uint8_t { kPresuspend, kPostsuspend };
enum class NoValidLeg : std::uint8_t { kEio, kHold };
enum class ReadRetry : std::uint8_t { kUntilNoLeg, kNone, kOnce, kKeepStatus, kLivelock };
enum class ResumeReadFail : std::uint8_t { kFail, kIgnore };
enum class BitOrder : std::uint8_t { kLittleEndian, kNativeSwapped };
enum class BufferMode : std::uint8_t { kShared, kBounce, kStable, kDelayedClean };
enum class ReadBalance : std::uint8_t { kOff, kRoundRobin, kChosen };
enum class NosyncEntry : std::uint8_t { kKeep, kFreeEarly, kNeverReclaim };

// One field per switch, at its fixed value.
struct MirrorSwitches {
  bool dec_promotes_nosync = false;
  bool leg_flush_before_clean = true;
  bool log_flush_on_dirty = true;
  bool forward_flush = true;
  bool flush_error_sticky = true;
  PartialWrite partial_write = PartialWrite::kHold;
  bool failed_recovery_is_synced = false;
  RequeuePhase requeue_phase = RequeuePhase::kPresuspend;
  bool issue_on_log_fail_without_he = true;
  NoValidLeg no_valid_leg = NoValidLeg::kEio;
  ReadRetry read_retry = ReadRetry::kUntilNoLeg;
  bool discard_error_degrades = false;
  bool resume_resets_cursor = true;
  ResumeReadFail resume_read_fail = ResumeReadFail::kFail;
  BitOrder bit_order = BitOrder::kLittleEndian;
  BufferMode buffer = BufferMode::kShared;
  ReadBalance read_balance = ReadBalance::kOff;
  bool recover_waits_for_pending = true;
  NosyncEntry nosync_entry = NosyncEntry::kKeep;
  bool log_size_check = true;
  bool mark_dirty = true;
  bool undo_presuspend = true;
  bool flush_failure_ends_recovery = true;
  bool log_create_bits_first = true;
  bool failed_flush_remembered = true;
  bool error_in_suspend = true;
  bool self_sufficient = false;
  bool unheard_failure_remembered = true;
  bool retry_asks_own_region = true;
  bool unread_log_holds = true;
};

// Requires values of the table: whoever read the plan has judged them. Other rooms' names are
// ignored.
MirrorSwitches parse_mirror_switches(const SwitchValues& values);

}  // namespace native
}  // namespace dmsim
