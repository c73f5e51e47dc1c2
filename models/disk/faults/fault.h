// Fault: a filter between a disk's request and its fate.
//
// The disk consults its faults in the plan's order, once when a request's data is about to move (a
// flush: when it is about to end) and once more when it is about to complete. Each may change the
// request's Fate; the disk then carries that fate out and knows nothing of kinds of faults. Whatever a
// fault injects is tagged (BlockStatus::injected) and traced as disk.fault.
//
// Each kind lives in a file of its own; docs/FAULT_MODEL.md has a paragraph on each.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "block/bio.h"
#include "models/options.h"
#include "sim/choice.h"
#include "sim/trace.h"

namespace dmsim {

// A fault of the plan strikes a request.
inline constexpr TraceKind kDiskFault{"disk.fault",
                                      {{{"fault", ArgForm::kText}, {"op", ArgForm::kText},
                                        {"sector"}, {"count"}, {"detail"}}}};

// "read-error": how scenarios and traces call a kind.
std::string_view fault_kind_name(FaultKind kind);

// What a disk will do with a request. A fresh one is what a healthy disk does.
struct Fate {
  BlockStatus status;                // told at completion
  std::uint32_t moved_sectors = 0;   // leading sectors whose data moves; starts as all
  Sector lands_at = 0;               // where a write's first sector goes; starts as the request's own
  bool flushes = true;               // flush and FUA have their effect, whatever the status says
};

// The part of a request that faults look at.
struct FaultSubject {
  Op op;
  bool fua;
  SectorRange range;       // empty: a flush, or the flush before a write
  TraceId submit;          // cause of what is traced
  std::uint64_t disk_sectors;
};

// A bit that reads flip until its sector is written again.
struct RottenBit {
  Sector sector;
  std::uint32_t bit;  // < 4096
  friend bool operator==(const RottenBit&, const RottenBit&) = default;
};

// What a fault carries over a power cut.
struct FaultState {
  std::uint64_t matched = 0;  // requests that met range, time and kind
  std::uint64_t struck = 0;
  bool dead = false;          // kDies, kRevives
};

// What all faults of a disk carry over a power cut: hand it to the disk that boots from its media.
struct FaultMemory {
  std::vector<FaultState> states;  // one for each of the disk's faults, in the plan's order
  std::vector<RottenBit> rotten;
  bool empty() const { return states.empty() && rotten.empty(); }
};

// The machine as faults see it.
struct FaultContext {
  ChoiceSource& choices;
  Trace& trace;
  Actor disk;
  Instant now;
  std::vector<RottenBit>* rotten = nullptr;  // filled in by the FaultSet
};

class Fault {
 public:
  explicit Fault(const FaultOptions& options) : options_(options) {}
  virtual ~Fault() = default;
  Fault(const Fault&) = delete;
  Fault& operator=(const Fault&) = delete;

  // Before data moves, or before a flush takes effect.
  virtual void decide(const FaultSubject& subject, Fate& fate, FaultContext& context) = 0;
  // Before the request completes.
  virtual void finish(const FaultSubject&, Fate&, FaultContext&) {}

  const FaultOptions& options() const { return options_; }
  FaultState& state() { return state_; }
  const FaultState& state() const { return state_; }

 protected:
  // Range, time, skip, count and probability. True counts as a strike; draws "fault.strike" only
  // where the probability leaves it open.
  bool strikes(const FaultSubject& subject, FaultContext& context);
  bool in_time(Instant now) const;
  // The part of the request that the fault is about: its range cut to the fault's.
  SectorRange affected(const FaultSubject& subject) const;
  // Marks the request as failed by this fault.
  void inject(BlockStatus::Code code, const FaultSubject& subject, Fate& fate, FaultContext& context);
  void trace(const FaultSubject& subject, FaultContext& context, std::uint64_t detail = 0);

 private:
  FaultOptions options_;
  FaultState state_;
};

std::unique_ptr<Fault> make_fault(const FaultOptions& options);

// The faults of one disk, in the plan's order, and the bits that have rotted on it.
class FaultSet {
 public:
  // Takes those of `plan` that name `disk`. `before`: what was remembered over a power cut; then
  // only faults that are still in force remain active. Null: the first boot.
  FaultSet(std::span<const FaultOptions> plan, std::string_view disk, const FaultMemory* before);

  bool empty() const { return active_.empty() && rotten_.empty(); }
  void decide(const FaultSubject& subject, Fate& fate, FaultContext context);
  void finish(const FaultSubject& subject, Fate& fate, FaultContext context);

  const std::vector<RottenBit>& rotten() const { return rotten_; }
  // The sectors have been written: what had rotted there is whole again.
  void heal(SectorRange written);

  FaultMemory memory() const;
  // Strikes so far, of one kind or of all.
  std::uint64_t struck(FaultKind kind) const;
  std::uint64_t struck() const;

 private:
  std::vector<std::unique_ptr<Fault>> all_;
  std::vector<Fault*> active_;  // of all_
  std::vector<RottenBit> rotten_;
};

}  // namespace dmsim
