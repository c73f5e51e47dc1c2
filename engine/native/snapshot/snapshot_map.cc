// Where a bio goes: to the origin, to a place in the store, or into a queue.
#include <algorithm>

#include "base/reached.h"
#include "engine/native/snapshot/snapshot.h"

namespace dmsim::native {

MapResult Snapshot::map(TargetBio& bio) {
  if (bio.bio.op == Op::kFlush) {
    bio.device = merges_ && bio.duplicate == 0 ? &origin_ : &cow_;
    return MapResult::kRemapped;
  }
  if (!scheduler_.in_fiber()) {
    origins_.defer(bio);
    return MapResult::kSubmitted;
  }
  return merges_ ? map_to_merge(bio) : map_to_snapshot(bio);
}

MapResult Snapshot::map_to_snapshot(TargetBio& bio) {
  const bool reads = bio.bio.op == Op::kRead;
  if (!valid_) return MapResult::kKill;
  if (!reads) wait_for_copies();
  const Chunk chunk_number = chunk().chunk_of(bio.bio.sector);
  {
    const MutexGuard guard(lock_);
    if (!valid_ || (overflowed_ && !reads)) return MapResult::kKill;
    if (bio.bio.op == Op::kDiscard) return map_discard(bio, chunk_number);
    const auto found = complete_.find(chunk_number);
    if (found != complete_.end()) {
      remap(bio, found->first, found->second);
      return MapResult::kRemapped;
    }
    if (reads) {
      bio.device = &origin_;
      if (switches_->track_reads) track(bio, chunk_number);
      return MapResult::kRemapped;
    }
  }
  return map_write(bio, chunk_number);
}

// A discard of the first kind zeroes what the snapshot has of its own; the second goes to the origin, past
// all snapshots.
MapResult Snapshot::map_discard(TargetBio& bio, Chunk chunk_number) {
  if (discard_passdown_ && bio.duplicate > 0) {
    bio.device = &origin_;
    track(bio, chunk_number);
    return MapResult::kRemapped;
  }
  const auto found = complete_.find(chunk_number);
  if (found == complete_.end()) {
    end(bio, BlockStatus::okay());
    return MapResult::kSubmitted;
  }
  remap(bio, found->first, found->second);
  if (!covers_chunk(bio.bio)) return MapResult::kRemapped;
  zero_chunk(bio);
  return MapResult::kSubmitted;
}

void Snapshot::zero_chunk(TargetBio& bio) {
  ++copies_;
  copier_.zero({&cow_, bio.bio.sector}, chunk().sectors, &Snapshot::chunk_zeroed, &bio);
}

void Snapshot::chunk_zeroed(void* context, ChunkCopier::Outcome outcome) {
  TargetBio& bio = *static_cast<TargetBio*>(context);
  Snapshot& snapshot = static_cast<Snapshot&>(*bio.target);
  snapshot.end_copy();
  snapshot.end(bio, outcome.failed ? BlockStatus{BlockStatus::Code::kIoError, outcome.injected}
                                   : BlockStatus::okay());
}

// The chunk had no exception a moment ago.
MapResult Snapshot::map_write(TargetBio& bio, Chunk chunk_number) {
  PendingException* exception = nullptr;
  {
    const MutexGuard guard(lock_);
    if (!valid_ || overflowed_) return MapResult::kKill;
    const auto found = complete_.find(chunk_number);
    if (found != complete_.end()) {
      remap(bio, found->first, found->second);
      return MapResult::kRemapped;
    }
    exception = make_exception(chunk_number, ExceptionCause::kSnapshotWrite, covers_chunk(bio.bio));
  }
  if (exception == nullptr) {
    no_space_for_own_write();
    return MapResult::kKill;
  }
  return wait_for_exception(bio, *exception);
}

MapResult Snapshot::wait_for_exception(TargetBio& bio, PendingException& exception) {
  remap(bio, exception.exception.old_chunk, exception.exception.new_chunk);
  if (!exception.started && covers_chunk(bio.bio)) {
    REACHED("a snapshot's chunk is overwritten without being copied");
    exception.started = true;
    start_whole(exception, bio);
    return MapResult::kSubmitted;
  }
  exception.snapshot_bios.push_back(bio.bio);
  if (!exception.started) {
    exception.started = true;
    start_copy(exception);
  }
  return MapResult::kSubmitted;
}

void Snapshot::no_space_for_own_write() {
  const MutexGuard guard(lock_);
  if (!store_->supports_overflow || !switches_->overflow_by_table) {
    return invalidate_locked(Why::kNoSpace);
  }
  if (!valid_ || overflowed_) return;
  REACHED("a snapshot overflows by a write of its own");
  overflowed_ = true;
  scheduler_.trace().emit(kTraceOverflow, host_.device_actor());
}

// A snapshot-merge is the origin, with whatever the store still has laid over it.
MapResult Snapshot::map_to_merge(TargetBio& bio) {
  if (bio.bio.op == Op::kDiscard) {
    end(bio, BlockStatus::okay());
    return MapResult::kSubmitted;
  }
  const bool writes = bio.bio.op == Op::kWrite;
  const Chunk chunk_number = chunk().chunk_of(bio.bio.sector);
  {
    const MutexGuard guard(lock_);
    const auto found = valid_ ? complete_.find(chunk_number) : complete_.end();
    if (found != complete_.end()) {
      if (writes && in_merge(chunk_number) && switches_->merge_queue_writes) {
        REACHED("a write waits until its chunk has been merged");
        bio.device = &origin_;
        merge_writes_.push_back(bio.bio);
        return MapResult::kSubmitted;
      }
      remap(bio, found->first, found->second);
      if (writes) track(bio, chunk_number);
      return MapResult::kRemapped;
    }
    bio.device = &origin_;
    if (!writes) return MapResult::kRemapped;
  }
  return origins_.write(origin_, bio, false);
}

void Snapshot::remap(TargetBio& bio, Chunk old_chunk, Chunk new_chunk) {
  const Chunk distance = chunk().chunk_of(bio.bio.sector) - old_chunk;
  bio.device = &cow_;
  bio.bio.sector = chunk().sector_of(new_chunk + distance) + chunk().offset_of(bio.bio.sector);
}

void Snapshot::track(TargetBio& bio, Chunk chunk_number) {
  bio.words[kTracked] = 1;
  bio.words[kTrackedChunk] = chunk_number;
  tracked_.push_back(chunk_number);
}

bool Snapshot::tracked(Chunk chunk_number) const {
  return std::find(tracked_.begin(), tracked_.end(), chunk_number) != tracked_.end();
}

EndResult Snapshot::end_io(TargetBio& bio, BlockStatus& status) {
  if (bio.words[kWholeException] != 0) {
    auto* const exception = reinterpret_cast<PendingException*>(
        static_cast<std::uintptr_t>(bio.words[kWholeException]));
    bio.words[kWholeException] = 0;
    copier_.post({!status.ok(), status.injected}, &Snapshot::copy_ended, exception);
    return EndResult::kIncomplete;
  }
  if (bio.words[kTracked] != 0) {
    bio.words[kTracked] = 0;
    tracked_.erase(std::find(tracked_.begin(), tracked_.end(), bio.words[kTrackedChunk]));
    tracked_queue_.wake_all();
    // Nobody waited for it: the origin may have been written since.
    if (!valid_ && !merges_ && bio.bio.op == Op::kRead && switches_->fail_reads_of_invalid) {
      REACHED("a snapshot becomes invalid while it is being read");
      status = {BlockStatus::Code::kIoError, injected_};
    }
  }
  return EndResult::kDone;
}

// Writers wait while too many chunks are being copied.
void Snapshot::wait_for_copies() {
  wait_until(origins_.copies_queue(), [this] { return !copies_too_many(); });
}

std::uint32_t Snapshot::split_sectors_for(Op op) const {
  if (op != Op::kDiscard) return merges_ && merge_split_ != 0 ? merge_split_ : chunk().sectors;
  return discard_zeroes_ ? chunk().sectors : 0;
}

}  // namespace dmsim::native
