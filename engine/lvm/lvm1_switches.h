// Switches of LVM1 in kernel 2.4 and of its pvmove: the three faults of the 2002 mail, each alone, all of them as
// they return where the kernel has no locked copy, and one of our own about when the map is committed.
#pragma once

#include <span>

#include "engine/switches.h"

namespace dmsim::lvm1 {

struct Lvm1Switches {
  bool locked_copy = true;           // the kernel has the ioctl; false: the tool falls back to the old way
  bool tracked = true;               // every I/O in transit is counted; false: fsync_dev is all that waits
  bool direct_copy = true;           // past the buffer cache of the physical volume
  bool memory_reserved = true;       // what the copy needs was there before the extent was locked
  bool commit_before_unlock = true;

  static Lvm1Switches of(const SwitchValues& values);
};

std::span<const SwitchInfo> lvm1_switches();

}  // namespace dmsim::lvm1
