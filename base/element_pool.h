// ElementPool: elements that are taken and given back all the time, without an allocation each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/check.h"

namespace dmsim {

// Elements kept for reuse. What is still out when the pool dies, dies with it: a world's bios under
// way end with the world.
template <typename Element>
class ElementPool {
 public:
  // Not reset: the taker sets every field that matters.
  Element& take() {
    if (free_.empty()) grow();
    Element* element = free_.back();
    free_.pop_back();
    ++live_;
    return *element;
  }
  void give_back(Element& element) {
    CHECK(live_ > 0);
    --live_;
    free_.push_back(&element);
  }
  std::uint64_t live() const { return live_; }

 private:
  static constexpr std::size_t kSlab = 64;
  void grow() {
    slabs_.push_back(std::make_unique<Element[]>(kSlab));
    free_.reserve(slabs_.size() * kSlab);
    for (std::size_t i = kSlab; i-- > 0;) free_.push_back(&slabs_.back()[i]);
  }

  std::vector<Element*> free_;
  std::vector<std::unique_ptr<Element[]>> slabs_;
  std::uint64_t live_ = 0;
};

}  // namespace dmsim
