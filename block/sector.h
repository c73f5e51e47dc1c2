// Sectors: the unit of every address and length below the page cache, 512 bytes, as in Linux.
#pragma once

#include <algorithm>
#include <cstdint>

namespace dmsim {

inline constexpr std::uint32_t kSectorBytes = 512;
inline constexpr std::uint32_t kPageBytes = 4096;
inline constexpr std::uint32_t kPageSectors = kPageBytes / kSectorBytes;

// An address in sectors from a device's start.
using Sector = std::uint64_t;

// A half-open range [begin, end).
struct SectorRange {
  Sector begin = 0;
  Sector end = 0;  // >= begin

  std::uint64_t count() const { return end - begin; }
  bool empty() const { return begin == end; }
  bool contains(Sector sector) const { return begin <= sector && sector < end; }
  bool overlaps(SectorRange other) const { return begin < other.end && other.begin < end; }
  SectorRange intersection(SectorRange other) const {
    const Sector from = std::max(begin, other.begin);
    return {from, std::max(from, std::min(end, other.end))};
  }
  friend bool operator==(SectorRange, SectorRange) = default;
};

}  // namespace dmsim
