// Generated plans: what a random machine is, what its users and its administrator do to it, what its
// disks do wrong, and which promises may be held against it.
//
// A plan is a function of labelled draws, so a generated plan is itself a list of choices: it can be
// replayed, shrunk, mutated and spliced as a run can. Every draw of 0 takes the plainest road (no fault,
// no feature, one task), so that a smaller list of choices is a smaller plan. Which kinds of things a plan
// may contain at all is drawn first (swarm testing): a plan that does few kinds of things does them often.
//
// The checks are those that are *sound* for the plan: a promise that Linux does not make under these
// circumstances is left out, each with its reason, in generate_checks.cc.
//
// It does not write plans that a table parser would refuse (but for one: a log that is too small), nor
// ext2, fio and log-writes tasks: those run for seconds, and scenarios have them.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "harness/plan.h"
#include "sim/choice.h"

namespace dmsim {

// What a plan is about: which targets, and who uses them how.
enum class PlanSubject : std::uint8_t { kMirror, kClone, kSnapshot, kLvm1, kVolumeGroup, kPvmove };
// Their names, in the order of the enumeration: "mirror".
std::span<const std::string_view> plan_subject_names();
std::optional<PlanSubject> plan_subject(std::string_view name);

struct GeneratorOptions {
  // Go into the plan as they are. A value of mirror.buffer, the fixed one too, also lets pages change
  // while they are written, with legs checked all the same: that is the fault of 2008, which Linux still
  // has, and which that switch cures in three ways.
  SwitchValues switches = {};
  // Of several, each plan draws one. Empty: what the switches are about, at their fixed values too, or else
  // mirrors.
  std::vector<PlanSubject> about = {};
  bool engine_has_switches = true;  // false: a kernel, which is what it is; cures of the native engine are not drawn
};

// Deterministic in what is drawn. The plan satisfies the loader.
Plan generate_plan(ChoiceSource& choices, const GeneratorOptions& options = {});

}  // namespace dmsim
