// SPDX-License-Identifier: GPL-2.0-only
#include "engine/linux/host/clone_metadata.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

namespace dmsim::kernel::clone_metadata {
namespace {

constexpr std::uint32_t kMostLevels = 8;  // of the tree: a deeper one is damage
constexpr std::uint32_t kInner = 1;
constexpr std::uint32_t kLeaf = 2;
constexpr std::uint32_t kNodeHeader = 32;
constexpr std::uint32_t kArrayHeader = 24;

constexpr std::array<std::uint32_t, 256> kCrcTable = [] {
  std::array<std::uint32_t, 256> out{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78u : 0);
    out[i] = crc;
  }
  return out;
}();

using Block = std::array<std::byte, kBlockBytes>;

template <typename Number>
Number number_at(const Block& block, std::size_t offset) {
  Number out = 0;
  for (std::size_t i = sizeof(Number); i-- > 0;) {
    out = static_cast<Number>((out << 8) | std::to_integer<Number>(block[offset + i]));
  }
  return out;
}
std::uint32_t u32_at(const Block& block, std::size_t offset) { return number_at<std::uint32_t>(block, offset); }
std::uint64_t u64_at(const Block& block, std::size_t offset) { return number_at<std::uint64_t>(block, offset); }

class Reader {
 public:
  Reader(const CloneView::ReadMetadata& read, std::uint64_t region_count)
      : read_(read), hydrated_(region_count, false), seen_words_((region_count + 63) / 64, false) {}

  // All of these: what is wrong, nullopt: nothing.
  std::optional<std::string> read_all(std::uint64_t target_sectors, std::uint64_t region_sectors) {
    const Block block = load(0);
    if (std::all_of(block.begin(), block.end(), [](std::byte byte) { return byte == std::byte{0}; })) {
      return std::nullopt;
    }
    if (u64_at(block, 8) != 0) return "the superblock belongs to another block";
    if (u64_at(block, 32) != kMagic) return "the superblock has another magic number";
    if (u32_at(block, 0) != checksum(block.data(), kSuperblockXor)) return "the superblock's checksum is wrong";
    if (u32_at(block, 40) != kVersion) return fmt::format("version {}", u32_at(block, 40));
    if (u64_at(block, 172) != region_sectors || u64_at(block, 180) != target_sectors) {
      return "region or target size is another one";
    }
    if (auto wrong = read_node(u64_at(block, 188), 0)) return wrong;
    const auto missing = std::find(seen_words_.begin(), seen_words_.end(), false);
    if (missing != seen_words_.end()) {
      return fmt::format("no array block holds word {} of the bitset", missing - seen_words_.begin());
    }
    return std::nullopt;
  }

  std::vector<bool> take() { return std::move(hydrated_); }

 private:
  Block load(std::uint64_t number) const {
    Block block;
    read_(number * kBlockSectors, kBlockSectors, block.data());
    return block;
  }

  std::optional<std::string> read_node(std::uint64_t number, std::uint32_t level) {
    if (level == kMostLevels) return "the tree has no end";
    const Block block = load(number);
    if (u64_at(block, 8) != number) return fmt::format("block {} is no tree node of its own", number);
    if (u32_at(block, 0) != checksum(block.data(), kNodeXor)) {
      return fmt::format("the checksum of tree node {} is wrong", number);
    }
    const std::uint32_t entries = u32_at(block, 16);
    const std::uint32_t fit = u32_at(block, 20);
    const std::uint32_t flags = u32_at(block, 4);
    if (u32_at(block, 24) != 8 || entries > fit || fit > (kBlockBytes - kNodeHeader) / 16 ||
        (flags & (kInner | kLeaf)) == 0) {
      return fmt::format("tree node {} is damaged", number);
    }
    for (std::uint32_t i = 0; i < entries; ++i) {
      const std::uint64_t key = u64_at(block, kNodeHeader + i * 8);
      const std::uint64_t child = u64_at(block, kNodeHeader + (fit + i) * 8);
      const auto wrong = (flags & kInner) != 0 ? read_node(child, level + 1) : read_array(child, key);
      if (wrong) return wrong;
    }
    return std::nullopt;
  }

  // The `index`-th array block.
  std::optional<std::string> read_array(std::uint64_t number, std::uint64_t index) {
    const Block block = load(number);
    constexpr std::uint32_t kFit = (kBlockBytes - kArrayHeader) / 8;
    if (u64_at(block, 16) != number) return fmt::format("block {} is no array block of its own", number);
    if (u32_at(block, 0) != checksum(block.data(), kArrayXor)) {
      return fmt::format("the checksum of array block {} is wrong", number);
    }
    const std::uint32_t values = u32_at(block, 8);
    if (u32_at(block, 12) != 8 || u32_at(block, 4) != kFit || values > kFit) {
      return fmt::format("array block {} is damaged", number);
    }
    for (std::uint32_t i = 0; i < values; ++i) {
      const std::uint64_t word = index * kFit + i;
      if (word >= seen_words_.size()) break;
      seen_words_[word] = true;
      const std::uint64_t bits = u64_at(block, kArrayHeader + i * 8);
      for (std::uint64_t bit = 0; bit < 64 && word * 64 + bit < hydrated_.size(); ++bit) {
        hydrated_[word * 64 + bit] = (bits >> bit & 1) != 0;
      }
    }
    return std::nullopt;
  }

  const CloneView::ReadMetadata& read_;
  std::vector<bool> hydrated_;
  std::vector<bool> seen_words_;
};

}  // namespace

std::uint32_t checksum(const std::byte* block, std::uint32_t kind_xor) {
  std::uint32_t crc = ~std::uint32_t{0};
  for (std::uint32_t i = 4; i < kBlockBytes; ++i) {
    crc = (crc >> 8) ^ kCrcTable[(crc ^ std::to_integer<std::uint32_t>(block[i])) & 0xff];
  }
  return crc ^ kind_xor;
}

Result<std::vector<bool>, std::string> read_hydrated(const CloneView::ReadMetadata& read,
                                                     std::uint64_t target_sectors, std::uint64_t region_sectors,
                                                     std::uint64_t region_count) {
  Reader reader(read, region_count);
  if (auto wrong = reader.read_all(target_sectors, region_sectors)) return Failure{std::move(*wrong)};
  return reader.take();
}

}  // namespace dmsim::kernel::clone_metadata
