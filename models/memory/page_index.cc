#include "models/memory/page_index.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "base/check.h"

namespace dmsim {

std::string PageWait::describe_wait() const {
  return fmt::format("{} of page {}", reading ? "the read" : "the writeback", page_number);
}

void PageIndex::set_tag(Tag tag, std::uint64_t number) {
  const std::uint64_t in_leaf = number % kLeafPages;
  std::uint64_t& word = leaves_[number / kLeafPages]->bitmaps[tag][in_leaf / 64];
  const std::uint64_t bit = std::uint64_t{1} << (in_leaf % 64);
  CHECK((word & bit) == 0, number);
  word |= bit;
  ++counts_[tag];
}

void PageIndex::clear_tag(Tag tag, std::uint64_t number) {
  const std::uint64_t in_leaf = number % kLeafPages;
  std::uint64_t& word = leaves_[number / kLeafPages]->bitmaps[tag][in_leaf / 64];
  const std::uint64_t bit = std::uint64_t{1} << (in_leaf % 64);
  CHECK((word & bit) != 0, number);
  word &= ~bit;
  --counts_[tag];
}

void PageIndex::insert(CachedPage& page) {
  CHECK(!page.dirty, page.number);
  CHECK(!page.writeback, page.number);
  const std::uint64_t at = page.number / kLeafPages;
  if (at >= leaves_.size()) leaves_.resize(at + 1);
  if (leaves_[at] == nullptr) leaves_[at] = std::make_unique<Leaf>();
  CHECK(leaves_[at]->pages[page.number % kLeafPages] == nullptr, page.number);
  leaves_[at]->pages[page.number % kLeafPages] = &page;
  set_tag(kPresent, page.number);
}

void PageIndex::erase(CachedPage& page) {
  CHECK(find(page.number) == &page, page.number);
  CHECK(!page.dirty, page.number);
  CHECK(!page.writeback, page.number);
  leaves_[page.number / kLeafPages]->pages[page.number % kLeafPages] = nullptr;
  clear_tag(kPresent, page.number);
}

void PageIndex::set_dirty(CachedPage& page) {
  set_tag(kDirty, page.number);
  page.dirty = true;
}

void PageIndex::clear_dirty(CachedPage& page) {
  clear_tag(kDirty, page.number);
  page.dirty = false;
}

void PageIndex::set_writeback(CachedPage& page) {
  set_tag(kWriteback, page.number);
  page.writeback = true;
}

void PageIndex::clear_writeback(CachedPage& page) {
  clear_tag(kWriteback, page.number);
  page.writeback = false;
}

CachedPage* PageIndex::next(std::uint64_t from, std::uint64_t end) const {
  return next_tagged(kPresent, from, end);
}

CachedPage* PageIndex::next_dirty(std::uint64_t from, std::uint64_t end) const {
  return next_tagged(kDirty, from, end);
}

CachedPage* PageIndex::next_writeback(std::uint64_t from, std::uint64_t end) const {
  return next_tagged(kWriteback, from, end);
}

CachedPage* PageIndex::next_tagged(Tag tag, std::uint64_t from, std::uint64_t end) const {
  if (counts_[tag] == 0) return nullptr;
  end = std::min(end, leaves_.size() * kLeafPages);
  while (from < end) {
    const Leaf* leaf = leaves_[from / kLeafPages].get();
    if (leaf == nullptr) {
      from = (from / kLeafPages + 1) * kLeafPages;
      continue;
    }
    const std::uint64_t in_leaf = from % kLeafPages;
    const std::uint64_t word = leaf->bitmaps[tag][in_leaf / 64] >> (in_leaf % 64);
    if (word == 0) {
      from = (from / 64 + 1) * 64;
      continue;
    }
    from += static_cast<std::uint64_t>(std::countr_zero(word));
    return from < end ? leaf->pages[from % kLeafPages] : nullptr;
  }
  return nullptr;
}

}  // namespace dmsim
