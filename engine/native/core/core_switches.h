// The planted bugs of dm core, and what a plan's switch values come to.
#pragma once

#include <span>

#include "engine/switches.h"

namespace dmsim::native {

std::span<const SwitchInfo> core_switches();

struct CoreSwitches {
  // core.requeue_to_eio: outside a noflush suspend a pushed-back bio ends with EIO; false: it is
  // pushed back whatever goes on, and tried again for ever.
  bool requeue_to_eio = true;
  // core.preflush_error: a write whose preflush failed ends with that error; false: the error is
  // forgotten and the write goes on.
  bool preflush_error_kept = true;

  // Names that are not core's are ignored; a value that a switch does not have is a bug of ours (the
  // loader has checked it).
  static CoreSwitches of(const SwitchValues& values);
};

}  // namespace dmsim::native
