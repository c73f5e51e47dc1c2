// Slabs: memory for small records of one type, kept for reuse, so that the life of a request costs no
// allocation. Addresses are stable. Outlives whoever draws from it; one per thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/check.h"

namespace dmsim {

// Record has a member `Record* next` that links free records and is the user's while it is live.
// Records are constructed once, with their slab, and handed out as they were given back.
template <typename Record>
class Slabs {
 public:
  Slabs() = default;
  ~Slabs() { CHECK(live_ == 0, live_); }  // every record must have come back
  Slabs(const Slabs&) = delete;
  Slabs& operator=(const Slabs&) = delete;

  Record* take() {
    if (free_ == nullptr) grow();
    Record* record = free_;
    free_ = record->next;
    record->next = nullptr;
    ++live_;
    return record;
  }
  void give_back(Record* record) {
    record->next = free_;
    free_ = record;
    --live_;
  }
  std::uint64_t live() const { return live_; }

 private:
  static constexpr std::size_t kSlabRecords = 64;
  void grow() {
    slabs_.push_back(std::make_unique<Record[]>(kSlabRecords));
    for (std::size_t i = kSlabRecords; i-- > 0;) {
      slabs_.back()[i].next = free_;
      free_ = &slabs_.back()[i];
    }
  }

  Record* free_ = nullptr;
  std::uint64_t live_ = 0;
  std::vector<std::unique_ptr<Record[]>> slabs_;
};

}  // namespace dmsim
