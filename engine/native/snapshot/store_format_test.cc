// The format of the store, byte by byte, and what a reader makes of good and bad ones.
#include <gtest/gtest.h>

#include <cstring>

#include "engine/native/snapshot/store_reader.h"
#include "engine/native/snapshot/store_writer.h"

namespace dmsim::snapshot_store {
namespace {

class Device {
 public:
  explicit Device(std::uint64_t sectors) : bytes_(sectors * kSectorBytes) {}
  std::span<std::byte> chunk(std::uint64_t number, std::uint32_t sectors) {
    return {bytes_.data() + number * sectors * kSectorBytes, std::size_t{sectors} * kSectorBytes};
  }
  Result<Store, std::string> read() const {
    const auto copy = [this](Sector first, std::uint32_t count, std::byte* out) {
      std::memcpy(out, bytes_.data() + first * kSectorBytes, std::size_t{count} * kSectorBytes);
    };
    return read_store(copy, bytes_.size() / kSectorBytes);
  }

 private:
  std::vector<std::byte> bytes_;
};

std::string hex(std::span<const std::byte> bytes) {
  std::string out;
  for (const std::byte byte : bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    out += kDigits[std::to_integer<unsigned>(byte >> 4)];
    out += kDigits[std::to_integer<unsigned>(byte & std::byte{15})];
  }
  return out;
}

TEST(StoreFormat, is_written_as_the_worked_example_shows) {
  Device device(64 * 16);
  write_header({kMagic, 1, kVersion, 16}, device.chunk(0, 16));
  write_record({5, 2}, 0, device.chunk(1, 16));
  write_record({3, 3}, 1, device.chunk(1, 16));
  EXPECT_EQ(hex(device.chunk(0, 16).first(16)), "536e41700100000001000000" "10000000");
  EXPECT_EQ(hex(device.chunk(1, 16).first(48)),
            "05000000000000000200000000000000" "03000000000000000300000000000000"
            "00000000000000000000000000000000");
}

TEST(StoreFormat, comes_back_as_it_was_written) {
  Device device(64 * 16);
  write_header({kMagic, 1, kVersion, 16}, device.chunk(0, 16));
  write_record({5, 2}, 0, device.chunk(1, 16));
  write_record({~0ull, 3}, 1, device.chunk(1, 16));
  const auto store = device.read();
  ASSERT_TRUE(store.ok()) << store.error();
  EXPECT_EQ(store->header, (Header{kMagic, 1, kVersion, 16}));
  EXPECT_EQ(store->records, (std::vector<Record>{{5, 2}, {~0ull, 3}}));
  EXPECT_EQ(store->next_free, 4u);
  EXPECT_EQ(store->lost_chunks, 0u);
}

TEST(StoreFormat, a_chunk_that_nothing_names_is_lost) {
  Device device(64 * 16);
  write_header({kMagic, 1, kVersion, 16}, device.chunk(0, 16));
  write_record({5, 4}, 0, device.chunk(1, 16));
  const auto store = device.read();
  ASSERT_TRUE(store.ok()) << store.error();
  EXPECT_EQ(store->lost_chunks, 2u);
}

// Chunks of one sector: 32 records an area.
TEST(StoreFormat, a_full_area_leads_to_the_next_one) {
  Device device(128);
  write_header({kMagic, 1, kVersion, 1}, device.chunk(0, 1));
  ASSERT_EQ(records_per_area(1), 32u);
  ASSERT_EQ(area_chunk(1, 32), 34u);
  for (std::uint32_t i = 0; i < 32; ++i) write_record({i, 2 + i}, i, device.chunk(1, 1));
  const auto full = device.read();
  ASSERT_TRUE(full.ok()) << full.error();
  EXPECT_EQ(full->records.size(), 32u);
  EXPECT_EQ(full->next_free, 35u) << "the next area's chunk is skipped";
  write_record({99, 35}, 0, device.chunk(34, 1));
  const auto more = device.read();
  ASSERT_TRUE(more.ok()) << more.error();
  EXPECT_EQ(more->records.size(), 33u);
  EXPECT_EQ(more->next_free, 36u);
  EXPECT_EQ(more->lost_chunks, 0u);
}

TEST(StoreFormat, what_is_no_store_is_refused_with_a_reason) {
  Device device(64);
  EXPECT_EQ(device.read().error(), "no magic");
  write_header({kMagic, 1, 2, 8}, device.chunk(0, 8));
  EXPECT_EQ(device.read().error(), "version 2");
  write_header({kMagic, 0, kVersion, 8}, device.chunk(0, 8));
  EXPECT_EQ(device.read().error(), "marked invalid");
  write_header({kMagic, 1, kVersion, 0}, device.chunk(0, 8));
  EXPECT_EQ(device.read().error(), "chunks of 0 sectors");
  write_header({kMagic, 1, kVersion, 8}, device.chunk(0, 8));
  write_record({0, 8}, 0, device.chunk(1, 8));
  EXPECT_EQ(device.read().error(), "record 0 of area 0 names chunk 8");
}

}  // namespace
}  // namespace dmsim::snapshot_store
