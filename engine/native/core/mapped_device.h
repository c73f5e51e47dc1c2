// MappedDevice: one device of dm core: its tables, its bios and its states, after Linux's dm.c.
//
// Bios. submit() makes an Io of each bio, cuts it into parts at target, split and device
// boundaries and hands one clone per part (several for flushes and some discards) to the targets. A
// write with a preflush goes out as a flush first, then as data. While I/O is blocked for a suspend,
// Ios wait in the deferred list; a worker fiber passes them on, in order, once it is not.
//
// Suspend. presuspend of all targets; freeze of the file system; new bios are blocked; those inside
// are waited for, interruptibly; postsuspend. resume() runs it backwards. One such operation at a
// time: the suspend lock.
//
// Not modelled: more than one CPU (so SRCU becomes a count of fibers inside), zoned devices, request-
// based targets, nested internal suspends, deferred remove, polled I/O. A part that is pushed back is pushed
// back where it ends, not by way of a work item of its own.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "block/device.h"
#include "engine/native/core/io.h"
#include "engine/native/core/table.h"
#include "sim/wait.h"

namespace dmsim::native {

class MappedDevice final : public BlockDevice, public InternallySuspended {
 public:
  MappedDevice(CoreContext& context, std::string name);
  ~MappedDevice() override;
  MappedDevice(const MappedDevice&) = delete;
  MappedDevice& operator=(const MappedDevice&) = delete;

  // BlockDevice.
  const std::string& name() const override { return name_; }
  std::uint64_t sectors() const override { return live_ ? live_->sectors() : 0; }
  BlockLimits limits() const override { return limits_; }
  void submit(Bio& bio) override;
  bool congested() override;

  // Verbs, after dm_suspend, dm_resume, dm_swap_table and __dm_destroy. They block; whoever calls one
  // holds the device (hold()).
  DmResult<> suspend(SuspendOptions options);
  DmResult<> resume();
  // For a target of another device: blocks and drains bios, without a word to the targets, and holds the
  // suspend lock until internal_resume().
  void internal_suspend();
  void internal_resume() override;
  // Makes `table` live; the device must be suspended (EINVAL). The old live table, or null. On failure
  // `table` is left with the caller.
  DmResult<Table*> swap_table(std::unique_ptr<Table>& table);
  // Stops the targets and waits until nobody uses the device any more. Tables are dropped.
  void destroy();
  // At the end of the world, when nothing runs any more.
  void drop_tables();

  // A table that nobody may reach any more stays here until it is destroyed: the fiber that retires it may be
  // unwound at the end of the world before fibers that are inside the table's targets.
  Table* keep_retiring(std::unique_ptr<Table> table);
  // Gives up the slot's reference to one of those, when no fiber is inside it.
  void retire(Table& table);

  Table* live() const { return live_.get(); }
  std::unique_ptr<Table>& inactive() { return inactive_; }
  bool suspended() const { return suspended_; }
  bool noflush_suspending() const { return noflush_suspending_; }
  bool deleting() const { return deleting_; }
  void set_deleting() { deleting_ = true; }
  // False until the first table has been loaded (Linux sets up the queue then).
  bool set_up() const { return set_up_; }
  void set_set_up() { set_up_ = true; }
  Actor actor() const { return actor_; }
  std::uint64_t bios() const { return bios_; }

  // Tables that this device is opened by.
  std::uint32_t open_count() const { return open_count_; }
  void open() { ++open_count_; }
  void close();

  void set_freezer(Freezer* freezer);

  std::uint32_t event_number() const { return event_number_; }
  void raise_event();
  // False: a signal came first.
  bool wait_event(std::uint32_t seen);

  // For Table, on behalf of its targets.
  void finish_clone(TargetBio& clone, BlockStatus status);
  void submit_clone(TargetBio& clone);

  // Keeps the device from being destroyed, while verbs and waiters use it.
  class Hold {
   public:
    explicit Hold(MappedDevice& device) : device_(device) { ++device_.holders_; }
    ~Hold() {
      if (--device_.holders_ == 0) device_.holder_queue_.wake_all();
    }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

   private:
    MappedDevice& device_;
  };
  // Keeps the live table from going away: an SRCU read side.
  class Reader {
   public:
    explicit Reader(MappedDevice& device) : device_(device) { ++device_.readers_; }
    ~Reader() {
      if (--device_.readers_ == 0) device_.reader_queue_.wake_all();
    }
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

   private:
    MappedDevice& device_;
  };

  void list_leaks(std::vector<std::string>& out) const;

 private:
  // Suspend and resume, in steps (mapped_device.cc).
  DmResult<> quiesce(SuspendOptions options);
  void unquiesce();
  void thaw();

  // Waits until no fiber is inside a table (synchronize_srcu): a table taken away may be destroyed then.
  void wait_for_readers();
  void destroy_retired(Table& table);

  // The way of an Io (mapped_device_io.cc).
  void pass(Io& io);
  bool admit(Io& io);
  Io* map_part(Io& part);
  std::uint32_t piece_length(const Io& part, const Table::Row& row) const;
  Io& split_off(Io& part, std::uint32_t length);
  void send_flush(Io& part);
  void send(Io& part, const Table::Row& row, std::uint32_t copies);
  TargetBio& take_clone(Io& part, const Table::Row& row, std::uint32_t copy);
  void map_clone(TargetBio& clone);
  static void clone_ended(Bio& bio);
  void end_clone(TargetBio& clone, BlockStatus status);
  void drop(Io& part, BlockStatus status);
  void part_done(Io& part);
  bool push_back(Io& part);
  void end_part(Io& part, BlockStatus status);
  void defer(Io& io);
  void kick_worker();
  void work();
  // core.flush other than forwarded (old_barriers.cc).
  bool refuses(const Io& io) const;
  bool keeps_its_place(const Io& io) const;
  void pass_in_order(Io& io);
  DmResult<> change_size();

  CoreContext& context_;
  Scheduler& scheduler_;
  Trace& trace_;
  std::string name_;
  Actor actor_;
  Actor worker_actor_;

  std::unique_ptr<Table> live_;      // null: none yet
  std::unique_ptr<Table> inactive_;  // loaded, not yet swapped in
  std::vector<std::unique_ptr<Table>> retiring_;
  BlockLimits limits_;               // of live_

  bool blocked_ = false;             // new bios are deferred (DMF_BLOCK_IO_FOR_SUSPEND)
  bool suspended_ = false;
  bool noflush_suspending_ = false;
  bool suspended_noflush_ = false;   // the suspend that it is under
  bool deleting_ = false;            // its name is free for another one
  bool set_up_ = false;
  bool worker_runs_ = false;         // a fiber is in work(), or about to be
  const Io* passing_ = nullptr;      // what the worker passes on right now, while barriers are ordered
  bool barrier_runs_ = false;        // one of those waits for its turn, or has it

  IoList deferred_;
  std::uint64_t bios_ = 0;           // submitted and not ended, deferred ones included
  std::uint64_t pending_ = 0;        // parts inside the table
  std::uint32_t readers_ = 0;
  std::uint32_t holders_ = 0;
  std::uint32_t open_count_ = 0;
  std::uint32_t event_number_ = 0;

  Freezer* freezer_ = nullptr;       // not owned
  Freezer* frozen_ = nullptr;        // the one that a suspend froze

  Mutex suspend_lock_;
  WaitQueue drain_queue_;            // pending_ == 0
  WaitQueue reader_queue_;           // readers_ == 0
  WaitQueue worker_queue_;           // !worker_runs_
  WaitQueue holder_queue_;           // holders_ == 0
  WaitQueue event_queue_;
};

}  // namespace dmsim::native
