// The daemons of memory: pdflush, which writes pages back once they are old enough, and kswapd.
//
// Both run for ever in daemon fibers. A run ends when its tasks have ended, whatever daemons do.
// With `nonblocking` it asks each device, before it writes to it, whether it is congested, and comes again at the next
// pass if so. It asks with the lock of the lists of dirty inodes held, which whoever dirties a clean device takes too.
//
// One pdflush serves all caches of a machine: it visits them in the order of their registration, and a
// cache whose device takes its time delays the ones behind it (Linux had several pdflush threads, later
// one flusher per device; their order among themselves is not modelled).
#pragma once

#include <vector>

#include "models/memory/page_cache.h"
#include "models/options.h"
#include "sim/scheduler.h"

namespace dmsim {

class Pdflush {
 public:
  // Requires options.interval > 0.
  Pdflush(Scheduler& scheduler, PdflushOptions options, Actor actor);
  Pdflush(const Pdflush&) = delete;
  Pdflush& operator=(const Pdflush&) = delete;

  // Not owned; must be removed before it dies. A cache that pdflush is writing back cannot be removed.
  void add(PageCache& cache);
  void remove(PageCache& cache);
  // Spawns the daemon's fiber. Once. The object outlives it: it dies after Scheduler::shut_down().
  void start();

  const PdflushOptions& options() const { return options_; }
  std::uint64_t passes() const { return passes_; }

 private:
  void run();
  bool passes_by(PageCache& cache);

  Scheduler& scheduler_;
  PdflushOptions options_;
  Actor actor_;
  SpinLock dirty_lists_;
  std::vector<PageCache*> caches_;  // in order of registration
  PageCache* visiting_ = nullptr;   // null: asleep
  std::uint64_t passes_ = 0;
  bool started_ = false;
};

// Spawns kswapd for `memory`, which outlives the fiber.
void start_kswapd(Scheduler& scheduler, Memory& memory, Actor actor);

}  // namespace dmsim
