// How pages travel between a page cache and its device: read, writeback, fsync and its errors.
//
// Writeback of a page is: clear its dirty bit, mark it as under writeback, submit a bio on its own frame.
// In this order: a store that comes later finds a clean page and dirties it again, so that it is never
// lost. Contiguous pages go out as one bio. Whoever walks over pages here does it by number and looks
// again after each step that may have blocked (room, submit).
#include <algorithm>
#include <optional>

#include "base/check.h"
#include "base/reached.h"
#include "models/memory/cache_bio.h"
#include "models/memory/cache_trace.h"
#include "models/memory/page_cache.h"

namespace dmsim {

OpenFile PageCache::open() const {
  // An error that nobody has seen yet is still news to a file opened after it.
  return {errors_ > 0 && !last_error_seen_ ? errors_ - 1 : errors_};
}

void PageCache::remember_error(BlockStatus status) {
  ++errors_;
  last_error_ = status;
  last_error_seen_ = false;
}

BlockStatus PageCache::report_error(OpenFile& file) {
  CHECK(file.errors_seen <= errors_, file.errors_seen, errors_);
  if (file.errors_seen == errors_) return BlockStatus::okay();
  file.errors_seen = errors_;
  last_error_seen_ = true;
  return last_error_;
}

BlockStatus PageCache::fsync(OpenFile& file) {
  const Stay stay(*this);
  const Actor who = scheduler_.current_actor();
  const auto cache = static_cast<std::uint64_t>(actor_);
  scheduler_.trace().emit(kCacheFsync, who, cache, index_.dirty_count());
  std::optional<MutexGuard> inode;
  if (options_.fsync_locks_inode) inode.emplace(inode_lock_);
  write_and_wait_pages({});
  BlockStatus status = report_error(file);
  if (status.ok()) status = flush_device();
  scheduler_.trace().emit(kCacheFsynced, who, cache, static_cast<std::uint64_t>(status.code));
  return status;
}

void PageCache::write_back(Instant dirtied_before) {
  const Stay stay(*this);
  Selection selection;
  selection.dirtied_before = dirtied_before;
  write_pages({}, selection, AlreadyUnderWriteback::kSkip);
}

void PageCache::write_and_wait(SectorRange range) {
  const Stay stay(*this);
  write_and_wait_pages(
      {range.begin / kPageSectors, (range.end + kPageSectors - 1) / kPageSectors});
}

BlockStatus PageCache::write_unlisted(SectorRange range) {
  const Stay stay(*this);
  const std::uint64_t end = (range.end + kPageSectors - 1) / kPageSectors;
  BlockStatus status;
  for (std::uint64_t number = range.begin / kPageSectors; number < end && status.ok(); ++number) {
    CachedPage* const page = index_.find(number);
    if (!writable(page, {})) continue;
    const Pin pin(*this, *page);
    index_.clear_dirty(*page);
    scheduler_.trace().emit(kCacheUnlisted, scheduler_.current_actor(), static_cast<std::uint64_t>(actor_), number,
                            page->frame.page().version());
    CacheBio* const out = take_bio();
    out->page_count = 1;
    out->pages[0] = page;
    out->segments[0] = {&page->frame, nullptr, 0, valid_bytes(number)};
    out->bio.op = Op::kWrite;
    out->bio.sector = number * kPageSectors;
    out->bio.sectors = out->segments[0].length / kSectorBytes;
    out->bio.segments = out->segments.data();
    out->bio.segment_count = 1;
    out->bio.end_io = &PageCache::flush_done;
    device_.submit(out->bio);
    wait_until(flush_ended_, [out] { return out->done; });
    status = out->bio.status;
    give_back_bio(out);
    if (!status.ok()) remember_error(status);
    relist(*page);
  }
  return status;
}

void PageCache::write_and_wait_pages(PageRange range) {
  // Pages dirtied from here on are not ours: a busy writer cannot keep us for ever.
  Selection selection;
  selection.dirtied_as_at_most = dirtyings_;
  write_pages(range, selection, AlreadyUnderWriteback::kWait);
  wait_for_writeback(range);
}

void PageCache::write_pages(PageRange range, const Selection& selection,
                            AlreadyUnderWriteback then) {
  while (CachedPage* page = index_.next_dirty(range.begin, range.end)) {
    range.begin = page->number;
    if (page->dirtied_at >= selection.dirtied_before ||
        page->dirtied_as > selection.dirtied_as_at_most ||
        (page->writeback && then == AlreadyUnderWriteback::kSkip)) {
      ++range.begin;
    } else if (page->writeback) {
      REACHED("fsync waits to write a page that was dirtied under writeback");
      const Pin pin(*this, *page);
      wait_until(page->wait, [page] { return !page->writeback; });
    } else if (!has_room()) {
      REACHED("writeback waits for room");
      wait_until(write_bio_ended_, [this] { return has_room(); });
    } else {
      range.begin += write_run(*page, range.end, selection);
    }
  }
}

void PageCache::write_for_reclaim(std::uint64_t wanted) {
  std::uint64_t started = 0;
  bool wrapped = false;
  while (started < wanted && has_room()) {
    CachedPage* page = index_.next_dirty(reclaim_cursor_);
    if (page == nullptr) {
      if (wrapped) return;
      wrapped = true;
      reclaim_cursor_ = 0;
      continue;
    }
    reclaim_cursor_ = page->number + 1;
    if (!page->writeback) started += write_run(*page, PageIndex::kNone, {});
  }
}

bool PageCache::writable(const CachedPage* page, const Selection& selection) const {
  return page != nullptr && page->dirty && !page->writeback &&
         page->dirtied_at < selection.dirtied_before &&
         page->dirtied_as <= selection.dirtied_as_at_most;
}

std::uint32_t PageCache::write_run(CachedPage& first, std::uint64_t end,
                                   const Selection& selection) {
  CHECK(writable(&first, selection), first.number);
  const BlockLimits limits = device_.limits();
  CHECK(limits.max_sectors >= kPageSectors, limits.max_sectors);
  const std::uint32_t most = std::min(options_.pages_per_bio, limits.max_sectors / kPageSectors);
  CacheBio* const out = take_bio();
  Bio& bio = out->bio;
  bio.op = Op::kWrite;
  bio.sector = first.number * kPageSectors;
  bio.end_io = &PageCache::write_ended;
  for (CachedPage* page = &first; writable(page, selection); page = index_.find(page->number + 1)) {
    const std::uint32_t bytes = valid_bytes(page->number);
    if (out->page_count == most || page->number >= end) break;
    if (bytes == 0 && page != &first) break;  // fails alone, not together with its neighbours
    index_.clear_dirty(*page);
    index_.set_writeback(*page);
    ++page->writebacks;
    page->wait.reading = false;
    out->pages[out->page_count] = page;
    out->segments[out->page_count] = {&page->frame, nullptr, 0, bytes};
    ++out->page_count;
    bio.sectors += bytes / kSectorBytes;
    scheduler_.trace().emit(kCacheWriteback, scheduler_.current_actor(),
                            static_cast<std::uint64_t>(actor_), page->number,
                            page->frame.page().version());
    if (bytes < kPageBytes) break;
  }
  bio.segments = out->segments.data();
  bio.segment_count = out->page_count;
  const std::uint32_t written = out->page_count;
  stats_.pages_written += written;
  ++stats_.write_bios;
  ++bios_in_flight_;
  if (bio.sectors == 0) {
    REACHED("a dirty page lies beyond the end of a device that has shrunk");
    bio.complete(BlockStatus::of(BlockStatus::Code::kIoError));
  } else {
    device_.submit(bio);
  }
  return written;
}

void PageCache::write_ended(Bio& bio) {
  auto* const ended = static_cast<CacheBio*>(bio.context);
  PageCache& cache = *ended->cache;
  const BlockStatus status = bio.status;
  const TraceId cause = cache.cause_of(bio);
  for (std::uint32_t i = 0; i < ended->page_count; ++i) {
    cache.end_page_write(*ended->pages[i], status, cause);
  }
  if (!status.ok()) cache.remember_error(status);
  cache.give_back_bio(ended);
  CHECK(cache.bios_in_flight_ > 0);
  --cache.bios_in_flight_;
  ++cache.write_bios_ended_;
  cache.write_bio_ended_.wake_all();
  cache.memory_.note_reclaimable();
}

void PageCache::end_page_write(CachedPage& page, BlockStatus status, TraceId cause) {
  CHECK(page.writeback, page.number);
  index_.clear_writeback(page);
  relist(page);
  if (!status.ok()) ++stats_.pages_failed;
  scheduler_.trace().emit_caused(kCacheWritten, actor_, cause, static_cast<std::uint64_t>(actor_),
                                 page.number, page.frame.page().version(),
                                 static_cast<std::uint64_t>(status.code));
  page.wait.wake_all();
}

void PageCache::wait_for_writeback(PageRange range) {
  while (CachedPage* page = index_.next_writeback(range.begin, range.end)) {
    range.begin = page->number + 1;
    const Pin pin(*this, *page);
    // The next writeback of the same page, if it follows at once, is somebody else's.
    const std::uint64_t ours = page->writebacks;
    wait_until(page->wait, [page, ours] { return !page->writeback || page->writebacks != ours; });
  }
}

void PageCache::submit_read(CachedPage& page) {
  CHECK(!page.uptodate, page.number);
  CHECK(!page.locked, page.number);
  const std::uint32_t bytes = valid_bytes(page.number);
  if (bytes == 0) {
    REACHED("a page to be read lies beyond the end of a device that has shrunk");
    page.read_status = BlockStatus::of(BlockStatus::Code::kIoError);
    return;
  }
  page.locked = true;
  page.wait.reading = true;
  relist(page);
  ++stats_.pages_read;
  CacheBio* const out = take_bio();
  out->page_count = 1;
  out->pages[0] = &page;
  out->segments[0] = {&page.frame, nullptr, 0, bytes};
  out->bio.op = Op::kRead;
  out->bio.sector = page.number * kPageSectors;
  out->bio.sectors = bytes / kSectorBytes;
  out->bio.segments = out->segments.data();
  out->bio.segment_count = 1;
  out->bio.end_io = &PageCache::read_ended;
  device_.submit(out->bio);
}

void PageCache::read_ended(Bio& bio) {
  auto* const ended = static_cast<CacheBio*>(bio.context);
  PageCache& cache = *ended->cache;
  CachedPage& page = *ended->pages[0];
  const BlockStatus status = bio.status;
  const TraceId cause = cache.cause_of(bio);
  CHECK(page.locked, page.number);
  // What a failed read left in the frame is nobody's content.
  if (!status.ok()) page.frame.set(PageRef());
  CHECK(!status.ok() || !page.frame.empty(), "a read delivered nothing", page.number);
  page.locked = false;
  page.uptodate = status.ok();
  page.read_status = status;
  cache.relist(page);
  cache.scheduler_.trace().emit_caused(
      kCacheRead, cache.actor_, cause, static_cast<std::uint64_t>(cache.actor_), page.number,
      status.ok() ? page.frame.page().version() : 0, static_cast<std::uint64_t>(status.code));
  cache.give_back_bio(ended);
  page.wait.wake_all();
  cache.memory_.note_reclaimable();
}

BlockStatus PageCache::flush_device() {
  CacheBio* const out = take_bio();
  out->bio.op = Op::kFlush;
  out->bio.end_io = &PageCache::flush_done;
  device_.submit(out->bio);
  wait_until(flush_ended_, [out] { return out->done; });
  const BlockStatus status = out->bio.status;
  give_back_bio(out);
  // A device without the notion of a flush is none to complain about (blkdev_fsync).
  if (status.code == BlockStatus::Code::kNotSupported) return BlockStatus::okay();
  return status;
}

void PageCache::flush_done(Bio& bio) {
  auto* const ended = static_cast<CacheBio*>(bio.context);
  ended->done = true;
  ended->cache->flush_ended_.wake_all();
}

TraceId PageCache::cause_of(const Bio& bio) const {
  return bio.trace_id != 0 ? bio.trace_id : scheduler_.trace().cause();
}

CacheBio* PageCache::take_bio() {
  if (spare_bios_ == nullptr) {
    bio_storage_.push_back(std::make_unique<CacheBio>());
    bio_storage_.back()->cache = this;
    spare_bios_ = bio_storage_.back().get();
  }
  CacheBio* const taken = spare_bios_;
  spare_bios_ = taken->next_spare;
  taken->next_spare = nullptr;
  taken->page_count = 0;
  taken->done = false;
  taken->bio = Bio{};
  taken->bio.context = taken;
  taken->bio.issuer = static_cast<std::uint32_t>(actor_);
  return taken;
}

void PageCache::give_back_bio(CacheBio* bio) {
  bio->next_spare = spare_bios_;
  spare_bios_ = bio;
}

}  // namespace dmsim
