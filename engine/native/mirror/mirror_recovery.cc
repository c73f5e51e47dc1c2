// The worker's pass, and recovery: regions out of sync are copied from the default leg to the
// others.
#include <algorithm>
#include <utility>

#include "base/reached.h"
#include "engine/native/mirror/mirror_set.h"
#include "engine/native/mirror/mirror_trace.h"

namespace dmsim::native {

void MirrorSet::run_pass() {
  BioList reads = std::exchange(reads_, {});
  BioList writes = std::exchange(writes_, {});
  BioList failures = std::exchange(failures_, {});
  if (aging_ != nullptr) age_regions();
  hash_.update_states(handle_errors_);
  do_recovery();
  do_reads(reads);
  do_writes(writes);
  do_failures(failures);
}

void MirrorSet::age_regions() {
  if (suspended_) return;
  const Instant now = scheduler_.now();
  if (now.ns() >= kCleanDelay.count_ns()) {
    hash_.age(Instant::at_ns(now.ns() - kCleanDelay.count_ns()));
  }
  const Region* oldest = hash_.oldest_aging();
  if (oldest != nullptr && !aging_->armed()) aging_->arm(oldest->idle_since + kCleanDelay - now);
}

void MirrorSet::do_recovery() {
  hash_.choose_recovery();
  while (Region* region = hash_.start_copy()) recover(*region);
  if (in_sync_ || log_->sync_count() != log_->region_count()) return;
  // After a failed flush no region is out of sync for the log, but those written since go to one leg only.
  if (flush_failed_ && switches_->failed_flush_remembered) return;
  // Nor is the region of a write that has failed, until the worker hears of it.
  if (unheard_failures_ > 0 && switches_->unheard_failure_remembered) {
    REACHED("a synchronisation ends while the worker has yet to hear of a failed write");
    return;
  }
  in_sync_ = true;
  legs_.forgive_all();
  if (switches_->self_sufficient) log_->keep_failed_legs({});
  ++failures_seen_;
  scheduler_.trace().emit(kTraceSync, actor_, log_->region_count());
  host_.event();
}

void MirrorSet::trace_recovery(std::uint64_t region, std::uint64_t phase) {
  scheduler_.trace().emit(kTraceRecover, actor_, region, phase);
}

void MirrorSet::recover(Region& region) {
  CHECK(copying_ == nullptr, region.index);
  const Sector first = region.index * log_->region_sectors();
  RegionCopier::Request request;
  request.sectors = std::min<std::uint64_t>(log_->region_sectors(), length() - first);
  request.ignore_errors = !handle_errors_;
  copying_ = &region;
  copy_source_ = legs_.default_index();
  for (native::Leg& leg : legs_.all()) {
    const RegionCopier::Place place{leg.device, leg.offset + first};
    if (leg.index == copy_source_) {
      request.from = place;
    } else {
      request.to[request.destinations++] = place;
    }
  }
  trace_recovery(region.index, phases_[0]);
  copier_.copy(request, &MirrorSet::on_copy_end, this);
}

// Interrupt context.
void MirrorSet::on_copy_end(void* context, const RegionCopier::Outcome& outcome) {
  MirrorSet& mirror = *static_cast<MirrorSet*>(context);
  Region& region = *mirror.copying_;
  mirror.copying_ = nullptr;
  mirror.trace_recovery(region.index, mirror.phases_[outcome.read_failed ? 2
                                                     : outcome.ok()      ? 1
                                                                         : 3]);
  std::vector<native::Leg>& legs = mirror.legs_.all();
  if (outcome.read_failed) {
    REACHED("the default leg cannot be read during recovery");
    mirror.fail_leg(legs[mirror.copy_source_], LegError::kSync, outcome.injected);
  }
  std::uint32_t destination = 0;
  for (native::Leg& leg : legs) {
    if (leg.index == mirror.copy_source_) continue;
    if ((outcome.failed_destinations >> destination++ & 1) != 0) {
      REACHED("a leg cannot be written during recovery");
      mirror.fail_leg(leg, LegError::kSync, outcome.injected);
    }
  }
  mirror.hash_.end_copy(region, outcome.ok());
}

}  // namespace dmsim::native
