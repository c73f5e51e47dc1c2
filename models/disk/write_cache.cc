#include "models/disk/write_cache.h"

#include <bit>

#include "base/reached.h"

namespace dmsim {
namespace {
constexpr std::size_t kFirstBuckets = 64;  // a power of two
}

WriteCache::WriteCache(WriteCachePool& pool, PageSpace& space, Image& media)
    : pool_(pool), space_(space), media_(media), table_(kFirstBuckets, nullptr) {}

WriteCache::~WriteCache() {
  // What is in flight has been abandoned by its request before.
  while (!dirty_.empty()) unlink_version(dirty_.back()->newest);
}

const DirtyPage* WriteCache::find(std::uint64_t index) const {
  const DirtyPage* page = table_[bucket_of(index)];
  while (page != nullptr && page->index != index) page = page->next;
  return page;
}

DirtyPage* WriteCache::add_page(std::uint64_t index) {
  if (dirty_.size() >= table_.size()) grow_table();
  DirtyPage* page = pool_.pages.take();
  page->index = index;
  page->position = static_cast<std::uint32_t>(dirty_.size());
  CHECK(page->versions == 0);
  CHECK(page->mask == 0);
  DirtyPage*& bucket = table_[bucket_of(index)];
  page->next = bucket;
  bucket = page;
  dirty_.push_back(page);
  return page;
}

void WriteCache::grow_table() {
  table_.assign(table_.size() * 4, nullptr);
  for (DirtyPage* page : dirty_) {
    DirtyPage*& bucket = table_[bucket_of(page->index)];
    page->next = bucket;
    bucket = page;
  }
}

void WriteCache::remove_page(DirtyPage* page) {
  CHECK(page->oldest == nullptr);
  CHECK(page->newest == nullptr);
  DirtyPage** place = &table_[bucket_of(page->index)];
  while (*place != page) place = &(*place)->next;
  *place = page->next;
  dirty_.back()->position = page->position;
  dirty_[page->position] = dirty_.back();
  dirty_.pop_back();
  page->current = PageRef();
  pool_.pages.give_back(page);
}

CachedWrite* WriteCache::put(std::uint64_t index, std::uint8_t mask, PageRef content,
                             TraceId submit, bool fua) {
  CHECK(mask != 0);
  CHECK(content);
  auto* page = const_cast<DirtyPage*>(find(index));
  if (page != nullptr && page->versions == kMostVersions) {
    REACHED("a page has so many cached versions that the oldest goes to the media");
    ++overflowed_;
    make_durable(page->oldest);
  }
  if (page == nullptr) page = add_page(index);
  CachedWrite* write = pool_.writes.take();
  write->older = page->newest;
  write->newer = nullptr;
  (page->newest != nullptr ? page->newest->newer : page->oldest) = write;
  page->newest = write;
  ++page->versions;
  write->page = page;
  write->submit = submit;
  write->completed = 0;
  write->mask = mask;
  write->fua = fua;
  write->content = content;
  page->current = std::move(content);
  refresh_mask(page);
  return write;
}

void WriteCache::refresh_mask(DirtyPage* page) {
  std::uint8_t mask = 0;
  for (const CachedWrite* write = page->newest; write != nullptr && mask != 0xFF; write = write->older) {
    mask = static_cast<std::uint8_t>(mask | write->mask);
  }
  dirty_sectors_ += static_cast<std::uint64_t>(std::popcount(mask));
  dirty_sectors_ -= static_cast<std::uint64_t>(std::popcount(page->mask));
  page->mask = mask;
}

void WriteCache::complete(CachedWrite* first) {
  ++completions_;
  for (CachedWrite* write = first; write != nullptr;) {
    CachedWrite* next = write->next;
    CHECK(write->completed == 0, write->completed);
    if (write->page == nullptr) {
      release(write);
    } else {
      append_log(write);
    }
    write = next;
  }
}

void WriteCache::complete_durably(CachedWrite* first) {
  ++completions_;
  for (CachedWrite* write = first; write != nullptr;) {
    CachedWrite* next = write->next;
    CHECK(write->completed == 0, write->completed);
    if (write->page != nullptr) make_durable(write);
    release(write);
    write = next;
  }
}

void WriteCache::abandon(CachedWrite* first) {
  for (CachedWrite* write = first; write != nullptr;) {
    CachedWrite* next = write->next;
    if (write->page != nullptr) unlink_version(write);
    release(write);
    write = next;
  }
}

void WriteCache::flush(std::uint64_t barrier) {
  CHECK(barrier <= completions_, barrier, completions_);
  while (log_first_ != nullptr && log_first_->completed <= barrier) make_durable(log_first_);
}

void WriteCache::evict(DirtyPage& page) {
  media_.set_page(page.index, page.current);
  for (std::uint32_t versions = page.versions; versions > 0; --versions) unlink_version(page.oldest);
}

// Afterwards nothing of the write is in the log; `write` itself is gone unless it is in flight.
void WriteCache::make_durable(CachedWrite* write) {
  DirtyPage* page = write->page;
  CHECK(write->mask != 0);
  supersede_older(write);
  if (page->oldest == page->newest) {
    media_.set_page(page->index, page->current);  // media and this write are all there is
  } else {
    media_.set_sectors(space_, page->index, write->mask, write->content);
  }
  unlink_version(write);
}

void WriteCache::supersede_older(CachedWrite* write) {
  for (CachedWrite* other = write->older; other != nullptr;) {
    CachedWrite* older = other->older;
    other->mask = static_cast<std::uint8_t>(other->mask & ~write->mask);
    if (other->mask == 0) unlink_version(other);
    other = older;
  }
}

// A completed write belongs to nobody else and is given back; one in flight stays with its request.
void WriteCache::unlink_version(CachedWrite* write) {
  DirtyPage* page = write->page;
  (write->older != nullptr ? write->older->newer : page->oldest) = write->newer;
  (write->newer != nullptr ? write->newer->older : page->newest) = write->older;
  write->page = nullptr;
  write->content = PageRef();
  CHECK(page->versions > 0);
  --page->versions;
  refresh_mask(page);
  if (page->versions == 0) remove_page(page);
  if (write->completed != 0) {
    unlink_log(write);
    release(write);
  }
}

void WriteCache::append_log(CachedWrite* write) {
  write->completed = completions_;
  write->log_before = log_last_;
  write->log_after = nullptr;
  (log_last_ != nullptr ? log_last_->log_after : log_first_) = write;
  log_last_ = write;
}

void WriteCache::unlink_log(CachedWrite* write) {
  (write->log_before != nullptr ? write->log_before->log_after : log_first_) = write->log_after;
  (write->log_after != nullptr ? write->log_after->log_before : log_last_) = write->log_before;
}

void WriteCache::release(CachedWrite* write) {
  CHECK(write->page == nullptr);
  pool_.writes.give_back(write);
}

}  // namespace dmsim
