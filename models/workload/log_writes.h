// Logs of dm-log-writes: what one block device was asked to do, in the order in which it was done.
//
// On disk (little-endian, Documentation/admin-guide/device-mapper/log-writes.rst and the target's own
// structures): one super sector {magic, version, nr_entries: le64; sectorsize: le32}, then for each
// entry one sector {sector, nr_sectors, flags, data_len: le64}, followed by its data. Sectors count
// units of `sectorsize` there; here everything is in sectors of 512 bytes. A discard carries no data;
// a mark carries text behind its header and no data.
//
// WriteLog reads and LogWritesWriter writes; they mirror each other. A file may be compressed with
// zstd, told by its first bytes; offsets in errors are those of the *uncompressed* log. The whole log
// is held in memory: a log is a test's input, not a disk.
//
// Not modelled: logs of more than one device, and data_len on anything but a mark (old DAX logs).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "block/sector.h"

namespace dmsim {

inline constexpr std::uint64_t kLogWritesMagic = 0x6a736677736872;
inline constexpr std::uint64_t kLogWritesVersion = 1;
inline constexpr std::uint32_t kLogEntryHeaderBytes = 32;
// What the kernel writes last when the target is removed.
inline constexpr std::string_view kLogEndMark = "dm-log-writes-end";

// Bits of LogEntry::flags.
enum LogFlag : std::uint32_t {
  kLogFlush = 1,
  kLogFua = 2,
  kLogDiscard = 4,
  kLogMark = 8,
  kLogMetadata = 16,
};
inline constexpr std::uint32_t kLogAllFlags = 31;

struct LogEntry {
  Sector sector = 0;
  std::uint64_t sectors = 0;         // 0: a mark or an empty flush, whatever else its flags say
  std::uint32_t flags = 0;           // of LogFlag
  std::span<const std::byte> data;   // sectors * 512 bytes; empty for a discard; owned by the log
  std::string_view mark;             // text of a mark; owned by the log
  std::uint64_t offset = 0;          // byte of the log where the entry's header stands

  bool is_mark() const { return (flags & kLogMark) != 0; }
  bool is_discard() const { return (flags & kLogDiscard) != 0; }
  bool is_empty_flush() const { return sectors == 0 && !is_mark(); }
};

struct LogReadOptions {
  // The bytes are a copy of the whole log device: whatever stands behind the last entry is left
  // over from earlier uses. False: only zeroes may follow.
  bool whole_device = false;
};

class WriteLog {
 public:
  // Reads a file, raw or zstd-compressed.
  static Result<WriteLog> read(const std::string& path, LogReadOptions options = {});
  // The same for an uncompressed log in memory; `name` is what errors call it.
  static Result<WriteLog> parse(std::vector<std::byte> bytes, const std::string& name,
                                LogReadOptions options = {});

  // Moving keeps the entries' data where it is; a copy would not know whose bytes it names.
  WriteLog(WriteLog&&) = default;
  WriteLog& operator=(WriteLog&&) = default;
  WriteLog(const WriteLog&) = delete;
  WriteLog& operator=(const WriteLog&) = delete;

  const std::vector<LogEntry>& entries() const { return entries_; }
  std::uint32_t sector_bytes() const { return sector_bytes_; }  // the log's own unit
  // One past the last sector that any entry touches: how large a device must be to replay it.
  std::uint64_t device_sectors() const { return device_sectors_; }
  // Index of the first mark with that text at or after entry `from`; entries().size(): none.
  std::size_t find_mark(std::string_view text, std::size_t from = 0) const;

 private:
  WriteLog() = default;
  std::vector<std::byte> bytes_;
  std::vector<LogEntry> entries_;
  std::uint32_t sector_bytes_ = kSectorBytes;
  std::uint64_t device_sectors_ = 0;
};

class LogWritesWriter {
 public:
  // Requires a power of two in [512, 65536].
  explicit LogWritesWriter(std::uint32_t sector_bytes = kSectorBytes);

  // Sectors of 512 bytes; all must be multiples of the log's unit. `flags`: kLogFlush, kLogFua,
  // kLogMetadata.
  void write(Sector sector, std::uint32_t flags, std::span<const std::byte> data);
  void discard(Sector sector, std::uint64_t sectors);
  // An empty flush. Linux's dm core sends one ahead of a write that asks for both, and leaves the
  // write's own sector and flags on it.
  void flush(Sector sector = 0, std::uint32_t flags = kLogFlush);
  // Requires text that fits in the log's unit behind the header.
  void mark(std::string_view text);

  std::uint64_t entry_count() const { return entry_count_; }
  // The log so far, with a super that counts it.
  std::span<const std::byte> bytes();
  // Writes the log to a file, zstd-compressed when the path ends in ".zst".
  Outcome<> save(const std::string& path);

 private:
  std::byte* add_header(Sector sector, std::uint64_t sectors, std::uint32_t flags,
                        std::uint64_t data_len);
  std::uint32_t sector_bytes_;
  std::uint64_t entry_count_ = 0;
  std::vector<std::byte> bytes_;
};

}  // namespace dmsim
