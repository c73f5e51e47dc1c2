#include "engine/native/mirror/log_reader.h"

#include "base/check.h"

namespace dmsim::mirror_log {
namespace {

std::uint64_t get_le(const std::byte* at, std::uint32_t bytes) {
  std::uint64_t value = 0;
  for (std::uint32_t i = 0; i < bytes; ++i)
    value |= std::to_integer<std::uint64_t>(at[i]) << (8 * i);
  return value;
}

}  // namespace

Header read_header(std::span<const std::byte> log) {
  CHECK(log.size() >= kHeaderBytes, log.size());
  Header header;
  header.magic = static_cast<std::uint32_t>(get_le(log.data() + kMagicOffset, 4));
  header.version = static_cast<std::uint32_t>(get_le(log.data() + kVersionOffset, 4));
  header.region_count = get_le(log.data() + kRegionCountOffset, 8);
  return header;
}

bool is_valid(const Header& header) {
  return header.magic == kMagic &&
         (header.version == kVersion || header.version == kNativeOrderVersion);
}

FailedLegs read_failed_legs(std::span<const std::byte> log) {
  CHECK(log.size() >= kFailedLegsOffset + kFailedLegsBytes, log.size());
  const std::byte* const at = log.data() + kFailedLegsOffset;
  const std::uint64_t count = get_le(at + 4, 2);
  const bool valid = get_le(at, 4) == kFailedLegsMagic && get_le(at + 6, 2) == (count ^ 0xFFFF);
  FailedLegs failed;
  if (!valid || count > kMostFailedLegs) return failed;
  failed.count = static_cast<std::uint32_t>(count);
  for (std::uint32_t i = 0; i < failed.count; ++i) failed.legs[i] = get_le(at + 8 + 8 * i, 8);
  return failed;
}

bool read_clean_bit(std::span<const std::byte> log, std::uint64_t region) {
  const BitPlace place = bit_place(region);
  CHECK(kBitmapOffset + place.byte < log.size(), region, log.size());
  return (log[kBitmapOffset + place.byte] & std::byte{place.mask}) != std::byte{0};
}

}  // namespace dmsim::mirror_log
