#include "models/memory/stamp.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace dmsim {
namespace {

constexpr char kRow[] = "dmsim task 00000 write 0000000000 sector 0000000000000 row 0...\n";
static_assert(sizeof(kRow) - 1 == kStampRowBytes);

struct Field {
  std::uint32_t at;
  std::uint32_t digits;
  std::uint64_t limit;  // values are below
};
constexpr Field kTask{11, 5, 100'000};
constexpr Field kWrite{23, 10, 10'000'000'000};
constexpr Field kSector{41, 13, 10'000'000'000'000};
constexpr Field kRowNumber{59, 1, kSectorBytes / kStampRowBytes};

void put(char* row, const Field& field, std::uint64_t value) {
  CHECK(value < field.limit, value, field.limit);
  for (std::uint32_t i = field.digits; i-- > 0; value /= 10) {
    row[field.at + i] = static_cast<char>('0' + value % 10);
  }
}

// Takes the field's digits out of `row` (they become zeroes). False: something else stands there.
bool take(char* row, const Field& field, std::uint64_t* value) {
  *value = 0;
  for (std::uint32_t i = 0; i < field.digits; ++i) {
    char& digit = row[field.at + i];
    if (digit < '0' || digit > '9') return false;
    *value = *value * 10 + static_cast<std::uint64_t>(digit - '0');
    digit = '0';
  }
  return true;
}

void put_row(char* row, const Stamp& stamp) {
  std::memcpy(row, kRow, kStampRowBytes);
  put(row, kTask, stamp.task);
  put(row, kWrite, stamp.write);
  put(row, kSector, stamp.sector);
}

}  // namespace

Stamper::Stamper(const Stamp& first) { put_row(row_, first); }

// Counts up before the second sector and later ones: the highest sector of all can be stamped too.
void Stamper::next(std::byte* out) {
  if (begun_) count_up();
  begun_ = true;
  // The number goes into the copy: a row that was just stored to would have to be waited for.
  for (std::uint32_t i = 0; i < kSectorBytes / kStampRowBytes; ++i) {
    std::byte* const row = out + i * kStampRowBytes;
    std::memcpy(row, row_, kStampRowBytes);
    row[kRowNumber.at] = static_cast<std::byte>('0' + i);
  }
}

void Stamper::count_up() {
  for (std::uint32_t digit = kSector.at + kSector.digits; digit-- > kSector.at;) {
    if (row_[digit] != '9') {
      ++row_[digit];
      return;
    }
    row_[digit] = '0';
  }
  CHECK(false, "no stamp has so high a sector");
}

void stamp_sector(std::byte* out, const Stamp& stamp) { Stamper(stamp).next(out); }

void stamp_sectors(std::span<std::byte> out, Stamp stamp) {
  CHECK(out.size() % kSectorBytes == 0, out.size());
  Stamper stamper(stamp);
  for (std::size_t at = 0; at < out.size(); at += kSectorBytes) stamper.next(out.data() + at);
}

void stamp_bytes(std::span<std::byte> out, const Stamp& stamp, std::uint32_t offset) {
  CHECK(offset + out.size() <= kSectorBytes, offset, out.size());
  if (out.size() == kSectorBytes) return stamp_sector(out.data(), stamp);
  std::byte sector[kSectorBytes];
  stamp_sector(sector, stamp);
  std::memcpy(out.data(), sector + offset, out.size());
}

std::optional<Stamp> read_stamp_row(const std::byte* row) {
  char copy[kStampRowBytes];
  std::memcpy(copy, row, kStampRowBytes);
  std::uint64_t task = 0;
  std::uint64_t write = 0;
  std::uint64_t sector = 0;
  std::uint64_t number = 0;
  if (!take(copy, kTask, &task) || !take(copy, kWrite, &write) || !take(copy, kSector, &sector) ||
      !take(copy, kRowNumber, &number)) {
    return std::nullopt;
  }
  if (std::memcmp(copy, kRow, kStampRowBytes) != 0) return std::nullopt;
  return Stamp{static_cast<std::uint32_t>(task), write, sector};
}

std::optional<Stamp> read_stamp(const std::byte* sector) {
  const std::optional<Stamp> stamp = read_stamp_row(sector);
  if (!stamp) return std::nullopt;
  std::byte whole[kSectorBytes];
  stamp_sector(whole, *stamp);
  if (std::memcmp(whole, sector, kSectorBytes) != 0) return std::nullopt;
  return stamp;
}

}  // namespace dmsim
