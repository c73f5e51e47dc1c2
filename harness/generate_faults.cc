// What the disks of a generated plan do wrong: one kind of trouble, drawn with the devices.
#include <algorithm>

#include "harness/generate_draft.h"

namespace dmsim::generate {
namespace {

constexpr ChoicePoint kFaultKind{"plan.fault.kind"};
constexpr ChoicePoint kFaultCount{"plan.fault.count"};
constexpr ChoicePoint kFaultSkip{"plan.fault.skip"};
constexpr ChoicePoint kFaultFrom{"plan.fault.from"};
constexpr ChoicePoint kFaultLate{"plan.fault.late"};
constexpr ChoicePoint kFaultHeals{"plan.fault.heals"};
constexpr ChoicePoint kFaultHasRange{"plan.fault.has-range"};
constexpr ChoicePoint kFaultRange{"plan.fault.range"};
constexpr ChoicePoint kFaultProbability{"plan.fault.probability"};
constexpr ChoicePoint kFaultAgain{"plan.fault.after-reboot"};
constexpr ChoicePoint kFaultMore{"plan.fault.more"};
constexpr ChoicePoint kFaultLeg{"plan.fault.leg"};
constexpr ChoicePoint kFaultMirror{"plan.fault.mirror"};
constexpr ChoicePoint kFaultDisk{"plan.fault.disk"};

Duration within(Draft& draft, const ChoicePoint& point, Duration least, Duration most) {
  // Whole microseconds: such plans are read by people.
  const auto steps = static_cast<std::uint64_t>((most - least).count_ns() / 1000);
  return least + Duration::microseconds(static_cast<std::int64_t>(draft.pick(point, steps + 1)));
}

// How often, from when and where, whatever the kind.
FaultOptions draw_fault(Draft& draft, const std::string& disk, FaultKind kind, Duration earliest) {
  FaultOptions fault;
  fault.disk = disk;
  fault.kind = kind;
  fault.from = within(draft, kFaultFrom, earliest, earliest + Duration::milliseconds(20));
  if (kind == FaultKind::kDies || kind == FaultKind::kRevives) {
    if (kind == FaultKind::kRevives && draft.odds(kFaultHeals, 1, 3)) {
      fault.heals = fault.from + Duration::milliseconds(5);
    }
    return fault;
  }
  fault.count = draft.among<std::optional<std::uint64_t>>(
      kFaultCount, {1, std::nullopt, std::nullopt, 3});
  fault.skip = draft.among<std::uint64_t>(kFaultSkip, {0, 0, 1, 5});
  if (kind != FaultKind::kFlushError && draft.odds(kFaultHasRange, 1, 3)) {
    const std::uint64_t pages = draft.disk(disk).sectors / kPageSectors;
    const std::uint64_t first = draft.pick(kFaultRange, pages);
    fault.range = SectorRange{first * kPageSectors, (first + 1) * kPageSectors};
  }
  if (draft.odds(kFaultHeals, 1, 4)) fault.heals = fault.from + Duration::milliseconds(10);
  if (draft.odds(kFaultProbability, 1, 4)) fault.probability = {1, 4};
  fault.after_reboot = draft.odds(kFaultAgain, 1, 8);
  return fault;
}

const MirrorDraft& draw_mirror(Draft& draft) {
  return draft.mirrors[draft.pick(kFaultMirror, draft.mirrors.size())];
}

FaultKind draw_leg_fault(Draft& draft) {
  return draft.among(kFaultKind, {FaultKind::kWriteError, FaultKind::kFlushError,
                                  FaultKind::kWriteLandsFails, FaultKind::kDies,
                                  FaultKind::kRevives});
}

void later_leg_fails(Draft& draft, Duration earliest) {
  const MirrorDraft& mirror = draw_mirror(draft);
  const std::size_t leg = 1 + draft.pick(kFaultLeg, mirror.legs.size() - 1);
  const std::string& disk = mirror.legs[leg].disk;
  draft.plan.faults.push_back(draw_fault(draft, disk, draw_leg_fault(draft), earliest));
  if (draft.odds(kFaultMore, 1, 4)) {
    draft.plan.faults.push_back(draw_fault(draft, disk, draw_leg_fault(draft), earliest));
  }
}

// All legs but one may be unreadable, in the same place or not.
void reads_fail(Draft& draft) {
  const MirrorDraft& mirror = draw_mirror(draft);
  const std::size_t good = mirror.legs.size() - 1 - draft.pick(kFaultLeg, mirror.legs.size());
  for (std::size_t leg = 0; leg < mirror.legs.size(); ++leg) {
    if (leg == good) continue;
    draft.plan.faults.push_back(
        draw_fault(draft, mirror.legs[leg].disk, FaultKind::kReadError, draft.synced));
  }
}

void momentary(Draft& draft) {
  const MirrorDraft& mirror = draw_mirror(draft);
  FaultOptions fault;
  fault.disk = mirror.legs[1].disk;
  fault.kind = FaultKind::kWriteError;
  fault.count = draft.between(kFaultCount, 1, 3);
  fault.skip = draft.pick(kFaultSkip, mirror.regions() - 1);
  fault.heals = draft.synced;
  draft.plan.faults.push_back(fault);
  draft.trouble_ends = draft.synced;
}

void all_die(Draft& draft) {
  // A leg that is found dead while another is not yet is one to wait for: writes are held for its repair. In
  // sync, every write finds all of them dead.
  const Duration at = draft.synced;
  for (const MirrorDraft& mirror : draft.mirrors) {
    for (const LegDraft& leg : mirror.legs) {
      FaultOptions fault;
      fault.disk = leg.disk;
      fault.kind = FaultKind::kDies;
      fault.from = at;
      draft.plan.faults.push_back(fault);
      // Without a cache a dead disk is never asked to flush: the flush fails on others only, and is held.
      draft.disk(leg.disk).cache = CacheMode::kWriteBack;
    }
  }
}

void log_fails(Draft& draft) {
  const FaultKind kind =
      draft.among(kFaultKind, {FaultKind::kWriteError, FaultKind::kReadError, FaultKind::kFlushError,
                               FaultKind::kWriteLandsFails, FaultKind::kDies});
  const Duration earliest = kind == FaultKind::kReadError ? Duration() : Duration::milliseconds(2);
  FaultOptions fault = draw_fault(draft, draw_mirror(draft).log_disk, kind, earliest);
  if (kind == FaultKind::kReadError) {
    fault.from = Duration();  // the log is read when the mirror starts
    fault.skip = 0;
  }
  fault.range.reset();
  draft.plan.faults.push_back(fault);
}

void anything_fails(Draft& draft, std::initializer_list<FaultKind> kinds) {
  const std::uint64_t count = draft.between(kFaultMore, 1, 3);
  for (std::uint64_t i = 0; i < count; ++i) {
    const FaultKind kind = draft.among(kFaultKind, kinds);
    const std::string& disk =
        draft.plan.disks[draft.pick(kFaultDisk, draft.plan.disks.size())].name;
    draft.plan.faults.push_back(draw_fault(draft, disk, kind, Duration()));
  }
}

void discards_fail(Draft& draft) {
  for (const MirrorDraft& mirror : draft.mirrors) {
    const std::size_t leg = draft.pick(kFaultLeg, mirror.legs.size());
    draft.plan.faults.push_back(draw_fault(
        draft, mirror.legs[leg].disk,
        draft.among(kFaultKind, {FaultKind::kDiscardRefused, FaultKind::kDiscardError}),
        Duration()));
  }
}

}  // namespace

void make_trouble(Draft& draft) {
  using K = FaultKind;
  draft.trouble_begins = draft.synced;
  switch (draft.trouble) {
    case Trouble::kNone: break;
    case Trouble::kOneLeg: later_leg_fails(draft, draft.synced); break;
    case Trouble::kReads: reads_fail(draft); break;
    case Trouble::kFirstLeg: {
      const FaultKind kind = draw_leg_fault(draft);
      draft.plan.faults.push_back(
          draw_fault(draft, draw_mirror(draft).legs[0].disk, kind, draft.synced));
      break;
    }
    case Trouble::kLog: log_fails(draft); break;
    case Trouble::kDiscards: discards_fail(draft); break;
    case Trouble::kRecovery: {
      // At any time while regions are copied, and also as the last one is.
      const Duration earliest = draft.odds(kFaultLate, 1, 2) ? within(draft, kFaultFrom, Duration(), draft.synced)
                                                             : Duration();
      later_leg_fails(draft, earliest);
      break;
    }
    case Trouble::kMomentary: momentary(draft); break;
    case Trouble::kAllDie: all_die(draft); break;
    case Trouble::kBeside:
      // Soon and for good: what matters is what becomes of writes that have a flush before them.
      draft.plan.faults.push_back(draw_fault(draft, kPlainDisk, FaultKind::kFlushError, Duration()));
      if (!draft.odds(kFaultMore, 1, 3)) {
        FaultOptions& fault = draft.plan.faults.back();
        fault.from = std::min(fault.from, Duration::milliseconds(3));
        fault.count.reset();
        fault.skip = 0;
      }
      break;
    case Trouble::kDishonest:
      anything_fails(draft, {K::kLyingFlush, K::kBitRot, K::kMisdirectedWrite});
      break;
    case Trouble::kWild:
      anything_fails(draft, {K::kReadError, K::kWriteError, K::kFlushError, K::kDiscardError,
                             K::kDiscardRefused, K::kWriteLandsFails, K::kDies, K::kRevives});
      break;
  }
}

}  // namespace dmsim::generate
