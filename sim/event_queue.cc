#include "sim/event_queue.h"

#include <utility>

namespace dmsim {

// Fills the empty front from the lowest bucket that holds anything.
void EventQueue::refill() {
  const std::size_t lowest = lowest_bucket();
  auto& bucket = buckets_[lowest];
  base_ns_ = least_ns_[lowest];
  occupied_ &= occupied_ - 1;
  if (bucket.size() <= kTakenWhole) {
    // The bucket's range ends where the bits from `lowest` on would change. Bit 63 is the sign.
    const std::uint64_t below = (std::uint64_t{1} << lowest) - 1;
    const std::uint64_t last = static_cast<std::uint64_t>(base_ns_) | below;
    limit_ns_ = static_cast<std::int64_t>(last) == kNever ? kNever
                                                          : static_cast<std::int64_t>(last + 1);
    for (const Event& event : bucket) insert_sorted(event);
  } else {
    limit_ns_ = base_ns_ + 1;
    spread(bucket, 0);
  }
  bucket.clear();
}

// Every event from `first` on goes to a bucket around base_ns_, or to the front when it is due there.
// None goes back to the bucket that `events` is: it differs from base_ns_ in a lower bit now.
void EventQueue::spread(std::vector<Event>& events, std::size_t first) {
  for (std::size_t i = first; i < events.size(); ++i) {
    if (events[i].at_ns < limit_ns_) {
      front_.push_back(events[i]);
    } else {
      put(events[i]);
    }
  }
}

void EventQueue::spread_front() {
  std::swap(front_, spare_);
  const std::size_t first = std::exchange(head_, 0);
  front_.clear();
  base_ns_ = floor_ns_;
  limit_ns_ = floor_ns_ + 1;
  spread(spare_, first);
  spare_.clear();
}

void EventQueue::close_gap() {
  front_.erase(front_.begin(), front_.begin() + static_cast<std::ptrdiff_t>(head_));
  head_ = 0;
}

void EventQueue::clear() {
  for (auto& bucket : buckets_) bucket.clear();
  front_.clear();
  head_ = 0;
  next_ns_ = kNever;
  limit_ns_ = 1;
  floor_ns_ = 0;
  base_ns_ = 0;
  occupied_ = 0;
  size_ = 0;
}

}  // namespace dmsim
