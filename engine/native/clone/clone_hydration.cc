// Hydrations: how a region comes to be valid on the destination, and who waits for it.
//
// A hydration is in `active_` from its beginning to the instant at which its bit is set: bios for the region
// queue up with it. Nothing in the life of a hydration blocks; what has to be submitted at its end goes by
// way of the worker.
#include <algorithm>

#include "base/reached.h"
#include "engine/native/clone/clone_set.h"

namespace dmsim::native {

CloneSet::Hydration* CloneSet::find_hydration(std::uint64_t region) const {
  for (Hydration* hydration : active_) {
    if (hydration->region == region) return hydration;
  }
  return nullptr;
}

CloneSet::Hydration& CloneSet::begin_hydration(std::uint64_t region) {
  Hydration* hydration = free_hydrations_;
  if (hydration == nullptr) {
    hydration = &hydrations_.emplace_back();
  } else {
    free_hydrations_ = hydration->next;
  }
  CHECK(hydration->deferred.empty());
  hydration->region = region;
  hydration->overwrite = nullptr;
  hydration->next = nullptr;
  active_.push_back(hydration);
  return *hydration;
}

// A write to a region that is not hydrated, addressed to the destination already.
void CloneSet::hydrate_for(TargetBio& bio) {
  const std::uint64_t region = region_of(bio.bio);
  if (Hydration* hydration = find_hydration(region)) {
    REACHED("a write meets a hydration of its region");
    hydration->deferred.push_back(bio.bio);
    return;
  }
  if (!writable()) return finish(bio, metadata_error());
  Hydration& hydration = begin_hydration(region);
  if (bio.bio.sectors == table_.region_sectors) return overwrite(hydration, bio);
  hydration.deferred.push_back(bio.bio);
  copy(hydration, 1, HydrationWay::kForWrite);
}

void CloneSet::overwrite(Hydration& hydration, TargetBio& bio) {
  hydration.overwrite = &bio;
  bio.words[kOverwrites] = hydration.region + 1;
  ++hydrations_in_flight_;
  scheduler_.trace().emit(kTraceHydrate, actor_, hydration.region, 1,
                          static_cast<std::uint64_t>(HydrationWay::kOverwrite));
  if (switches_->set_bit_time == SetBitTime::kStart) metadata_.note_changed(hydration.region);
  host_.submit(bio);
}

// Copies the regions of a batch, which follow each other.
void CloneSet::copy(Hydration& first, std::uint32_t regions, HydrationWay way) {
  const Sector from = range_of(first.region).begin;
  const Sector end = range_of(first.region + regions - 1).end;
  hydrations_in_flight_ += regions;
  scheduler_.trace().emit(kTraceHydrate, actor_, first.region, regions,
                          static_cast<std::uint64_t>(way));
  if (switches_->set_bit_time == SetBitTime::kStart) {
    for (const Hydration* at = &first; at != nullptr; at = at->next) {
      metadata_.note_changed(at->region);
    }
  }
  auto free = std::find_if(copies_.begin(), copies_.end(),
                           [](const Copy& each) { return each.batch == nullptr; });
  if (free == copies_.end()) {
    copies_.emplace_back(*this, env_.bios, env_.pages, actor_);
    free = std::prev(copies_.end());
  }
  free->batch = &first;
  RegionCopier::Request request;
  request.from = {table_.source, from};
  request.to[0] = {table_.destination, from};
  request.destinations = 1;
  request.sectors = end - from;
  free->copier.copy(request, &CloneSet::on_copied, &*free);
}

void CloneSet::on_copied(void* context, const RegionCopier::Outcome& outcome) {
  Copy& copy = *static_cast<Copy*>(context);
  copy.clone.copied(copy, outcome);
}

void CloneSet::copied(Copy& copy, const RegionCopier::Outcome& outcome) {
  Hydration* at = copy.batch;
  copy.batch = nullptr;
  BlockStatus status = BlockStatus::okay();
  if (!outcome.ok()) {
    REACHED("the copy of a clone's region fails");
    status = {BlockStatus::Code::kIoError, outcome.injected};
  }
  hydration_failing_ = !outcome.ok();
  while (at != nullptr) {
    Hydration* const next = at->next;
    end_hydration(*at, status);
    at = next;
  }
  // The background goes on at once while no user is at work.
  if (table_.hydration_enabled && ios_in_flight_ == 0) worker_.wake();
}

// The bit is set, then the hydration is forgotten, then whoever waited goes on.
void CloneSet::end_hydration(Hydration& hydration, BlockStatus status) {
  const std::uint64_t region = hydration.region;
  if (!status.ok() || !writable() || !metadata_.set_region_hydrated(region)) {
    if (status.ok()) status = metadata_error();
  }
  scheduler_.trace().emit(kTraceHydrated, actor_, region, status.ok());
  std::erase(active_, &hydration);
  if (status.ok()) {
    if (hydration.overwrite != nullptr) complete_overwrite(*hydration.overwrite);
    issue_deferred(hydration.deferred);
  } else {
    if (hydration.overwrite != nullptr) hydration.deferred.push_back(hydration.overwrite->bio);
    fail_all(hydration.deferred, status);
  }
  hydration.overwrite = nullptr;
  hydration.next = free_hydrations_;
  free_hydrations_ = &hydration;
  if (!deferred_discards_.empty()) worker_.wake();
  CHECK(hydrations_in_flight_ > 0);
  --hydrations_in_flight_;
  wake_if_stopped();
}

void CloneSet::wake_if_stopped() {
  if (hydrations_in_flight_ == 0) hydration_stopped_.wake_all();
}

// With FUA, only once the metadata know that the region is to be read from here. Linux looks at the bio for it that
// has been below, where the block layer takes FUA off if there is no cache.
void CloneSet::complete_overwrite(TargetBio& bio) {
  const OverwriteFua rule = switches_->overwrite_fua;
  const bool forgotten = rule == OverwriteFua::kAck || (rule == OverwriteFua::kForgottenBelow &&
                                                        !table_.destination->limits().volatile_cache);
  if (!bio.bio.fua || forgotten) return finish(bio, BlockStatus::okay());
  REACHED("the end of a FUA write of a whole region waits for the metadata");
  defer(deferred_completions_, bio);
}

void CloneSet::issue_deferred(BioList& bios) {
  if (bios.empty()) return;
  while (Bio* bio = bios.pop_front()) {
    (triggers_commit(*bio) ? deferred_flushes_ : deferred_bios_).push_back(*bio);
  }
  worker_.wake();
}

// Starts as many copies as the threshold allows, while no user is at work.
void CloneSet::hydrate_in_background() {
  if (!writable() || metadata_.hydration_done()) return;
  // Counts as one while it looks, so that a suspend waits for it.
  ++hydrations_in_flight_;
  Batch batch;
  while (!suspended_ && ios_in_flight_ == 0 && table_.hydration_enabled &&
         cursor_ < region_count()) {
    if (hydrations_in_flight_ + batch.regions > table_.hydration_threshold) break;
    cursor_ = start_next(cursor_, batch);
  }
  if (batch.first != nullptr) issue_batch(batch);
  if (cursor_ >= region_count()) cursor_ = 0;
  --hydrations_in_flight_;
  wake_if_stopped();
}

// Where to go on looking.
std::uint64_t CloneSet::start_next(std::uint64_t from, Batch& batch) {
  for (std::uint64_t region = metadata_.next_unhydrated(from); region < region_count();
       region = metadata_.next_unhydrated(region + 1)) {
    if (find_hydration(region) != nullptr) continue;
    add_to_batch(batch, begin_hydration(region));
    return region + 1;
  }
  return region_count();
}

void CloneSet::add_to_batch(Batch& batch, Hydration& hydration) {
  const std::uint32_t most = table_.hydration_batch_size;
  if (batch.first != nullptr) {
    const bool fits =
        batch.regions < most && batch.first->region + batch.regions == hydration.region;
    if (fits) {
      batch.last->next = &hydration;
      batch.last = &hydration;
      ++batch.regions;
    }
    if (batch.regions >= most || !fits) issue_batch(batch);
    if (fits) return;
  }
  batch = {&hydration, &hydration, 1};
  if (most <= 1) issue_batch(batch);
}

void CloneSet::issue_batch(Batch& batch) {
  copy(*batch.first, batch.regions, HydrationWay::kBackground);
  batch = {};
}

}  // namespace dmsim::native
