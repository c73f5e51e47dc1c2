#include "engine/native/clone/metadata_format.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <vector>

#include "engine/native/clone/metadata_reader.h"
#include "engine/native/clone/metadata_writer.h"

namespace dmsim::clone_metadata {
namespace {

using Bytes = std::vector<std::byte>;
using Words = std::vector<std::uint64_t>;

// A store of 12 regions of 8 sectors, in memory.
struct Store {
  static constexpr std::uint64_t kRegionSectors = 8;
  static constexpr std::uint64_t kTargetSectors = 96;
  Layout layout{region_count(kTargetSectors, kRegionSectors)};
  Bytes bytes = Bytes(layout.sectors() * kSectorBytes);

  std::span<std::byte> block(std::uint64_t index) {
    return std::span(bytes).subspan(index * kBlockBytes, kBlockBytes);
  }
  void write_bitmap(std::uint32_t slot, const Words& words) {
    write_bitmap_block(words, block(layout.bitmap_block(slot)));
  }
  void write_transaction(std::uint32_t slot, std::uint64_t sequence, const Words& words) {
    write_bitmap(slot, words);
    write_superblock({slot, sequence, kRegionSectors, kTargetSectors, bitmap_digest(layout, words)},
                     block(slot));
  }
  Result<Loaded, LoadError> load() const {
    return clone_metadata::load(bytes, kRegionSectors, kTargetSectors);
  }
};

TEST(CloneMetadataFormat, the_worked_example_has_these_bytes) {
  Store store;
  store.write_transaction(1, 2, {0x203});
  const unsigned char superblock[40] = {0x44, 0x4d, 0x53, 0x49, 0x4d, 0x43, 0x4c, 0x4e, 1, 0, 0, 0, 1,
                                        0,    0,    0,    2,    0,    0,    0,    0,    0, 0, 0, 8, 0,
                                        0,    0,    0,    0,    0,    0,    0x60, 0,    0, 0, 0, 0, 0,
                                        0};
  for (std::size_t i = 0; i < sizeof superblock; ++i) {
    EXPECT_EQ(store.block(1)[i], std::byte{superblock[i]}) << i;
  }
  for (std::size_t i = kSuperblockBytes; i < kBlockBytes; ++i) {
    EXPECT_EQ(store.block(1)[i], std::byte{0}) << i;
  }
  EXPECT_EQ(store.block(3)[0], std::byte{3});
  EXPECT_EQ(store.block(3)[1], std::byte{2});
  for (std::size_t i = 2; i < kBlockBytes; ++i) EXPECT_EQ(store.block(3)[i], std::byte{0}) << i;
}

TEST(CloneMetadataFormat, what_was_written_is_read_back) {
  Store store;
  store.write_transaction(0, 7, {0xA5});
  const auto loaded = store.load();
  ASSERT_TRUE(loaded.ok()) << loaded.error().reason;
  EXPECT_EQ(loaded->superblock.sequence, 7u);
  EXPECT_EQ(loaded->superblock.slot, 0u);
  EXPECT_EQ(loaded->words, Words{0xA5});
}

TEST(CloneMetadataFormat, the_newest_transaction_counts_whatever_its_slot) {
  Store store;
  store.write_transaction(0, 3, {1});
  store.write_transaction(1, 2, {2});
  EXPECT_EQ(store.load()->words, Words{1});
  store.write_transaction(1, 4, {4});
  EXPECT_EQ(store.load()->words, Words{4});
}

TEST(CloneMetadataFormat, a_bitmap_half_written_for_the_next_transaction_changes_nothing) {
  Store store;
  store.write_transaction(0, 3, {1});
  store.write_transaction(1, 2, {0});
  store.write_bitmap(1, {0xFFF});
  EXPECT_EQ(store.load()->words, Words{1});
}

TEST(CloneMetadataFormat, a_superblock_without_its_bitmap_does_not_count) {
  Store store;
  store.write_transaction(0, 3, {1});
  store.write_transaction(1, 4, {3});
  store.write_bitmap(1, {1});
  const auto loaded = store.load();
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(loaded->superblock.sequence, 3u);
}

TEST(CloneMetadataFormat, no_flipped_bit_of_a_superblock_goes_unnoticed) {
  Store store;
  store.write_transaction(0, 3, {1});
  store.write_transaction(1, 4, {3});
  for (std::size_t bit = 0; bit < kSuperblockBytes * 8; ++bit) {
    const std::byte mask{static_cast<unsigned char>(1u << (bit % 8))};
    store.block(1)[bit / 8] ^= mask;
    const auto loaded = store.load();
    ASSERT_TRUE(loaded.ok());
    EXPECT_EQ(loaded->superblock.sequence, 3u) << bit;
    store.block(1)[bit / 8] ^= mask;
  }
  EXPECT_EQ(store.load()->superblock.sequence, 4u);
}

TEST(CloneMetadataFormat, a_superblock_in_the_other_slots_place_is_none) {
  Store store;
  store.write_transaction(1, 4, {3});
  EXPECT_TRUE(read_superblock(store.block(1), 1).has_value());
  EXPECT_FALSE(read_superblock(store.block(1), 0).has_value());
}

TEST(CloneMetadataFormat, zeros_are_blank_and_anything_else_is_not) {
  Store store;
  EXPECT_TRUE(is_unformatted(store.bytes));
  store.block(2)[0] = std::byte{1};  // a bitmap: nobody has looked there yet
  EXPECT_TRUE(is_unformatted(store.bytes));
  store.block(1)[kBlockBytes - 1] = std::byte{1};
  EXPECT_FALSE(is_unformatted(store.bytes));
  const auto loaded = store.load();
  ASSERT_FALSE(loaded.ok());
  EXPECT_EQ(loaded.error().errno_value, EILSEQ);
}

TEST(CloneMetadataFormat, metadata_of_another_size_are_refused_as_such) {
  Store store;
  store.write_transaction(0, 1, {0});
  const auto other_region = load(store.bytes, 16, Store::kTargetSectors);
  ASSERT_FALSE(other_region.ok());
  EXPECT_EQ(other_region.error().errno_value, EINVAL);
  const auto other_target = load(store.bytes, Store::kRegionSectors, Store::kTargetSectors - 8);
  ASSERT_FALSE(other_target.ok());
  EXPECT_EQ(other_target.error().errno_value, EINVAL);
}

TEST(CloneMetadataFormat, bitmaps_take_whole_blocks) {
  EXPECT_EQ(Layout{1}.blocks(), 4u);
  EXPECT_EQ(Layout{32768}.blocks(), 4u);
  EXPECT_EQ(Layout{32769}.blocks(), 6u);
  EXPECT_EQ(Layout{32769}.bitmap_block(1), 4u);
  EXPECT_EQ(region_count(97, 8), 13u);
}

}  // namespace
}  // namespace dmsim::clone_metadata
