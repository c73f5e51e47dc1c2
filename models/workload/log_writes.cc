#include "models/workload/log_writes.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "models/workload/file_bytes.h"

namespace dmsim {
namespace {

constexpr std::uint32_t kMostSectorBytes = 65536;
constexpr std::size_t kSuperBytes = 28;  // magic, version, nr_entries, sectorsize

std::uint64_t load_le64(const std::byte* from) {
  std::uint64_t value = 0;
  for (int i = 7; i >= 0; --i) value = value << 8 | std::to_integer<std::uint64_t>(from[i]);
  return value;
}
std::uint32_t load_le32(const std::byte* from) {
  std::uint32_t value = 0;
  for (int i = 3; i >= 0; --i) value = value << 8 | std::to_integer<std::uint32_t>(from[i]);
  return value;
}
template <typename Number>
void store_le(std::byte* to, Number value) {
  for (std::size_t i = 0; i < sizeof(Number); ++i) {
    to[i] = static_cast<std::byte>(value >> (8 * i) & 0xff);
  }
}

bool is_sector_size(std::uint32_t bytes) {
  return std::has_single_bit(bytes) && bytes >= kSectorBytes && bytes <= kMostSectorBytes;
}

// Walks a log from its start; every refusal names the byte at which the offending field stands.
class LogParser {
 public:
  LogParser(const std::vector<std::byte>& bytes, const std::string& name)
      : bytes_(bytes), name_(name) {}

  bool parse_super(std::uint32_t* sector_bytes) {
    if (bytes_.size() < kSuperBytes) {
      return fail(bytes_.size(), fmt::format("the log ends within its super, expected {} bytes",
                                             kSectorBytes));
    }
    if (const auto magic = load_le64(bytes_.data()); magic != kLogWritesMagic) {
      return fail(0, fmt::format("found magic {:#x}, expected {:#x} of a dm-log-writes log", magic,
                                 kLogWritesMagic));
    }
    if (const auto version = load_le64(bytes_.data() + 8); version != kLogWritesVersion) {
      return fail(8, fmt::format("found version {}, expected {}", version, kLogWritesVersion));
    }
    entry_count_ = load_le64(bytes_.data() + 16);
    unit_ = load_le32(bytes_.data() + 24);
    if (!is_sector_size(unit_)) {
      return fail(24, fmt::format("found a sector size of {}, expected a power of two from {} to {}",
                                  unit_, kSectorBytes, kMostSectorBytes));
    }
    if (bytes_.size() < unit_) {
      return fail(bytes_.size(),
                  fmt::format("the log ends within its super, expected {} bytes", unit_));
    }
    at_ = unit_;
    *sector_bytes = unit_;
    return true;
  }

  bool parse_entries(std::vector<LogEntry>* entries) {
    // The count is the file's word: memory is reserved for no more than can be there.
    entries->reserve(static_cast<std::size_t>(
        std::min<std::uint64_t>(entry_count_, bytes_.size() / unit_)));
    for (std::uint64_t i = 0; i < entry_count_; ++i) {
      LogEntry entry;
      if (!parse_header(i, &entry) || !parse_payload(i, &entry)) return false;
      entries->push_back(entry);
    }
    return true;
  }

  // What stands behind the last entry that the super counts.
  bool check_rest() {
    for (std::size_t i = at_; i < bytes_.size(); ++i) {
      if (bytes_[i] == std::byte{0}) continue;
      return fail(at_, fmt::format("the super counts {} entries, but more follows (the first byte "
                                   "that is not zero is at {})",
                                   entry_count_, i));
    }
    return true;
  }

  const InputError& error() const { return error_; }

 private:
  bool fail(std::uint64_t offset, std::string message) {
    error_ = {name_, 0, 0, std::move(message), static_cast<long long>(offset)};
    return false;
  }
  std::uint64_t left() const { return bytes_.size() - at_; }

  bool parse_header(std::uint64_t index, LogEntry* entry) {
    entry->offset = at_;
    if (left() == 0) {
      return fail(at_, fmt::format("the log ends after {} entries, expected {} as its super counts",
                                   index, entry_count_));
    }
    if (left() < unit_) {
      return fail(at_, fmt::format("the log ends within the header of entry {}: {} of {} bytes",
                                   index, left(), unit_));
    }
    const std::byte* header = bytes_.data() + at_;
    const std::uint64_t per_unit = unit_ / kSectorBytes;
    const std::uint64_t sector = load_le64(header);
    const std::uint64_t sectors = load_le64(header + 8);
    const std::uint64_t flags = load_le64(header + 16);
    if (flags > kLogAllFlags) {
      return fail(at_ + 16, fmt::format("entry {} has flags {:#x}, expected none above {:#x}",
                                        index, flags, kLogAllFlags));
    }
    entry->flags = static_cast<std::uint32_t>(flags);
    // One division guards the two products and the sum below.
    const std::uint64_t most_units = UINT64_MAX / kSectorBytes / 2 / per_unit;
    if (sectors > most_units) {
      return fail(at_ + 8, fmt::format("entry {} has {} sectors, more than there can be", index,
                                       sectors));
    }
    if (!entry->is_mark() && sector > most_units) {
      return fail(at_, fmt::format("entry {} is at sector {}, beyond any device", index, sector));
    }
    entry->sector = entry->is_mark() ? 0 : sector * per_unit;
    entry->sectors = sectors * per_unit;
    data_len_ = load_le64(header + 24);
    return true;
  }

  bool parse_payload(std::uint64_t index, LogEntry* entry) {
    const std::byte* header = bytes_.data() + at_;
    at_ += unit_;
    if (entry->is_mark()) return parse_mark(index, header, entry);
    if (data_len_ != 0) {
      return fail(entry->offset + 24, fmt::format("entry {} has a data_len of {}, expected 0 for "
                                                  "anything but a mark",
                                                  index, data_len_));
    }
    if (entry->is_discard()) return true;
    const std::uint64_t size = entry->sectors * kSectorBytes;
    if (size > left()) {
      return fail(at_, fmt::format("the log ends within the data of entry {}: {} of {} bytes",
                                   index, left(), size));
    }
    entry->data = {bytes_.data() + at_, static_cast<std::size_t>(size)};
    at_ += static_cast<std::size_t>(size);
    return true;
  }

  bool parse_mark(std::uint64_t index, const std::byte* header, LogEntry* entry) {
    if (entry->sectors != 0) {
      return fail(entry->offset + 8, fmt::format("entry {} is a mark of {} sectors, expected 0",
                                                 index, entry->sectors * kSectorBytes / unit_));
    }
    if (data_len_ > unit_ - kLogEntryHeaderBytes) {
      return fail(entry->offset + 24, fmt::format("entry {} is a mark of {} bytes, expected at "
                                                  "most {}",
                                                  index, data_len_, unit_ - kLogEntryHeaderBytes));
    }
    entry->mark = {reinterpret_cast<const char*>(header + kLogEntryHeaderBytes),
                   static_cast<std::size_t>(data_len_)};
    return true;
  }

  const std::vector<std::byte>& bytes_;
  const std::string& name_;
  std::uint32_t unit_ = kSectorBytes;
  std::uint64_t entry_count_ = 0;
  std::uint64_t data_len_ = 0;  // of the entry being parsed
  std::size_t at_ = 0;
  InputError error_;
};

}  // namespace

Result<WriteLog> WriteLog::parse(std::vector<std::byte> bytes, const std::string& name,
                                 LogReadOptions options) {
  WriteLog log;
  log.bytes_ = std::move(bytes);
  LogParser parser(log.bytes_, name);
  if (!parser.parse_super(&log.sector_bytes_) || !parser.parse_entries(&log.entries_) ||
      (!options.whole_device && !parser.check_rest())) {
    return Failure{parser.error()};
  }
  for (const LogEntry& entry : log.entries_) {
    if (entry.sectors == 0) continue;
    log.device_sectors_ = std::max(log.device_sectors_, entry.sector + entry.sectors);
  }
  return log;
}

Result<WriteLog> WriteLog::read(const std::string& path, LogReadOptions options) {
  auto bytes = read_file_bytes(path);
  if (!bytes.ok()) return Failure{bytes.error()};
  return parse(std::move(bytes.value()), path, options);
}

std::size_t WriteLog::find_mark(std::string_view text, std::size_t from) const {
  for (std::size_t i = from; i < entries_.size(); ++i) {
    if (entries_[i].is_mark() && entries_[i].mark == text) return i;
  }
  return entries_.size();
}

LogWritesWriter::LogWritesWriter(std::uint32_t sector_bytes)
    : sector_bytes_(sector_bytes), bytes_(sector_bytes) {
  CHECK(is_sector_size(sector_bytes), sector_bytes);
  store_le(bytes_.data(), kLogWritesMagic);
  store_le(bytes_.data() + 8, kLogWritesVersion);
  store_le(bytes_.data() + 24, sector_bytes);
}

// Appends one zeroed unit with the header's four numbers; returns where it begins.
std::byte* LogWritesWriter::add_header(Sector sector, std::uint64_t sectors, std::uint32_t flags,
                                       std::uint64_t data_len) {
  const std::uint64_t per_unit = sector_bytes_ / kSectorBytes;
  CHECK(sector % per_unit == 0, sector, sector_bytes_);
  CHECK(sectors % per_unit == 0, sectors, sector_bytes_);
  const std::size_t at = bytes_.size();
  bytes_.resize(at + sector_bytes_);
  std::byte* header = bytes_.data() + at;
  store_le(header, sector / per_unit);
  store_le(header + 8, sectors / per_unit);
  store_le(header + 16, std::uint64_t{flags});
  store_le(header + 24, data_len);
  ++entry_count_;
  return header;
}

void LogWritesWriter::write(Sector sector, std::uint32_t flags, std::span<const std::byte> data) {
  CHECK((flags & ~(kLogFlush | kLogFua | kLogMetadata)) == 0, flags);
  CHECK(!data.empty() && data.size() % sector_bytes_ == 0, data.size(), sector_bytes_);
  add_header(sector, data.size() / kSectorBytes, flags, 0);
  bytes_.insert(bytes_.end(), data.begin(), data.end());
}

void LogWritesWriter::discard(Sector sector, std::uint64_t sectors) {
  CHECK(sectors > 0);
  add_header(sector, sectors, kLogDiscard, 0);
}

void LogWritesWriter::flush(Sector sector, std::uint32_t flags) {
  CHECK((flags & kLogFlush) != 0, flags);
  CHECK((flags & ~(kLogFlush | kLogFua | kLogMetadata)) == 0, flags);
  add_header(sector, 0, flags, 0);
}

void LogWritesWriter::mark(std::string_view text) {
  CHECK(text.size() <= sector_bytes_ - kLogEntryHeaderBytes, text.size());
  std::byte* header = add_header(0, 0, kLogMark, text.size());
  std::memcpy(header + kLogEntryHeaderBytes, text.data(), text.size());
}

std::span<const std::byte> LogWritesWriter::bytes() {
  store_le(bytes_.data() + 16, entry_count_);
  return bytes_;
}

Outcome<> LogWritesWriter::save(const std::string& path) { return write_file_bytes(path, bytes()); }

}  // namespace dmsim
