// Discards: whole regions become hydrated without a copy; what is less than a region is left alone.
#include <utility>

#include "base/reached.h"
#include "engine/native/clone/clone_set.h"

namespace dmsim::native {

CloneSet::RegionRange CloneSet::whole_regions(const Bio& bio) const {
  const std::uint64_t size = table_.region_sectors;
  const std::uint64_t first = (bio.sector + size - 1) / size;
  const std::uint64_t end = (bio.sector + bio.sectors) / size;
  return {first, first < end ? end - first : 0};
}

MapResult CloneSet::discard(TargetBio& bio) {
  const RegionRange range = whole_regions(bio.bio);
  bio.device = table_.destination;
  if (range.count == 0) {
    const std::uint64_t size = table_.region_sectors;
    const bool inside_one = bio.bio.sector / size == (bio.bio.sector + bio.bio.sectors) / size &&
                            bio.bio.sector % size != 0;
    if (switches_->partial_discard == PartialDiscard::kWrongRange && inside_one) {
      // The length wraps around: close to 4 GiB from the next region on, which no device here has.
      REACHED("a discard within one region of a clone is passed down with a wrong range");
      finish(bio, BlockStatus::of(BlockStatus::Code::kIoError));
    } else {
      finish(bio, BlockStatus::okay());
    }
    return MapResult::kSubmitted;
  }
  CHECK(range.first + range.count <= region_count(), range.first, range.count);
  if (metadata_.is_range_hydrated(range.first, range.count)) {
    complete_discard(bio, range, true);
  } else if (!writable()) {
    finish(bio, BlockStatus::okay());  // a discard is a hint
  } else {
    defer(deferred_discards_, bio);
  }
  return MapResult::kSubmitted;
}

// A copy under way would overwrite what users write once the region counts as hydrated.
bool CloneSet::waits_for_copy(const RegionRange& range) const {
  if (!switches_->discard_waits) return false;
  for (const Hydration* hydration : active_) {
    if (range.first <= hydration->region && hydration->region < range.first + range.count) return true;
  }
  return false;
}

void CloneSet::process_discards() {
  BioList discards = std::exchange(deferred_discards_, {});
  BioList ready;
  bool ok = writable();
  while (Bio* bio = discards.pop_front()) {
    const RegionRange range = whole_regions(*bio);
    if (ok && waits_for_copy(range)) {
      REACHED("a discard waits for a copy of its region");
      deferred_discards_.push_back(*bio);  // the end of a hydration wakes the worker
      continue;
    }
    for (std::uint64_t i = 0; ok && i < range.count; ++i) {
      const std::uint64_t region = range.first + i;
      if (metadata_.is_hydrated(region)) continue;
      ok = metadata_.set_region_hydrated(region);
      if (!ok) break;
      scheduler_.trace().emit(kTraceHydrate, actor_, region, 1,
                              static_cast<std::uint64_t>(HydrationWay::kDiscard));
      scheduler_.trace().emit(kTraceHydrated, actor_, region, 1);
    }
    ready.push_back(*bio);
  }
  while (Bio* bio = ready.pop_front()) {
    complete_discard(target_bio_of(*bio), whole_regions(*bio), ok);
  }
}

void CloneSet::complete_discard(TargetBio& bio, const RegionRange& range, bool ok) {
  if (!ok || !table_.discard_passdown) return finish(bio, BlockStatus::okay());
  bio.bio.sector = range.first * table_.region_sectors;
  bio.bio.sectors = static_cast<std::uint32_t>(range.count * table_.region_sectors);
  host_.submit(bio);
}

}  // namespace dmsim::native
