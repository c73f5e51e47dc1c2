// The life of an exception: allocated, copied, recorded, there.
#include "base/reached.h"
#include "engine/native/snapshot/snapshot.h"

namespace dmsim::native {

PendingException* Snapshot::exception_for_origin(Sector sector, ExceptionCause cause) {
  const Chunk chunk_number = chunk().sectors == 0 ? 0 : chunk().chunk_of(sector);
  {
    const MutexGuard guard(lock_);
    if (!valid_ || !active_) return nullptr;
    if (!pending_.contains(chunk_number) && complete_.contains(chunk_number)) return nullptr;
    if (PendingException* made = make_exception(chunk_number, cause, false)) return made;
  }
  REACHED("a store is full when the origin is written");
  invalidate(Why::kNoSpace);
  return nullptr;
}

// The chunk's pending exception, found or made. Null: the store is full. Lock held.
PendingException* Snapshot::make_exception(Chunk chunk_number, ExceptionCause cause, bool whole) {
  const auto found = pending_.find(chunk_number);
  if (found != pending_.end()) return found->second;
  const auto place = store_->allocate();
  if (!place) return nullptr;
  PendingException& exception = pool_.take();
  exception = PendingException{};
  exception.snapshot = this;
  exception.exception = {chunk_number, *place};
  exception.sequence = allocated_++;
  pending_.emplace(chunk_number, &exception);
  scheduler_.trace().emit(kTraceException, host_.device_actor(), chunk_number, *place,
                          static_cast<std::uint64_t>(cause), whole);
  return &exception;
}

void Snapshot::note_origin_waits(const PendingException& exception, const TargetBio& bio) {
  scheduler_.trace().emit(kTraceOriginWaits, host_.device_actor(), exception.exception.old_chunk,
                          bio.bio.sector);
}

void Snapshot::start_copy(PendingException& exception) {
  if (chunk().sectors == 0) {
    // The store went to another table since the exception was allocated in it (snapshot.suspend_on_handover=off):
    // what this table has instead knows no chunk size, so nothing is copied, and that succeeds, as in Linux.
    CHECK(!switches_->suspend_on_handover, exception.exception.old_chunk);
    REACHED("a copy begins after its store was handed over");
  }
  const Sector from = chunk().sector_of(exception.exception.old_chunk);
  const std::uint64_t sectors = std::min<std::uint64_t>(chunk().sectors, origin_.sectors() - from);
  ++copies_;
  copier_.copy({&origin_, from}, {&cow_, chunk().sector_of(exception.exception.new_chunk)}, sectors,
               &Snapshot::copy_ended, &exception);
}

// The bio writes all of the chunk: there is nothing to copy. Its end is the copy's.
void Snapshot::start_whole(PendingException& exception, TargetBio& bio) {
  exception.whole = &bio;
  bio.words[kWholeException] = reinterpret_cast<std::uintptr_t>(&exception);
  ++copies_;
  pass_on(bio);
}

// In the worker's fiber, as all that follows.
void Snapshot::copy_ended(void* context, ChunkCopier::Outcome outcome) {
  PendingException& exception = *static_cast<PendingException*>(context);
  Snapshot& snapshot = *exception.snapshot;
  exception.failed = outcome.failed;
  exception.injected = outcome.injected;
  snapshot.scheduler_.trace().emit(kTraceCopied, snapshot.actor_, exception.exception.old_chunk,
                                   exception.exception.new_chunk, outcome.failed);
  if (!snapshot.switches_->order_completion) {
    snapshot.record(exception);
    return snapshot.end_copy();
  }
  if (exception.sequence != snapshot.recorded_) {
    REACHED("a chunk is copied before one that was allocated earlier");
    snapshot.too_early_.emplace(exception.sequence, &exception);
    return snapshot.end_copy();
  }
  ++snapshot.recorded_;
  snapshot.record(exception);
  auto& waiting = snapshot.too_early_;
  while (!waiting.empty() && waiting.begin()->first == snapshot.recorded_) {
    PendingException& next = *waiting.begin()->second;
    waiting.erase(waiting.begin());
    ++snapshot.recorded_;
    snapshot.record(next);
  }
  snapshot.end_copy();
}

void Snapshot::end_copy() {
  CHECK(copies_ > 0);
  --copies_;
  if (!copies_too_many()) origins_.copies_queue().wake_all();
}

void Snapshot::record(PendingException& exception) {
  if (exception.failed && !switches_->commit_on_copy_error) return recorded(&exception, false, exception.injected);
  store_->commit(exception.exception, !exception.failed, exception.injected, &Snapshot::recorded,
                 &exception);
}

void Snapshot::recorded(void* context, bool ok, bool injected) {
  PendingException& exception = *static_cast<PendingException*>(context);
  exception.injected = exception.injected || injected;
  exception.snapshot->complete(exception, ok);
}

void Snapshot::complete(PendingException& exception, bool ok) {
  const Exception& pair = exception.exception;
  if (!ok) {
    injected_ = injected_ || exception.injected;
    invalidate(Why::kError);
  } else {
    const MutexGuard guard(lock_);
    ok = valid_;
    if (ok) complete_.insert_or_assign(pair.old_chunk, pair.new_chunk);
  }
  if (ok) {
    // New reads go to the new place; those on their way to the origin must come back before it changes.
    if (tracked(pair.old_chunk)) REACHED("a finished copy waits for reads of its chunk");
    wait_until(tracked_queue_, [&] { return !tracked(pair.old_chunk); });
    scheduler_.trace().emit(kTraceRemapped, actor_, pair.old_chunk, pair.new_chunk);
  }
  pending_.erase(pair.old_chunk);
  release(exception, ok);
}

// Everybody who waited goes on.
void Snapshot::release(PendingException& exception, bool ok) {
  const BlockStatus error{BlockStatus::Code::kIoError, injected_};
  BioList own;
  own.take_all(exception.snapshot_bios);
  TargetBio* const whole = exception.whole;
  exception.whole = nullptr;
  origins_.exception_done();
  if (whole != nullptr) end(*whole, ok ? BlockStatus::okay() : error);
  while (Bio* bio = own.pop_front()) {
    if (ok) {
      pass_on(target_bio_of(*bio));
    } else {
      end(target_bio_of(*bio), error);
    }
  }
  if (!switches_->tied()) {
    BioList of_origin;
    of_origin.take_all(exception.origin_bios);
    origins_.retry(origin_, of_origin);
    return forget(exception);
  }
  origins_.release_tied(exception);
  if (exception.primary != &exception || exception.tied == 0) forget(exception);
}

void Snapshot::forget(PendingException& exception) {
  pool_.give_back(exception);
  pool_queue_.wake_all();
  origins_.exception_done();  // a handover waits for the last of them to be gone
}

void Snapshot::invalidate(Why why) {
  const MutexGuard guard(lock_);
  invalidate_locked(why);
}

void Snapshot::invalidate_locked(Why why) {
  if (!valid_) return;
  REACHED("a snapshot becomes invalid");
  scheduler_.trace().emit(kTraceInvalid, host_.device_actor(),
                          scheduler_.trace().text(why == Why::kError ? "error reading or writing"
                                                                     : "no space for an exception"));
  if (!switches_->invalidate_apart && why == Why::kNoSpace) {
    // The header's write joins the submitter's own queue, which is looked at when map() has returned.
    WaitQueue never(scheduler_, "its own submission to return, to write the header of a snapshot");
    never.wait();
  }
  store_->drop();
  valid_ = false;
  host_.event();
}

}  // namespace dmsim::native
