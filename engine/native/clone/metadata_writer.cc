#include "engine/native/clone/metadata_writer.h"

#include <cstring>
#include <vector>

#include "base/check.h"
#include "base/digest.h"

namespace dmsim::clone_metadata {
namespace {

void put_le(std::byte* at, std::uint64_t value, std::uint32_t bytes) {
  for (std::uint32_t i = 0; i < bytes; ++i) at[i] = static_cast<std::byte>(value >> (8 * i));
}

}  // namespace

void write_superblock(const Superblock& superblock, std::span<std::byte> block) {
  CHECK(block.size() == kBlockBytes, block.size());
  CHECK(superblock.slot < kSlots, superblock.slot);
  std::byte* const at = block.data();
  std::memset(at, 0, block.size());
  put_le(at + kMagicOffset, kMagic, 8);
  put_le(at + kVersionOffset, kVersion, 4);
  put_le(at + kSlotOffset, superblock.slot, 4);
  put_le(at + kSequenceOffset, superblock.sequence, 8);
  put_le(at + kRegionSectorsOffset, superblock.region_sectors, 8);
  put_le(at + kTargetSectorsOffset, superblock.target_sectors, 8);
  put_le(at + kBitmapDigestOffset, superblock.bitmap_digest, 8);
  put_le(at + kDigestOffset, digest_bytes(at, kDigestOffset), 8);
}

void write_bitmap_block(std::span<const std::uint64_t> words, std::span<std::byte> block) {
  CHECK(block.size() == kBlockBytes, block.size());
  CHECK(words.size() <= Layout::words_per_block(), words.size());
  std::memset(block.data(), 0, block.size());
  for (std::size_t i = 0; i < words.size(); ++i) put_le(block.data() + 8 * i, words[i], 8);
}

std::uint64_t bitmap_digest(const Layout& layout, std::span<const std::uint64_t> words) {
  CHECK(words.size() == layout.words(), words.size());
  std::vector<std::byte> bytes(layout.bitmap_blocks() * kBlockBytes);
  for (std::size_t i = 0; i < words.size(); ++i) put_le(bytes.data() + 8 * i, words[i], 8);
  return digest_bytes(bytes.data(), bytes.size());
}

}  // namespace dmsim::clone_metadata
