#include "engine/native/mirror/region_hash.h"

#include "base/reached.h"
#include "engine/native/mirror/mirror_trace.h"

namespace dmsim::native {
namespace {
constexpr std::size_t kGoneWord = 4;
}

RegionHash::RegionHash(DirtyLog& log, RegionHashOwner& owner, const LogSite& site)
    : log_(log),
      owner_(owner),
      switches_(site.switches),
      scheduler_(site.host.environment().scheduler),
      actor_(site.actor),
      by_index_(log.region_count(), nullptr),
      slots_(scheduler_, "a recovery slot of mirror " + site.host.device_name(), 0),
      stopped_(scheduler_, "recovery of mirror " + site.host.device_name()) {
  Trace& trace = scheduler_.trace();
  words_ = {trace.text("clean"), trace.text("dirty"), trace.text("nosync"),
            trace.text("recovering"), trace.text("gone")};
}

RegionState RegionHash::state(std::uint64_t region) const {
  if (const Region* entry = by_index_[region]; entry != nullptr) return entry->state;
  return log_.in_sync(region) ? RegionState::kClean : RegionState::kNosync;
}

void RegionHash::move(Region& region, RegionPlace place) {
  if (region.place == place) return;
  if (region.place != RegionPlace::kNowhere) {
    List& list = lists_[at(region.place)];
    (region.previous == nullptr ? list.first : region.previous->next) = region.next;
    (region.next == nullptr ? list.last : region.next->previous) = region.previous;
  }
  region.place = place;
  region.previous = nullptr;
  region.next = nullptr;
  if (place == RegionPlace::kNowhere) return;
  List& list = lists_[at(place)];
  region.previous = list.last;
  (list.last == nullptr ? list.first : list.last->next) = &region;
  list.last = &region;
}

void RegionHash::apply(Region& region, RegionEvent event) {
  const RegionConditions now{region.pending > 0, flush_failed_};
  const RegionStep step = next_step(region.state, region.place, event, now, switches_);
  if (step.state != region.state) {
    scheduler_.trace().emit(kTraceRegion, actor_, region.index,
                            words_[static_cast<std::size_t>(region.state)],
                            words_[static_cast<std::size_t>(step.state)], region.pending);
  }
  ++generation_;
  region.state = step.state;
  region.copy_spoiled |= step.spoil_copy;
  move(region, step.place);
  if (step.mark_dirty) log_.mark_region(region.index);
  if (step.abandon_recovery) finish_recovery(region, false);
}

Region& RegionHash::find_or_add(std::uint64_t index) {
  if (by_index_[index] != nullptr) return *by_index_[index];
  Region* region = free_;
  if (region != nullptr) {
    free_ = region->next;
    *region = Region{};
  } else {
    region = &storage_.emplace_back();
  }
  region->index = index;
  by_index_[index] = region;
  ++tracked_;
  if (log_.in_sync(index)) {
    region->state = RegionState::kClean;
    move(*region, RegionPlace::kCleanList);
  } else {
    region->state = RegionState::kNosync;
  }
  return *region;
}

void RegionHash::forget(Region& region) {
  CHECK(region.delayed.empty(), region.index);
  move(region, RegionPlace::kNowhere);
  scheduler_.trace().emit(kTraceRegion, actor_, region.index,
                          words_[static_cast<std::size_t>(region.state)], words_[kGoneWord],
                          region.pending);
  by_index_[region.index] = nullptr;
  --tracked_;
  ++generation_;
  region.next = free_;
  free_ = &region;
}

void RegionHash::begin_write(std::uint64_t index) {
  Region& region = find_or_add(index);
  ++region.pending;
  apply(region, RegionEvent::kWriteBegins);
}

void RegionHash::end_write(std::uint64_t index) {
  Region* region = by_index_[index];
  if (region == nullptr || region->pending == 0) {
    CHECK(may_lose_entries(), "a write ends in a region that knows of none", index);
    REACHED("a write ends whose region entry was lost");
    return;
  }
  --region->pending;
  ++generation_;
  if (region->state == RegionState::kNosync && switches_.nosync_entry == NosyncEntry::kFreeEarly) {
    forget(*region);
    owner_.wake_worker();
    return;
  }
  if (region->pending > 0) return;
  region->idle_since = scheduler_.now();
  apply(*region, RegionEvent::kLastWriteEnds);
  owner_.wake_worker();
}

void RegionHash::delay(std::uint64_t index, Bio& write) {
  Region* region = by_index_[index];
  if (region != nullptr && region->state == RegionState::kRecovering) {
    region->delayed.push_back(write);
    return;
  }
  // Its recovery ended while the worker was writing the log.
  BioList again;
  again.push_back(write);
  owner_.dispatch_delayed(again);
}

void RegionHash::write_failed(std::uint64_t index) {
  log_.set_region_sync(index, false);
  apply(find_or_add(index), RegionEvent::kWriteFailed);
}

// The log hears first; delayed writes go back into the queue before anybody who waits for
// recovery to stop is woken, so that a suspend finds them there.
void RegionHash::finish_recovery(Region& region, bool in_sync) {
  log_.set_region_sync(region.index, in_sync);
  owner_.dispatch_delayed(region.delayed);
  CHECK(in_flight_ > 0, region.index);
  if (--in_flight_ == 0) stopped_.wake_all();
  slots_.up();
}

void RegionHash::settle_recovered(Region& region) {
  const bool equal = !region.copy_spoiled;
  if (equal) log_.clear_region(region.index);
  finish_recovery(region, equal);
  if (equal && switches_.nosync_entry == NosyncEntry::kNeverReclaim) {
    apply(region, RegionEvent::kKept);
  } else {
    forget(region);
  }
}

void RegionHash::update_states(bool errors_handled) {
  while (Region* region = lists_[at(RegionPlace::kRecovered)].first) settle_recovered(*region);
  while (Region* region = lists_[at(RegionPlace::kCopyFailed)].first) {
    if (switches_.failed_recovery_is_synced) {
      settle_recovered(*region);
      continue;
    }
    // Without handle_errors the region counts as in sync, though never as clean: pvmove lives on
    // it.
    finish_recovery(*region, !errors_handled);
    forget(*region);
  }
  while (Region* region = lists_[at(RegionPlace::kCleanList)].first) {
    log_.clear_region(region->index);
    forget(*region);
  }
  log_.flush();  // a failure shows again when the next write needs the log
}

void RegionHash::age(Instant before) {
  while (Region* region = lists_[at(RegionPlace::kAging)].first) {
    if (region->idle_since > before) return;
    apply(*region, RegionEvent::kAged);
  }
}

bool RegionHash::choose_one() {
  const auto index = log_.next_resync_work();
  if (!index) return false;
  apply(find_or_add(*index), RegionEvent::kRecoveryChosen);
  return true;
}

void RegionHash::choose_recovery() {
  ++in_flight_;  // so that stop_recovery() cannot see 0 between a slot taken and its region chosen
  while (slots_.try_down()) {
    ++in_flight_;
    if (!choose_one()) {
      --in_flight_;
      slots_.up();
      break;
    }
  }
  if (--in_flight_ == 0) stopped_.wake_all();
}

Region* RegionHash::start_copy() {
  Region* region = lists_[at(RegionPlace::kQuiesced)].first;
  if (region == nullptr) return nullptr;
  apply(*region, RegionEvent::kCopyBegins);
  return region;
}

void RegionHash::end_copy(Region& region, bool success) {
  apply(region, success ? RegionEvent::kCopySucceeds : RegionEvent::kCopyFails);
  owner_.wake_worker();
}

void RegionHash::stop_recovery() {
  for (std::uint64_t i = 0; i < kMaxRecovery; ++i) slots_.down();
  wait_until(stopped_, [this] { return in_flight_ == 0; });
}

void RegionHash::start_recovery() {
  for (std::uint64_t i = 0; i < kMaxRecovery; ++i) slots_.up();
  owner_.wake_worker();
}

std::uint64_t RegionHash::leaked() const {
  std::uint64_t count = 0;
  for (const Region* region : by_index_) {
    if (region == nullptr || region->pending > 0) continue;
    const bool must_stay = region->state == RegionState::kNosync
                               ? flush_failed_ || !log_.in_sync(region->index)
                               : region->place == RegionPlace::kAging;
    if (!must_stay) ++count;
  }
  return count;
}

}  // namespace dmsim::native
