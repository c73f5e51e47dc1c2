// SPDX-License-Identifier: GPL-2.0-only
// The metadata device of dm-clone, as far as it says which regions are hydrated.
//
// Blocks are 4 KiB. Block 0 is the superblock; it names the root of a B-tree whose leaves name array
// blocks; those hold, in 64-bit words, one bit for each region (lowest bit first). Each kind of block
// carries a CRC-32C of everything behind it, mixed with a number of its kind, and its own address. All
// numbers are little-endian. A superblock of zeroes is a device that was never formatted: the next
// activation formats it, and nothing is hydrated.
//
//   superblock   0 csum, 4 flags, 8 blocknr, 16 uuid[16], 32 magic, 40 version, 44 root of the space
//                map[128], 172 region size, 180 target size, 188 root of the bitset
//   tree node    0 csum, 4 flags (1 inner, 2 leaf), 8 blocknr, 16 entries, 20 entries that fit, 24 bytes of a
//                value, 28 -, 32 keys, then values
//   array block  0 csum, 4 values that fit, 8 values, 12 bytes of a value, 16 blocknr, 24 values
//
// Not looked at: the space map. An activation that fails because of it is not foreseen here.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/device_mapper.h"

namespace dmsim::kernel::clone_metadata {

inline constexpr std::uint32_t kBlockBytes = 4096;
inline constexpr std::uint32_t kBlockSectors = kBlockBytes / kSectorBytes;
inline constexpr std::uint64_t kMagic = 0x8af27f64;
inline constexpr std::uint32_t kVersion = 1;
inline constexpr std::uint32_t kSuperblockXor = 257649492;
inline constexpr std::uint32_t kNodeXor = 121107;
inline constexpr std::uint32_t kArrayXor = 595846735;

// Of a block's bytes behind its checksum.
std::uint32_t checksum(const std::byte* block, std::uint32_t kind_xor);

// The regions that an activation with this target would take for hydrated. Failure: it is refused, and why.
Result<std::vector<bool>, std::string> read_hydrated(const CloneView::ReadMetadata& read,
                                                     std::uint64_t target_sectors, std::uint64_t region_sectors,
                                                     std::uint64_t region_count);

}  // namespace dmsim::kernel::clone_metadata
