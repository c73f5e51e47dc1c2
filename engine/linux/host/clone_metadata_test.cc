// SPDX-License-Identifier: GPL-2.0-only
#include "engine/linux/host/clone_metadata.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

namespace dmsim::kernel::clone_metadata {
namespace {

using testing::HasSubstr;

// A metadata device as bytes: a superblock, an inner node, leaves, array blocks.
class Device {
 public:
  explicit Device(std::size_t blocks) : bytes_(blocks * kBlockBytes) {}

  std::byte* block(std::uint64_t number) { return bytes_.data() + number * kBlockBytes; }
  void put32(std::uint64_t number, std::size_t at, std::uint32_t value) { std::memcpy(block(number) + at, &value, 4); }
  void put64(std::uint64_t number, std::size_t at, std::uint64_t value) { std::memcpy(block(number) + at, &value, 8); }
  void seal(std::uint64_t number, std::uint32_t kind_xor) { put32(number, 0, checksum(block(number), kind_xor)); }

  void superblock(std::uint64_t target, std::uint64_t region, std::uint64_t root) {
    put64(0, 32, kMagic);
    put32(0, 40, kVersion);
    put64(0, 172, region);
    put64(0, 180, target);
    put64(0, 188, root);
    seal(0, kSuperblockXor);
  }
  void node(std::uint64_t number, bool leaf, const std::vector<std::pair<std::uint64_t, std::uint64_t>>& entries) {
    put32(number, 4, leaf ? 2 : 1);
    put64(number, 8, number);
    put32(number, 16, static_cast<std::uint32_t>(entries.size()));
    put32(number, 20, 252);
    put32(number, 24, 8);
    for (std::size_t i = 0; i < entries.size(); ++i) {
      put64(number, 32 + i * 8, entries[i].first);
      put64(number, 32 + (252 + i) * 8, entries[i].second);
    }
    seal(number, kNodeXor);
  }
  void array(std::uint64_t number, const std::vector<std::uint64_t>& words) {
    put32(number, 4, 509);
    put32(number, 8, static_cast<std::uint32_t>(words.size()));
    put32(number, 12, 8);
    put64(number, 16, number);
    for (std::size_t i = 0; i < words.size(); ++i) put64(number, 24 + i * 8, words[i]);
    seal(number, kArrayXor);
  }
  auto read(std::uint64_t target, std::uint64_t region, std::uint64_t count) {
    return read_hydrated(
        [this](Sector first, std::uint32_t sectors, std::byte* out) {
          std::memcpy(out, bytes_.data() + first * kSectorBytes, sectors * kSectorBytes);
        },
        target, region, count);
  }

 private:
  std::vector<std::byte> bytes_;
};

Device small() {
  Device device(4);
  device.superblock(800, 8, 1);
  device.node(1, true, {{0, 2}});
  device.array(2, {0x8000000000000001ull, 0x10});
  return device;
}

TEST(CloneMetadata, the_checksum_is_crc32c) {
  std::vector<std::byte> block(kBlockBytes, std::byte{0});
  // Of 4092 zero bytes, from the definition, bit by bit.
  std::uint32_t crc = ~0u;
  for (std::uint32_t i = 0; i < (kBlockBytes - 4) * 8; ++i) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78u : 0);
  EXPECT_EQ(checksum(block.data(), 0), crc);
  EXPECT_EQ(checksum(block.data(), 5), crc ^ 5);
}

TEST(CloneMetadata, a_device_of_zeroes_has_nothing_hydrated) {
  const auto regions = Device(1).read(800, 8, 100);
  ASSERT_TRUE(regions.ok());
  EXPECT_EQ(*regions, std::vector<bool>(100, false));
}

TEST(CloneMetadata, each_bit_is_a_region) {
  const auto regions = small().read(800, 8, 100);
  ASSERT_TRUE(regions.ok());
  for (std::size_t i = 0; i < 100; ++i) EXPECT_EQ((*regions)[i], i == 0 || i == 63 || i == 68) << i;
}

TEST(CloneMetadata, a_tree_of_two_levels_is_walked_to_its_array_blocks) {
  Device device(8);
  const std::uint64_t count = 509 * 64 + 70;
  device.superblock(count * 8, 8, 1);
  device.node(1, false, {{0, 2}, {1, 3}});
  device.node(2, true, {{0, 4}});
  device.node(3, true, {{1, 5}});
  device.array(4, std::vector<std::uint64_t>(509, 0));
  device.array(5, {1, 2});
  const auto regions = device.read(count * 8, 8, count);
  ASSERT_TRUE(regions.ok());
  EXPECT_TRUE((*regions)[509 * 64]);
  EXPECT_TRUE((*regions)[509 * 64 + 65]);
  EXPECT_EQ(std::count(regions->begin(), regions->end(), true), 2);
}

TEST(CloneMetadata, every_kind_of_damage_is_named) {
  const auto refusal = [](auto damage) {
    Device device = small();
    damage(device);
    const auto regions = device.read(800, 8, 100);
    return regions.ok() ? std::string() : regions.error();
  };
  EXPECT_THAT(refusal([](Device& d) { d.put32(0, 100, 1); }), HasSubstr("superblock's checksum"));
  EXPECT_THAT(refusal([](Device& d) { d.put64(0, 32, 1); }), HasSubstr("magic"));
  EXPECT_THAT(refusal([](Device& d) { d.superblock(808, 8, 1); }), HasSubstr("size"));
  EXPECT_THAT(refusal([](Device& d) { d.put32(1, 2000, 1); }), HasSubstr("checksum of tree node 1"));
  EXPECT_THAT(refusal([](Device& d) { d.put32(2, 2000, 1); }), HasSubstr("checksum of array block 2"));
  EXPECT_THAT(refusal([](Device& d) { d.node(1, true, {{0, 3}}); }), HasSubstr("block 3"));
  EXPECT_THAT(refusal([](Device& d) { d.node(1, false, {{0, 1}}); }), HasSubstr("no end"));
  EXPECT_THAT(refusal([](Device& d) { d.array(2, {1}); }), HasSubstr("word 1"));
}

}  // namespace
}  // namespace dmsim::kernel::clone_metadata
