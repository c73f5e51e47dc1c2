// The metadata of a clone on its own device: which regions have been brought to the destination. A format
// of our own; docs/CLONE_METADATA.md describes it with worked bytes. (Linux keeps the same bits in a
// B-tree of dm's persistent-data library, whose format this is not.)
//
//   block 0, 1   superblock slots; only the first sector of each means something
//   then         the bitmap of slot 0, then that of slot 1, each a whole number of blocks
//
// A transaction is written into the slot that does not hold the newest one: bitmap, flush, superblock,
// flush. A superblock is one sector, so it is there or not; it names its bitmap by digest.
#pragma once

#include <cstdint>

#include "block/sector.h"

namespace dmsim::clone_metadata {

inline constexpr std::uint32_t kBlockSectors = 8;
inline constexpr std::uint32_t kBlockBytes = kBlockSectors * kSectorBytes;
inline constexpr std::uint32_t kSlots = 2;
inline constexpr std::uint32_t kBitsPerWord = 64;

inline constexpr std::uint64_t kMagic = 0x4E4C434D49534D44;  // "DMSIMCLN" in little-endian bytes
inline constexpr std::uint32_t kVersion = 1;

// Offsets in a superblock's sector, all little-endian.
inline constexpr std::uint32_t kMagicOffset = 0;           // le64
inline constexpr std::uint32_t kVersionOffset = 8;         // le32
inline constexpr std::uint32_t kSlotOffset = 12;           // le32, the slot that this is
inline constexpr std::uint32_t kSequenceOffset = 16;       // le64, of the transaction, from 1
inline constexpr std::uint32_t kRegionSectorsOffset = 24;  // le64
inline constexpr std::uint32_t kTargetSectorsOffset = 32;  // le64
inline constexpr std::uint32_t kBitmapDigestOffset = 40;   // le64, XXH3 of the slot's bitmap blocks
inline constexpr std::uint32_t kDigestOffset = 48;         // le64, XXH3 of the bytes before it
inline constexpr std::uint32_t kSuperblockBytes = 56;

struct Superblock {
  std::uint32_t slot = 0;
  std::uint64_t sequence = 0;
  std::uint64_t region_sectors = 0;
  std::uint64_t target_sectors = 0;
  std::uint64_t bitmap_digest = 0;
  friend bool operator==(const Superblock&, const Superblock&) = default;
};

// Where everything lies, for a clone of that many regions.
struct Layout {
  std::uint64_t region_count = 0;

  std::uint64_t words() const { return (region_count + kBitsPerWord - 1) / kBitsPerWord; }
  std::uint64_t bitmap_blocks() const { return (words() * 8 + kBlockBytes - 1) / kBlockBytes; }
  // Words that one bitmap block holds.
  static constexpr std::uint64_t words_per_block() { return kBlockBytes / 8; }
  std::uint64_t bitmap_block(std::uint32_t slot) const { return kSlots + slot * bitmap_blocks(); }
  std::uint64_t blocks() const { return kSlots + kSlots * bitmap_blocks(); }
  std::uint64_t sectors() const { return blocks() * kBlockSectors; }
};

constexpr std::uint64_t region_count(std::uint64_t target_sectors, std::uint64_t region_sectors) {
  return (target_sectors + region_sectors - 1) / region_sectors;
}

}  // namespace dmsim::clone_metadata
