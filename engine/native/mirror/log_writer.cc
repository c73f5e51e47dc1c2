#include "engine/native/mirror/log_writer.h"

#include "base/check.h"

namespace dmsim::mirror_log {
namespace {

void put_le(std::byte* at, std::uint64_t value, std::uint32_t bytes) {
  for (std::uint32_t i = 0; i < bytes; ++i) at[i] = static_cast<std::byte>(value >> (8 * i));
}

}  // namespace

void write_header(const Header& header, std::span<std::byte> log) {
  CHECK(log.size() >= kHeaderBytes, log.size());
  put_le(log.data() + kMagicOffset, header.magic, 4);
  put_le(log.data() + kVersionOffset, header.version, 4);
  put_le(log.data() + kRegionCountOffset, header.region_count, 8);
}

void write_failed_legs(const FailedLegs& failed, std::span<std::byte> log) {
  CHECK(log.size() >= kFailedLegsOffset + kFailedLegsBytes, log.size());
  CHECK(failed.count <= kMostFailedLegs, failed.count);
  std::byte* const at = log.data() + kFailedLegsOffset;
  put_le(at, kFailedLegsMagic, 4);
  put_le(at + 4, failed.count, 2);
  put_le(at + 6, ~failed.count, 2);
  for (std::uint32_t i = 0; i < kMostFailedLegs; ++i) put_le(at + 8 + 8 * i, i < failed.count ? failed.legs[i] : 0, 8);
}

void write_clean_bit(std::span<std::byte> log, std::uint64_t region, bool clean) {
  const BitPlace place = bit_place(region);
  CHECK(kBitmapOffset + place.byte < log.size(), region, log.size());
  std::byte& byte = log[kBitmapOffset + place.byte];
  const std::byte mask{place.mask};
  byte = clean ? byte | mask : byte & ~mask;
}

}  // namespace dmsim::mirror_log
