// WriteCache: the volatile write-back cache of a disk, as a log of what was written since it was last
// made durable.
//
// A real cache holds one version of a sector; this log holds every version that the cache may have
// passed on to the media by itself, because each of them may be what a power cut leaves behind. It
// takes part in a transfer as well: data that has moved but whose write is not complete is in the log,
// not yet durable, and durability of write-through disks and FUA writes is an entry made durable when
// its write completes.
//
// Promises:
// - current content of a page is media overlaid by its entries, oldest to newest;
// - making an entry durable drops the older entries of its sectors: they can no longer come to light;
// - a flush makes durable exactly what had completed at its barrier.
// At most kMostVersions versions of a page are kept; the oldest then goes to the media, as any cache
// may do at any time.
#pragma once

#include <cstdint>
#include <vector>

#include "block/page.h"
#include "models/disk/image.h"
#include "models/disk/pool.h"
#include "sim/trace.h"

namespace dmsim {

struct DirtyPage;

// One version of some sectors of one page.
struct CachedWrite {
  CachedWrite* next = nullptr;       // in the list of its request, while in flight
  CachedWrite* older = nullptr;      // among the versions of its page
  CachedWrite* newer = nullptr;
  CachedWrite* log_before = nullptr; // among completed entries, in order of completion
  CachedWrite* log_after = nullptr;
  DirtyPage* page = nullptr;         // null: superseded or made durable while in flight
  PageRef content;                   // a whole page; the sectors of `mask` are this write's
  TraceId submit = 0;
  std::uint64_t completed = 0;       // the completion's number, from 1; 0: in flight
  std::uint8_t mask = 0;             // sectors not superseded
  bool fua = false;
};

// A page with entries in the log.
struct DirtyPage {
  DirtyPage* next = nullptr;
  std::uint64_t index = 0;
  PageRef current;                   // media overlaid by all versions
  CachedWrite* oldest = nullptr;     // never null while in use
  CachedWrite* newest = nullptr;
  std::uint32_t versions = 0;
  std::uint32_t position = 0;        // in WriteCache::dirty()
  std::uint8_t mask = 0;             // union over the versions
};

struct WriteCachePool {
  Slabs<CachedWrite> writes;
  Slabs<DirtyPage> pages;
};

class WriteCache {
 public:
  static constexpr std::uint32_t kMostVersions = 16;

  // All outlive the cache. `media` is where durable content goes.
  WriteCache(WriteCachePool& pool, PageSpace& space, Image& media);
  ~WriteCache();
  WriteCache(const WriteCache&) = delete;
  WriteCache& operator=(const WriteCache&) = delete;

  // The newest content of a page, wherever it is.
  const PageRef& current(std::uint64_t index) const {
    const DirtyPage* page = find(index);
    return page != nullptr ? page->current : media_.page(index);
  }
  // The log's record of a page; null: nothing of it is cached.
  const DirtyPage* find(std::uint64_t index) const;
  // All records, in an order that depends on history alone.
  const std::vector<DirtyPage*>& dirty() const { return dirty_; }
  std::uint64_t dirty_sectors() const { return dirty_sectors_; }
  // The number of the latest completion: what a flush submitted now must reach.
  std::uint64_t barrier() const { return completions_; }

  // A transfer has moved new content for the sectors of `mask`. The caller keeps the entry, linked by
  // `next`, until it hands it to complete() or complete_durably().
  // `content` is the page's current content with those sectors replaced.
  CachedWrite* put(std::uint64_t index, std::uint8_t mask, PageRef content, TraceId submit, bool fua);
  // The write of `first` and all linked to it has completed: into the cache, or onto the media.
  void complete(CachedWrite* first);
  void complete_durably(CachedWrite* first);
  // The request of `first` and all linked to it is forgotten (teardown): their content is lost.
  void abandon(CachedWrite* first);
  // Makes durable what completed up to `barrier`.
  void flush(std::uint64_t barrier);
  // Writes one dirty page's newest content to the media.
  void evict(DirtyPage& page);
  // Writes that went to the media because a page had kMostVersions.
  std::uint64_t overflowed() const { return overflowed_; }

 private:
  DirtyPage* add_page(std::uint64_t index);
  std::uint64_t bucket_of(std::uint64_t index) const {
    return mix_words(index, 1) & (table_.size() - 1);
  }
  void grow_table();
  void remove_page(DirtyPage* page);
  void make_durable(CachedWrite* write);
  void supersede_older(CachedWrite* write);
  void unlink_version(CachedWrite* write);
  void unlink_log(CachedWrite* write);
  void append_log(CachedWrite* write);
  void refresh_mask(DirtyPage* page);
  void release(CachedWrite* write);

  WriteCachePool& pool_;
  PageSpace& space_;
  Image& media_;
  std::vector<DirtyPage*> table_;   // chained hash by page index, only looked up, never iterated
  std::vector<DirtyPage*> dirty_;
  CachedWrite* log_first_ = nullptr;
  CachedWrite* log_last_ = nullptr;
  std::uint64_t completions_ = 0;
  std::uint64_t dirty_sectors_ = 0;
  std::uint64_t overflowed_ = 0;
};

}  // namespace dmsim
