// Bounce copies (mirror.buffer=bounce): a write's pages are copied once, and all legs are written
// from the copy, so that they are equal whatever happens to the pages meanwhile.
//
// The copy takes no lock. Each page is copied in two halves, and the copying fiber may lose the CPU
// between them: a store that falls there leaves a torn page, equal on all legs, that no version of
// the page ever was (fault mir-torn-bounce). A page that did not change meanwhile is shared, not
// copied, which nobody can tell from a copy.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "block/bio.h"
#include "sim/scheduler.h"

namespace dmsim::native {

// How long the copying fiber is off the CPU between two halves of a page: 0, 1, 10 or 100 us.
inline constexpr ChoicePoint kBouncePause{"mirror.bounce_pause"};

struct BounceBuffer {
  std::vector<Frame> frames;      // one for each piece of the write
  std::vector<Segment> segments;  // the write's data, in order
  std::uint32_t segment_count = 0;
  BounceBuffer* next = nullptr;  // in the free list
};

class BouncePool {
 public:
  BouncePool(Scheduler& scheduler, PageSpace& pages, Actor actor)
      : scheduler_(scheduler), pages_(pages), actor_(actor) {}
  BouncePool(const BouncePool&) = delete;
  BouncePool& operator=(const BouncePool&) = delete;

  // The data of `write`, copied as of now or soon. Blocks. Released by release().
  BounceBuffer& copy(const Bio& write);
  void release(BounceBuffer& buffer);
  std::uint64_t in_use() const { return in_use_; }
  std::uint64_t bytes_copied() const { return bytes_copied_; }

 private:
  BounceBuffer& take();
  PageRef copy_piece(const DataPiece& piece, bool* torn);
  void pause();

  Scheduler& scheduler_;
  PageSpace& pages_;
  Actor actor_;
  std::deque<BounceBuffer> storage_;
  BounceBuffer* free_ = nullptr;
  std::uint64_t in_use_ = 0;
  std::uint64_t bytes_copied_ = 0;
};

}  // namespace dmsim::native
