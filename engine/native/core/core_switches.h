// The planted bugs of dm core, and what a plan's switch values come to.
#pragma once

#include <cstdint>
#include <span>

#include "engine/switches.h"

namespace dmsim::native {

std::span<const SwitchInfo> core_switches();

// What becomes of a flush, or of a write with PREFLUSH or FUA.
enum class FlushWay : std::uint8_t {
  kForwarded,   // it reaches every target
  kOrdered,     // no write overtakes it, but it flushes nothing
  kLinearOnly,  // refused, except for a table of one linear target
  kRefused,     // EOPNOTSUPP
};

// What swapping in a table of another size does.
enum class ResizeWay : std::uint8_t {
  kLockless,   // nobody is waited for
  kRefused,    // EINVAL after a noflush suspend
  kInodeLock,  // the device's inode is locked for it
};

// When a table that has been replaced is destroyed.
enum class TableReference : std::uint8_t {
  kWaitedFor,  // by who replaced it, once nobody is inside
  kCounted,    // by whoever gives up the last reference: a question of the block layer's holds one
};

struct CoreSwitches {
  // core.requeue_to_eio: outside a noflush suspend a pushed-back bio ends with EIO; false: it is
  // pushed back whatever goes on, and tried again for ever.
  bool requeue_to_eio = true;
  // core.preflush_error: a write whose preflush failed ends with that error; false: the error is
  // forgotten and the write goes on.
  bool preflush_error_kept = true;
  FlushWay flush = FlushWay::kForwarded;
  ResizeWay resize = ResizeWay::kLockless;
  TableReference table_reference = TableReference::kWaitedFor;

  // Names that are not core's are ignored; a value that a switch does not have is a bug of ours (the
  // loader has checked it).
  static CoreSwitches of(const SwitchValues& values);
};

}  // namespace dmsim::native
