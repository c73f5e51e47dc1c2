// Resume, handover of the store between two tables of one snapshot, and the end.
#include <cerrno>

#include "base/reached.h"
#include "engine/native/snapshot/origin_target.h"
#include "engine/native/snapshot/snapshot.h"

namespace dmsim::native {

Snapshot::Snapshot(const TargetArguments& arguments, std::unique_ptr<SnapshotSwitches> switches,
                   Actor actor, SnapshotTable table)
    : SnapshotBase(arguments, *table.origin),
      switches_(std::move(switches)),
      origins_(Origins::of(arguments.host)),
      scheduler_(arguments.host.environment().scheduler),
      actor_(actor),
      cow_(*table.cow),
      merges_(table.merges),
      discard_zeroes_(table.discard_zeroes),
      discard_passdown_(table.discard_passdown),
      store_(std::move(table.store)),
      lock_(scheduler_, "the lock of snapshot " + host_.device_name()),
      pool_queue_(scheduler_, "pending exceptions of " + host_.device_name()),
      tracked_queue_(scheduler_, "reads of chunks of " + host_.device_name()),
      merge_queue_(scheduler_, "the merge of " + host_.device_name() + " to stop"),
      origin_io_(scheduler_, arguments.host.environment().bios,
                 "a flush of the origin of " + host_.device_name(), actor),
      copier_(scheduler_, arguments.host.environment().bios, arguments.host.environment().pages, actor,
              "kcopyd " + host_.device_name()) {}

Snapshot::~Snapshot() {
  if (registered_) origins_.erase(*this);
}

const ChunkSize& Snapshot::chunk() const { return store_->chunk(); }

void Snapshot::presuspend() {
  if (merges_) stop_merge();
}

DmResult<> Snapshot::preresume() {
  const ReadGuard guard(origins_.lock());
  const Origins::Sharing sharing = origins_.sharing(*this);
  if (!sharing.handover()) return Done{};
  if (sharing.source == this) {
    return Failure{DmError{EINVAL, "Unable to resume snapshot source until handover completes."}};
  }
  if (!sharing.source->host_.suspended()) {
    return Failure{
        DmError{EINVAL, "Unable to perform snapshot handover until source is suspended."}};
  }
  return Done{};
}

void Snapshot::resume() {
  become_active();
  if (!merges_) return;
  {
    const ReadGuard guard(origins_.lock());
    merge_split_ = origins_.smallest_chunk(origin_);
  }
  start_merge();
}

// Takes over the store of this snapshot's other table, if there is one. Whoever writes to the origin is
// stopped meanwhile, so that nothing waits for an exception in a store that changes hands.
void Snapshot::become_active() {
  InternallySuspended* stopped = nullptr;
  bool restart_merge = false;
  if (switches_->suspend_on_handover) {
    TargetHost* origin_host = nullptr;
    {
      const ReadGuard guard(origins_.lock());
      const SnapshotOrigin* const live = origins_.live_origin(origin_);
      const Snapshot* const merging = origins_.sharing(*this).merging;
      if (live != nullptr) {
        origin_host = &live->host();
      } else if (merging != nullptr) {
        origin_host = &merging->host();
      }
    }
    if (origin_host != nullptr && origin_host->device_actor() != host_.device_actor()) {
      stopped = &origin_host->internal_suspend();
    }
  }
  if (switches_->suspend_on_handover && switches_->drain_on_handover) drain_source();
  Snapshot* merging = nullptr;
  if (stopped != nullptr) {
    merging = origins_.sharing(*this).merging;
    if (merging != nullptr && merging != this && merging->merge_runs_) {
      REACHED("a merge is stopped while a snapshot hands its store over");
      restart_merge = true;
      merging->stop_merge();
    }
  }
  {
    const ReadGuard guard(origins_.lock());
    const Origins::Sharing sharing = origins_.sharing(*this);
    if (sharing.handover()) hand_over(*sharing.source, *sharing.destination);
  }
  // From the first origin write on it must count, a merge's too: the table that had the store does not any more.
  if (switches_->active_before_origin) answer_for_origin();
  if (restart_merge) merging->start_merge();
  if (stopped != nullptr) stopped->internal_resume();
  if (!switches_->active_before_origin) answer_for_origin();
}

// With the origin stopped there can still be exceptions for which nobody waits: a snapshot that has become
// invalid lets origin writes go, and its copies run on.
void Snapshot::drain_source() {
  while (true) {
    const std::uint64_t seen = origins_.exceptions_done();
    {
      const ReadGuard guard(origins_.lock());
      const Origins::Sharing sharing = origins_.sharing(*this);
      if (!sharing.handover() || sharing.source->pool_.live() == 0) return;
    }
    REACHED("a handover waits for copies that nobody waits for");
    origins_.wait_for_exceptions(seen);
  }
}

void Snapshot::answer_for_origin() {
  {
    // The chunk size is known now.
    const WriteGuard guard(origins_.lock());
    origins_.erase(*this);
    origins_.insert(*this);
  }
  const MutexGuard guard(lock_);
  if (!active_) {
    scheduler_.trace().emit(kTraceActive, host_.device_actor(), complete_.size(), chunk().sectors);
  }
  active_ = true;
}

void Snapshot::hand_over(Snapshot& source, Snapshot& destination) {
  REACHED("a snapshot's store is handed over to another table");
  const MutexGuard from(source.lock_);
  const MutexGuard to(destination.lock_);
  scheduler_.trace().emit(kTraceHandover, host_.device_actor(), source.complete_.size(),
                          source.pending_.size());
  if (!source.pending_.empty()) REACHED("exceptions are pending while a store is handed over");
  std::swap(source.complete_, destination.complete_);
  std::swap(source.store_, destination.store_);
  destination.store_->supports_overflow = source.store_->supports_overflow;
  destination.valid_ = source.valid_;
  destination.overflowed_ = source.overflowed_;
  source.valid_ = false;
}

void Snapshot::before_destroy() {
  {
    const ReadGuard guard(origins_.lock());
    const Origins::Sharing sharing = origins_.sharing(*this);
    if (sharing.handover() && sharing.source == this) {
      REACHED("the table that was to hand its store over goes before it could");
      const MutexGuard other(sharing.destination->lock_);
      sharing.destination->valid_ = false;
    }
  }
  if (merges_) stop_merge();
  {
    const WriteGuard guard(origins_.lock());
    origins_.erase(*this);
    registered_ = false;
  }
  if (!switches_->destroy_waits) lose_pending();
  wait_until(pool_queue_, [this] { return pool_.live() == 0; });
  copier_.flush();
}

// What becomes of writes that wait for an exception whose memory is given back: nobody has them any more.
void Snapshot::lose_pending() {
  for (const auto& [chunk, exception] : pending_) {
    if (!exception->origin_bios.empty()) REACHED("a snapshot goes with writes of its origin");
    BioList lost;
    lost.take_all(exception->origin_bios);
  }
}

}  // namespace dmsim::native
