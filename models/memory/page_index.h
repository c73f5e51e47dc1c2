// CachedPage and PageIndex: what a page cache knows of each page, and how it finds them by number.
//
// The index is a table of leaves of 512 pages, each with a bitmap per tag (present, dirty, under
// writeback): lookup is two loads, and the pages of a tag are visited in order of their numbers without
// looking at the others. Leaves are made on demand and kept.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "block/bio.h"
#include "sim/wait.h"

namespace dmsim {

// Who waits for a page: for its read or its writeback to end. Worded only when asked.
class PageWait final : public WaitQueue {
 public:
  explicit PageWait(Scheduler& scheduler) : WaitQueue(scheduler, {}) {}
  std::string describe_wait() const override;
  Actor held_by() const override { return holder; }

  std::uint64_t page_number = 0;
  bool reading = false;
  Actor holder = Actor::kNobody;  // the cache
};

// States: `locked` (being read) excludes uptodate, dirty and writeback. Dirty requires uptodate.
// Writeback and dirty together: it was stored to while being written.
struct CachedPage {
  explicit CachedPage(Scheduler& scheduler) : wait(scheduler) {}

  Frame frame;
  std::uint64_t number = 0;     // in pages from the device's start
  std::uint32_t pins = 0;       // fibers that hold a reference
  bool uptodate = false;        // the frame holds the page's content
  bool locked = false;          // being read
  bool dirty = false;           // changed by PageIndex only, like the next
  bool writeback = false;       // being written
  std::uint64_t writebacks = 0; // begun, ever: tells one from the next
  Instant dirtied_at;           // valid while dirty
  std::uint64_t dirtied_as = 0; // number of the dirtying; valid while dirty
  BlockStatus read_status;      // of the last read
  PageWait wait;
  bool idle_listed = false;
  CachedPage* older = nullptr;  // in the list of idle pages
  CachedPage* younger = nullptr;

  bool reclaimable() const { return pins == 0 && !locked && !writeback && !dirty; }
};

class PageIndex {
 public:
  static constexpr std::uint64_t kNone = ~std::uint64_t{0};

  CachedPage* find(std::uint64_t number) const {
    const std::uint64_t leaf = number / kLeafPages;
    if (leaf >= leaves_.size() || leaves_[leaf] == nullptr) return nullptr;
    return leaves_[leaf]->pages[number % kLeafPages];
  }
  void insert(CachedPage& page);  // under page.number, which must be free
  void erase(CachedPage& page);   // must be clean and not under writeback
  void set_dirty(CachedPage& page);
  void clear_dirty(CachedPage& page);
  void set_writeback(CachedPage& page);
  void clear_writeback(CachedPage& page);

  // The page with the lowest number in [from, end) that is present / dirty / under writeback; null: none.
  CachedPage* next(std::uint64_t from, std::uint64_t end = kNone) const;
  CachedPage* next_dirty(std::uint64_t from, std::uint64_t end = kNone) const;
  CachedPage* next_writeback(std::uint64_t from, std::uint64_t end = kNone) const;

  std::uint64_t count() const { return counts_[kPresent]; }
  std::uint64_t dirty_count() const { return counts_[kDirty]; }
  std::uint64_t writeback_count() const { return counts_[kWriteback]; }

 private:
  static constexpr std::uint64_t kLeafPages = 512;
  enum Tag : std::size_t { kPresent, kDirty, kWriteback, kTags };
  struct Leaf {
    std::array<CachedPage*, kLeafPages> pages{};
    std::array<std::array<std::uint64_t, kLeafPages / 64>, kTags> bitmaps{};
  };
  void set_tag(Tag tag, std::uint64_t number);
  void clear_tag(Tag tag, std::uint64_t number);
  CachedPage* next_tagged(Tag tag, std::uint64_t from, std::uint64_t end) const;

  std::vector<std::unique_ptr<Leaf>> leaves_;  // [number / kLeafPages]; null: nothing there yet
  std::array<std::uint64_t, kTags> counts_{};  // pages per tag
};

}  // namespace dmsim
