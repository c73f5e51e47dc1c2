#include "models/memory/stamp.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

namespace dmsim {
namespace {

std::string text_of(const std::byte* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

TEST(Stamp, a_person_can_read_it_in_rows_of_64_bytes) {
  std::byte sector[kSectorBytes];
  stamp_sector(sector, {3, 12, 768});
  EXPECT_EQ(text_of(sector, 64),
            "dmsim task 00003 write 0000000012 sector 0000000000768 row 0...\n");
  EXPECT_EQ(text_of(sector + 448, 64),
            "dmsim task 00003 write 0000000012 sector 0000000000768 row 7...\n");
}

TEST(Stamp, reads_back_what_was_stamped) {
  std::byte sector[kSectorBytes];
  const Stamp stamp{99'999, 9'999'999'999, 9'999'999'999'999};
  stamp_sector(sector, stamp);
  EXPECT_EQ(read_stamp(sector), stamp);
}

TEST(Stamp, different_writes_always_differ_in_every_row) {
  const Stamp stamps[] = {{1, 1, 1}, {1, 1, 2}, {1, 2, 1}, {2, 1, 1}, {1, 10, 1}};
  for (const Stamp& a : stamps) {
    for (const Stamp& b : stamps) {
      std::byte x[kSectorBytes];
      std::byte y[kSectorBytes];
      stamp_sector(x, a);
      stamp_sector(y, b);
      for (std::uint32_t row = 0; row < kSectorBytes; row += kStampRowBytes) {
        EXPECT_EQ(std::memcmp(x + row, y + row, kStampRowBytes) == 0, a == b);
      }
    }
  }
}

TEST(Stamp, a_mixture_of_two_writes_is_not_a_stamp_but_its_rows_are) {
  std::byte sector[kSectorBytes];
  std::byte other[kSectorBytes];
  stamp_sector(sector, {1, 1, 5});
  stamp_sector(other, {1, 2, 5});
  std::memcpy(sector + 256, other + 256, 256);
  EXPECT_EQ(read_stamp(sector), std::nullopt);
  EXPECT_EQ(read_stamp_row(sector), (Stamp{1, 1, 5}));
  EXPECT_EQ(read_stamp_row(sector + 256), (Stamp{1, 2, 5}));
}

TEST(Stamp, one_wrong_byte_is_noticed) {
  std::byte sector[kSectorBytes];
  for (const std::size_t at : {0u, 12u, 63u, 300u, 511u}) {
    stamp_sector(sector, {1, 1, 5});
    sector[at] ^= std::byte{1};
    EXPECT_EQ(read_stamp(sector), std::nullopt) << at;
  }
}

TEST(Stamp, several_sectors_carry_their_own_numbers) {
  std::vector<std::byte> bytes(3 * kSectorBytes);
  stamp_sectors(bytes, {4, 5, 6});
  EXPECT_EQ(read_stamp(bytes.data() + 2 * kSectorBytes), (Stamp{4, 5, 8}));
}

TEST(Stamp, the_sector_number_carries_over_all_digits_and_may_be_the_highest) {
  std::vector<std::byte> bytes(2 * kSectorBytes);
  for (const Sector first : {Sector{9}, Sector{999'999}, Sector{9'999'999'999'998}}) {
    stamp_sectors(bytes, {1, 2, first});
    EXPECT_EQ(read_stamp(bytes.data()), (Stamp{1, 2, first}));
    EXPECT_EQ(read_stamp(bytes.data() + kSectorBytes), (Stamp{1, 2, first + 1}));
  }
}

TEST(Stamp, a_part_of_a_sector_is_stamped_as_the_whole_would_be) {
  std::byte whole[kSectorBytes];
  std::byte part[100];
  stamp_sector(whole, {4, 5, 6});
  stamp_bytes(part, {4, 5, 6}, 128);
  EXPECT_EQ(std::memcmp(part, whole + 128, sizeof part), 0);
}

}  // namespace
}  // namespace dmsim
