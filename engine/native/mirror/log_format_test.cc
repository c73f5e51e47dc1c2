#include "engine/native/mirror/log_format.h"

#include <gtest/gtest.h>

#include <vector>

#include "engine/native/mirror/log_reader.h"
#include "engine/native/mirror/log_writer.h"

namespace dmsim::mirror_log {
namespace {

std::vector<std::byte> blank(std::uint64_t regions) {
  return std::vector<std::byte>(log_sectors(regions, 1) * kSectorBytes);
}

TEST(LogFormat, the_worked_example_of_the_header_has_exactly_these_bytes) {
  auto log = blank(12);
  write_header({kMagic, kVersion, 12}, log);
  for (std::uint64_t region : {0u, 1u, 9u}) write_clean_bit(log, region, true);

  const unsigned char header[16] = {0x72, 0x52, 0x69, 0x4d, 2, 0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0};
  for (std::size_t i = 0; i < 16; ++i) EXPECT_EQ(log[i], std::byte{header[i]}) << i;
  for (std::size_t i = 16; i < 1024; ++i) EXPECT_EQ(log[i], std::byte{0}) << i;
  EXPECT_EQ(log[1024], std::byte{0x03});
  EXPECT_EQ(log[1025], std::byte{0x02});
  for (std::size_t i = 1026; i < log.size(); ++i) EXPECT_EQ(log[i], std::byte{0}) << i;
}

TEST(LogFormat, what_was_written_is_read_back) {
  auto log = blank(100);
  const Header header{kMagic, kVersion, 0x123456789ABCDEFull};
  write_header(header, log);
  for (std::uint64_t region = 0; region < 100; region += 3) write_clean_bit(log, region, true);
  EXPECT_EQ(read_header(log), header);
  for (std::uint64_t region = 0; region < 100; ++region) {
    EXPECT_EQ(read_clean_bit(log, region), region % 3 == 0) << region;
  }
  write_clean_bit(log, 3, false);
  EXPECT_FALSE(read_clean_bit(log, 3));
  EXPECT_TRUE(read_clean_bit(log, 6));
}

TEST(LogFormat, failed_legs_are_read_back_in_their_sector_and_nothing_else_is_taken_for_them) {
  auto log = blank(12);
  EXPECT_EQ(read_failed_legs(log).count, 0u);
  FailedLegs failed;
  failed.count = 2;
  failed.legs = {0x1122334455667788ull, 7};
  write_failed_legs(failed, log);
  EXPECT_EQ(read_failed_legs(log), failed);
  EXPECT_TRUE(failed.contains(7));
  EXPECT_FALSE(failed.contains(0)) << "behind the last";
  const unsigned char begin[16] = {'L',  'E',  'G',  'F',  2,    0,    0xFD, 0xFF,
                                   0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11};
  for (std::size_t i = 0; i < 16; ++i) EXPECT_EQ(log[512 + i], std::byte{begin[i]}) << i;
  for (std::size_t i = 0; i < 512; ++i) EXPECT_EQ(log[i], std::byte{0}) << i;
  for (std::size_t i = kBitmapOffset; i < log.size(); ++i) EXPECT_EQ(log[i], std::byte{0}) << i;
  log[516] = std::byte{3};  // its complement says 2
  EXPECT_EQ(read_failed_legs(log).count, 0u);
  log[516] = std::byte{200};
  log[518] = std::byte{0xFF - 200};
  EXPECT_EQ(read_failed_legs(log).count, 0u) << "more than there can be";
}

TEST(LogFormat, only_its_own_magic_and_versions_1_and_2_are_valid) {
  EXPECT_TRUE(is_valid({kMagic, 2, 0}));
  EXPECT_TRUE(is_valid({kMagic, 1, 0}));
  EXPECT_FALSE(is_valid({kMagic, 3, 0}));
  EXPECT_FALSE(is_valid({kMagic ^ 1, 2, 0}));
}

TEST(LogFormat, the_bitmap_is_padded_to_words_and_the_log_to_blocks) {
  EXPECT_EQ(bitmap_bytes(1), 8u);
  EXPECT_EQ(bitmap_bytes(64), 8u);
  EXPECT_EQ(bitmap_bytes(65), 16u);
  EXPECT_EQ(log_sectors(64, 1), 3u);
  EXPECT_EQ(log_sectors(64, 8), 8u);
  EXPECT_EQ(log_sectors(512 * 8, 1), 3u);
  EXPECT_EQ(log_sectors(512 * 8 + 1, 1), 4u);
}

TEST(LogFormat, native_order_of_another_machine_names_other_regions) {
  EXPECT_EQ(swapped_bit_place(0).byte, 7u);
  EXPECT_EQ(swapped_bit_place(63).byte, 0u);
  EXPECT_EQ(swapped_bit_place(64).byte, 15u);
  auto log = blank(64);
  const BitPlace place = swapped_bit_place(3);
  log[kBitmapOffset + place.byte] = std::byte{place.mask};
  EXPECT_FALSE(read_clean_bit(log, 3));
  EXPECT_TRUE(read_clean_bit(log, 59));
}

}  // namespace
}  // namespace dmsim::mirror_log
