// Origins: which snapshots each origin has, for all devices of an engine; and what a write to an origin has
// to wait for.
//
// Before a write to the origin is passed on, every snapshot that still reads that chunk from the origin
// must have saved it: write() makes the exceptions that are missing, begins their copies, and leaves the
// bio with one of them. When that one is there, the bio asks again.
//
// Snapshots of an origin are kept largest chunk first. Snapshots register when their table is loaded and
// count from their first resume on. Two tables of one snapshot (the same COW device) may be registered at
// a time: the store is handed over from the live one when the other is resumed.
//
// A bio that arrives in interrupt context is taken over by a fiber of this room's own: exceptions may
// block (in Linux, whatever submits bios is a thread).
//
// Not modelled: faults of more than one CPU (snap-sibling-list), and memory allocated under the lock
// (snap-register-alloc-deadlock).
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/native/mirror/mirror_worker.h"
#include "engine/native/snapshot/exception_store.h"
#include "engine/native/snapshot/rw_lock.h"
#include "engine/native/snapshot/snapshot_trace.h"
#include "engine/native/target.h"

namespace dmsim::native {

class Snapshot;
class SnapshotOrigin;
struct PendingException;

class Origins final : public SharedState, private MirrorWorker::Job {
 public:
  explicit Origins(const EngineEnvironment& environment);
  // Those of the engine that `host` belongs to.
  static Origins& of(TargetHost& host);

  // The lock that Linux calls _origins_lock.
  RwLock& lock() { return lock_; }

  // Snapshots with the same origin and COW device as `snapshot`, itself included. Lock held.
  struct Sharing {
    std::uint32_t count = 0;
    Snapshot* source = nullptr;       // active: has the store
    Snapshot* destination = nullptr;  // waits for the store
    Snapshot* merging = nullptr;      // some snapshot-merge of the origin, whatever its COW device
    bool handover() const { return source != nullptr && destination != nullptr; }
  };
  Sharing sharing(const Snapshot& snapshot) const;

  // Puts the snapshot where its chunk size says. Lock held for writing.
  void insert(Snapshot& snapshot);
  void erase(Snapshot& snapshot);
  // Live snapshot-origin targets.
  void insert(SnapshotOrigin& target) { live_origins_.push_back(&target); }
  void erase(SnapshotOrigin& target);
  SnapshotOrigin* live_origin(const BlockDevice& device) const;

  // The smallest chunk of the origin's snapshots, in sectors; a huge power of two: it has none.
  std::uint32_t smallest_chunk(const BlockDevice& origin) const;

  // A write to `origin`: kRemapped: go on; kSubmitted: it waits here. In a fiber.
  MapResult write(BlockDevice& origin, TargetBio& bio, bool throttled);
  // Makes the exceptions that a merge of `merging` into `sectors` of its origin needs elsewhere. True:
  // some are under way, and the caller must wait and ask again.
  bool prepare_extent(Snapshot& merging, SectorRange sectors);
  // The bios that waited for an exception of a snapshot of `origin` ask again.
  void retry(BlockDevice& origin, BioList& bios);
  // Before 2009: `exception` is there; bios go on if nothing else that they are tied to is missing.
  void release_tied(PendingException& exception);

  // Grows whenever an exception has been completed, of any snapshot; waiters are woken.
  std::uint64_t exceptions_done() const { return exceptions_done_; }
  void exception_done();
  void wait_for_exceptions(std::uint64_t seen) {
    wait_until(done_queue_, [&] { return exceptions_done_ != seen; });
  }
  // Writers that wait because too many chunks are being copied.
  WaitQueue& copies_queue() { return copies_queue_; }

  // map() of this clone's target is called again from a fiber.
  void defer(TargetBio& bio);

 private:
  struct Origin {
    BlockDevice* device;
    std::vector<Snapshot*> snapshots;  // largest chunk first
  };
  class Tie;

  Origin* find(const BlockDevice& device) const;
  MapResult write_locked(Origin& origin, Sector sector, TargetBio* bio, ExceptionCause cause);
  bool throttle(Origin& origin);
  void run_pass() override;

  RwLock lock_;
  std::vector<std::unique_ptr<Origin>> origins_;  // in order of first registration; none without snapshots
  std::vector<SnapshotOrigin*> live_origins_;
  std::uint64_t exceptions_done_ = 0;
  WaitQueue done_queue_;
  WaitQueue copies_queue_;
  BioList deferred_;
  MirrorWorker worker_;
};

}  // namespace dmsim::native
