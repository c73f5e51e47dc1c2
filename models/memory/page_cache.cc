// The pages of a page cache: finding, filling, changing, dropping. What moves them to the device is in
// page_writeback.cc.
//
// A fiber holds at most one pin, and none while it asks for a frame: so pins alone can never exhaust
// memory in a way that waits for itself. Whatever blocks is followed by looking again: a page found
// before may be gone unless it is pinned, its state may have changed in any case.
#include "models/memory/page_cache.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "base/reached.h"
#include "models/memory/cache_bio.h"
#include "models/memory/cache_trace.h"

namespace dmsim {

PageCache::PageCache(Scheduler& scheduler, Memory& memory, PageSpace& pages, BlockDevice& device,
                     Actor actor, PageCacheOptions options)
    : scheduler_(scheduler),
      memory_(memory),
      pages_(pages),
      device_(device),
      actor_(actor),
      options_(options),
      write_bio_ended_(scheduler, "the end of a write of " + scheduler.trace().actors().name(actor)),
      flush_ended_(scheduler, "the end of a flush of " + scheduler.trace().actors().name(actor)),
      inode_lock_(scheduler, "the inode of " + device.name()) {
  CHECK(options_.pages_per_bio >= 1);
  CHECK(options_.pages_per_bio <= CacheBio::kMaxPages, options_.pages_per_bio);
  CHECK(options_.writes_in_flight >= 1);
  memory_.add_reclaimer(*this);
}

PageCache::~PageCache() {
  CHECK(fibers_inside_ == 0, fibers_inside_);
  memory_.remove_reclaimer(*this);
  for (std::uint64_t i = 0; i < index_.count(); ++i) memory_.free();
}

BlockStatus PageCache::read(std::uint64_t offset, std::span<std::byte> out) {
  const Stay stay(*this);
  if (!within_device(offset, out.size())) return BlockStatus::of(BlockStatus::Code::kIoError);
  while (!out.empty()) {
    scheduler_.preempt_point();
    const Part part = first_part(offset, out.size());
    CachedPage& page = find_or_add(part.page_number);
    const Pin pin(*this, page);
    const BlockStatus status = fill(page);
    if (!status.ok()) return status;
    std::memcpy(out.data(), page.frame.page().bytes() + part.offset, part.size);
    offset += part.size;
    out = out.subspan(part.size);
  }
  return BlockStatus::okay();
}

BlockStatus PageCache::write(std::uint64_t offset, std::span<const std::byte> bytes) {
  return change(offset, bytes, Change::kWrite);
}

BlockStatus PageCache::store(std::uint64_t offset, std::span<const std::byte> bytes) {
  return change(offset, bytes, Change::kStore);
}

BlockStatus PageCache::change(std::uint64_t offset, std::span<const std::byte> bytes, Change how) {
  const Stay stay(*this);
  if (!within_device(offset, bytes.size())) return BlockStatus::of(BlockStatus::Code::kNoSpace);
  while (!bytes.empty()) {
    scheduler_.preempt_point();
    const Part part = first_part(offset, bytes.size());
    const BlockStatus status = change_part(part, bytes.data(), how);
    if (!status.ok()) return status;
    offset += part.size;
    bytes = bytes.subspan(part.size);
  }
  return BlockStatus::okay();
}

BlockStatus PageCache::change_part(const Part& part, const std::byte* bytes, Change how) {
  CachedPage& page = find_or_add(part.page_number);
  const Pin pin(*this, page);
  // A write(2) of all of a page needs nothing of what the device holds; a store faults the page in
  // before anybody can know how much of it will be stored to.
  const bool whole = how == Change::kWrite && part.size >= valid_bytes(part.page_number);
  if (whole) {
    wait_until(page.wait, [&page] { return !page.locked; });
  } else {
    const BlockStatus status = fill(page);
    if (!status.ok()) return status;
  }
  wait_until_stable(page);
  CHECK(!page.locked, page.number);
  if (whole) {
    std::byte* content = nullptr;
    PageRef fresh = pages_.make(&content);
    std::memcpy(content, bytes, part.size);
    std::memset(content + part.size, 0, kPageBytes - part.size);
    page.frame.set(std::move(fresh));
    page.uptodate = true;
  } else {
    page.frame.store(pages_, part.offset, bytes, part.size);
  }
  scheduler_.trace().emit(how == Change::kStore ? kCacheStore : kCacheWrite,
                          scheduler_.current_actor(), static_cast<std::uint64_t>(actor_),
                          page.number, part.offset, part.size, page.frame.page().version());
  set_dirty(page);
  return BlockStatus::okay();
}

BlockStatus PageCache::fill(CachedPage& page) {
  if (page.uptodate) {
    ++stats_.hits;
    relist(page);
    return BlockStatus::okay();
  }
  ++stats_.misses;
  while (!page.uptodate) {
    if (page.locked) {
      REACHED("a second reader waits for the read that is under way");
      wait_until(page.wait, [&page] { return !page.locked; });
      continue;  // if that read failed, this reader tries by itself
    }
    submit_read(page);
    wait_until(page.wait, [&page] { return !page.locked; });
    if (!page.uptodate) return page.read_status;
  }
  return BlockStatus::okay();
}

void PageCache::wait_until_stable(CachedPage& page) {
  if (!page.writeback) return;
  if (!memory_.options().stable_pages && !device_.limits().stable_writes) return;
  REACHED("a writer waits for a stable page");
  const Instant began = scheduler_.now();
  ++stats_.writers_blocked;
  scheduler_.trace().emit(kCacheStableWait, scheduler_.current_actor(),
                          static_cast<std::uint64_t>(actor_), page.number,
                          page.frame.page().version());
  wait_until(page.wait, [&page] { return !page.writeback; });
  stats_.writers_waited = stats_.writers_waited + (scheduler_.now() - began);
}

void PageCache::set_dirty(CachedPage& page) {
  CHECK(page.uptodate, page.number);
  if (page.dirty) return;
  const bool joins_list = dirty_pages() == 0 && dirty_lists_ != nullptr;
  index_.set_dirty(page);
  page.dirtied_at = scheduler_.now();
  page.dirtied_as = ++dirtyings_;
  relist(page);
  if (page.writeback) {
    REACHED("a page is dirtied again while it is being written");
    ++stats_.redirtied_under_writeback;
  }
  scheduler_.trace().emit(kCacheDirty, scheduler_.current_actor(),
                          static_cast<std::uint64_t>(actor_), page.number,
                          page.frame.page().version(), page.writeback ? 1 : 0);
  if (joins_list) {
    dirty_lists_->lock();
    dirty_lists_->unlock();
  }
}

void PageCache::invalidate(SectorRange range) {
  const std::uint64_t end = (range.end + kPageSectors - 1) / kPageSectors;
  std::uint64_t number = range.begin / kPageSectors;
  while (CachedPage* page = index_.next(number, end)) {
    number = page->number + 1;
    if (page->reclaimable()) drop(*page);
  }
}

std::uint64_t PageCache::reclaim(std::uint64_t wanted, bool may_write) {
  const Stay stay(*this);
  const std::uint64_t freed = drop_idle(wanted);
  if (freed > 0 || !may_write) return freed;
  const std::uint64_t ended_before = write_bios_ended_;
  write_for_reclaim(wanted);
  wait_until(write_bio_ended_, [this, ended_before] {
    return bios_in_flight_ == 0 || write_bios_ended_ != ended_before;
  });
  return drop_idle(wanted);
}

std::uint64_t PageCache::drop_idle(std::uint64_t wanted) {
  std::uint64_t dropped = 0;
  for (CachedPage* page = oldest_idle_; page != nullptr && dropped < wanted;) {
    CachedPage* const next = page->younger;
    if (page->reclaimable()) {
      scheduler_.trace().emit(kCacheReclaimed, scheduler_.current_actor(),
                              static_cast<std::uint64_t>(actor_), page->number);
      drop(*page);
      ++dropped;
    }
    page = next;
  }
  stats_.pages_reclaimed += dropped;
  return dropped;
}

CachedPage& PageCache::find_or_add(std::uint64_t page_number) {
  if (CachedPage* page = index_.find(page_number)) return *page;
  memory_.allocate();
  if (CachedPage* page = index_.find(page_number)) {
    REACHED("somebody else added the page while a frame was being found");
    memory_.free();
    return *page;
  }
  return add(page_number);
}

CachedPage& PageCache::add(std::uint64_t page_number) {
  if (spare_pages_.empty()) {
    page_storage_.push_back(std::make_unique<CachedPage>(scheduler_));
    page_storage_.back()->wait.holder = actor_;
    spare_pages_.reserve(page_storage_.size());
    spare_pages_.push_back(page_storage_.back().get());
  }
  CachedPage& page = *spare_pages_.back();
  spare_pages_.pop_back();
  CHECK(page.frame.empty());
  CHECK(page.pins == 0, page.pins);
  page.number = page_number;
  page.wait.page_number = page_number;
  index_.insert(page);
  relist(page);
  return page;
}

void PageCache::drop(CachedPage& page) {
  CHECK(page.reclaimable(), page.number);
  CHECK(page.wait.empty(), page.number);
  CHECK(page.frame.writes_in_flight == 0, page.number);
  unlist(page);
  index_.erase(page);
  page.frame.set(PageRef());
  page.frame.observer = nullptr;
  page.uptodate = false;
  spare_pages_.push_back(&page);
  memory_.free();
}

void PageCache::relist(CachedPage& page) {
  unlist(page);
  if (page.locked || page.dirty || page.writeback) return;
  page.idle_listed = true;
  page.older = youngest_idle_;
  page.younger = nullptr;
  (youngest_idle_ == nullptr ? oldest_idle_ : youngest_idle_->younger) = &page;
  youngest_idle_ = &page;
}

void PageCache::unlist(CachedPage& page) {
  if (!page.idle_listed) return;
  page.idle_listed = false;
  (page.older == nullptr ? oldest_idle_ : page.older->younger) = page.younger;
  (page.younger == nullptr ? youngest_idle_ : page.younger->older) = page.older;
}

PageCache::Part PageCache::first_part(std::uint64_t offset, std::size_t size) {
  const auto in_page = static_cast<std::uint32_t>(offset % kPageBytes);
  const auto part = std::min<std::uint64_t>(size, kPageBytes - in_page);
  return {offset / kPageBytes, in_page, static_cast<std::uint32_t>(part)};
}

bool PageCache::within_device(std::uint64_t offset, std::size_t size) const {
  const std::uint64_t device_bytes = device_.sectors() * kSectorBytes;
  return offset <= device_bytes && size <= device_bytes - offset;
}

std::uint32_t PageCache::valid_bytes(std::uint64_t page_number) const {
  const std::uint64_t device_bytes = device_.sectors() * kSectorBytes;
  const std::uint64_t begin = page_number * kPageBytes;
  if (begin >= device_bytes) return 0;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(kPageBytes, device_bytes - begin));
}

}  // namespace dmsim
