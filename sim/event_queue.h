// EventQueue: what is due when, totally ordered by (instant, order of scheduling).
//
// A radix heap over 64-bit instants: time never runs backwards here, so an event sits in the bucket
// of the highest bit in which its instant differs from the last one popped. Buckets keep the order
// of arrival, and spreading a bucket keeps it too: equal instants leave in the order they came,
// without storing a number for it. A push is one append; a pop is amortised over at most 64 moves.
// Buckets keep their capacity: in steady state nothing is allocated.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <vector>

#include "base/check.h"
#include "sim/time.h"

namespace dmsim {

using EventFunction = void (*)(void* context, std::uint64_t argument);

struct Event {
  std::int64_t at_ns;
  EventFunction function;
  void* context;
  std::uint64_t argument;
  std::uint64_t cause;  // trace id of what was running when it was scheduled
};

class EventQueue {
 public:
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }

  // Requires event.at_ns >= the instant of the last event popped.
  void push(const Event& event) {
    CHECK(event.at_ns >= last_ns_, event.at_ns, last_ns_);
    put(event);
    ++size_;
  }

  // The instant of the next event. Requires !empty().
  std::int64_t next_ns() const {
    if (head_ < buckets_[0].size()) return last_ns_;
    return least_ns_[static_cast<std::size_t>(std::countr_zero(occupied_)) + 1];
  }

  // Requires !empty().
  Event pop() {
    CHECK(size_ > 0);
    if (head_ == buckets_[0].size()) refill();
    const Event event = buckets_[0][head_++];
    --size_;
    if (head_ == buckets_[0].size()) {
      buckets_[0].clear();
      head_ = 0;
    }
    return event;
  }

  void clear();

 private:
  static constexpr std::size_t kBuckets = 65;  // [0]: due at last_ns_; [k]: bit k-1 differs first

  void put(const Event& event) {
    const auto bucket = static_cast<std::size_t>(
        64 - std::countl_zero(static_cast<std::uint64_t>(event.at_ns ^ last_ns_)));
    auto& line = buckets_[bucket];
    if (bucket > 0) {
      const std::uint64_t bit = std::uint64_t{1} << (bucket - 1);
      if ((occupied_ & bit) == 0 || event.at_ns < least_ns_[bucket]) least_ns_[bucket] = event.at_ns;
      occupied_ |= bit;
    }
    line.push_back(event);
  }
  void refill();

  std::array<std::vector<Event>, kBuckets> buckets_;
  std::array<std::int64_t, kBuckets> least_ns_{};  // of an occupied bucket: its earliest instant
  std::uint64_t occupied_ = 0;  // bit k: buckets_[k + 1] holds something
  std::size_t head_ = 0;        // in buckets_[0]: events before it are gone
  std::int64_t last_ns_ = 0;    // the instant of the last event popped
  std::size_t size_ = 0;
};

}  // namespace dmsim
