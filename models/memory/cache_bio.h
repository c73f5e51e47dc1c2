// CacheBio: a bio of a page cache with its segments inside, and the scope guards of the cache's fibers.
// Private to page_cache.cc and page_writeback.cc.
#pragma once

#include <array>

#include "models/memory/page_cache.h"

namespace dmsim {

// Owned by its cache, used again and again. A fiber that is unwound while it waits leaves its bio behind:
// nothing of a request lives on a stack.
struct CacheBio {
  static constexpr std::uint32_t kMaxPages = 32;

  Bio bio;
  PageCache* cache = nullptr;
  std::uint32_t page_count = 0;
  bool done = false;              // of a flush: its owner may look at bio.status
  CacheBio* next_spare = nullptr;
  std::array<CachedPage*, kMaxPages> pages;
  std::array<Segment, kMaxPages> segments;
};

class PageCache::Stay {
 public:
  explicit Stay(PageCache& cache) : cache_(cache) { ++cache_.fibers_inside_; }
  ~Stay() { --cache_.fibers_inside_; }
  Stay(const Stay&) = delete;
  Stay& operator=(const Stay&) = delete;

 private:
  PageCache& cache_;
};

class PageCache::Pin {
 public:
  Pin(PageCache& cache, CachedPage& page) : cache_(cache), page_(page) { ++page_.pins; }
  ~Pin() {
    // Dirty or clean, there is something that reclaim can now do about it.
    if (--page_.pins == 0) cache_.memory_.note_reclaimable();
  }
  Pin(const Pin&) = delete;
  Pin& operator=(const Pin&) = delete;

 private:
  PageCache& cache_;
  CachedPage& page_;
};

}  // namespace dmsim
