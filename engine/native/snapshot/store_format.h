// The on-disk store of a persistent snapshot, Linux's own: an image written here opens in the kernel and
// back. All little-endian; a chunk is a power of two of sectors, C.
//
//   chunk 0           header: magic le32 0x70416e53 | valid le32 | version le32 1 | C le32 | rest zero
//   chunk 1           area 0: records of 16 bytes, E = C * 512 / 16 of them
//   chunks 2 .. E+1   data of area 0, in no order
//   chunk E+2         area 1, and so on: area a lies at chunk 1 + (E + 1) * a
//
// A record is old chunk le64 (of the origin) | new chunk le64 (of this device). A new chunk of 0 ends
// the list, in whatever area it stands; an area that is full promises that the next one can be read.
// A worked example, C = 16 sectors (E = 512), where chunk 5 of the origin was saved first, then chunk 3:
//
//   0000  53 6e 41 70 01 00 00 00  01 00 00 00 10 00 00 00
//   2000  05 00 00 00 00 00 00 00  02 00 00 00 00 00 00 00
//   2010  03 00 00 00 00 00 00 00  03 00 00 00 00 00 00 00
//   2020  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00
#pragma once

#include <cstdint>

#include "block/sector.h"

namespace dmsim::snapshot_store {

inline constexpr std::uint32_t kMagic = 0x70416e53;
inline constexpr std::uint32_t kVersion = 1;
inline constexpr std::uint64_t kHeaderChunks = 1;

inline constexpr std::uint32_t kMagicOffset = 0;
inline constexpr std::uint32_t kValidOffset = 4;
inline constexpr std::uint32_t kVersionOffset = 8;
inline constexpr std::uint32_t kChunkSectorsOffset = 12;
inline constexpr std::uint32_t kHeaderBytes = 16;
inline constexpr std::uint32_t kRecordBytes = 16;
inline constexpr std::uint32_t kNewChunkOffset = 8;

struct Header {
  std::uint32_t magic = 0;  // 0: no store yet
  std::uint32_t valid = 0;  // 0: nothing of it may be believed, for good
  std::uint32_t version = 0;
  std::uint32_t chunk_sectors = 0;
  friend bool operator==(const Header&, const Header&) = default;
};

struct Record {
  std::uint64_t old_chunk = 0;
  std::uint64_t new_chunk = 0;  // 0: the list has ended before this one
  friend bool operator==(const Record&, const Record&) = default;
};

constexpr std::uint32_t records_per_area(std::uint32_t chunk_sectors) {
  return chunk_sectors * kSectorBytes / kRecordBytes;
}
// The chunk that holds area `area`.
constexpr std::uint64_t area_chunk(std::uint64_t area, std::uint32_t per_area) {
  return kHeaderChunks + (std::uint64_t{per_area} + 1) * area;
}
constexpr bool is_area_chunk(std::uint64_t chunk, std::uint32_t per_area) {
  return chunk >= kHeaderChunks && (chunk - kHeaderChunks) % (std::uint64_t{per_area} + 1) == 0;
}

}  // namespace dmsim::snapshot_store
