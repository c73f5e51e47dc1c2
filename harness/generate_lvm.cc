// Generated plans about volume groups: a mirror of LVM2's, a file system or other users on it, snapshots made of
// it while they work, disks that fail, dmeventd that repairs, power cuts.
//
// What goes wrong is drawn first:
//
//   nothing    snapshots are made; everything is promised
//   before     snapshots are made long before a disk fails; everything is promised
//   at once    a disk fails while a snapshot is made: what the mail of 2010 is about. Without one of its cures the
//              snapshot or the repair may wait for ever, or a held write become an error, as Linux has it;
//              with a cure (drawn too) everything is promised. A mirror that does not need user space is no cure
//              when its log fails, or is in memory: what it would note there is lost; a layer upon it is none
//              while all commands take one lock.
//   repair     a disk fails, no snapshots; everything is promised
//   checked    the same, while an administrator tests the failing leg with badblocks -n: he has it open as it is taken
//              out of the mirror. It may fail him, but what he reads there is what he wrote.
//
// Whoever loses a disk may lose the power next: cuts begin then as often as at boot.
//
// Volumes are in sync before anybody uses them: a first leg that fails before has the only copy. Where a disk
// fails there is memory enough, and nobody keeps copies of the metadata on the volume: the repair would wait for
// pages, or for the copy, of the mirror that waits for it.
#include <algorithm>

#include <fmt/format.h>

#include "harness/generate_draft.h"
#include "harness/oracle_names.h"

namespace dmsim::generate {
namespace {

constexpr ChoicePoint kStoryKind{"plan.lvm.story"};
constexpr ChoicePoint kExtents{"plan.lvm.extents"};
constexpr ChoicePoint kRegion{"plan.lvm.region"};
constexpr ChoicePoint kCopies{"plan.lvm.copies"};
constexpr ChoicePoint kCopiesAt{"plan.lvm.copies.at"};
constexpr ChoicePoint kCopiedPages{"plan.lvm.copies.pages"};
constexpr ChoicePoint kCopyMemory{"plan.lvm.copies.memory"};
constexpr ChoicePoint kTestedFor{"plan.lvm.tested.for"};
constexpr ChoicePoint kTesterEvery{"plan.lvm.tested.every"};
constexpr ChoicePoint kUsersOfTested{"plan.lvm.tested.users"};
constexpr ChoicePoint kCutFrom{"plan.lvm.cut.from"};
constexpr ChoicePoint kLegs{"plan.lvm.legs"};
constexpr ChoicePoint kHasLog{"plan.lvm.log"};
constexpr ChoicePoint kSnapshots{"plan.lvm.snapshots"};
constexpr ChoicePoint kSnapshotAt{"plan.lvm.snapshot.at"};
constexpr ChoicePoint kSnapshotOn{"plan.lvm.snapshot.on"};
constexpr ChoicePoint kSnapshotExtents{"plan.lvm.snapshot.extents"};
constexpr ChoicePoint kChunk{"plan.lvm.chunk"};
constexpr ChoicePoint kHasFiles{"plan.lvm.files"};
constexpr ChoicePoint kFiles{"plan.lvm.files.count"};
constexpr ChoicePoint kFilesEvery{"plan.lvm.files.every"};
constexpr ChoicePoint kFsyncEvery{"plan.lvm.files.fsync"};
constexpr ChoicePoint kFilesAt{"plan.lvm.files.at"};
constexpr ChoicePoint kCommitEvery{"plan.lvm.files.commit"};
constexpr ChoicePoint kUnmounts{"plan.lvm.files.unmount"};
constexpr ChoicePoint kSecondDaemon{"plan.lvm.dmeventd.second"};
constexpr ChoicePoint kDaemon{"plan.lvm.dmeventd"};
constexpr ChoicePoint kResyncs{"plan.lvm.resync"};
constexpr ChoicePoint kBackup{"plan.lvm.backup"};
constexpr ChoicePoint kCure{"plan.lvm.cure"};
constexpr ChoicePoint kFaultDisk{"plan.lvm.fault.disk"};
constexpr ChoicePoint kFaultKind{"plan.lvm.fault"};
constexpr ChoicePoint kFaultAt{"plan.lvm.fault.at"};

enum class Story : std::uint8_t { kNothing, kBefore, kAtOnce, kRepair, kChecked };

constexpr std::uint32_t kDisks = 4;
constexpr const char* kVolume = "vg-lv";
const Duration kInSync = Duration::milliseconds(400);
const Duration kMade = Duration::milliseconds(600);  // a file system, if one is

struct GroupDraft {
  Story story = Story::kNothing;
  bool cured = true;   // of kAtOnce
  bool backs_up = false;
  std::uint32_t snapshots = 0;
  Duration fails;
};

Duration draw_moment(Draft& draft, const ChoicePoint& point, Duration after) {
  const auto most = static_cast<std::uint64_t>(60);
  return after + Duration::milliseconds(static_cast<std::int64_t>(draft.pick(point, most)));
}

void make_disks(Draft& draft) {
  for (std::uint32_t i = 0; i < kDisks; ++i) {
    add_disk(draft, fmt::format("pv{}", i), 4096, {.sizes = false, .kinds = false});
  }
}

void make_group(Draft& draft, GroupDraft& made) {
  VolumeGroupPlan group;
  group.name = "vg";
  for (const DiskOptions& disk : draft.plan.disks) group.disks.push_back(disk.name);
  LogicalVolumePlan volume;
  volume.name = "lv";
  volume.extents = draft.among<std::uint64_t>(kExtents, {6, 4, 8});
  volume.region_sectors = draft.among<std::uint32_t>(kRegion, {64, 32, 128});
  volume.on = {"pv0", "pv1"};
  if (draft.odds(kLegs, 1, 6)) volume.on.push_back("pv3");
  if (!draft.odds(kHasLog, 1, 6)) volume.log = "pv2";
  draft.user = kVolume;
  draft.user_sectors = volume.extents * group.extent_sectors;
  group.volumes.push_back(std::move(volume));
  made.backs_up = made.story == Story::kNothing && draft.odds(kBackup, 1, 4);
  if (made.backs_up) group.backup = kVolume;
  draft.plan.volume_groups.push_back(std::move(group));
}

void make_snapshots(Draft& draft, GroupDraft& made) {
  if (made.story == Story::kRepair || made.story == Story::kChecked) return;
  made.snapshots = static_cast<std::uint32_t>(draft.between(kSnapshots, 1, 2));
  for (std::uint32_t i = 0; i < made.snapshots; ++i) {
    CreateSnapshotTask task;
    task.group = "vg";
    task.origin = "lv";
    task.snapshot = fmt::format("snap{}", i);
    task.on = draft.among<std::string>(kSnapshotOn, {"pv2", "pv1", "pv3"});
    // A group with a snapshot whose store is gone does not come up any more.
    if (!draft.plan.faults.empty() && task.on == draft.plan.faults[0].disk) task.on = "pv3";
    task.extents = draft.among<std::uint64_t>(kSnapshotExtents, {7, 2, 1});
    task.chunk_sectors = draft.among<std::uint32_t>(kChunk, {8, 16, 64});
    task.start = draw_moment(draft, kSnapshotAt, made.story == Story::kAtOnce ? made.fails : kMade);
    task.may_fail = made.story == Story::kAtOnce;
    draft.last_start = std::max(draft.last_start, task.start);
    draft.plan.tasks.push_back({fmt::format("lvcreate-{}", i + 1), std::move(task)});
  }
}

void make_failure(Draft& draft, GroupDraft& made) {
  if (made.story == Story::kNothing) return;
  const Duration begins = made.story == Story::kBefore ? kInSync + Duration::seconds(20) : kMade;
  made.fails = draw_moment(draft, kFaultAt, begins);
  FaultOptions fault;
  fault.disk = draft.among<std::string>(kFaultDisk, {"pv1", "pv0", "pv2"});
  fault.kind = draft.among(kFaultKind, {FaultKind::kDies, FaultKind::kRevives, FaultKind::kWriteError});
  if (made.story == Story::kChecked) {
    // What is tested: a leg that can still be read.
    if (fault.disk == "pv2") fault.disk = "pv0";
    fault.kind = FaultKind::kWriteError;
  }
  fault.from = made.fails;
  draft.plan.faults.push_back(std::move(fault));
}

void make_files(Draft& draft, const GroupDraft& made) {
  JournalFsTask task;
  task.device = kVolume;
  task.start = draw_moment(draft, kFilesAt, kInSync);
  task.files = draft.between(kFiles, 4, 60);
  task.every = draft.among<DurationRange>(
      kFilesEvery, {{Duration::milliseconds(1), Duration::milliseconds(6)},
                    {Duration::microseconds(100), Duration::milliseconds(3)}});
  task.fsync_every = draft.among<std::uint64_t>(kFsyncEvery, {1, 0, 4});
  task.commit_every = draft.among(kCommitEvery, {Duration::seconds(5), Duration::milliseconds(20)});
  task.unmount = draft.odds(kUnmounts, 1, 4);
  // The failure is met by somebody who is at work then.
  if (made.story == Story::kBefore) task.every = {Duration::milliseconds(500), Duration::seconds(1)};
  draft.last_start = std::max(draft.last_start, task.start);
  draft.plan.tasks.push_back({"files", std::move(task)});
}

void make_daemons(Draft& draft, const GroupDraft& made) {
  if (made.story == Story::kNothing && !draft.odds(kDaemon, 1, 2)) return;
  // Where nothing is promised for certain nobody need be there to repair.
  if (made.story == Story::kAtOnce && !made.cured && draft.odds(kDaemon, 1, 3)) return;
  draft.plan.tasks.push_back({"dmeventd", DmeventdTask{"vg", Duration()}});
  if (draft.odds(kSecondDaemon, 1, 4)) draft.plan.tasks.push_back({"dmeventd-2", DmeventdTask{"vg", Duration()}});
  // While nobody uses it yet.
  if (draft.odds(kResyncs, 1, 4)) {
    draft.plan.tasks.push_back({"lvchange", ResyncMirrorTask{"vg", "lv", Duration::milliseconds(1)}});
  }
}

// Whoever is at work as the disk fails, or on a volume without files.
void make_users(Draft& draft, const GroupDraft& made) {
  if (made.story != Story::kNothing) draft.synced = made.fails - Duration::milliseconds(5);
  make_tasks(draft);
}

// Somebody copies a large file onto the volume, through as little memory as there is, and a snapshot is made meanwhile.
void make_copy(Draft& draft) {
  draft.plan.machine.memory.pages = draft.among<std::uint64_t>(kCopyMemory, {16, 32, 64});
  WriteTask task;
  task.device = kVolume;
  task.path = Path::kBuffered;
  task.area.sequential = true;
  task.pace.start = draw_moment(draft, kCopiesAt, kMade - Duration::milliseconds(20));
  task.pace.every = {Duration::microseconds(1), Duration::microseconds(100)};
  task.pace.count = draft.between(kCopiedPages, 100, 800);
  draft.last_start = std::max(draft.last_start, task.pace.start);
  draft.plan.tasks.push_back({"copy", std::move(task)});
}

// Users keep to the first half of the volume, the tester to a few blocks at its end.
void make_tester(Draft& draft, const GroupDraft& made) {
  const Sector end = draft.user_sectors;
  WriteTask users;
  users.device = kVolume;
  users.area.range = {0, end / 2};
  users.pace.start = made.fails - Duration::milliseconds(5);
  users.pace.every = {Duration::microseconds(50), Duration::milliseconds(6)};
  users.pace.count = draft.between(kUsersOfTested, 10, 40);
  draft.plan.tasks.push_back({"user", users});
  FaultOptions& fault = draft.plan.faults[0];
  fault.range = SectorRange{0, 128 + end / 2};  // metadata, and what users write
  const std::string leg = fmt::format("{}_mimage_{}", kVolume, fault.disk == "pv0" ? 0 : 1);
  const SectorRange tested{end - 16, end};
  // What kmirrord has copied there is not the tester's: first it is overwritten, long before.
  draft.plan.tasks.push_back({"badblocks", IoTask{leg, kInSync, fmt::format("W{}+{}", tested.begin, tested.count())}});
  ReadTask reads;
  reads.device = leg;
  reads.area.range = tested;
  reads.pace.start = made.fails - Duration::milliseconds(5);
  reads.pace.every = {Duration(), draft.among(kTesterEvery, {Duration::microseconds(50), Duration::microseconds(200)})};
  reads.pace.count = draft.between(kTestedFor, 100, 400);
  WriteTask writes;
  writes.device = leg;
  writes.area.range = tested;
  writes.pace = reads.pace;
  writes.pace.start = made.fails - Duration::milliseconds(10);
  draft.plan.tasks.push_back({"badblocks-writes", std::move(writes)});
  draft.plan.tasks.push_back({"badblocks-reads", std::move(reads)});
}

void make_work(Draft& draft, const GroupDraft& made) {
  if (made.story == Story::kChecked) return make_tester(draft, made);
  // A copy of the metadata on the volume would lie on the file system's blocks.
  if (!made.backs_up && draft.odds(kHasFiles, 3, 5)) return make_files(draft, made);
  if (made.story == Story::kNothing && draft.odds(kCopies, 1, 2)) return make_copy(draft);
  make_users(draft, made);
}

void make_lvm_power_cut(Draft& draft, const GroupDraft& made) {
  if (made.story == Story::kChecked) return;  // a mirror that starts anew copies over what was tested
  make_power_cut(draft);
  PowerCutPlan& cut = draft.plan.power_cut;
  cut.devices_fail_over = false;
  if (cut.when == PowerCutPlan::When::kAny && draft.odds(kCutFrom, 1, 2)) {
    cut.from = made.story == Story::kNothing ? kMade : made.fails;
  }
}

// Of the mail's two cures, or none.
void draw_cure(Draft& draft, GroupDraft& made) {
  const auto set = [&](const char* name, const char* value) { draft.plan.switches.emplace(name, value); };
  std::uint64_t cure = draft.pick(kCure, 3);
  if (cure == 1 && !draft.options.engine_has_switches) cure = 0;
  switch (cure) {
    case 0:
      set("lvm.passthrough", "on");
      set("lvm.lock", "device");
      made.cured = draft.plan.switches.at("lvm.lock") == "device" && draft.plan.switches.at("lvm.passthrough") == "on";
      break;
    case 1:
      set("mirror.self_sufficient", "on");
      made.cured = !draft.plan.volume_groups[0].volumes[0].log.empty() && draft.plan.faults[0].disk != "pv2";
      break;
    case 2: made.cured = false; break;
  }
}

void make_lvm_checks(Draft& draft, const GroupDraft& made) {
  std::vector<std::string>& checks = draft.plan.checks;
  if (made.story == Story::kChecked) {
    for (const std::string_view name : {oracle::kOneSuspender, oracle::kReadYourWrites, oracle::kLiveness}) {
      checks.emplace_back(name);
    }
    return;
  }
  for (const std::string_view name : {oracle::kOneSuspender, oracle::kFrozenImage, oracle::kReadYourWrites,
                                      oracle::kStableRead, oracle::kDurability, oracle::kUntouched}) {
    checks.emplace_back(name);
  }
  if (!draft.discards()) checks.emplace_back(oracle::kLegsIdentical);
  if (made.story == Story::kAtOnce && !made.cured) return;
  for (const std::string_view name : {oracle::kNoFalseError, oracle::kLiveness, oracle::kNoLeak, oracle::kAnswers}) {
    checks.emplace_back(name);
  }
}

}  // namespace

void make_lvm_plan(Draft& draft) {
  GroupDraft made;
  made.story = draft.among(kStoryKind, {Story::kNothing, Story::kRepair, Story::kAtOnce, Story::kBefore,
                                        Story::kNothing, Story::kRepair, Story::kAtOnce, Story::kChecked});
  draft.trouble = Trouble::kFirstLeg;  // what users do begins when the volume is in sync
  draft.synced = kInSync;
  draft.plan.machine.patience = Duration::seconds(60);
  if (made.story != Story::kNothing) draft.plan.machine.memory.pages = 4096;
  make_disks(draft);
  make_group(draft, made);
  make_failure(draft, made);
  if (made.story == Story::kAtOnce) draw_cure(draft, made);
  make_work(draft, made);
  make_snapshots(draft, made);
  make_daemons(draft, made);
  make_lvm_power_cut(draft, made);
  make_lvm_checks(draft, made);
}

}  // namespace dmsim::generate
