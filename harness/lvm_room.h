// LvmRoom: the administrators and the journalling file systems of one life: volume groups brought up from their
// metadata, commands and dmeventd with what they share, file systems that stay mounted when their task has
// ended, and what their users were promised.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/lvm/administration.h"
#include "engine/lvm/dmeventd.h"
#include "engine/lvm/lvm1_driver.h"
#include "engine/lvm/pvmove.h"
#include "engine/lvm/session.h"
#include "harness/plan.h"
#include "models/workload/journal_fs.h"

namespace dmsim {

class World;

class LvmRoom final : private lvm::UserSpace,
                      private lvm::TwoSuspendersListener,
                      private lvm1::Surroundings {
 public:
  explicit LvmRoom(World& world);  // which outlives it
  ~LvmRoom();

  // vgchange -ay of every group; in a fiber. Empty: done; else what has failed, in words.
  std::string activate();
  lvm::LvmEnvironment& environment() { return environment_; }
  const lvm::Administration& administration() const { return administration_; }
  lvm::Administration& administration() { return administration_; }

  void start_dmeventd(const std::string& group, Actor actor);

  // What a pvmove has answered.
  void judge_move(const lvm::MoveResult& result, const std::string& group);
  // At rest after a power cut, in a fiber: no group may be left with a move that nobody goes on with.
  void check_moves_ended();

  // Mounted on a device; made at first use. Null: there is none.
  JournalFs& make_file_system(const JournalFsTask& task);
  JournalFs* file_system(std::string_view device);
  // After the tasks: what is mounted is unmounted.
  void begin_settling();
  // What the users of a file system on `device` were promised, in whatever life; null: there was none.
  const JournalRecord* record(std::string_view device) const;
  std::vector<std::string> recorded_devices() const;

  // The file system on a snapshot of `origin`, as the snapshot shows it, is held to its record; in a fiber.
  void check_frozen_image(const std::string& origin, const std::string& snapshot, bool was_frozen);
  // After a power cut: what recovery would bring back; in a fiber of the checker.
  void check_recovery(const std::string& device, const JournalRecord& promised);

  // Who waits for whom, from the first task that is stuck on, as one sentence each; the last says whether
  // it is a circle. Empty: nothing can be said.
  std::vector<std::string> wait_graph();

 private:
  void allocate_memory() override;
  void write_backup(std::string_view group) override;
  void on_two_suspenders(std::string_view device, Actor first, Actor second, std::string_view verb) override;
  // For LVM1: buffer caches and memory (lvm1_room.cc).
  void fsync_dev(const std::string& device) override;
  bool knows_of_writes_under_way(const std::string& device) override;
  bool read_buffered(const std::string& disk, Sector first, std::span<std::byte> out) override;
  bool write_buffered(const std::string& disk, Sector first, std::span<const std::byte> bytes) override;
  bool sync_buffered(const std::string& disk) override;
  void take_memory(std::uint64_t frames) override;
  void give_back_memory(std::uint64_t frames) override;
  std::string activate_lvm1(const VolumeGroupPlan& group);
  void start_moves(const std::string& group);
  bool may_move(const std::string& group) const;
  JournalImage image_of(const std::string& device);
  std::string device_in(std::string_view words) const;
  // Why bios on `device` do not end, in words, and who would have to act.
  struct Reason {
    std::string words;
    Actor who = Actor::kNobody;
  };
  // The mapped device whose bio a fiber waits for; empty: none is known.
  std::string awaited_device(const StuckFiber& fiber) const;
  Reason why_stuck(const std::string& device, Actor asking);
  std::vector<std::string> stack_below(const std::string& device);
  // The dmeventd that watches it; kNobody: none.
  Actor watcher_of(const std::string& device) const;

  struct Mounted {
    JournalRecord record;
    std::unique_ptr<JournalFs> fs;
  };

  World& world_;
  lvm::Administration administration_;
  lvm::LvmEnvironment environment_;
  std::vector<std::unique_ptr<lvm::Dmeventd>> dmeventd_;
  std::map<std::string, std::unique_ptr<Mounted>, std::less<>> file_systems_;
};

}  // namespace dmsim
