// Stamps: what test data consists of. Every sector says in plain text who wrote it, the how-manieth
// write of that task it was, and where it was meant to go, in 64-byte rows that fit a hex dump:
//
//   dmsim task 00003 write 0000000012 sector 0000000000768 row 0...\n
//
// Two writes never stamp the same bytes, a misdirected sector shows by its own number, and a sector
// that mixes two writes shows by its rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "block/sector.h"

namespace dmsim {

inline constexpr std::uint32_t kStampRowBytes = 64;

struct Stamp {
  std::uint32_t task = 0;    // < 100'000
  std::uint64_t write = 0;   // the task's own count, < 10^10
  Sector sector = 0;         // < 10^13
  friend bool operator==(const Stamp&, const Stamp&) = default;
};

// Fills one sector.
void stamp_sector(std::byte* out, const Stamp& stamp);

// Fills sector after sector of one write: the numbers are put into digits once, then counted up.
class Stamper {
 public:
  explicit Stamper(const Stamp& first);
  // Fills the first sector, then the one behind it, and so on. Requires a sector < 10^13.
  void next(std::byte* out);

 private:
  void count_up();
  bool begun_ = false;
  char row_[kStampRowBytes];
};
// Fills sectors from stamp.sector on; out.size() is a multiple of 512.
void stamp_sectors(std::span<std::byte> out, Stamp stamp);
// Fills any number of bytes with the rows of a stamped sector, from its byte `offset` on: what a
// store of less than a sector stores. Requires offset + out.size() <= 512.
void stamp_bytes(std::span<std::byte> out, const Stamp& stamp, std::uint32_t offset);

// The stamp of a sector all of whose rows carry the same one; nothing: it is not a whole stamp.
std::optional<Stamp> read_stamp(const std::byte* sector);
// The stamp of one row.
std::optional<Stamp> read_stamp_row(const std::byte* row);

}  // namespace dmsim
