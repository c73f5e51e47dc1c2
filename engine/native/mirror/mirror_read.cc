// Reads: which leg serves one, and what happens when it cannot.
//
// A region in sync is read from any fit leg, the default one first. A region out of sync has its
// data on the default leg alone. A failed read marks its leg and goes back to the worker's queue as
// long as some other leg may have the data; the error it met is forgotten.
#include "base/reached.h"
#include "engine/native/mirror/mirror_set.h"
#include "engine/native/mirror/mirror_trace.h"

namespace dmsim::native {

native::Leg* MirrorSet::choose_leg() {
  if (switches_->read_balance == ReadBalance::kOff) return legs_.choose();
  return legs_.choose_balanced(switches_->read_balance, scheduler_.choices(), actor_);
}

void MirrorSet::remap_read(TargetBio& read, native::Leg& leg) {
  read.words[kReadLegPlusOne] = leg.index + 1;
  read.bio.sector = on_leg(leg, read.bio);
  read.device = leg.device;
  scheduler_.trace().emit(kTraceRead, host_.device_actor(), leg.index, read.bio.sector,
                          read.bio.sectors);
}

void MirrorSet::do_reads(BioList& reads) {
  while (Bio* bio = reads.pop_front()) {
    TargetBio& read = target_bio_of(*bio);
    const RegionState state = hash_.state(region_of(*bio));
    native::Leg* leg = &legs_.default_leg();
    if (state == RegionState::kClean || state == RegionState::kDirty) {
      leg = choose_leg();
    } else if (leg->failed()) {
      leg = nullptr;
    }
    --kept_;
    if (leg == nullptr) {
      REACHED("a read finds no leg that has its data");
      host_.finish(read, {BlockStatus::Code::kIoError, legs_.any_injected()});
      continue;
    }
    read.words[kReadByWorker] = 1;
    remap_read(read, *leg);
    host_.submit(read);
  }
}

// `on_leg`: where the read is on the leg that failed it, if it went there directly; on the worker's way Linux asks
// rightly.
bool MirrorSet::can_retry(const Bio& read, std::optional<Sector> on_leg) {
  if (legs_.default_ok()) return true;
  std::uint64_t region = region_of(read);
  if (on_leg.has_value() && !switches_->retry_asks_own_region) {
    // Below the mirror's begin this wraps around.
    region = (*on_leg - Target::begin()) >> region_shift_;
    REACHED("a failed read asks the log for another region than its own");
    // Linux looks at whatever lies behind its bitmap; here that is never in sync.
    if (region >= log_->region_count()) return false;
  }
  return log_->in_sync(region) && legs_.choose() != nullptr;
}

EndResult MirrorSet::read_ended(TargetBio& read, BlockStatus& status) {
  if (status.ok()) {
    const std::uint64_t first_error = read.words[kReadFirstError];
    if (first_error != 0 && switches_->read_retry == ReadRetry::kKeepStatus) {
      status = {BlockStatus::Code::kIoError, (first_error & kInjected) != 0};
    }
    return EndResult::kDone;
  }
  // Not a failure of the leg, and only the direct way can tell.
  if (status.code == BlockStatus::Code::kNotSupported && read.words[kReadByWorker] == 0) {
    return EndResult::kDone;
  }
  if (switches_->read_retry == ReadRetry::kNone) return EndResult::kDone;

  std::optional<Sector> on_leg;
  if (read.words[kReadByWorker] == 0) on_leg = read.bio.sector;
  native::Leg& leg = legs_.all()[read.words[kReadLegPlusOne] - 1];
  read.bio.sector = read.bio.sector - leg.offset + Target::begin();
  fail_leg(leg, LegError::kRead, status.injected);
  const bool again = read.words[kReadFailures]++ == 0 || switches_->read_retry != ReadRetry::kOnce;
  if (again && can_retry(read.bio, on_leg)) {
    REACHED("a failed read is tried again");
    if (read.words[kReadFirstError] == 0) {
      read.words[kReadFirstError] = 1 | (status.injected ? kInjected : 0);
    }
    ++kept_;
    queue(reads_, read.bio);
    return EndResult::kIncomplete;
  }
  REACHED("a read fails on every leg that may have its data");
  if (read.words[kReadByWorker] != 0) status.code = BlockStatus::Code::kIoError;
  return EndResult::kDone;
}

}  // namespace dmsim::native
