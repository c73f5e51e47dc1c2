// Generated plans about snapshots: an origin, one or two snapshots of it with chunks of any size, users of
// all of them; an administrator who makes another snapshot, reloads one, takes one away that nobody uses, or
// merges one; stores that fill up or fail.
//
// Snapshots are brought up before their origin, and the origin is suspended while one comes or goes, as LVM
// does it: an origin that is not knows nothing of the chunk sizes it must keep to. After a power cut devices
// boot with the tables that were live.
#include <algorithm>

#include <fmt/format.h>

#include "harness/generate_draft.h"
#include "harness/oracle_names.h"

namespace dmsim::generate {
namespace {

constexpr ChoicePoint kTroubleKind{"plan.snapshot.trouble"};
constexpr ChoicePoint kSectors{"plan.snapshot.sectors"};
constexpr ChoicePoint kChunk{"plan.snapshot.chunk"};
constexpr ChoicePoint kStoreKind{"plan.snapshot.store"};
constexpr ChoicePoint kSecond{"plan.snapshot.second"};
constexpr ChoicePoint kStoreChunks{"plan.snapshot.store.chunks"};
constexpr ChoicePoint kDiscards{"plan.snapshot.discards"};
constexpr ChoicePoint kUsesSnapshot{"plan.snapshot.users"};
constexpr ChoicePoint kAdminSteps{"plan.snapshot.admin"};
constexpr ChoicePoint kAdminVerb{"plan.snapshot.admin.verb"};
constexpr ChoicePoint kAdminStart{"plan.snapshot.admin.start"};
constexpr ChoicePoint kAdminSleep{"plan.snapshot.admin.sleep"};
constexpr ChoicePoint kMerges{"plan.snapshot.admin.merges"};
constexpr ChoicePoint kFaultKind{"plan.snapshot.fault"};
constexpr ChoicePoint kFaultSkip{"plan.snapshot.fault.skip"};
constexpr ChoicePoint kFaultCount{"plan.snapshot.fault.count"};

enum class SnapshotTrouble : std::uint8_t {
  kNone,
  kNoSpace,  // stores are too small
  kStore,    // the first store's disk fails
  kOrigin,   // reads of the origin fail
};

struct SnapshotDraft {
  std::string device;
  std::string cow;
  std::string words;  // what follows the devices in the table
  bool persistent = true;
  bool boot = true;
};

struct SnapshotsDraft {
  SnapshotTrouble trouble = SnapshotTrouble::kNone;
  std::uint64_t sectors = 0;
  std::vector<SnapshotDraft> snapshots;
  std::string table(const SnapshotDraft& snapshot, std::string_view type = "snapshot") const {
    return fmt::format("0 {} {} real {} {}", sectors, type, snapshot.cow, snapshot.words);
  }
};

constexpr DiskDraws kOfOneKind{.kinds = false};

// Three are made: the first boots, the second may, the third is for the administrator.
void draw_snapshots(Draft& draft, SnapshotsDraft& all) {
  const bool second = draft.odds(kSecond, 1, 2);
  for (int i = 0; i < 3; ++i) {
    SnapshotDraft snapshot;
    snapshot.device = fmt::format("snap{}", i);
    snapshot.cow = fmt::format("cow{}", i);
    snapshot.boot = i == 0 || (i == 1 && second);
    const auto chunk = draft.among<std::uint64_t>(kChunk, {16, 8, 32, 1, 64});
    const auto kind = draft.among<std::string>(kStoreKind, {"P", "P", "PO", "N"});
    snapshot.persistent = kind != "N";
    snapshot.words = fmt::format("{} {}", kind, chunk);
    if (draft.odds(kDiscards, 1, 8)) snapshot.words += " 1 discard_zeroes_cow";
    // Header, areas and all chunks of the origin; or room for a few.
    const std::uint64_t chunks =
        all.trouble == SnapshotTrouble::kNoSpace
            ? draft.between(kStoreChunks, 3, 12)
            : (all.sectors + chunk - 1) / chunk + 8 + all.sectors / chunk / (chunk * 32);
    add_disk(draft, snapshot.cow, std::max<std::uint64_t>(chunks * chunk, 8), kOfOneKind).content = DiskContent::kZero;
    all.snapshots.push_back(std::move(snapshot));
  }
}

void make_snapshot_devices(Draft& draft, SnapshotsDraft& all) {
  all.sectors = draft.among<std::uint64_t>(kSectors, {256, 128, 512});
  add_disk(draft, "real", all.sectors, kOfOneKind);
  draw_snapshots(draft, all);
  for (const SnapshotDraft& snapshot : all.snapshots) {
    draft.plan.devices.push_back({snapshot.device, all.table(snapshot), snapshot.boot});
  }
  draft.plan.devices.push_back({"lv", fmt::format("0 {} snapshot-origin real", all.sectors), true});
}

void make_snapshot_faults(Draft& draft, SnapshotTrouble trouble) {
  if (trouble != SnapshotTrouble::kStore && trouble != SnapshotTrouble::kOrigin) return;
  FaultOptions fault;
  const bool store = trouble == SnapshotTrouble::kStore;
  fault.disk = store ? "cow0" : "real";
  fault.kind = store ? draft.among(kFaultKind, {FaultKind::kWriteError, FaultKind::kFlushError,
                                                FaultKind::kReadError, FaultKind::kDies})
                     : FaultKind::kReadError;
  fault.from = Duration::milliseconds(25);  // devices come up well
  fault.skip = draft.among<std::uint64_t>(kFaultSkip, {0, 1, 3, 8});
  fault.count = draft.among<std::optional<std::uint64_t>>(kFaultCount, {1, 3, std::nullopt});
  if (fault.kind == FaultKind::kDies) fault.skip = 0, fault.count = std::nullopt;
  draft.plan.faults.push_back(std::move(fault));
}

void make_users_of(Draft& draft, const std::string& device) {
  const std::size_t before = draft.plan.tasks.size();
  draft.user = device;
  make_tasks(draft);
  for (std::size_t i = before; i < draft.plan.tasks.size(); ++i) {
    draft.plan.tasks[i].name = fmt::format("{}-{}", device, draft.plan.tasks[i].name);
  }
}

class Admin {
 public:
  Admin(Draft& draft, const SnapshotsDraft& all) : draft_(draft), all_(all) {}

  void add(DmsetupStep::Verb verb, const std::string& device, std::string text = {}) {
    DmsetupStep step;
    step.verb = verb;
    step.device = device;
    step.text = std::move(text);
    task_.steps.push_back(std::move(step));
  }
  void sleep() {
    add(DmsetupStep::Verb::kSleep, "");
    task_.steps.back().duration = Duration::milliseconds(draft_.among(kAdminSleep, {2, 10, 1}));
  }
  void make(const SnapshotDraft& snapshot) {
    add(DmsetupStep::Verb::kCreate, snapshot.device);
    add(DmsetupStep::Verb::kLoad, snapshot.device, all_.table(snapshot));
    add(DmsetupStep::Verb::kSuspend, "lv");
    add(DmsetupStep::Verb::kResume, snapshot.device);
    add(DmsetupStep::Verb::kResume, "lv");
  }
  // The origin runs on meanwhile.
  void reload(const SnapshotDraft& snapshot) {
    add(DmsetupStep::Verb::kLoad, snapshot.device, all_.table(snapshot));
    add(DmsetupStep::Verb::kSuspend, snapshot.device);
    add(DmsetupStep::Verb::kResume, snapshot.device);
  }
  void merge(const SnapshotDraft& snapshot) {
    add(DmsetupStep::Verb::kLoad, "lv", all_.table(snapshot, "snapshot-merge"));
    add(DmsetupStep::Verb::kSuspend, "lv");
    add(DmsetupStep::Verb::kSuspend, snapshot.device);
    add(DmsetupStep::Verb::kResume, "lv");
    add(DmsetupStep::Verb::kLoad, snapshot.device, fmt::format("0 {} error", all_.sectors));
    add(DmsetupStep::Verb::kResume, snapshot.device);
  }
  DmsetupTask& task() { return task_; }

 private:
  Draft& draft_;
  const SnapshotsDraft& all_;
  DmsetupTask task_;
};

void make_snapshot_administrator(Draft& draft, const SnapshotsDraft& all) {
  const std::uint64_t count = draft.pick(kAdminSteps, 5);
  Admin admin(draft, all);
  admin.task().start = Duration::milliseconds(draft.among(kAdminStart, {1, 5, 20}));
  bool third = false;
  const SnapshotDraft* unused = all.snapshots[1].boot ? &all.snapshots[1] : nullptr;
  for (std::uint64_t i = 0; i < count; ++i) {
    switch (draft.pick(kAdminVerb, 5)) {
      case 0: admin.add(DmsetupStep::Verb::kStatus, "snap0"); break;
      case 1: admin.reload(all.snapshots[0]); break;
      case 2:
        admin.add(DmsetupStep::Verb::kSuspend, "lv");
        admin.sleep();
        admin.add(DmsetupStep::Verb::kResume, "lv");
        break;
      case 3:
        if (third) break;
        admin.make(all.snapshots[2]);
        third = true;
        unused = &all.snapshots[2];
        break;
      case 4:
        // The origin runs on meanwhile: its writes may be waiting for this one's copies.
        if (unused != nullptr) admin.add(DmsetupStep::Verb::kRemove, unused->device);
        unused = nullptr;
        break;
    }
    admin.sleep();
  }
  // What is invalid by the time it is merged leaves the origin as it is.
  const bool merges = all.trouble == SnapshotTrouble::kNone && all.snapshots[0].persistent;
  if (merges && draft.odds(kMerges, 1, 3)) admin.merge(all.snapshots[0]);
  if (!admin.task().steps.empty()) draft.plan.tasks.push_back({"admin", std::move(admin.task())});
}

// Everything is promised, always: what cannot be kept makes a snapshot invalid. Only Linux itself does not
// insist that the header which says so can be written: a store that fails is not looked at after a power cut.
void make_snapshot_checks(Draft& draft, SnapshotTrouble trouble) {
  std::vector<std::string>& checks = draft.plan.checks;
  for (const std::string_view name :
       {oracle::kSnapshotEquals, oracle::kOriginModel, oracle::kReadYourWrites, oracle::kStableRead,
        oracle::kDurability, oracle::kUntouched, oracle::kNoFalseError, oracle::kLiveness,
        oracle::kNoLeak, oracle::kAnswers}) {
    checks.emplace_back(name);
  }
  if (trouble == SnapshotTrouble::kStore) draft.plan.power_cut = PowerCutPlan{};
}

}  // namespace

void make_snapshot_plan(Draft& draft) {
  SnapshotsDraft all;
  all.trouble = draft.among(
      kTroubleKind, {SnapshotTrouble::kNone, SnapshotTrouble::kNone, SnapshotTrouble::kNone,
                     SnapshotTrouble::kNoSpace, SnapshotTrouble::kNoSpace, SnapshotTrouble::kStore,
                     SnapshotTrouble::kOrigin});
  draft.trouble = all.trouble == SnapshotTrouble::kNone ? Trouble::kNone : Trouble::kWild;
  make_snapshot_devices(draft, all);
  draft.user_sectors = all.sectors;
  make_snapshot_faults(draft, all.trouble);
  make_users_of(draft, "lv");
  if (draft.odds(kUsesSnapshot, 2, 3)) {
    // A snapshot may fail what it is asked, by design: nobody may wait for success.
    draft.trouble = Trouble::kWild;
    make_users_of(draft, "snap0");
  }
  make_snapshot_administrator(draft, all);
  make_power_cut(draft);
  draft.plan.power_cut.tables = TablesAfterCut::kLast;
  make_snapshot_checks(draft, all.trouble);
}

}  // namespace dmsim::generate
