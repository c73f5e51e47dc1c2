// Switches of LVM2's commands and of dmeventd: historical faults, and the ways of combining them that the
// mail of 2010-08-18 weighs. They are of the plan, as an engine's are.
#pragma once

#include <span>

#include "engine/switches.h"

namespace dmsim::lvm {

struct LvmSwitches {
  enum class Lock : std::uint8_t { kGroup, kNone, kDevice };
  Lock lock = Lock::kGroup;
  bool snapshot_flush = true;
  bool snapshot_lockfs = true;
  bool origin_resumed_last = true;
  bool repair_noflush = true;
  bool commit_before_resume = true;
  bool scan_skips_suspended = true;
  bool memory_reserved = true;      // what a command needs while a device is suspended
  bool backup_before_suspend = true;
  bool metadata_flush = true;
  bool temporary_is_error = true;   // the table of a device on its way out
  bool resync_unmonitors = true;
  bool failure_taken_back = true;   // of a snapshot that cannot be made after all
  bool repairs_apart = true;        // of dmeventd: each in a process of its own
  bool passthrough = false;

  static LvmSwitches of(const SwitchValues& values);
};

std::span<const SwitchInfo> lvm_switches();

}  // namespace dmsim::lvm
