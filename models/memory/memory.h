// Memory: the bounded page frames of the simulated machine, and who gives them back under pressure.
#pragma once

#include <cstdint>
#include <vector>

#include "models/options.h"
#include "sim/wait.h"

namespace dmsim {

// Something that holds frames it could give up: a page cache.
class Reclaimer {
 public:
  // Gives back up to `wanted` frames, returns how many. May block if `may_write`: dirty pages are
  // written first.
  virtual std::uint64_t reclaim(std::uint64_t wanted, bool may_write) = 0;

 protected:
  ~Reclaimer() = default;
};

// Frames are counted, not stored. allocate() wakes kswapd below the low mark, reclaims directly when
// nothing is free, and waits for somebody to free a frame when even that gives nothing.
class Memory {
 public:
  Memory(Scheduler& scheduler, MemoryOptions options);

  void allocate();      // one frame; blocks
  bool try_allocate();  // one frame, without reclaim or waiting
  void free();          // one frame
  std::uint64_t free_pages() const { return free_; }
  const MemoryOptions& options() const { return options_; }

  void add_reclaimer(Reclaimer& reclaimer);
  void remove_reclaimer(Reclaimer& reclaimer);
  // kswapd's life; runs in a daemon fiber of its own, for ever.
  void run_kswapd();

 private:
  MemoryOptions options_;
  std::uint64_t free_;
  // The rest is the implementer's.
};

}  // namespace dmsim
