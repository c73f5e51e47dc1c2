// Memory: the bounded page frames of the simulated machine, and who gives them back under pressure.
//
// Frames are counted, not stored: whoever holds a page (a page cache) has taken one frame for it. Three
// things happen as they run out, as in Linux: below the low mark kswapd is woken and reclaims in the
// background up to the high mark; when nothing is free the allocating fiber reclaims by itself (direct
// reclaim); when even that gives nothing it waits until a frame is freed or might have become
// reclaimable. Reclaimers are asked in the order of their registration, starting one further each time.
//
// It does not model zones, a reserve for whoever reclaims (nothing allocates a frame in order to free
// one here), swap, or an OOM killer: a world in which every frame stays pinned is stuck, and says so.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "models/options.h"
#include "sim/trace.h"
#include "sim/wait.h"

namespace dmsim {

// kswapd is woken: fewer frames are free than the low mark.
inline constexpr TraceKind kKswapdWoken{"memory.kswapd", {{{"free"}, {"low"}}}};
// Whoever needs a frame frees some itself.
inline constexpr TraceKind kDirectReclaim{"memory.reclaim", {{{"freed"}}}};
// Nothing can be reclaimed: an allocation waits for a frame of somebody else.
inline constexpr TraceKind kMemoryWait{"memory.wait", {}};

// Something that holds frames it could give up: a page cache.
class Reclaimer {
 public:
  // Gives back up to `wanted` frames, returns how many. May block if `may_write`: dirty pages are
  // written first.
  virtual std::uint64_t reclaim(std::uint64_t wanted, bool may_write) = 0;

 protected:
  ~Reclaimer() = default;
};

struct MemoryStats {
  std::uint64_t allocated = 0;
  std::uint64_t kswapd_wakes = 0;
  std::uint64_t kswapd_freed = 0;
  std::uint64_t direct_reclaims = 0;
  std::uint64_t direct_freed = 0;
  Duration allocators_waited;  // in direct reclaim and for somebody else's frame
};

// What an allocation waits for when nothing can be reclaimed, in the words of a wait.
inline constexpr std::string_view kWaitsForFrame = "a free page frame";

class Memory {
 public:
  // Requires options.pages >= 8 and low <= high <= pages, once zeroes are resolved.
  Memory(Scheduler& scheduler, MemoryOptions options);
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  void allocate();      // one frame; blocks
  bool try_allocate();  // one frame, without reclaim or waiting
  void free();          // one frame; anywhere
  // A held frame may have become reclaimable (unpinned, clean, writeback over). Anywhere; cheap when
  // nobody waits.
  void note_reclaimable();

  std::uint64_t free_pages() const { return free_; }
  std::uint64_t low_pages() const { return options_.low_pages; }    // resolved, never 0
  std::uint64_t high_pages() const { return options_.high_pages; }  // resolved, never 0
  const MemoryOptions& options() const { return options_; }         // marks resolved
  const MemoryStats& stats() const { return stats_; }

  // Who is freeing memory now, and may be waiting for it: in direct reclaim, or kswapd at work.
  const std::vector<Actor>& reclaiming() const { return reclaiming_; }
  // Not owned; removed before it dies.
  void add_reclaimer(Reclaimer& reclaimer);
  void remove_reclaimer(Reclaimer& reclaimer);
  // kswapd's life; runs in a daemon fiber of its own, for ever. See start_kswapd() in pdflush.h.
  void run_kswapd();

 private:
  void wake_kswapd();
  void balance();  // kswapd's work: reclaims up to the high mark, or until nothing can be done
  std::uint64_t reclaim(std::uint64_t wanted, bool may_write);
  std::uint64_t ask_reclaimers(std::uint64_t wanted, bool may_write);

  Scheduler& scheduler_;
  MemoryOptions options_;
  std::uint64_t free_;
  MemoryStats stats_;
  std::vector<Actor> reclaiming_;       // in order of beginning
  std::vector<Reclaimer*> reclaimers_;  // in order of registration
  std::size_t first_reclaimer_ = 0;     // where the next reclaim starts
  std::uint64_t progress_ = 0;          // frames freed and frames that became reclaimable, ever
  WaitQueue allocators_;                // fibers for which nothing could be reclaimed
  WaitQueue kswapd_;
  bool kswapd_woken_ = false;
};

}  // namespace dmsim
