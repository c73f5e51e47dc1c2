// Small recorded logs for tests: made by hand, or a recorded one with some entries left out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/native/mirror/log_format.h"
#include "models/workload/log_writes.h"

namespace dmsim {

inline std::vector<std::byte> sectors_of(std::size_t sectors, unsigned char fill) {
  return std::vector<std::byte>(sectors * kSectorBytes, std::byte{fill});
}

inline WriteLog parsed(LogWritesWriter& writer) {
  const auto bytes = writer.bytes();
  auto log = WriteLog::parse({bytes.begin(), bytes.end()}, "made by hand");
  CHECK(log.ok(), log.error().to_string());
  return std::move(*log);
}

// Header, unused sector and the bitmap's first sector, as the kernel writes them in one go.
inline std::vector<std::byte> dirty_log_sectors(std::uint64_t regions, std::uint8_t clean_bits) {
  std::vector<std::byte> bytes = sectors_of(3, 0);
  const auto put = [&](std::size_t at, std::uint64_t value, int size) {
    for (int i = 0; i < size; ++i) bytes[at + static_cast<std::size_t>(i)] = std::byte(value >> (8 * i) & 0xff);
  };
  put(mirror_log::kMagicOffset, mirror_log::kMagic, 4);
  put(mirror_log::kVersionOffset, mirror_log::kVersion, 4);
  put(mirror_log::kRegionCountOffset, regions, 8);
  bytes[mirror_log::kBitmapOffset] = std::byte{clean_bits};
  return bytes;
}

// A copy of a log; `change(index, entry)` may alter the entry, or say false to leave it out.
inline WriteLog edited(const WriteLog& log,
                       const std::function<bool(std::size_t, LogEntry&)>& change) {
  LogWritesWriter writer;
  for (std::size_t i = 0; i < log.entries().size(); ++i) {
    LogEntry entry = log.entries()[i];
    if (!change(i, entry)) continue;
    if (entry.is_mark()) {
      writer.mark(entry.mark);
    } else if (entry.is_discard()) {
      writer.discard(entry.sector, entry.sectors);
    } else if (entry.sectors == 0) {
      writer.flush(entry.sector, entry.flags);
    } else {
      writer.write(entry.sector, entry.flags, entry.data);
    }
  }
  return parsed(writer);
}

}  // namespace dmsim
