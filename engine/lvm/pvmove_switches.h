// Switches of LVM2's pvmove: historical faults in the order of its steps. They are of the plan, as an engine's are.
#pragma once

#include <span>

#include "engine/switches.h"

namespace dmsim::lvm {

struct PvmoveSwitches {
  bool mirror_resumed_with_parents = true;
  bool upper_suspended_first = true;
  bool all_suspended = true;
  enum class Flush : std::uint8_t { kOn, kOff, kAlsoMirrors } flush = Flush::kOn;
  bool commit_before_resume = true;
  bool checkpoint = true;
  bool restart = true;
  bool mirror_active_before_users = true;
  bool mirror_made_before_commit = true;
  bool finish_by_holders = true;
  bool abort_keeps_source = true;
  bool poll_looks_at_health = true;
  bool handle_errors = true;
  bool retreat_first = true;
  bool whole_tree_reloaded = true;

  static PvmoveSwitches of(const SwitchValues& values);
};

std::span<const SwitchInfo> pvmove_switches();

}  // namespace dmsim::lvm
