#include "models/memory/page_index.h"

#include <gtest/gtest.h>

#include "models/memory/test_device.h"

namespace dmsim {
namespace {

TEST(PageIndex, finds_what_was_inserted_and_nothing_else) {
  TestWorld world;
  PageIndex index;
  CachedPage page(world.scheduler);
  page.number = 100'000;
  EXPECT_EQ(index.find(100'000), nullptr);
  index.insert(page);
  EXPECT_EQ(index.find(100'000), &page);
  EXPECT_EQ(index.find(99'999), nullptr);
  EXPECT_EQ(index.find(1u << 30), nullptr);
  EXPECT_EQ(index.count(), 1u);
  index.erase(page);
  EXPECT_EQ(index.find(100'000), nullptr);
  EXPECT_EQ(index.count(), 0u);
}

TEST(PageIndex, each_tag_is_visited_in_order_of_page_numbers) {
  TestWorld world;
  PageIndex index;
  std::vector<std::unique_ptr<CachedPage>> pages;
  for (const std::uint64_t number : {700u, 63u, 64u, 0u, 511u, 512u, 5000u, 127u}) {
    pages.push_back(std::make_unique<CachedPage>(world.scheduler));
    pages.back()->number = number;
    index.insert(*pages.back());
    if (number % 2 == 0) index.set_dirty(*pages.back());
    if (number % 2 == 1) index.set_writeback(*pages.back());
  }
  const auto visit = [&index](auto next, std::uint64_t from, std::uint64_t end) {
    std::vector<std::uint64_t> out;
    while (const CachedPage* page = (index.*next)(from, end)) {
      out.push_back(page->number);
      from = page->number + 1;
    }
    return out;
  };
  using Numbers = std::vector<std::uint64_t>;
  EXPECT_EQ(visit(&PageIndex::next, 0, PageIndex::kNone),
            (Numbers{0, 63, 64, 127, 511, 512, 700, 5000}));
  EXPECT_EQ(visit(&PageIndex::next_dirty, 1, PageIndex::kNone), (Numbers{64, 512, 700, 5000}));
  EXPECT_EQ(visit(&PageIndex::next_dirty, 64, 700), (Numbers{64, 512}));
  EXPECT_EQ(visit(&PageIndex::next_writeback, 0, PageIndex::kNone), (Numbers{63, 127, 511}));
  EXPECT_EQ(index.dirty_count(), 5u);
  EXPECT_EQ(index.writeback_count(), 3u);
  for (const auto& page : pages) {
    if (page->dirty) index.clear_dirty(*page);
  }
  EXPECT_EQ(index.next_dirty(0), nullptr);
  EXPECT_EQ(index.dirty_count(), 0u);
}

}  // namespace
}  // namespace dmsim
