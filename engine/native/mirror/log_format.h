// The on-disk dirty log of a mirror, Linux's own: an image written here opens in the kernel and
// back.
//
//   sector 0   magic le32 0x4D695272 | version le32 2 | nr_regions le64 | rest zero
//   sector 1   not used by Linux; a self-sufficient mirror keeps there which of its legs have failed:
//              "LEGF" | count le16 | its complement | a le64 for each, a digest of the leg's device and begin:
//              its number would be another leg's once a repair has taken one out of the table
//   sector 2+  clean bitmap: bit r of it is region r, 1 = clean, least significant bit first
//
// The bitmap is padded to whole 64-bit words, the file to whole logical blocks of the log device. A
// worked example, 12 regions of which 0, 1 and 9 are clean:
//
//   0000  72 52 69 4d 02 00 00 00  0c 00 00 00 00 00 00 00
//   0400  03 02 00 00 00 00 00 00
#pragma once

#include <array>
#include <cstdint>

#include "block/sector.h"

namespace dmsim::mirror_log {

inline constexpr std::uint32_t kMagic = 0x4D695272;
inline constexpr std::uint32_t kVersion = 2;
// Version 1 had its bits in the native order of whoever wrote it: the same as 2 on little-endian.
inline constexpr std::uint32_t kNativeOrderVersion = 1;

inline constexpr std::uint32_t kMagicOffset = 0;
inline constexpr std::uint32_t kVersionOffset = 4;
inline constexpr std::uint32_t kRegionCountOffset = 8;
inline constexpr std::uint32_t kHeaderBytes = 16;
inline constexpr std::uint32_t kFailedLegsOffset = 512;
inline constexpr std::uint32_t kFailedLegsMagic = 0x4647454C;
inline constexpr std::uint32_t kMostFailedLegs = 9;  // as many as a mirror has legs
inline constexpr std::uint32_t kFailedLegsBytes = 8 + 8 * kMostFailedLegs;
inline constexpr Sector kBitmapSector = 2;
inline constexpr std::uint32_t kBitmapOffset = kBitmapSector * kSectorBytes;
inline constexpr std::uint32_t kBitsPerWord = 64;

struct Header {
  std::uint32_t magic = 0;
  std::uint32_t version = 0;
  std::uint64_t region_count = 0;
  friend bool operator==(const Header&, const Header&) = default;
};

struct FailedLegs {
  std::uint32_t count = 0;  // at most kMostFailedLegs
  std::array<std::uint64_t, kMostFailedLegs> legs{};  // the first `count`; the rest are 0
  bool contains(std::uint64_t leg) const {
    for (std::uint32_t i = 0; i < count; ++i) {
      if (legs[i] == leg) return true;
    }
    return false;
  }
  friend bool operator==(const FailedLegs&, const FailedLegs&) = default;
};

// Bytes of the bitmap, padding included.
constexpr std::uint64_t bitmap_bytes(std::uint64_t region_count) {
  return (region_count + kBitsPerWord - 1) / kBitsPerWord * (kBitsPerWord / 8);
}

// Sectors that header and bitmap take on a device of that logical block size.
constexpr std::uint64_t log_sectors(std::uint64_t region_count, std::uint32_t block_sectors) {
  const std::uint64_t block_bytes = std::uint64_t{block_sectors} * kSectorBytes;
  const std::uint64_t bytes = kBitmapOffset + bitmap_bytes(region_count);
  return (bytes + block_bytes - 1) / block_bytes * block_sectors;
}

// Where the bit of a region lies within the bitmap.
struct BitPlace {
  std::uint64_t byte;
  std::uint8_t mask;
};
constexpr BitPlace bit_place(std::uint64_t region) {
  return {region / 8, static_cast<std::uint8_t>(1u << (region % 8))};
}
// Where a big-endian 64-bit machine would put it, if it used its native order (fault
// log-bit-layout).
constexpr BitPlace swapped_bit_place(std::uint64_t region) {
  return {(region / 8) ^ 7, static_cast<std::uint8_t>(1u << (region % 8))};
}

}  // namespace dmsim::mirror_log
