// Administrators of LVM2, and a journalling file system that stays mounted while they work.
#include "engine/lvm/commands.h"
#include "engine/lvm/pvmove.h"
#include "harness/lvm_room.h"
#include "harness/oracle_names.h"
#include "harness/tasks/task_body.h"

namespace dmsim::tasks {

void run(Self& self, const JournalFsTask& task) {
  self.host.scheduler().sleep(task.start);
  JournalFs& fs = self.host.lvm().make_file_system(task);
  if (!fs.format() || !fs.mount()) return;
  self.host.set_freezer(task.device, &fs);
  std::vector<std::byte> bytes((task.file_bytes + kSectorBytes - 1) / kSectorBytes * kSectorBytes);
  for (std::uint64_t number = 0; number < task.files; ++number) {
    if (number > 0) pause_between(self, task.every);
    stamp_sectors(bytes, self.next_stamp(number));
    const std::string name = fmt::format("file{}", number % task.names);
    // A file system that has met an error has stopped; where the device was wrong is judged there.
    if (!fs.write(name, std::span(bytes).first(task.file_bytes))) break;
    if (task.fsync_every != 0 && (number + 1) % task.fsync_every == 0 && !fs.fsync(name)) break;
  }
  if (!task.unmount) return;
  fs.unmount();
  self.host.set_freezer(task.device, nullptr);
}

void run(Self& self, const CreateSnapshotTask& task) {
  self.host.scheduler().sleep(task.start);
  LvmRoom& room = self.host.lvm();
  lvm::Session session(room.environment());
  const std::string origin = lvm::device_name(task.group, task.origin);
  const auto freezes = [&] {
    const JournalRecord* record = room.record(origin);
    return record == nullptr ? 0 : record->freezes();
  };
  const std::uint64_t before = freezes();
  const lvm::CommandResult result = lvm::create_snapshot(
      session, {task.group, task.origin, task.snapshot, task.on, task.extents, task.chunk_sectors});
  self.host.note_tables_changed();
  if (result.ok()) {
    // Another command may have frozen the file system too; what it looked like then says nothing of this one.
    const bool frozen = freezes() > before;
    // One that is unmounted was not asked; if a disk failed it then, it needs recovery for good reason.
    const JournalFs* const fs = room.file_system(origin);
    const bool mounted = fs != nullptr && fs->mounted();
    if (frozen ? room.record(origin)->frozen_by() == self.actor : mounted) {
      room.check_frozen_image(origin, lvm::device_name(task.group, task.snapshot), frozen);
    }
  } else if (!task.may_fail) {
    Violation violation;
    violation.oracle = oracle::kAnswers;
    violation.device = origin;
    violation.state = "a snapshot is not created";
    violation.sentence =
        fmt::format("the snapshot {} of {} cannot be created: {}", task.snapshot, origin, result.failure);
    self.host.report(std::move(violation));
  }
}

void run(Self& self, const ResyncMirrorTask& task) {
  self.host.scheduler().sleep(task.start);
  lvm::Session session(self.host.lvm().environment());
  const lvm::CommandResult result = lvm::resync_mirror(session, {task.group, task.volume});
  self.host.note_tables_changed();
  if (result.ok()) return;
  Violation violation;
  violation.oracle = oracle::kAnswers;
  violation.device = lvm::device_name(task.group, task.volume);
  violation.state = "a mirror is not resynchronised";
  violation.sentence = fmt::format("{} cannot be resynchronised: {}", violation.device, result.failure);
  self.host.report(std::move(violation));
}

void run(Self& self, const DmeventdTask& task) {
  self.host.scheduler().sleep(task.start);
  self.host.lvm().start_dmeventd(task.group, self.actor);
}

void run(Self& self, const PvmoveTask& task) {
  self.host.scheduler().sleep(task.start);
  LvmRoom& room = self.host.lvm();
  lvm::Session session(room.environment());
  const lvm::MoveResult result =
      task.abort ? lvm::abort_moves(session, task.group)
                 : lvm::move_extents(session, task.group, {task.from, task.to, task.volume, task.atomic},
                                     {task.poll, self.host.patience(), task.no_mirror_target});
  self.host.note_tables_changed();
  if (!task.may_fail || result.stuck) room.judge_move(result, task.group);
}

}  // namespace dmsim::tasks
