// Generated plans about LVM1: a group on two or three disks, one or two volumes, users of every kind that the mail of
// 2002 names beside those that fsync_dev knows of, somebody who scans a disk, little memory or much, and pvmove.
//
// Writers keep to a part of a volume
// each: two that write the same sectors at once would race with themselves, and what they get is nobody's promise.
#include <algorithm>

#include <fmt/format.h>

#include "harness/generate_draft.h"
#include "harness/oracle_names.h"

namespace dmsim::generate {
namespace {

constexpr ChoicePoint kExtent{"plan.lvm1.extent"};
constexpr ChoicePoint kExtents{"plan.lvm1.extents"};
constexpr ChoicePoint kVolumes{"plan.lvm1.volumes"};
constexpr ChoicePoint kThirdDisk{"plan.lvm1.third-disk"};
constexpr ChoicePoint kUsers{"plan.lvm1.users"};
constexpr ChoicePoint kUserKind{"plan.lvm1.user.kind"};
constexpr ChoicePoint kUserStart{"plan.lvm1.user.start"};
constexpr ChoicePoint kUserRounds{"plan.lvm1.user.rounds"};
constexpr ChoicePoint kUserPause{"plan.lvm1.user.pause"};
constexpr ChoicePoint kUserInFlight{"plan.lvm1.user.in-flight"};
constexpr ChoicePoint kUserFlush{"plan.lvm1.user.flush-every"};
constexpr ChoicePoint kScan{"plan.lvm1.scan"};
constexpr ChoicePoint kMoveStart{"plan.lvm1.move.start"};
constexpr ChoicePoint kMoveBack{"plan.lvm1.move.back"};
constexpr ChoicePoint kSecondMove{"plan.lvm1.move.second"};
constexpr ChoicePoint kFails{"plan.lvm1.fault"};
constexpr ChoicePoint kFailsWhat{"plan.lvm1.fault.kind"};
constexpr ChoicePoint kFailsSkip{"plan.lvm1.fault.skip"};

constexpr const char* kGroup = "vg";

Pace draw_pace(Draft& draft) {
  Pace pace;
  pace.start = Duration::milliseconds(static_cast<std::int64_t>(draft.between(kUserStart, 1, 12)));
  pace.every = {Duration(), Duration::microseconds(draft.among<std::int64_t>(kUserPause, {200, 20, 2000}))};
  pace.count = draft.between(kUserRounds, 20, 200);
  return pace;
}

// One user of a part of a volume.
TaskBody draw_user(Draft& draft, const std::string& device, SectorRange part) {
  WriteTask write;
  write.device = device;
  write.area.range = part;
  write.pace = draw_pace(draft);
  write.flush_every = draft.among<std::uint64_t>(kUserFlush, {0, 4, 1});
  switch (draft.pick(kUserKind, 6)) {
    case 0: break;
    case 1: write.path = Path::kBuffered; return write;
    case 2: write.path = Path::kUnlisted; return write;
    case 3: write.heeds_cache = true; break;
    case 4: return reader_of(device, part, write.pace);
    default: return storer_to(device, part, write.pace);
  }
  write.in_flight = static_cast<std::uint32_t>(draft.between(kUserInFlight, 1, 6));
  return write;
}

void make_users_of_volume(Draft& draft, const std::string& volume, std::uint64_t sectors) {
  const std::string device = fmt::format("{}-{}", kGroup, volume);
  // Swap has a volume to itself, and so has a file system with a journal of its own: not generated here.
  if (draft.odds(kUsers, 1, 6)) {
    draft.plan.tasks.push_back({volume + "-swap", SwapTask{device, sectors / kPageSectors, draw_pace(draft)}});
    return;
  }
  const std::uint64_t users = draft.between(kUsers, 1, 3);
  const std::uint64_t share = sectors / users / kPageSectors * kPageSectors;
  for (std::uint64_t i = 0; i < users; ++i) {
    TaskBody body = draw_user(draft, device, {i * share, (i + 1) * share});
    draft.plan.tasks.push_back({fmt::format("{}-user{}", volume, i), std::move(body)});
  }
}

void make_group(Draft& draft) {
  VolumeGroupPlan group;
  group.name = kGroup;
  group.format = GroupFormat::kLvm1;
  group.extent_sectors = draft.among<std::uint32_t>(kExtent, {32, 64, 16});
  const std::uint64_t disks = draft.odds(kThirdDisk, 1, 4) ? 3 : 2;
  for (std::uint64_t i = 0; i < disks; ++i) {
    DiskOptions disk;
    disk.name = fmt::format("pv{}", i);
    disk.sectors = 32 + 16 * group.extent_sectors;
    draw_latencies(draft, disk);
    group.disks.push_back(disk.name);
    draft.plan.disks.push_back(std::move(disk));
  }
  const std::uint64_t volumes = draft.between(kVolumes, 1, 2);
  for (std::uint64_t i = 0; i < volumes; ++i) {
    LogicalVolumePlan volume;
    volume.name = fmt::format("lv{}", i);
    volume.on = {i == 0 ? "pv0" : group.disks.back()};
    volume.extents = draft.between(kExtents, 2, 6);
    group.volumes.push_back(volume);
  }
  draft.plan.volume_groups.push_back(group);
  for (const LogicalVolumePlan& volume : group.volumes) {
    make_users_of_volume(draft, volume.name, volume.extents * group.extent_sectors);
  }
}

void make_moves(Draft& draft) {
  if (draft.odds(kScan, 1, 3)) {
    ReadTask scan;
    scan.device = "pv0";
    scan.path = Path::kBuffered;
    scan.area.sequential = true;
    scan.pace.count = draft.disk("pv0").sectors / kPageSectors;
    draft.plan.tasks.push_back({"scan", scan});
  }
  Lvm1PvmoveTask move{kGroup, "pv0", "pv1", {}, false, true};
  move.start = Duration::milliseconds(static_cast<std::int64_t>(draft.between(kMoveStart, 3, 20)));
  move.back = draft.odds(kMoveBack, 1, 4);
  draft.plan.tasks.push_back({"pvmove", move});
  if (!draft.odds(kSecondMove, 1, 4)) return;
  std::swap(move.from, move.to);
  draft.plan.tasks.push_back({"pvmove-2", move});
}

// A disk fails a request or two while nobody cuts the power: what a half-written map is worth then is not promised.
void make_disk_fail(Draft& draft) {
  if (!draft.odds(kFails, 1, 6)) return;
  FaultOptions fault;
  fault.disk = "pv1";
  fault.kind = draft.among(kFailsWhat, {FaultKind::kWriteError, FaultKind::kFlushError, FaultKind::kReadError});
  fault.skip = draft.pick(kFailsSkip, 20);
  fault.count = 1;
  draft.plan.faults.push_back(fault);
  draft.plan.power_cut = PowerCutPlan{};
}

}  // namespace

void make_lvm1_plan(Draft& draft) {
  make_group(draft);
  make_moves(draft);
  draft.last_start = Duration::milliseconds(20);
  make_power_cut(draft);
  draft.plan.power_cut.devices_fail_over = false;
  make_disk_fail(draft);
  for (const std::string_view name :
       {oracle::kMovedEqualsModel, oracle::kReadYourWrites, oracle::kStableRead, oracle::kNoFalseError,
        oracle::kNoFalseSuccess, oracle::kLiveness, oracle::kNoLeak}) {
    draft.plan.checks.emplace_back(name);
  }
}

}  // namespace dmsim::generate
