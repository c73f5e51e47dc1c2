#include "engine/native/snapshot/origins.h"

#include <algorithm>

#include "base/reached.h"
#include "engine/native/snapshot/origin_target.h"
#include "engine/native/snapshot/snapshot.h"

namespace dmsim::native {

Origins::Origins(const EngineEnvironment& environment)
    : lock_(environment.scheduler, "the lock of all snapshot origins"),
      done_queue_(environment.scheduler, "an exception of some snapshot"),
      copies_queue_(environment.scheduler, "fewer chunks to be under way"),
      worker_(environment.scheduler, environment.scheduler.trace().actors().intern("ksnapd"),
              "ksnapd", *this) {}

Origins& Origins::of(TargetHost& host) {
  const MakeSharedState make = [](const EngineEnvironment& environment) {
    return std::unique_ptr<SharedState>(std::make_unique<Origins>(environment));
  };
  return static_cast<Origins&>(host.shared("snapshot origins", make));
}

Origins::Origin* Origins::find(const BlockDevice& device) const {
  for (const auto& origin : origins_) {
    if (origin->device == &device) return origin.get();
  }
  return nullptr;
}

Origins::Sharing Origins::sharing(const Snapshot& snapshot) const {
  Sharing out;
  const Origin* const origin = find(snapshot.origin());
  if (origin == nullptr) return out;
  for (Snapshot* each : origin->snapshots) {
    if (each->merges()) out.merging = each;
    if (&each->cow() != &snapshot.cow()) continue;
    (each->active() ? out.source : out.destination) = each;
    ++out.count;
  }
  return out;
}

void Origins::insert(Snapshot& snapshot) {
  Origin* origin = find(snapshot.origin());
  if (origin == nullptr) {
    origins_.push_back(std::make_unique<Origin>(Origin{&snapshot.origin(), {}}));
    origin = origins_.back().get();
  }
  auto& list = origin->snapshots;
  auto place = list.end();
  if (snapshot.switches().sort_by_chunk) {
    place = std::find_if(list.begin(), list.end(), [&](const Snapshot* each) {
      return each->chunk().sectors < snapshot.chunk().sectors;
    });
  }
  list.insert(place, &snapshot);
}

void Origins::erase(Snapshot& snapshot) {
  for (auto& origin : origins_) std::erase(origin->snapshots, &snapshot);
  std::erase_if(origins_, [](const auto& origin) { return origin->snapshots.empty(); });
}

void Origins::erase(SnapshotOrigin& target) { std::erase(live_origins_, &target); }

SnapshotOrigin* Origins::live_origin(const BlockDevice& device) const {
  for (SnapshotOrigin* target : live_origins_) {
    if (&target->origin() == &device) return target;
  }
  return nullptr;
}

std::uint32_t Origins::smallest_chunk(const BlockDevice& device) const {
  std::uint32_t smallest = std::uint32_t{1} << 31;
  const Origin* const origin = find(device);
  if (origin == nullptr) return smallest;
  for (const Snapshot* each : origin->snapshots) {
    const std::uint32_t sectors = each->chunk().sectors;
    if (sectors != 0) smallest = std::min(smallest, sectors);
  }
  return smallest;
}

// False: the caller waited, without the lock, and has to begin anew.
bool Origins::throttle(Origin& origin) {
  for (Snapshot* each : origin.snapshots) {
    if (!each->copies_too_many()) continue;
    REACHED("a write to an origin waits because too many chunks are being copied");
    if (each->switches().throttle != Throttle::kLocked) {
      lock_.unlock_shared();
      copies_queue_.wait();
      lock_.lock_shared();
    } else {
      copies_queue_.wait();
    }
    return false;
  }
  return true;
}

MapResult Origins::write(BlockDevice& device, TargetBio& bio, bool throttled) {
  lock_.lock_shared();
  Origin* origin = find(device);
  while (throttled && origin != nullptr && !throttle(*origin)) origin = find(device);
  MapResult result = MapResult::kRemapped;
  if (origin != nullptr) {
    result = write_locked(*origin, bio.bio.sector, &bio, ExceptionCause::kOriginWrite);
  }
  lock_.unlock_shared();
  return result;
}

// How bios were tied to exceptions before 2009: all exceptions that one write needs belong to one of them,
// the first that was met, or the one that the first belongs to already.
class Origins::Tie {
 public:
  explicit Tie(bool tied) : tied_(tied) {}
  bool tied() const { return tied_; }
  // Where the bio waits.
  PendingException& meet(PendingException& exception) {
    if (!tied_) return exception;
    if (primary_ == nullptr) {
      primary_ = exception.primary != nullptr ? exception.primary : &exception;
    }
    if (exception.primary == nullptr) {
      exception.primary = primary_;
      ++primary_->tied;
    }
    return *primary_;
  }

 private:
  bool tied_;
  PendingException* primary_ = nullptr;
};

MapResult Origins::write_locked(Origin& origin, Sector sector, TargetBio* bio, ExceptionCause cause) {
  MapResult result = MapResult::kRemapped;
  PendingException* start_last = nullptr;
  CHECK(!origin.snapshots.empty());
  Tie tie(origin.snapshots.front()->switches().tied());
  for (Snapshot* snapshot : origin.snapshots) {
    // What is merged is going to be deleted.
    if (snapshot->merges() || sector >= snapshot->length()) continue;
    PendingException* const exception = snapshot->exception_for_origin(sector, cause);
    if (exception == nullptr) continue;
    result = MapResult::kSubmitted;
    PendingException& waited_for = tie.meet(*exception);
    if (bio != nullptr) {
      snapshot->note_origin_waits(*exception, *bio);
      waited_for.origin_bios.push_back(bio->bio);
      bio = nullptr;
      // The one that is waited for begins last: the others get a head start.
      if (!exception->started) {
        exception->started = true;
        start_last = exception;
      }
    }
    if (!exception->started) {
      exception->started = true;
      snapshot->start_copy(*exception);
    }
  }
  if (start_last != nullptr) start_last->snapshot->start_copy(*start_last);
  return result;
}

bool Origins::prepare_extent(Snapshot& merging, SectorRange sectors) {
  const ReadGuard guard(lock_);
  Origin* const origin = find(merging.origin());
  CHECK(origin != nullptr, merging.origin().name());
  bool under_way = false;
  const std::uint32_t step = smallest_chunk(merging.origin());
  for (Sector at = sectors.begin; at < sectors.end; at += step) {
    if (write_locked(*origin, at, nullptr, ExceptionCause::kMerge) == MapResult::kSubmitted) {
      under_way = true;
    }
  }
  return under_way;
}

void Origins::retry(BlockDevice& origin, BioList& bios) {
  while (Bio* bio = bios.pop_front()) {
    TargetBio& waiting = target_bio_of(*bio);
    if (write(origin, waiting, false) == MapResult::kRemapped) {
      SnapshotBase::of(waiting).pass_on(waiting);
    }
  }
}

void Origins::release_tied(PendingException& exception) {
  PendingException* const primary = exception.primary;
  if (primary == nullptr) return;
  CHECK(primary->tied > 0);
  const std::uint32_t left = primary->tied - 1;
  // Another of them may count itself down meanwhile, and one of the two is not noticed.
  if (!exception.snapshot->switches().sibling_lock) exception.snapshot->may_be_preempted();
  primary->tied = left;
  if (left > 0) return;
  while (Bio* bio = primary->origin_bios.pop_front()) {
    TargetBio& waiting = target_bio_of(*bio);
    SnapshotBase::of(waiting).pass_on(waiting);
  }
  // It waited for those tied to it; if it is this one, its own snapshot lets go of it.
  if (primary != &exception) primary->snapshot->forget(*primary);
}

void Origins::exception_done() {
  ++exceptions_done_;
  done_queue_.wake_all();
}

void Origins::defer(TargetBio& bio) {
  REACHED("a bio for a snapshot or an origin comes from interrupt context");
  deferred_.push_back(bio.bio);
  worker_.start();
  worker_.wake();
}

void Origins::run_pass() {
  while (Bio* bio = deferred_.pop_front()) {
    TargetBio& clone = target_bio_of(*bio);
    SnapshotBase& target = SnapshotBase::of(clone);
    switch (target.map(clone)) {
      case MapResult::kSubmitted: break;
      case MapResult::kRemapped: target.pass_on(clone); break;
      case MapResult::kKill: target.end(clone, BlockStatus::of(BlockStatus::Code::kIoError)); break;
      case MapResult::kRequeue: UNMODELLED("a snapshot pushes a bio back");
    }
  }
}

}  // namespace dmsim::native
