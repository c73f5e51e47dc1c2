// Generated plans about LVM2's pvmove: a group of linear volumes, now and then a mirror or a snapshot among them,
// on three or four disks; users of every volume; one or two moves, of everything on a disk or of one volume, to
// named disks or to any, with or without --atomic; somebody who aborts; a kernel that has no mirror; power cuts.
//
// What goes wrong below is drawn first, one kind a plan, since what is promised depends on it:
//
//   nothing       everything is promised
//   source reads  the old extents cannot be read in a place: the move is aborted, and users get errors
//   destination   the disk that is filled dies, or fails writes or flushes: the move is aborted, and nobody notices
//   source        a write to the old extents fails once or a few times
//
// Where something goes wrong volumes are plain, moved by one move to disks that hold nothing else: a mirror that
// loses a leg is another story (generate_lvm.cc), and what lies on a dead disk is lost. The destination dies
// while it is filled, not when the move is long over; there is no power cut, since what had been flushed when
// a disk died under it is nobody's promise.
//
// Writers keep to a part of a volume each: two that write the same sectors at once would race with themselves.
#include <algorithm>

#include <fmt/format.h>

#include "harness/generate_draft.h"
#include "harness/oracle_names.h"

namespace dmsim::generate {
namespace {

constexpr ChoicePoint kStoryKind{"plan.pvmove.story"};
constexpr ChoicePoint kExtent{"plan.pvmove.extent"};
constexpr ChoicePoint kVolumes{"plan.pvmove.volumes"};
constexpr ChoicePoint kExtents{"plan.pvmove.extents"};
constexpr ChoicePoint kElsewhere{"plan.pvmove.elsewhere"};
constexpr ChoicePoint kMirrored{"plan.pvmove.mirror"};
constexpr ChoicePoint kMirrorLog{"plan.pvmove.mirror.log"};
constexpr ChoicePoint kSmallDisk{"plan.pvmove.small-disk"};
constexpr ChoicePoint kSnapshot{"plan.pvmove.snapshot"};
constexpr ChoicePoint kSnapshotOn{"plan.pvmove.snapshot.on"};
constexpr ChoicePoint kSnapshotReads{"plan.pvmove.snapshot.reads"};
constexpr ChoicePoint kUsers{"plan.pvmove.users"};
constexpr ChoicePoint kFiles{"plan.pvmove.files"};
constexpr ChoicePoint kUserKind{"plan.pvmove.user.kind"};
constexpr ChoicePoint kUserStart{"plan.pvmove.user.start"};
constexpr ChoicePoint kUserRounds{"plan.pvmove.user.rounds"};
constexpr ChoicePoint kUserPause{"plan.pvmove.user.pause"};
constexpr ChoicePoint kUserInFlight{"plan.pvmove.user.in-flight"};
constexpr ChoicePoint kUserFlush{"plan.pvmove.user.flush-every"};
constexpr ChoicePoint kUserFua{"plan.pvmove.user.fua"};
constexpr ChoicePoint kMoveStart{"plan.pvmove.move.start"};
constexpr ChoicePoint kMoveTo{"plan.pvmove.move.to"};
constexpr ChoicePoint kMoveOne{"plan.pvmove.move.one"};
constexpr ChoicePoint kMoveAtomic{"plan.pvmove.move.atomic"};
constexpr ChoicePoint kMovePoll{"plan.pvmove.move.poll"};
constexpr ChoicePoint kSecondMove{"plan.pvmove.second"};
constexpr ChoicePoint kAborts{"plan.pvmove.abort"};
constexpr ChoicePoint kAbortAt{"plan.pvmove.abort.at"};
constexpr ChoicePoint kNoMirror{"plan.pvmove.no-mirror"};
constexpr ChoicePoint kFaultKind{"plan.pvmove.fault"};
constexpr ChoicePoint kFaultAt{"plan.pvmove.fault.at"};
constexpr ChoicePoint kFaultPlace{"plan.pvmove.fault.place"};
constexpr ChoicePoint kFaultCount{"plan.pvmove.fault.count"};

constexpr const char* kGroup = "vg";
constexpr std::uint64_t kFirstExtent = 128;  // sectors; harness/volume_groups.cc

enum class Story : std::uint8_t { kNothing, kSourceReads, kDestination, kSource };

struct MoveDraft {
  Story story = Story::kNothing;
  bool mirrored = false;
  bool snapshot = false;
  bool several_at_once = false;  // it is looked for what only an atomic move of several volumes shows
  std::uint64_t disks = 3;
  std::int64_t begins_ms = 0;  // when users and moves may begin: a snapshot is made before
  std::vector<std::string> on_source;  // volumes with extents there
};

Duration milliseconds(std::uint64_t count) { return Duration::milliseconds(static_cast<std::int64_t>(count)); }

void make_disks(Draft& draft, MoveDraft& made, std::uint32_t extent_sectors) {
  made.disks = draft.odds(kElsewhere, 1, 4) ? 4 : 3;
  for (std::uint64_t i = 0; i < made.disks; ++i) {
    // No room for all on the first that is filled: a segment is cut in two.
    const bool small = i == 1 && draft.odds(kSmallDisk, 1, 4);
    // From a disk without a cache to one with: often where that is what is looked for, since little else shows it.
    const bool sought = i == 0 && draft.options.switches.contains("pvmove.reload");
    add_disk(draft, fmt::format("pv{}", i), kFirstExtent + (small ? 3 : 24) * extent_sectors,
             {.write_through = sought ? Ratio{3, 4} : Ratio{1, 3}, .sizes = false, .kinds = false});
  }
}

void make_group(Draft& draft, MoveDraft& made) {
  VolumeGroupPlan group;
  group.name = kGroup;
  group.extent_sectors = draft.among<std::uint32_t>(kExtent, {64, 32, 128});
  make_disks(draft, made, group.extent_sectors);
  for (const DiskOptions& disk : draft.plan.disks) group.disks.push_back(disk.name);
  const std::uint64_t volumes = draft.between(kVolumes, made.several_at_once ? 2 : 1, 3);
  for (std::uint64_t i = 0; i < volumes; ++i) {
    LogicalVolumePlan volume;
    volume.name = fmt::format("lv{}", i);
    volume.extents = draft.between(kExtents, 1, 4);
    const bool elsewhere = i > 0 && draft.odds(kElsewhere, 1, 6);
    volume.on = {elsewhere ? "pv2" : "pv0"};
    if (!elsewhere) made.on_source.push_back(volume.name);
    group.volumes.push_back(std::move(volume));
  }
  made.mirrored = made.story == Story::kNothing && draft.odds(kMirrored, 1, 4);
  if (made.mirrored) {
    LogicalVolumePlan volume;
    volume.name = "mirror";
    volume.extents = draft.between(kExtents, 1, 2);
    volume.on = {"pv0", "pv2"};
    volume.log = draft.among<std::string>(kMirrorLog, {"pv0", "pv2", ""});
    volume.region_sectors = 16;
    made.on_source.push_back(volume.name);
    group.volumes.push_back(std::move(volume));
    // Disks of one kind: what must be loaded anew because of a cache is never a mirror, which finds, in Linux, its
    // predecessor still writing their log.
    for (DiskOptions& disk : draft.plan.disks) disk.cache = CacheMode::kWriteBack;
  }
  draft.plan.volume_groups.push_back(std::move(group));
}

void make_snapshot(Draft& draft, MoveDraft& made) {
  made.snapshot = made.story == Story::kNothing && !made.mirrored && draft.odds(kSnapshot, 1, 3);
  if (!made.snapshot) return;
  CreateSnapshotTask task;
  task.group = kGroup;
  task.origin = "lv0";
  task.snapshot = "snap";
  task.on = draft.among<std::string>(kSnapshotOn, {"pv0", "pv2"});
  task.extents = 6;
  draft.plan.tasks.push_back({"lvcreate", std::move(task)});
  made.begins_ms = 400;
}

Pace draw_pace(Draft& draft, const MoveDraft& made) {
  Pace pace;
  pace.start = milliseconds(static_cast<std::uint64_t>(made.begins_ms) + draft.pick(kUserStart, 12));
  pace.every = draft.among<DurationRange>(
      kUserPause, {{Duration::microseconds(100), Duration::milliseconds(1)},
                   {Duration(), Duration::microseconds(200)},
                   {Duration::microseconds(500), Duration::milliseconds(5)}});
  pace.count = draft.between(kUserRounds, 10, 100);
  return pace;
}

// One user of a part of a volume.
TaskBody draw_user(Draft& draft, const MoveDraft& made, const std::string& device, SectorRange part) {
  WriteTask write;
  write.device = device;
  write.area.range = part;
  write.pace = draw_pace(draft, made);
  write.flush_every = draft.among<std::uint64_t>(kUserFlush, {0, 3, 1});
  switch (draft.pick(kUserKind, 5)) {
    case 0:
    case 1: break;
    case 2: write.path = Path::kBuffered; return write;
    case 3: return reader_of(device, part, write.pace);
    default: return storer_to(device, part, write.pace);
  }
  write.fua = draft.odds(kUserFua, 1, 3);
  write.in_flight = draft.among<std::uint32_t>(kUserInFlight, {1, 1, 4, 6});
  return write;
}

JournalFsTask draw_files(Draft& draft, const MoveDraft& made, const std::string& device) {
  JournalFsTask task;
  task.device = device;
  const Pace pace = draw_pace(draft, made);
  task.start = pace.start;
  task.files = pace.count / 4;
  task.every = pace.every;
  task.commit_every = Duration::milliseconds(20);
  task.journal_blocks = 8;
  return task;
}

void make_users(Draft& draft, const MoveDraft& made) {
  const VolumeGroupPlan& group = draft.plan.volume_groups[0];
  for (const LogicalVolumePlan& volume : group.volumes) {
    const std::string device = fmt::format("{}-{}", kGroup, volume.name);
    const std::uint64_t sectors = volume.extents * group.extent_sectors;
    // Errors stop a file system, and its volume must hold a journal and some files.
    if (made.story == Story::kNothing && sectors >= 256 && draft.odds(kFiles, 1, 6)) {
      draft.plan.tasks.push_back({volume.name + "-files", draw_files(draft, made, device)});
      continue;
    }
    const std::uint64_t users = draft.between(kUsers, 1, 2);
    const std::uint64_t share = sectors / users / kPageSectors * kPageSectors;
    for (std::uint64_t i = 0; i < users; ++i) {
      TaskBody body = draw_user(draft, made, device, {i * share, (i + 1) * share});
      draft.plan.tasks.push_back({fmt::format("{}-user{}", volume.name, i), std::move(body)});
    }
  }
  if (!made.snapshot || !draft.odds(kSnapshotReads, 1, 2)) return;
  ReadTask read;
  read.device = fmt::format("{}-snap", kGroup);
  read.pace = draw_pace(draft, made);
  draft.plan.tasks.push_back({"snap-reader", std::move(read)});
}

PvmoveTask draw_move(Draft& draft, const MoveDraft& made) {
  PvmoveTask move;
  move.group = kGroup;
  move.from = "pv0";
  move.to = draft.among<std::vector<std::string>>(kMoveTo, {{"pv1"}, {"pv1", "pv2"}, {}, {"pv2", "pv1"}});
  // Also the first, when it may be the small one, has room behind it.
  if (draft.disk("pv1").sectors < draft.disk("pv0").sectors && move.to.size() == 1) move.to.emplace_back("pv2");
  if (made.on_source.size() > 1 && draft.odds(kMoveOne, 1, 4)) move.volume = made.on_source.back();
  move.atomic = draft.odds(kMoveAtomic, made.several_at_once ? 3 : 1, made.several_at_once ? 4 : 3);
  move.start = milliseconds(static_cast<std::uint64_t>(made.begins_ms) + 3 + draft.pick(kMoveStart, 15));
  move.poll = Duration::milliseconds(draft.among(kMovePoll, {2, 10, 1}));
  return move;
}

void make_moves(Draft& draft, MoveDraft& made) {
  PvmoveTask move = draw_move(draft, made);
  if (made.story != Story::kNothing) {
    move.to = {"pv1"};
    move.may_fail = true;
    DiskOptions& filled = draft.disk("pv1");
    filled.sectors = std::max(filled.sectors, draft.disk("pv0").sectors);
  }
  // Whoever finds it gone, ends.
  const bool aborts = draft.odds(kAborts, 1, 4);
  move.no_mirror_target = draft.odds(kNoMirror, 1, 8);
  move.may_fail = move.may_fail || move.no_mirror_target || aborts;
  const std::size_t first = draft.plan.tasks.size();
  draft.plan.tasks.push_back({"pvmove", move});
  draft.last_start = move.start;
  if (aborts) {
    PvmoveTask abort;
    abort.group = kGroup;
    abort.abort = true;
    abort.start = move.start + milliseconds(1 + draft.pick(kAbortAt, 30));
    draft.plan.tasks.push_back({"pvmove-abort", std::move(abort)});
  }
  if (made.story != Story::kNothing) return;
  switch (draft.pick(kSecondMove, 6)) {
    case 1: {  // of what is left, at the same time
      PvmoveTask other = draw_move(draft, made);
      // Whoever comes second may find nothing that is left to move.
      other.may_fail = true;
      std::get<PvmoveTask>(draft.plan.tasks[first].body).may_fail = true;
      draft.plan.tasks.push_back({"pvmove-2", std::move(other)});
      break;
    }
    case 2: {  // and back
      PvmoveTask back = draw_move(draft, made);
      back.from = "pv1";
      back.to = {"pv0"};
      back.volume.clear();
      back.start = move.start + milliseconds(20 + 10 * draft.pick(kMoveStart, 10));
      back.may_fail = true;
      draft.plan.tasks.push_back({"pvmove-2", std::move(back)});
      break;
    }
    default: break;
  }
}

// A place on the source that some volume has.
SectorRange draw_place(Draft& draft) {
  const VolumeGroupPlan& group = draft.plan.volume_groups[0];
  std::uint64_t extents = 0;
  for (const LogicalVolumePlan& volume : group.volumes) extents += volume.on[0] == "pv0" ? volume.extents : 0;
  const std::uint64_t pages = extents * group.extent_sectors / kPageSectors;
  const Sector at = kFirstExtent + draft.pick(kFaultPlace, pages) * kPageSectors;
  return {at, at + kPageSectors};
}

void make_faults(Draft& draft, const MoveDraft& made) {
  FaultOptions fault;
  fault.disk = "pv0";
  switch (made.story) {
    case Story::kNothing: return;
    case Story::kSourceReads:
      fault.kind = FaultKind::kReadError;
      fault.range = draw_place(draft);
      break;
    case Story::kDestination:
      fault.disk = "pv1";
      fault.kind = draft.among(kFaultKind, {FaultKind::kDies, FaultKind::kWriteError});
      fault.from = draft.last_start + Duration::microseconds(static_cast<std::int64_t>(draft.pick(kFaultAt, 30'000)));
      if (fault.kind == FaultKind::kWriteError) fault.count = draft.among<std::uint64_t>(kFaultCount, {1, 3, 10});
      break;
    case Story::kSource:
      fault.kind = FaultKind::kWriteError;
      fault.range = draw_place(draft);
      fault.from = draft.last_start + Duration::microseconds(static_cast<std::int64_t>(draft.pick(kFaultAt, 30'000)));
      fault.count = draft.among<std::uint64_t>(kFaultCount, {1, 3});
      break;
  }
  draft.plan.faults.push_back(std::move(fault));
}

void make_pvmove_checks(Draft& draft, const MoveDraft& made) {
  std::vector<std::string>& checks = draft.plan.checks;
  for (const std::string_view name : {oracle::kMovedEqualsModel, oracle::kDurability, oracle::kReadYourWrites,
                                      oracle::kUntouched, oracle::kLiveness, oracle::kAnswers, oracle::kNoLeak}) {
    checks.emplace_back(name);
  }
  // A mirror whose default leg has failed in one place reads no region any more that is not in sync, wherever that
  // lies: until the move is aborted its users get errors.
  if (made.story != Story::kSourceReads && made.story != Story::kSource) checks.emplace_back(oracle::kNoFalseError);
  if (made.snapshot) checks.emplace_back(oracle::kSnapshotEquals);
  // The log of a mirror is written from a buffer that changes meanwhile: below a move each leg may get its own version.
  if (!made.mirrored || draft.plan.volume_groups[0].volumes.back().log == "pv0") return;
  for (const std::string_view name : {oracle::kStableRead, oracle::kNoFalseSync, oracle::kLegsIdentical}) {
    checks.emplace_back(name);
  }
}

}  // namespace

void make_pvmove_plan(Draft& draft) {
  MoveDraft made;
  made.story = draft.among(kStoryKind, {Story::kNothing, Story::kNothing, Story::kNothing, Story::kSourceReads,
                                        Story::kDestination, Story::kSource});
  made.several_at_once = draft.options.switches.contains("pvmove.suspended");
  draft.plan.machine.patience = Duration::seconds(20);
  make_group(draft, made);
  make_snapshot(draft, made);
  make_users(draft, made);
  make_moves(draft, made);
  make_faults(draft, made);
  if (made.story == Story::kNothing) make_power_cut(draft);
  draft.plan.power_cut.devices_fail_over = false;
  make_pvmove_checks(draft, made);
}

}  // namespace dmsim::generate
