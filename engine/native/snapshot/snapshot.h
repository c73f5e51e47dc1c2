// Snapshot: a snapshot, or a snapshot-merge, at work.
//
// A chunk of the snapshot is read from the origin until it has an exception: a place of its own in the
// store, which holds what the chunk was. Exceptions come about when the origin or the snapshot itself is
// written there. Until a new exception's chunk has been copied (or wholly overwritten), recorded by the
// store, and every read on its way to the origin has come back, it is pending; whoever caused it waits.
// Exceptions are recorded in the order in which they were allocated.
//
// A store that fails, or that is full when the origin is written, makes the snapshot invalid for good: the
// origin must not wait for it. A store that is full when the snapshot is written only makes it read-only,
// if user space has asked for that (PO).
//
// A snapshot-merge takes the origin's place: it copies chunks back, newest run first: other snapshots save
// them, writers of them wait, they are copied, the origin is flushed, the store forgets them.
//
// Locks, as in Linux: the lock of all origins, then this snapshot's own, which is held over the write of a
// header that says "invalid". What runs in interrupt context goes to a fiber first.
//
// Files: snapshot_map.cc bios; snapshot_exceptions.cc exceptions; snapshot_merge.cc; snapshot_life.cc
// resume, handover, end; snapshot_report.cc status; snapshot_construct.cc the table.
//
// Differs from Linux by intention, each with a switch for Linux's way: a table that has been given the
// store counts before the origin goes on (snapshot.active_before_origin; Linux 6.1 and 6.12 lose what is
// written in between); the store is handed over when no copy into it is under way any more
// (snapshot.drain_on_handover); a read that is under way when the snapshot becomes invalid fails
// (snapshot.fail_reads_of_invalid). Waits for reads are woken instead of polled each millisecond. See
// persistent_store.h for the store's.
// Not modelled: running short of memory for exceptions.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "engine/native/mirror/blocking_io.h"
#include "engine/native/snapshot/chunk_copier.h"
#include "engine/native/snapshot/exception_store.h"
#include "engine/native/snapshot/origins.h"
#include "engine/native/snapshot/snapshot_base.h"
#include "engine/native/snapshot/snapshot_trace.h"

namespace dmsim::native {

// An exception that is not there yet.
struct PendingException {
  Snapshot* snapshot = nullptr;
  Exception exception;
  BioList origin_bios;          // of snapshot-origin or snapshot-merge targets: wait for it
  BioList snapshot_bios;        // of the snapshot: go to the new place once it is there
  TargetBio* whole = nullptr;   // overwrites the whole chunk, in place of a copy
  bool started = false;
  bool failed = false;          // could not be copied
  bool injected = false;        // by a fault
  std::uint64_t sequence = 0;   // in order of allocation
  PendingException* primary = nullptr;  // snapshot.sort_by_chunk=off only: see Origins::Tie
  std::uint32_t tied = 0;               // of a primary: exceptions tied to it that are pending
};

// What a table line says, parsed.
struct SnapshotTable {
  BlockDevice* origin = nullptr;
  BlockDevice* cow = nullptr;
  std::unique_ptr<ExceptionStore> store;
  bool merges = false;
  bool discard_zeroes = false;
  bool discard_passdown = false;
};

class Snapshot final : public SnapshotBase {
 public:
  // `switches` holds what the store was built with, and moves in here.
  Snapshot(const TargetArguments& arguments, std::unique_ptr<SnapshotSwitches> switches, Actor actor,
           SnapshotTable table);
  ~Snapshot() override;

  // The second half of construction, in a fiber.
  DmResult<> set_up();

  std::string_view type() const override { return merges_ ? "snapshot-merge" : "snapshot"; }
  MapResult map(TargetBio& bio) override;
  EndResult end_io(TargetBio& bio, BlockStatus& status) override;
  std::uint32_t flush_bios() const override { return merges_ ? 2 : 1; }
  std::uint32_t discard_bios() const override {
    return discard_zeroes_ ? (discard_passdown_ ? 2 : 1) : 0;
  }
  bool split_varies() const override { return true; }
  std::uint32_t split_sectors_for(Op op) const override;
  std::vector<TargetDevice> data_devices() const override {
    return {{&origin_, 0, length()}, {&cow_, 0, cow_.sectors()}};
  }
  void presuspend() override;
  DmResult<> preresume() override;
  void resume() override;
  void before_destroy() override;
  std::string status(StatusKind kind) override;
  void list_leaks(std::vector<std::string>& out) const override;

  // For Origins.
  BlockDevice& cow() const { return cow_; }
  const SnapshotSwitches& switches() const { return *switches_; }
  const ChunkSize& chunk() const;
  bool merges() const { return merges_; }
  bool active() const { return active_; }
  bool copies_too_many() const { return copies_ > switches_->copies_at_once(); }
  // The pending exception that a write of the origin's sector must wait for; null: none.
  PendingException* exception_for_origin(Sector sector, ExceptionCause cause);
  void start_copy(PendingException& exception);
  void note_origin_waits(const PendingException& exception, const TargetBio& bio);
  void forget(PendingException& exception);
  void may_be_preempted() { scheduler_.preempt_point(); }

 private:
  // What TargetBio::words hold while a bio is the snapshot's.
  enum Word : std::size_t { kTracked, kTrackedChunk, kWholeException };

  // snapshot_map.cc
  MapResult map_to_snapshot(TargetBio& bio);
  MapResult map_to_merge(TargetBio& bio);
  MapResult map_write(TargetBio& bio, Chunk chunk_number);
  MapResult map_discard(TargetBio& bio, Chunk chunk_number);
  MapResult wait_for_exception(TargetBio& bio, PendingException& exception);
  void no_space_for_own_write();
  void remap(TargetBio& bio, Chunk old_chunk, Chunk new_chunk);
  bool covers_chunk(const Bio& bio) const { return bio.sectors == chunk().sectors; }
  void track(TargetBio& bio, Chunk chunk_number);
  bool tracked(Chunk chunk_number) const;
  void zero_chunk(TargetBio& bio);
  static void chunk_zeroed(void* bio, ChunkCopier::Outcome outcome);
  void wait_for_copies();

  // snapshot_exceptions.cc
  PendingException* make_exception(Chunk chunk_number, ExceptionCause cause, bool whole);
  void start_whole(PendingException& exception, TargetBio& bio);
  static void copy_ended(void* exception, ChunkCopier::Outcome outcome);
  void record(PendingException& exception);
  static void recorded(void* exception, bool ok, bool injected);
  void complete(PendingException& exception, bool ok);
  void release(PendingException& exception, bool ok);
  void end_copy();
  enum class Why : std::uint8_t { kError, kNoSpace };
  void invalidate(Why why);
  void invalidate_locked(Why why);

  // snapshot_merge.cc
  void start_merge();
  void stop_merge();
  void merge_next();
  static void merge_copied(void* snapshot, ChunkCopier::Outcome outcome);
  bool merge_settled(ChunkCopier::Outcome outcome);
  bool flush_origin();
  bool forget_merged();
  void merge_fails();
  void merge_ends();
  BioList release_merge_writes();
  bool in_merge(Chunk chunk_number) const {
    return chunk_number >= merge_first_ && chunk_number < merge_first_ + merge_count_;
  }
  void trace_merge(std::uint64_t phase);

  // snapshot_life.cc
  void become_active();
  void answer_for_origin();
  void lose_pending();
  void drain_source();
  void hand_over(Snapshot& source, Snapshot& destination);

  std::unique_ptr<SnapshotSwitches> switches_;
  Origins& origins_;
  Scheduler& scheduler_;
  Actor actor_;  // the worker's
  BlockDevice& cow_;
  bool merges_;
  bool discard_zeroes_;
  bool discard_passdown_;
  std::unique_ptr<ExceptionStore> store_;
  bool registered_ = false;

  Mutex lock_;
  bool valid_ = true;       // a snapshot-merge never clears it
  bool overflowed_ = false;
  bool active_ = false;     // resumed once
  bool injected_ = false;   // what made it invalid was a fault's

  ExceptionTable complete_;
  std::map<Chunk, PendingException*> pending_;
  ElementPool<PendingException> pool_;
  WaitQueue pool_queue_;    // an element has come back
  std::uint64_t allocated_ = 0;   // sequence of the next exception
  std::uint64_t recorded_ = 0;    // sequence of the next to be recorded
  std::map<std::uint64_t, PendingException*> too_early_;  // copied before an older one was

  std::vector<Chunk> tracked_;  // bios on their way to the origin; of a merge: writes on their way to the store
  WaitQueue tracked_queue_;
  std::uint32_t copies_ = 0;    // chunks being copied or zeroed

  bool merge_runs_ = false;
  bool merge_shall_stop_ = false;
  bool merge_failed_ = false;
  Chunk merge_first_ = 0;       // chunks being merged
  std::uint64_t merge_count_ = 0;
  std::uint32_t merge_split_ = 0;  // the smallest chunk of the origin's snapshots
  BioList merge_writes_;        // wait until what they concern has been merged
  WaitQueue merge_queue_;       // !merge_runs_
  std::array<std::uint64_t, 5> merge_phases_{};  // trace texts

  BlockingIo origin_io_;
  ChunkCopier copier_;
};

}  // namespace dmsim::native
