#include "sim/event_queue.h"

#include <utility>

namespace dmsim {

// Spreads the lowest bucket that holds anything around its own least instant. Every event lands in
// a lower bucket than it left, the earliest ones in bucket 0.
void EventQueue::refill() {
  const auto lowest = static_cast<std::size_t>(std::countr_zero(occupied_)) + 1;
  auto& bucket = buckets_[lowest];
  last_ns_ = least_ns_[lowest];
  occupied_ &= occupied_ - 1;
  for (const Event& event : bucket) put(event);
  bucket.clear();
}

void EventQueue::clear() {
  for (auto& bucket : buckets_) bucket.clear();
  occupied_ = 0;
  head_ = 0;
  size_ = 0;
  last_ns_ = 0;
}

}  // namespace dmsim
