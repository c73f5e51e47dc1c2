// PageCache: the page cache of one block device.
//
// It promises what Linux's does for a block device's mapping: one frame per page; write(2) and mmap
// stores change the frame and set its dirty bit; writeback clears the dirty bit, then submits a bio on
// the very frame, so that a store may change a page while it is being written (and dirties it again).
// With stable pages, whoever wants to store waits until writeback has ended.
//
// All operations block and belong into a fiber. Offsets and sizes are bytes from the device's start.
// A range that reaches past the device's end is refused as a whole: ENOSPC for writes, EIO for reads.
//
// Errors, as in Linux: a page whose writeback failed is clean afterwards, nobody tries again. The cache
// remembers that there was an error; the next fsync of every file opened before returns it, once
// (errseq_t, Documentation/core-api/errseq.rst). A file opened later gets it too if nobody has seen it
// yet. A page whose read failed stays without content, and the next reader tries again.
//
// It does not model: readahead, background writeback by a dirty ratio and throttled writers (the bound
// of Memory has the same effect), a copy of a write(2) that is interrupted in the middle of a page,
// buffer heads smaller than a page (a partial write(2) always reads the whole page first).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "block/device.h"
#include "models/memory/memory.h"
#include "models/memory/page_index.h"
#include "models/options.h"
#include "sim/wait.h"

namespace dmsim {

struct CacheBio;

struct PageCacheOptions {
  std::uint32_t pages_per_bio = 32;     // contiguous dirty pages written by one bio, 1 to 32
  std::uint32_t writes_in_flight = 64;  // bios of writeback under way at once, >= 1
  bool fsync_locks_inode = false;       // as Linux before 2.6.35: one fsync at a time, and nobody resizes meanwhile
};

struct PageCacheStats {
  std::uint64_t hits = 0;
  std::uint64_t misses = 0;
  std::uint64_t pages_read = 0;
  std::uint64_t pages_written = 0;              // whose writeback began
  std::uint64_t write_bios = 0;
  std::uint64_t pages_failed = 0;               // whose writeback ended with an error
  std::uint64_t pages_reclaimed = 0;
  std::uint64_t redirtied_under_writeback = 0;  // the window of the 2008 fault
  std::uint64_t writers_blocked = 0;            // stores and writes that had to wait for writeback
  Duration writers_waited;                      // for writeback to end (stable pages)
};

// An open file description of the device: what it has already been told about write errors.
struct OpenFile {
  std::uint64_t errors_seen = 0;
};

class PageCache final : public Reclaimer {
 public:
  // `device` and the others outlive the cache. `actor` is who submits the cache's bios ("pagecache lv").
  // Stable pages are on if the memory's options or the device's limits ask for them.
  PageCache(Scheduler& scheduler, Memory& memory, PageSpace& pages, BlockDevice& device, Actor actor,
            PageCacheOptions options = {});
  // Only when no fiber is inside and no bio is under way, or after Scheduler::shut_down(). Dirty pages
  // are lost.
  ~PageCache();
  PageCache(const PageCache&) = delete;
  PageCache& operator=(const PageCache&) = delete;

  // read(2) and write(2). On an error some of the leading pages may have been read or changed.
  BlockStatus read(std::uint64_t offset, std::span<std::byte> out);
  BlockStatus write(std::uint64_t offset, std::span<const std::byte> bytes);
  // A store through a shared writable mapping: faults the page in, then changes it in place.
  BlockStatus store(std::uint64_t offset, std::span<const std::byte> bytes);

  // Writes all pages that are dirty now, waits for them and for pages under writeback, then flushes
  // the device. A write error not yet reported to `file` is reported, once, without the flush.
  BlockStatus fsync(OpenFile& file);
  // The same for whoever keeps no file of his own: all of them share one.
  BlockStatus fsync() { return fsync(shared_file_); }
  OpenFile open() const;
  // A write error not yet reported to `file`, once, without writing or flushing anything.
  BlockStatus check_error(OpenFile& file) { return report_error(file); }

  // One pass of writeback over pages dirtied before `dirtied_before`; waits for nothing but room.
  void write_back(Instant dirtied_before);
  // Writes all pages of the range that are dirty now and waits for the range's writeback, without a
  // flush; reports no errors (what O_DIRECT does first; fsync_dev for the whole device).
  void write_and_wait(SectorRange range);
  // A file system writes dirty pages of the range itself, one after the other, and takes their dirty marks off before:
  // meanwhile they are neither dirty nor under writeback, for whoever asks the cache (reiserfs in 2.4).
  BlockStatus write_unlisted(SectorRange range);
  // Drops every clean, idle page (what O_DIRECT does to the range it touches; BLKFLSBUF for all).
  void invalidate(SectorRange range);

  // The lock of the list that the device's inode comes onto with its first dirty page; null: there is no list.
  void list_under(SpinLock* lock) { dirty_lists_ = lock; }

  std::uint64_t dirty_pages() const { return index_.dirty_count(); }
  std::uint64_t resident_pages() const { return index_.count(); }
  std::uint64_t writes_in_flight() const { return bios_in_flight_; }
  const PageCacheStats& stats() const { return stats_; }
  BlockDevice& device() { return device_; }
  // Of the device's inode: what a change of its size takes.
  Mutex& inode_lock() { return inode_lock_; }
  Actor actor() const { return actor_; }

  // Reclaimer: frees up to `wanted` frames, cleaning dirty pages if `may_write`.
  std::uint64_t reclaim(std::uint64_t wanted, bool may_write) override;

 private:
  class Pin;   // keeps a page in the cache
  class Stay;  // counts a fiber that is inside
  struct Part {  // of a read or write: what falls into one page
    std::uint64_t page_number;
    std::uint32_t offset;
    std::uint32_t size;
  };
  struct PageRange {  // half-open
    std::uint64_t begin = 0;
    std::uint64_t end = PageIndex::kNone;
  };
  struct Selection {  // of dirty pages
    Instant dirtied_before = Instant::at_ns(INT64_MAX);
    std::uint64_t dirtied_as_at_most = UINT64_MAX;
  };
  enum class Change : std::uint8_t { kWrite, kStore };

  // Pages: page_cache.cc.
  BlockStatus change(std::uint64_t offset, std::span<const std::byte> bytes, Change how);
  BlockStatus change_part(const Part& part, const std::byte* bytes, Change how);
  BlockStatus fill(CachedPage& page);        // reads it unless it is up to date
  void wait_until_stable(CachedPage& page);  // returns at once unless stable pages are on
  void set_dirty(CachedPage& page);
  static Part first_part(std::uint64_t offset, std::size_t size);
  CachedPage& find_or_add(std::uint64_t page_number);  // blocks when a frame must be found
  CachedPage& add(std::uint64_t page_number);
  void drop(CachedPage& page);
  void relist(CachedPage& page);  // into or out of the idle list, after a change of state
  void unlist(CachedPage& page);
  std::uint64_t drop_idle(std::uint64_t wanted);
  bool within_device(std::uint64_t offset, std::size_t size) const;
  std::uint32_t valid_bytes(std::uint64_t page_number) const;  // fewer than a page at the device's end

  // Writeback: page_writeback.cc.
  enum class AlreadyUnderWriteback : std::uint8_t { kSkip, kWait };
  // Writes the range's dirty pages that are selected, in order.
  void write_pages(PageRange range, const Selection& selection, AlreadyUnderWriteback then);
  // Writes `first` and the selected dirty pages behind it by one bio; returns how many.
  std::uint32_t write_run(CachedPage& first, std::uint64_t end, const Selection& selection);
  bool writable(const CachedPage* page, const Selection& selection) const;
  // Starts writing dirty pages for reclaim, going round, until `wanted` are under way or room ends.
  void write_for_reclaim(std::uint64_t wanted);
  void submit_read(CachedPage& page);
  BlockStatus flush_device();
  CacheBio* take_bio();
  void give_back_bio(CacheBio* bio);
  static void read_ended(Bio& bio);
  static void write_ended(Bio& bio);
  static void flush_done(Bio& bio);
  void end_page_write(CachedPage& page, BlockStatus status, TraceId cause);
  TraceId cause_of(const Bio& bio) const;
  void write_and_wait_pages(PageRange range);
  void wait_for_writeback(PageRange range);
  bool has_room() const { return bios_in_flight_ < options_.writes_in_flight; }
  void remember_error(BlockStatus status);
  BlockStatus report_error(OpenFile& file);

  Scheduler& scheduler_;
  Memory& memory_;
  PageSpace& pages_;
  BlockDevice& device_;
  Actor actor_;
  PageCacheOptions options_;
  PageCacheStats stats_;
  PageIndex index_;
  std::vector<std::unique_ptr<CachedPage>> page_storage_;  // all pages ever made
  std::vector<CachedPage*> spare_pages_;
  std::vector<std::unique_ptr<CacheBio>> bio_storage_;     // all bios ever made
  CacheBio* spare_bios_ = nullptr;
  CachedPage* oldest_idle_ = nullptr;  // pages neither dirty nor under I/O, in order of use
  CachedPage* youngest_idle_ = nullptr;
  std::uint64_t dirtyings_ = 0;         // clean pages that became dirty, ever
  std::uint64_t reclaim_cursor_ = 0;    // page number from which reclaim goes on writing
  std::uint64_t bios_in_flight_ = 0;    // of writeback
  std::uint64_t write_bios_ended_ = 0;
  WaitQueue write_bio_ended_;
  WaitQueue flush_ended_;
  Mutex inode_lock_;
  SpinLock* dirty_lists_ = nullptr;     // not owned
  std::uint64_t fibers_inside_ = 0;
  std::uint64_t errors_ = 0;            // writeback bios that failed, ever
  bool last_error_seen_ = false;
  BlockStatus last_error_;
  OpenFile shared_file_;
};

}  // namespace dmsim
