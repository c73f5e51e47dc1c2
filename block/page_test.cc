#include "block/page.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <vector>

namespace dmsim {
namespace {

class PageTest : public testing::Test {
 protected:
  PageRef page_of(int byte) {
    std::byte* bytes = nullptr;
    PageRef page = space_.make(&bytes);
    std::memset(bytes, byte, kPageBytes);
    return page;
  }
  static int byte_at(const PageRef& page, std::size_t offset) {
    return std::to_integer<int>(page.bytes()[offset]);
  }

  PagePool pool_;
  PageSpace space_{pool_, 0};
};

TEST_F(PageTest, a_content_lives_as_long_as_its_last_reference) {
  {
    PageRef one = page_of(1);
    PageRef two = one;
    PageRef three = std::move(one);
    EXPECT_FALSE(one);
    EXPECT_TRUE(two.same_content(three));
    EXPECT_EQ(pool_.live(), 1u);
    two = PageRef();
    EXPECT_EQ(pool_.live(), 1u);
    three = page_of(2);
    EXPECT_EQ(pool_.live(), 1u);
    three = *&three;
    EXPECT_EQ(byte_at(three, 0), 2);
  }
  EXPECT_EQ(pool_.live(), 0u);
}

TEST_F(PageTest, a_reference_moved_onto_its_equal_is_counted_right) {
  PageRef a = page_of(1);
  PageRef b = a;
  a = std::move(b);
  EXPECT_TRUE(a);
  EXPECT_EQ(pool_.live(), 1u);
  EXPECT_EQ(a.get()->references, b ? 2u : 1u);
}

TEST_F(PageTest, memory_of_contents_is_used_again) {
  const PageContent* before = page_of(1).get();
  EXPECT_EQ(page_of(2).get(), before);
  std::vector<PageRef> many;
  for (int i = 0; i < 1000; ++i) many.push_back(page_of(i % 256));
  EXPECT_EQ(pool_.live(), 1000u);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(byte_at(many[static_cast<std::size_t>(i)], 4095), i % 256);
}

TEST(PagePool, a_content_that_did_not_come_back_is_our_bug) {
  EXPECT_DEATH(
      {
        PagePool pool;
        pool.allocate();
      },
      "CHECK failed: live_ == 0");
}

TEST_F(PageTest, changing_a_shared_content_copies_it_first) {
  PageRef mine = page_of(1);
  const PageRef sampled = mine;
  const std::uint64_t digest = sampled.digest();
  const std::uint64_t version = sampled.version();
  space_.change(mine)[100] = std::byte{9};
  EXPECT_FALSE(mine.same_content(sampled));
  EXPECT_EQ(byte_at(sampled, 100), 1);
  EXPECT_EQ(byte_at(mine, 100), 9);
  EXPECT_EQ(byte_at(mine, 101), 1);
  EXPECT_EQ(sampled.digest(), digest);
  EXPECT_EQ(sampled.version(), version);
  EXPECT_NE(mine.digest(), digest);
}

TEST_F(PageTest, changing_a_content_of_ones_own_copies_nothing) {
  PageRef mine = page_of(1);
  const PageContent* content = mine.get();
  const std::uint64_t digest = mine.digest();
  space_.change(mine)[0] = std::byte{2};
  EXPECT_EQ(mine.get(), content);
  EXPECT_NE(mine.digest(), digest);
  space_.change(mine)[0] = std::byte{1};
  EXPECT_EQ(mine.digest(), digest);
}

TEST_F(PageTest, every_content_and_every_change_has_a_version_of_its_own) {
  PageSpace later(pool_, 41);
  std::byte* bytes = nullptr;
  PageRef page = later.make(&bytes);
  EXPECT_EQ(page.version(), 42u);
  later.change(page);
  EXPECT_EQ(page.version(), 43u);
  const PageRef shared = page;
  later.change(page);
  EXPECT_EQ(page.version(), 44u);
  EXPECT_EQ(shared.version(), 43u);
  EXPECT_EQ(later.last_version(), 44u);
  PageRef pristine(pool_.allocate());
  EXPECT_EQ(pristine.version(), 0u);
}

TEST_F(PageTest, equal_bytes_are_found_by_digest_whatever_the_version) {
  const PageRef a = page_of(5), b = page_of(5), c = page_of(6);
  EXPECT_TRUE(equal_bytes(a, a));
  EXPECT_TRUE(equal_bytes(a, b));
  EXPECT_FALSE(equal_bytes(a, c));
  EXPECT_NE(a.version(), b.version());
}

TEST_F(PageTest, a_change_of_one_byte_changes_the_digest_of_its_sector_only) {
  PageRef page = page_of(0);
  std::array<std::uint64_t, kPageSectors> before{};
  for (std::uint32_t s = 0; s < kPageSectors; ++s) before[s] = page.sector_digest(s);
  space_.change(page)[3 * kSectorBytes + 511] = std::byte{1};
  for (std::uint32_t s = 0; s < kPageSectors; ++s) {
    EXPECT_EQ(page.sector_digest(s) == before[s], s != 3) << s;
    EXPECT_EQ(page.sector_digest(s), digest_bytes(page.sector_bytes(s), kSectorBytes));
  }
}

TEST_F(PageTest, sectors_that_change_places_change_the_page_digest) {
  PageRef a = page_of(0), b = page_of(0);
  space_.change(a)[0] = std::byte{1};
  space_.change(b)[kSectorBytes] = std::byte{1};
  EXPECT_NE(a.digest(), b.digest());
}

struct StoreCounter final : StoreObserver {
  int stores = 0;
  void on_store_in_flight(Frame&) override { ++stores; }
};

TEST_F(PageTest, a_store_to_a_frame_leaves_what_was_sampled_alone) {
  Frame frame;
  EXPECT_TRUE(frame.empty());
  frame.set(page_of(1));
  const PageRef sampled = frame.page();
  const std::array<std::byte, 3> bytes{std::byte{7}, std::byte{8}, std::byte{9}};
  frame.store(space_, kPageBytes - 3, bytes.data(), 3);
  EXPECT_EQ(byte_at(frame.page(), kPageBytes - 1), 9);
  EXPECT_EQ(byte_at(frame.page(), kPageBytes - 4), 1);
  EXPECT_EQ(byte_at(sampled, kPageBytes - 1), 1);
}

TEST_F(PageTest, only_stores_while_a_write_is_in_flight_are_told) {
  Frame frame;
  StoreCounter counter;
  frame.observer = &counter;
  frame.set(page_of(1));
  const std::byte byte{2};
  frame.store(space_, 0, &byte, 1);
  EXPECT_EQ(counter.stores, 0);
  frame.writes_in_flight = 1;
  frame.store(space_, 0, &byte, 1);
  EXPECT_EQ(counter.stores, 1);
  frame.set(page_of(3));
  EXPECT_EQ(counter.stores, 2);
}

TEST_F(PageTest, storing_beyond_a_page_or_into_an_empty_frame_is_our_bug) {
  Frame frame;
  const std::byte byte{1};
  EXPECT_DEATH(frame.store(space_, 0, &byte, 1), "CHECK failed");
  frame.set(page_of(1));
  EXPECT_DEATH(frame.store(space_, kPageBytes, &byte, 1), "CHECK failed");
}

TEST(SectorRange, is_half_open) {
  const SectorRange range{8, 16};
  EXPECT_EQ(range.count(), 8u);
  EXPECT_TRUE(range.contains(8));
  EXPECT_FALSE(range.contains(16));
  EXPECT_TRUE(range.overlaps({15, 20}));
  EXPECT_FALSE(range.overlaps({16, 20}));
  EXPECT_FALSE(range.overlaps({0, 8}));
  EXPECT_EQ(range.intersection({12, 20}), (SectorRange{12, 16}));
  EXPECT_TRUE(range.intersection({16, 20}).empty());
  EXPECT_TRUE(range.intersection({0, 3}).empty());
}

}  // namespace
}  // namespace dmsim
