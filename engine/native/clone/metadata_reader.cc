#include "engine/native/clone/metadata_reader.h"

#include <algorithm>
#include <cerrno>

#include "base/check.h"
#include "base/digest.h"
#include "base/reached.h"

namespace dmsim::clone_metadata {
namespace {

std::uint64_t get_le(const std::byte* at, std::uint32_t bytes) {
  std::uint64_t value = 0;
  for (std::uint32_t i = 0; i < bytes; ++i)
    value |= std::to_integer<std::uint64_t>(at[i]) << (8 * i);
  return value;
}

std::span<const std::byte> blocks_of(std::span<const std::byte> store, std::uint64_t first,
                                     std::uint64_t count) {
  return store.subspan(first * kBlockBytes, count * kBlockBytes);
}

}  // namespace

std::optional<Superblock> read_superblock(std::span<const std::byte> block, std::uint32_t slot) {
  CHECK(block.size() >= kSuperblockBytes, block.size());
  const std::byte* const at = block.data();
  if (get_le(at + kMagicOffset, 8) != kMagic) return std::nullopt;
  if (get_le(at + kDigestOffset, 8) != digest_bytes(at, kDigestOffset)) return std::nullopt;
  if (get_le(at + kVersionOffset, 4) != kVersion) return std::nullopt;
  Superblock out;
  out.slot = static_cast<std::uint32_t>(get_le(at + kSlotOffset, 4));
  out.sequence = get_le(at + kSequenceOffset, 8);
  out.region_sectors = get_le(at + kRegionSectorsOffset, 8);
  out.target_sectors = get_le(at + kTargetSectorsOffset, 8);
  out.bitmap_digest = get_le(at + kBitmapDigestOffset, 8);
  if (out.slot != slot) return std::nullopt;
  return out;
}

bool is_unformatted(std::span<const std::byte> store) {
  const auto blocks = blocks_of(store, 0, kSlots);
  return std::all_of(blocks.begin(), blocks.end(), [](std::byte b) { return b == std::byte{0}; });
}

Result<Loaded, LoadError> load(std::span<const std::byte> store, std::uint64_t region_sectors,
                               std::uint64_t target_sectors) {
  const Layout layout{region_count(target_sectors, region_sectors)};
  CHECK(store.size() >= layout.sectors() * kSectorBytes, store.size());
  std::optional<Superblock> newest;
  bool other_shape = false;
  for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
    const auto found = read_superblock(blocks_of(store, slot, 1), slot);
    if (!found) continue;
    if (found->region_sectors != region_sectors || found->target_sectors != target_sectors) {
      other_shape = true;
      continue;
    }
    const auto bitmap = blocks_of(store, layout.bitmap_block(slot), layout.bitmap_blocks());
    if (digest_bytes(bitmap.data(), bitmap.size()) != found->bitmap_digest) {
      REACHED("a superblock of a clone names a bitmap that is not there");
      continue;
    }
    if (!newest || found->sequence > newest->sequence) newest = found;
  }
  if (!newest && other_shape) {
    return Failure{LoadError{EINVAL, "Region and/or target size don't match the ones in metadata"}};
  }
  if (!newest) return Failure{LoadError{EILSEQ, "no superblock with its bitmap is there"}};
  Loaded out{*newest, std::vector<std::uint64_t>(layout.words())};
  const auto bitmap = blocks_of(store, layout.bitmap_block(newest->slot), layout.bitmap_blocks());
  for (std::size_t i = 0; i < out.words.size(); ++i) {
    out.words[i] = get_le(bitmap.data() + 8 * i, 8);
  }
  return out;
}

}  // namespace dmsim::clone_metadata
