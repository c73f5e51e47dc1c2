#include <algorithm>

#include "models/disk/faults/fault.h"

namespace dmsim {
namespace {

// Whether a fault that remembers `before` is still in force when power comes back. A disk that died
// stays dead; one of the reviving kind comes back alive, and may die again only if it is said to.
bool survives_power_cut(const FaultOptions& options, const FaultState& before) {
  return options.after_reboot || (options.kind == FaultKind::kDies && before.dead);
}

}  // namespace

FaultSet::FaultSet(std::span<const FaultOptions> plan, std::string_view disk,
                   const FaultMemory* before) {
  for (const FaultOptions& options : plan) {
    if (options.disk != disk) continue;
    all_.push_back(make_fault(options));
    Fault& fault = *all_.back();
    if (before == nullptr) {
      active_.push_back(&fault);
      continue;
    }
    CHECK(all_.size() <= before->states.size(), disk, all_.size(), before->states.size());
    fault.state() = before->states[all_.size() - 1];
    if (options.kind == FaultKind::kRevives) fault.state().dead = false;
    if (survives_power_cut(options, fault.state())) active_.push_back(&fault);
  }
  if (before != nullptr) rotten_ = before->rotten;
}

void FaultSet::decide(const FaultSubject& subject, Fate& fate, FaultContext context) {
  context.rotten = &rotten_;
  for (Fault* fault : active_) fault->decide(subject, fate, context);
  CHECK(fate.moved_sectors <= subject.range.count(), fate.moved_sectors, subject.range.count());
}

void FaultSet::finish(const FaultSubject& subject, Fate& fate, FaultContext context) {
  context.rotten = &rotten_;
  for (Fault* fault : active_) fault->finish(subject, fate, context);
}

void FaultSet::heal(SectorRange written) {
  std::erase_if(rotten_, [&](const RottenBit& rot) { return written.contains(rot.sector); });
}

FaultMemory FaultSet::memory() const {
  FaultMemory memory;
  for (const auto& fault : all_) memory.states.push_back(fault->state());
  memory.rotten = rotten_;
  return memory;
}

std::uint64_t FaultSet::struck(FaultKind kind) const {
  std::uint64_t strikes = 0;
  for (const auto& fault : all_) {
    if (fault->options().kind == kind) strikes += fault->state().struck;
  }
  return strikes;
}

std::uint64_t FaultSet::struck() const {
  std::uint64_t strikes = 0;
  for (const auto& fault : all_) strikes += fault->state().struck;
  return strikes;
}

}  // namespace dmsim
