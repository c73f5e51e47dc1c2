#include "engine/native/clone/clone_set.h"

#include <cerrno>
#include <utility>

#include "base/reached.h"

namespace dmsim::native {

CloneSet::CloneSet(const TargetArguments& arguments, std::unique_ptr<CloneSwitches> switches,
                   Actor actor, CloneTable table)
    : Target(arguments.begin, arguments.length),
      host_(arguments.host),
      env_(arguments.host.environment()),
      scheduler_(env_.scheduler),
      switches_(std::move(switches)),
      actor_(actor),
      table_(std::move(table)),
      metadata_(env_, *switches_, actor,
                {table_.metadata, table_.region_sectors, arguments.length}),
      destination_io_(scheduler_, env_.bios,
                      "a flush of the destination of clone " + host_.device_name(), actor),
      commit_lock_(scheduler_, "the commit lock of clone " + host_.device_name()),
      hydration_stopped_(scheduler_, "hydrations of clone " + host_.device_name() + " to end"),
      worker_(scheduler_, actor, "the worker of clone " + host_.device_name(), *this),
      waker_(scheduler_, [this] { tick(); }),
      last_commit_(scheduler_.now()) {}

CloneSet::~CloneSet() = default;

SectorRange CloneSet::range_of(std::uint64_t region) const {
  const Sector first = region * table_.region_sectors;
  return {first, std::min<Sector>(first + table_.region_sectors, length())};
}

bool CloneSet::triggers_commit(const Bio& bio) const {
  if (bio.op == Op::kFlush && !switches_->flush_commits) return false;
  return (bio.op == Op::kFlush || bio.fua) && metadata_.changed();
}

// Ends a bio that was kept: end_io does not see it again.
void CloneSet::finish(TargetBio& bio, BlockStatus status) {
  CHECK(ios_in_flight_ > 0);
  --ios_in_flight_;
  host_.finish(bio, status);
}

void CloneSet::fail_all(BioList& bios, BlockStatus status) {
  while (Bio* bio = bios.pop_front()) finish(target_bio_of(*bio), status);
}

void CloneSet::defer(BioList& list, TargetBio& bio) {
  list.push_back(bio.bio);
  worker_.wake();
}

MapResult CloneSet::map(TargetBio& bio) {
  if (mode_ == CloneMode::kFail) return MapResult::kKill;
  ++ios_in_flight_;
  Bio& request = bio.bio;
  if (request.op == Op::kFlush) return to_destination(bio);
  CHECK(!request.preflush, "core sends flushes on their own");
  request.sector -= Target::begin();
  if (request.op == Op::kDiscard) return discard(bio);
  if (metadata_.is_hydrated(region_of(request))) return to_destination(bio);
  if (request.op == Op::kRead) {
    bio.device = table_.source;
    return MapResult::kRemapped;
  }
  bio.device = table_.destination;
  hydrate_for(bio);
  return MapResult::kSubmitted;
}

MapResult CloneSet::to_destination(TargetBio& bio) {
  bio.device = table_.destination;
  if (!triggers_commit(bio.bio)) return MapResult::kRemapped;
  issue(bio);
  return MapResult::kSubmitted;
}

// Sends a bio to the destination, after a commit if it asks for one.
void CloneSet::issue(TargetBio& bio) {
  if (!triggers_commit(bio.bio)) return host_.submit(bio);
  if (!writable()) return finish(bio, metadata_error());
  defer(deferred_flushes_, bio);
}

EndResult CloneSet::end_io(TargetBio& bio, BlockStatus& status) {
  if (bio.words[kOverwrites] != 0) {
    Hydration* hydration = find_hydration(bio.words[kOverwrites] - 1);
    CHECK(hydration != nullptr && hydration->overwrite == &bio);
    bio.words[kOverwrites] = 0;
    end_hydration(*hydration, status);
    return EndResult::kIncomplete;
  }
  CHECK(ios_in_flight_ > 0);
  --ios_in_flight_;
  return EndResult::kDone;
}

// Brings what has changed to disk. Errno; 0: it is there. The lock makes the commit, and what follows when it
// fails, one step. Tells whether this call has flushed the destination.
int CloneSet::commit(bool* destination_flushed) {
  const MutexGuard guard(commit_lock_);
  if (!metadata_.changed()) return 0;
  if (!writable()) return EPERM;
  scheduler_.trace().emit(kTraceCommit, actor_, static_cast<std::uint64_t>(CommitStep::kBegins));
  const bool two_phases = switches_->phase == CommitPhase::kTwo;
  const FlushDest when = switches_->flush_dest;
  int failed = two_phases ? metadata_.pre_commit() : 0;
  if (failed == 0 && when == FlushDest::kBefore) failed = flush_destination();
  scheduler_.preempt_point();
  if (failed == 0 && !two_phases) failed = metadata_.pre_commit();
  if (failed == 0) failed = metadata_.commit();
  if (failed == 0 && when == FlushDest::kAfter) failed = flush_destination();
  if (failed != 0) return metadata_failed(failed);
  if (destination_flushed != nullptr) *destination_flushed = when != FlushDest::kOff;
  if (metadata_.hydration_done()) host_.event();
  return 0;
}

int CloneSet::flush_destination() {
  BlockingIo::Batch batch;
  destination_io_.start(batch, 0, *table_.destination, Op::kFlush, {0, 0}, {});
  destination_io_.wait(batch);
  if (batch.failed_parts != 0) {
    failure_injected_ = batch.injected;
    return EIO;
  }
  scheduler_.trace().emit(kTraceCommit, actor_,
                          static_cast<std::uint64_t>(CommitStep::kDestinationFlushed));
  return 0;
}

int CloneSet::metadata_failed(int error) {
  scheduler_.trace().emit(kTraceCommit, actor_, static_cast<std::uint64_t>(CommitStep::kFailed));
  REACHED("a commit of a clone's metadata fails");
  const bool readable = metadata_.abort() == 0;
  set_mode(readable ? CloneMode::kReadOnly : CloneMode::kFail);
  if (readable) metadata_.reload_in_core();
  return error;
}

void CloneSet::set_mode(CloneMode mode) {
  metadata_.set_read_only();
  if (mode == mode_) return;
  mode_ = mode;
  scheduler_.trace().emit(kTraceCloneMode, actor_, static_cast<std::uint64_t>(mode));
  host_.event();
}

void CloneSet::run_pass() {
  process_deferred_bios();
  process_discards();
  process_flushes();
  hydrate_in_background();
}

void CloneSet::process_deferred_bios() {
  BioList bios = std::exchange(deferred_bios_, {});
  while (Bio* bio = bios.pop_front()) host_.submit(target_bio_of(*bio));
}

// One commit for all who wait for one, and once in a period for nobody in particular.
void CloneSet::process_flushes() {
  BioList bios = std::exchange(deferred_flushes_, {});
  BioList completions = std::exchange(deferred_completions_, {});
  const bool due = metadata_.changed() && scheduler_.now() - last_commit_ > kCommitPeriod;
  if (bios.empty() && completions.empty() && !due) return;
  bool flushed = false;
  if (commit(&flushed) != 0) {
    bios.take_all(completions);
    fail_all(bios, metadata_error());
    return;
  }
  last_commit_ = scheduler_.now();
  while (Bio* bio = completions.pop_front()) finish(target_bio_of(*bio), BlockStatus::okay());
  while (Bio* bio = bios.pop_front()) {
    TargetBio& waiting = target_bio_of(*bio);
    if (bio->op == Op::kFlush && flushed) {
      finish(waiting, BlockStatus::okay());
    } else {
      host_.submit(waiting);
    }
  }
}

// Once a period: commits, and hydration goes on where users had stopped it.
void CloneSet::tick() {
  worker_.wake();
  waker_.arm(kCommitPeriod);
}

void CloneSet::postsuspend() {
  waker_.cancel();
  suspended_ = true;
  wait_until(hydration_stopped_, [this] { return hydrations_in_flight_ == 0; });
  worker_.flush();
  commit();  // whoever fails here says so in its status
}

DmResult<> CloneSet::preresume() {
  if (loaded_ || switches_->metadata_load == MetadataLoad::kTable) return Done{};
  if (const int failed = metadata_.refresh(); failed != 0) {
    return Failure{DmError{failed, "Failed to load metadata"}};
  }
  return Done{};
}

void CloneSet::resume() {
  loaded_ = true;
  worker_.start();
  suspended_ = false;
  tick();
}

}  // namespace dmsim::native
