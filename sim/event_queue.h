// EventQueue: what is due when, totally ordered by (instant, order of scheduling).
//
// A radix heap over 64-bit instants with a short sorted front. Time never runs backwards here, so an
// event that lies beyond the front sits in the bucket of the highest bit in which its instant differs
// from `base_ns_`. When the front has run dry, the lowest bucket is next: if it is small it becomes the
// front as a whole, sorted; if not, it is spread over lower buckets around its earliest instant. The
// front covers every instant below `limit_ns_`; one that fills up is spread again.
//
// Buckets keep the order of arrival, and spreading and sorting keep it too: equal instants leave in the
// order they came, without storing a number for it. A push is one append, or an insertion among a few
// dozen; a pop is amortised over at most 64 moves. Capacity is kept: in steady state nothing is allocated.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <limits>
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
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }

  // Requires the instant of the last event popped <= event.at_ns < kNever.
  void push(const Event& event) {
    CHECK(event.at_ns >= floor_ns_, event.at_ns, floor_ns_);
    CHECK(event.at_ns < kNever);
    if (event.at_ns >= limit_ns_) {
      put(event);
    } else {
      put_in_front(event);
    }
    if (event.at_ns < next_ns_) next_ns_ = event.at_ns;
    ++size_;
  }

  // The instant of the next event; kNever when there is none.
  std::int64_t next_ns() const { return next_ns_; }

  // Requires !empty().
  Event pop() {
    CHECK(size_ > 0);
    if (head_ == front_.size()) refill();
    const Event event = front_[head_++];
    floor_ns_ = event.at_ns;
    --size_;
    if (head_ < front_.size()) {
      next_ns_ = front_[head_].at_ns;
    } else {
      front_.clear();
      head_ = 0;
      next_ns_ = occupied_ == 0 ? kNever : least_ns_[lowest_bucket()];
    }
    return event;
  }

  void clear();

 private:
  static constexpr std::size_t kBuckets = 64;  // [k]: bit k of the instant differs first
  // A bucket of at most kTakenWhole becomes the front as a whole; a front of kFrontMost is spread, if it
  // spans several instants. Both were measured (bench/, hold model): they decide the speed only.
  static constexpr std::size_t kTakenWhole = 24;
  static constexpr std::size_t kFrontMost = 48;

  std::size_t lowest_bucket() const { return static_cast<std::size_t>(std::countr_zero(occupied_)); }

  // Into its bucket. Requires event.at_ns >= limit_ns_.
  void put(const Event& event) {
    const auto bucket = static_cast<std::size_t>(
        63 - std::countl_zero(static_cast<std::uint64_t>(event.at_ns ^ base_ns_)));
    const std::uint64_t bit = std::uint64_t{1} << bucket;
    if ((occupied_ & bit) == 0 || event.at_ns < least_ns_[bucket]) least_ns_[bucket] = event.at_ns;
    occupied_ |= bit;
    buckets_[bucket].push_back(event);
  }
  // After everything that is due no later.
  void insert_sorted(const Event& event) {
    front_.push_back(event);
    std::size_t at = front_.size() - 1;
    while (at > head_ && front_[at - 1].at_ns > event.at_ns) {
      front_[at] = front_[at - 1];
      --at;
    }
    front_[at] = event;
  }
  void put_in_front(const Event& event) {
    if (front_.size() - head_ >= kFrontMost && limit_ns_ > floor_ns_ + 1) [[unlikely]] {
      spread_front();
      if (event.at_ns >= limit_ns_) return put(event);
    }
    // Room at the head is used up before the front grows.
    if (front_.size() == front_.capacity() && head_ > 0) close_gap();
    insert_sorted(event);
  }
  void refill();
  void spread(std::vector<Event>& events, std::size_t first);
  void spread_front();
  void close_gap();

  std::vector<Event> front_;    // from head_ on: sorted, everything below limit_ns_
  std::size_t head_ = 0;        // in front_: events before it are gone
  std::int64_t next_ns_ = kNever;
  std::int64_t limit_ns_ = 1;   // > floor_ns_
  std::int64_t floor_ns_ = 0;   // the instant of the last event popped; base_ns_ <= floor_ns_
  std::int64_t base_ns_ = 0;    // what buckets are relative to; shares the bits above them with floor_ns_
  std::uint64_t occupied_ = 0;  // bit k: buckets_[k] holds something
  std::size_t size_ = 0;
  std::array<std::int64_t, kBuckets> least_ns_{};  // of an occupied bucket: its earliest instant
  std::array<std::vector<Event>, kBuckets> buckets_;
  std::vector<Event> spare_;    // what is being spread; kept for its capacity
};

}  // namespace dmsim
