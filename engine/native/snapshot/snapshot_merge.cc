// Merging: the store's chunks go back to the origin, newest run first. All of it happens in the worker's
// fiber, but for the first step, which resume() takes.
#include "base/reached.h"
#include "engine/native/snapshot/snapshot.h"

namespace dmsim::native {

enum MergePhase : std::size_t { kCopying, kFlushed, kForgotten, kMergeDone, kMergeFailed };

void Snapshot::trace_merge(std::uint64_t phase) {
  static constexpr std::array<std::string_view, 5> kWords{"copying", "origin flushed", "forgotten", "done",
                                                          "failed"};
  Trace& trace = scheduler_.trace();
  if (merge_phases_[phase] == 0) merge_phases_[phase] = trace.text(kWords[phase]) + 1;
  trace.emit(kTraceMerge, actor_, merge_first_, merge_count_, merge_phases_[phase] - 1);
}

void Snapshot::start_merge() {
  if (merge_runs_) return;
  merge_runs_ = true;
  merge_next();
}

void Snapshot::stop_merge() {
  merge_shall_stop_ = true;
  wait_until(merge_queue_, [this] { return !merge_runs_; });
  merge_shall_stop_ = false;
}

void Snapshot::merge_ends() {
  merge_runs_ = false;
  merge_queue_.wake_all();
}

void Snapshot::merge_next() {
  CHECK(merge_runs_);
  if (merge_shall_stop_ || !valid_) return merge_ends();
  const ExceptionStore::MergeRun run = store_->prepare_merge();
  if (run.failed) merge_failed_ = true;
  if (run.chunks == 0) {
    if (!run.failed) trace_merge(kMergeDone);
    return merge_ends();
  }
  const Chunk old_chunk = run.last.old_chunk + 1 - run.chunks;
  const Chunk new_chunk = run.last.new_chunk + 1 - run.chunks;
  const Sector to = chunk().sector_of(old_chunk);
  const std::uint64_t all = chunk().sector_of(run.chunks);
  if (switches_->merge_other_snaps) {
    std::uint64_t seen = origins_.exceptions_done();
    while (origins_.prepare_extent(*this, {to, to + all})) {
      REACHED("a merge waits for other snapshots to save what it overwrites");
      origins_.wait_for_exceptions(seen);
      seen = origins_.exceptions_done();
    }
  }
  {
    const MutexGuard guard(lock_);
    merge_first_ = old_chunk;
    merge_count_ = run.chunks;
  }
  trace_merge(kCopying);
  for (Chunk at = old_chunk; at < old_chunk + run.chunks; ++at) {
    wait_until(tracked_queue_, [&] { return !tracked(at); });
  }
  const std::uint64_t sectors = std::min<std::uint64_t>(all, origin_.sectors() - to);
  copier_.copy({&cow_, chunk().sector_of(new_chunk)}, {&origin_, to}, sectors, &Snapshot::merge_copied,
               this);
}

void Snapshot::merge_copied(void* context, ChunkCopier::Outcome outcome) {
  Snapshot& snapshot = *static_cast<Snapshot*>(context);
  if (!snapshot.merge_settled(outcome)) return snapshot.merge_fails();
  snapshot.merge_next();
}

// What was copied is made durable, and only then forgotten.
bool Snapshot::merge_settled(ChunkCopier::Outcome outcome) {
  injected_ = injected_ || outcome.injected;
  if (outcome.failed) return false;
  if (switches_->merge_flush) {
    if (!flush_origin()) return false;
    trace_merge(kFlushed);
  }
  if (!store_->commit_merge(static_cast<std::uint32_t>(merge_count_))) return false;
  return forget_merged();
}

bool Snapshot::flush_origin() {
  BlockingIo::Batch batch;
  origin_io_.start(batch, 0, origin_, Op::kFlush, {}, {});
  origin_io_.wait(batch);
  injected_ = injected_ || batch.injected;
  return batch.failed_parts == 0;
}

bool Snapshot::forget_merged() {
  BioList writes;
  {
    const MutexGuard guard(lock_);
    for (Chunk at = merge_first_; at < merge_first_ + merge_count_; ++at) {
      if (complete_.erase(at) == 1) continue;
      REACHED("a merge finds an exception in the store that is not in memory");
      return false;
    }
    trace_merge(kForgotten);
    writes = release_merge_writes();
  }
  while (Bio* bio = writes.pop_front()) pass_on(target_bio_of(*bio));
  return true;
}

BioList Snapshot::release_merge_writes() {
  merge_first_ = 0;
  merge_count_ = 0;
  BioList out;
  out.take_all(merge_writes_);
  return out;
}

void Snapshot::merge_fails() {
  REACHED("a merge fails");
  BioList writes;
  {
    const MutexGuard guard(lock_);
    trace_merge(kMergeFailed);
    merge_failed_ = true;
    writes = release_merge_writes();
  }
  while (Bio* bio = writes.pop_front()) {
    end(target_bio_of(*bio), {BlockStatus::Code::kIoError, injected_});
  }
  merge_ends();
}

}  // namespace dmsim::native
