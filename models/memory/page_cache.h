// PageCache: the page cache of one block device.
//
// It promises what Linux's does for a block device's mapping: one frame per page; write(2) and mmap
// stores change the frame and set its dirty bit; writeback clears the dirty bit, then submits a bio on
// the very frame, so that a store may change a page while it is being written (and dirties it again).
// With stable pages, whoever wants to store waits until writeback has ended.
//
// All operations block and belong into a fiber. Offsets and sizes are bytes from the device's start.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "block/device.h"
#include "models/memory/memory.h"
#include "models/options.h"
#include "sim/wait.h"

namespace dmsim {

struct PageCacheStats {
  std::uint64_t hits = 0;
  std::uint64_t misses = 0;
  std::uint64_t pages_written = 0;
  std::uint64_t redirtied_under_writeback = 0;  // the window of the 2008 fault
  Duration writers_waited;                      // for writeback to end (stable pages)
};

class PageCache final : public Reclaimer {
 public:
  // `device` outlives the cache. `actor` is who submits the cache's bios ("pagecache lv").
  PageCache(Scheduler& scheduler, Memory& memory, PageSpace& pages, BlockDevice& device, Actor actor);
  ~PageCache();

  // read(2) and write(2).
  BlockStatus read(std::uint64_t offset, std::span<std::byte> out);
  BlockStatus write(std::uint64_t offset, std::span<const std::byte> bytes);
  // A store through a shared writable mapping: faults the page in, then changes it in place.
  BlockStatus store(std::uint64_t offset, std::span<const std::byte> bytes);
  // Writes all dirty pages of the range, waits for them and for pages under writeback, then flushes
  // the device. The first error since the last fsync is reported once, as Linux does.
  BlockStatus fsync();

  // One pass of writeback over pages dirtied before `dirtied_before`; waits for nothing but room.
  void write_back(Instant dirtied_before);
  // Drops every clean, idle page (what O_DIRECT does to the range it touches; BLKFLSBUF for all).
  void invalidate(SectorRange range);

  std::uint64_t dirty_pages() const;
  const PageCacheStats& stats() const { return stats_; }
  BlockDevice& device() { return device_; }

  // Reclaimer: frees up to `wanted` frames, cleaning dirty pages if `may_write`.
  std::uint64_t reclaim(std::uint64_t wanted, bool may_write) override;

 private:
  struct Page;
  BlockDevice& device_;
  PageCacheStats stats_;
  // The rest is the implementer's.
};

}  // namespace dmsim
