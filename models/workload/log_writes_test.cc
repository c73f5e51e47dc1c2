#include "models/workload/log_writes.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <map>

#include "models/workload/file_bytes.h"
#include "sim/choice.h"

namespace dmsim {
namespace {

const std::string kPiece = "models/workload/testdata/ext4-piece.log-writes.zst";
// Large captured logs; beside the source tree where they are at hand.
const std::string kCaptured = "../shared/data/";

std::vector<std::byte> pattern(std::size_t size, unsigned seed) {
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 7 + seed + i / 251);
  return bytes;
}

std::vector<std::byte> copy(std::span<const std::byte> bytes) {
  return {bytes.begin(), bytes.end()};
}

void put_le(std::vector<std::byte>& bytes, std::size_t at, std::uint64_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) bytes[at + i] = static_cast<std::byte>(value >> (8 * i));
}

// A write of 8 sectors, a flush, a discard, a mark; headers at 512, 5120, 5632, 6144; 6656 bytes.
std::vector<std::byte> small_log() {
  LogWritesWriter writer;
  writer.write(16, kLogFua | kLogMetadata, pattern(4096, 1));
  writer.flush();
  writer.discard(64, 128);
  writer.mark("here");
  return copy(writer.bytes());
}

std::string refusal(std::vector<std::byte> bytes) {
  const auto log = WriteLog::parse(std::move(bytes), "x.log");
  EXPECT_FALSE(log.ok());
  return log.ok() ? "" : log.error().to_string();
}

std::vector<std::string> marks(const WriteLog& log) {
  std::vector<std::string> texts;
  for (const LogEntry& entry : log.entries()) {
    if (entry.is_mark()) texts.emplace_back(entry.mark);
  }
  return texts;
}

std::map<std::uint32_t, std::size_t> count_by_flags(const WriteLog& log) {
  std::map<std::uint32_t, std::size_t> counts;
  for (const LogEntry& entry : log.entries()) ++counts[entry.flags];
  return counts;
}

// Writes what was read; the two mirror each other.
std::vector<std::byte> write_again(const WriteLog& log) {
  LogWritesWriter writer(log.sector_bytes());
  for (const LogEntry& entry : log.entries()) {
    if (entry.is_mark()) {
      writer.mark(entry.mark);
    } else if (entry.is_discard()) {
      writer.discard(entry.sector, entry.sectors);
    } else if (entry.is_empty_flush()) {
      writer.flush(entry.sector, entry.flags);
    } else {
      writer.write(entry.sector, entry.flags, entry.data);
    }
  }
  return copy(writer.bytes());
}

TEST(LogWrites, what_was_written_is_read_back) {
  auto log = WriteLog::parse(small_log(), "x.log");
  ASSERT_TRUE(log.ok()) << log.error().to_string();
  const auto& entries = log->entries();
  ASSERT_EQ(entries.size(), 4u);
  EXPECT_EQ(entries[0].sector, 16u);
  EXPECT_EQ(entries[0].sectors, 8u);
  EXPECT_EQ(entries[0].flags, kLogFua | kLogMetadata);
  EXPECT_EQ(copy(entries[0].data), pattern(4096, 1));
  EXPECT_EQ(entries[0].offset, 512u);
  EXPECT_EQ(entries[1].flags, static_cast<std::uint32_t>(kLogFlush));
  EXPECT_EQ(entries[1].sectors, 0u);
  EXPECT_TRUE(entries[2].is_discard());
  EXPECT_EQ(entries[2].sector, 64u);
  EXPECT_EQ(entries[2].sectors, 128u);
  EXPECT_TRUE(entries[2].data.empty());
  EXPECT_TRUE(entries[3].is_mark());
  EXPECT_EQ(entries[3].mark, "here");
  EXPECT_EQ(log->device_sectors(), 192u);
}

TEST(LogWrites, the_bytes_are_those_of_the_format) {
  const std::vector<std::byte> bytes = small_log();
  ASSERT_EQ(bytes.size(), 6656u);
  const std::array<unsigned char, 28> super{'r', 'h', 's', 'w', 'f', 's', 'j', 0, 1, 0, 0, 0, 0, 0,
                                            0,   0,   4,   0,   0,   0,   0,   0, 0, 0, 0, 2, 0, 0};
  EXPECT_EQ(std::memcmp(bytes.data(), super.data(), super.size()), 0);
  EXPECT_EQ(bytes[512], std::byte{16});       // sector
  EXPECT_EQ(bytes[512 + 8], std::byte{8});    // nr_sectors
  EXPECT_EQ(bytes[512 + 16], std::byte{18});  // FUA, METADATA
  EXPECT_EQ(bytes[6144 + 16], std::byte{8});  // MARK
  EXPECT_EQ(bytes[6144 + 24], std::byte{4});  // data_len
  EXPECT_EQ(std::memcmp(bytes.data() + 6144 + 32, "here", 5), 0);
}

TEST(LogWrites, an_empty_log_has_no_entries) {
  LogWritesWriter writer;
  auto log = WriteLog::parse(copy(writer.bytes()), "x.log");
  ASSERT_TRUE(log.ok());
  EXPECT_TRUE(log->entries().empty());
  EXPECT_EQ(log->device_sectors(), 0u);
}

TEST(LogWrites, a_log_in_larger_units_is_told_in_sectors_of_512) {
  LogWritesWriter writer(4096);
  writer.write(8, 0, pattern(8192, 3));
  writer.discard(32, 64);
  writer.mark("unit");
  const std::vector<std::byte> bytes = copy(writer.bytes());
  EXPECT_EQ(bytes.size(), 4096u * 6);
  EXPECT_EQ(bytes[4096], std::byte{1});      // in units
  EXPECT_EQ(bytes[4096 + 8], std::byte{2});
  auto log = WriteLog::parse(bytes, "x.log");
  ASSERT_TRUE(log.ok());
  EXPECT_EQ(log->sector_bytes(), 4096u);
  EXPECT_EQ(log->entries()[0].sector, 8u);
  EXPECT_EQ(log->entries()[0].sectors, 16u);
  EXPECT_EQ(copy(log->entries()[0].data), pattern(8192, 3));
  EXPECT_EQ(log->entries()[1].sectors, 64u);
  EXPECT_EQ(log->entries()[2].mark, "unit");
}

TEST(LogWrites, the_writer_can_be_asked_in_between_and_go_on) {
  LogWritesWriter writer;
  writer.flush();
  EXPECT_EQ(WriteLog::parse(copy(writer.bytes()), "x")->entries().size(), 1u);
  writer.mark("");
  EXPECT_EQ(WriteLog::parse(copy(writer.bytes()), "x")->entries().size(), 2u);
  EXPECT_EQ(writer.entry_count(), 2u);
}

TEST(LogWrites, an_empty_flush_may_carry_the_sector_and_flags_of_the_write_behind_it) {
  LogWritesWriter writer;
  writer.flush(1240, kLogFlush | kLogFua | kLogMetadata);
  auto log = WriteLog::parse(copy(writer.bytes()), "x.log");
  ASSERT_TRUE(log.ok());
  EXPECT_TRUE(log->entries()[0].is_empty_flush());
  EXPECT_EQ(log->entries()[0].sector, 1240u);
  EXPECT_EQ(log->entries()[0].flags, kLogFlush | kLogFua | kLogMetadata);
  EXPECT_EQ(log->device_sectors(), 0u);
  EXPECT_DEATH(writer.flush(0, kLogFua), "CHECK failed");
}

TEST(LogWrites, marks_are_found_by_text) {
  LogWritesWriter writer;
  writer.mark("a");
  writer.flush();
  writer.mark("b");
  writer.mark("a");
  auto log = WriteLog::parse(copy(writer.bytes()), "x.log");
  ASSERT_TRUE(log.ok());
  EXPECT_EQ(log->find_mark("a"), 0u);
  EXPECT_EQ(log->find_mark("a", 1), 3u);
  EXPECT_EQ(log->find_mark("b"), 2u);
  EXPECT_EQ(log->find_mark("c"), 4u);
}

TEST(LogWrites, the_longest_mark_fills_its_sector) {
  LogWritesWriter writer;
  const std::string text(480, 'm');
  writer.mark(text);
  auto log = WriteLog::parse(copy(writer.bytes()), "x.log");
  ASSERT_TRUE(log.ok());
  EXPECT_EQ(log->entries()[0].mark, text);
  EXPECT_DEATH(writer.mark(std::string(481, 'm')), "CHECK failed");
}

TEST(LogWrites, every_truncation_is_refused_where_the_log_ends) {
  const std::vector<std::byte> whole = small_log();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto log = WriteLog::parse({whole.begin(), whole.begin() + static_cast<long>(size)}, "x");
    ASSERT_FALSE(log.ok()) << size;
    ASSERT_LE(log.error().offset, static_cast<long long>(size)) << size;
  }
}

std::vector<std::byte> cut(std::size_t size) {
  std::vector<std::byte> bytes = small_log();
  bytes.resize(size);
  return bytes;
}

TEST(LogWrites, a_truncated_log_says_what_is_missing) {
  EXPECT_EQ(refusal(cut(0)), "x.log: at byte 0: the log ends within its super, expected 512 bytes");
  EXPECT_EQ(refusal(cut(300)),
            "x.log: at byte 300: the log ends within its super, expected 512 bytes");
  EXPECT_EQ(refusal(cut(512)),
            "x.log: at byte 512: the log ends after 0 entries, expected 4 as its super counts");
  EXPECT_EQ(refusal(cut(600)),
            "x.log: at byte 512: the log ends within the header of entry 0: 88 of 512 bytes");
  EXPECT_EQ(refusal(cut(5119)),
            "x.log: at byte 1024: the log ends within the data of entry 0: 4095 of 4096 bytes");
  EXPECT_EQ(refusal(cut(6144)),
            "x.log: at byte 6144: the log ends after 3 entries, expected 4 as its super counts");
}

std::vector<std::byte> damaged(std::size_t at, std::uint64_t value, std::size_t size = 8) {
  std::vector<std::byte> bytes = small_log();
  put_le(bytes, at, value, size);
  return bytes;
}

TEST(LogWrites, a_damaged_super_is_refused_at_its_field) {
  EXPECT_EQ(refusal(damaged(0, 0x1234)), "x.log: at byte 0: found magic 0x1234, expected "
                                         "0x6a736677736872 of a dm-log-writes log");
  EXPECT_EQ(refusal(damaged(8, 2)), "x.log: at byte 8: found version 2, expected 1");
  EXPECT_EQ(refusal(damaged(24, 1000, 4)),
            "x.log: at byte 24: found a sector size of 1000, expected a power of two from 512 to "
            "65536");
  EXPECT_EQ(refusal(damaged(24, 0, 4)),
            "x.log: at byte 24: found a sector size of 0, expected a power of two from 512 to 65536");
  EXPECT_EQ(refusal(damaged(24, 8192, 4)),
            "x.log: at byte 6656: the log ends within its super, expected 8192 bytes");
}

TEST(LogWrites, a_count_that_does_not_fit_is_refused) {
  EXPECT_EQ(refusal(damaged(16, 5)),
            "x.log: at byte 6656: the log ends after 4 entries, expected 5 as its super counts");
  EXPECT_EQ(refusal(damaged(16, UINT64_MAX)),
            "x.log: at byte 6656: the log ends after 4 entries, expected 18446744073709551615 as "
            "its super counts");
  EXPECT_EQ(refusal(damaged(16, 3)),
            "x.log: at byte 6144: the super counts 3 entries, but more follows (the first byte that "
            "is not zero is at 6160)");
}

TEST(LogWrites, what_an_earlier_log_left_on_the_device_is_ignored_if_told_so) {
  auto log = WriteLog::parse(damaged(16, 3), "x.log", {.whole_device = true});
  ASSERT_TRUE(log.ok());
  EXPECT_EQ(log->entries().size(), 3u);
}

TEST(LogWrites, zeroes_may_follow) {
  std::vector<std::byte> bytes = small_log();
  bytes.resize(bytes.size() + 1000);
  EXPECT_TRUE(WriteLog::parse(bytes, "x.log").ok());
}

TEST(LogWrites, impossible_entries_are_refused_at_their_field) {
  EXPECT_EQ(refusal(damaged(512 + 16, 32)),
            "x.log: at byte 528: entry 0 has flags 0x20, expected none above 0x1f");
  EXPECT_EQ(refusal(damaged(512 + 24, 7)), "x.log: at byte 536: entry 0 has a data_len of 7, "
                                           "expected 0 for anything but a mark");
  EXPECT_EQ(refusal(damaged(512 + 8, UINT64_MAX)), "x.log: at byte 520: entry 0 has "
                                                   "18446744073709551615 sectors, more than there "
                                                   "can be");
  EXPECT_EQ(refusal(damaged(512, UINT64_MAX)),
            "x.log: at byte 512: entry 0 is at sector 18446744073709551615, beyond any device");
  EXPECT_EQ(refusal(damaged(512 + 8, 1000)),
            "x.log: at byte 1024: the log ends within the data of entry 0: 5632 of 512000 bytes");
  EXPECT_EQ(refusal(damaged(6144 + 8, 1)),
            "x.log: at byte 6152: entry 3 is a mark of 1 sectors, expected 0");
  EXPECT_EQ(refusal(damaged(6144 + 24, 481)),
            "x.log: at byte 6168: entry 3 is a mark of 481 bytes, expected at most 480");
}

TEST(LogWrites, no_change_of_a_byte_makes_the_reader_stumble) {
  const std::vector<std::byte> good = small_log();
  RandomChoices choices(5);
  static constexpr ChoicePoint kPoint{"test.log"};
  std::size_t refused = 0;
  for (int round = 0; round < 3000; ++round) {
    std::vector<std::byte> bytes = good;
    for (std::uint64_t hits = 1 + choices.draw(kPoint, Actor::kNobody, 3); hits > 0; --hits) {
      constexpr std::array<std::size_t, 5> kBases{0, 512, 5120, 5632, 6144};
      const std::size_t at = kBases[choices.draw(kPoint, Actor::kNobody, 5)] +
                             choices.draw(kPoint, Actor::kNobody, 32);
      bytes[at] = static_cast<std::byte>(choices.draw(kPoint, Actor::kNobody, 256));
    }
    const auto log = WriteLog::parse(std::move(bytes), "x");
    if (!log.ok()) {
      ++refused;
      continue;
    }
    std::size_t data = 0;
    for (const LogEntry& entry : log->entries()) data += entry.data.size() + entry.mark.size();
    EXPECT_LE(data, good.size());
  }
  EXPECT_GT(refused, 1000u);
  EXPECT_LT(refused, 3000u);
}

TEST(LogWrites, a_random_log_survives_writing_and_reading) {
  RandomChoices choices(9);
  static constexpr ChoicePoint kPoint{"test.log"};
  const auto draw = [&](std::uint64_t bound) { return choices.draw(kPoint, Actor::kNobody, bound); };
  for (int round = 0; round < 30; ++round) {
    const auto unit = static_cast<std::uint32_t>(512u << draw(4));
    const std::uint64_t per_unit = unit / 512;
    LogWritesWriter writer(unit);
    for (std::uint64_t i = draw(20); i > 0; --i) {
      switch (draw(4)) {
        case 0: writer.flush(); break;
        case 1: writer.discard(draw(100) * per_unit, (1 + draw(9)) * per_unit); break;
        case 2: writer.mark(std::string(draw(100), 'x')); break;
        default:
          writer.write(draw(100) * per_unit, static_cast<std::uint32_t>(draw(2) * kLogFua),
                       pattern(unit * (1 + draw(3)), static_cast<unsigned>(draw(99))));
      }
    }
    auto log = WriteLog::parse(copy(writer.bytes()), "x.log");
    ASSERT_TRUE(log.ok()) << log.error().to_string();
    EXPECT_EQ(log->entries().size(), writer.entry_count());
    EXPECT_EQ(write_again(log.value()), copy(writer.bytes()));
  }
}

TEST(LogWrites, the_writer_refuses_what_the_format_cannot_hold) {
  EXPECT_DEATH(LogWritesWriter(1000), "CHECK failed");
  LogWritesWriter writer(4096);
  EXPECT_DEATH(writer.write(1, 0, pattern(4096, 0)), "CHECK failed: sector");
  EXPECT_DEATH(writer.write(0, 0, pattern(512, 0)), "CHECK failed");
  EXPECT_DEATH(writer.write(0, kLogMark, pattern(4096, 0)), "CHECK failed");
}

TEST(LogWrites, a_piece_of_a_captured_log_is_read) {
  auto log = WriteLog::read(kPiece);
  ASSERT_TRUE(log.ok()) << log.error().to_string();
  EXPECT_EQ(log->entries().size(), 78u);
  EXPECT_EQ(log->sector_bytes(), 512u);
  EXPECT_EQ(log->device_sectors(), 48448u);
  EXPECT_EQ(marks(log.value()),
            (std::vector<std::string>{"rename", "overwrite", "umount", std::string(kLogEndMark)}));
  const std::map<std::uint32_t, std::size_t> expected{{0, 6},   {1, 6},   {4, 24}, {8, 4},
                                                      {16, 21}, {18, 10}, {19, 7}};
  EXPECT_EQ(count_by_flags(log.value()), expected);
  EXPECT_EQ(log->entries()[0].sector, 46912u);
  EXPECT_EQ(log->entries()[0].sectors, 64u);
  EXPECT_TRUE(log->entries()[0].is_discard());
  EXPECT_EQ(log->entries()[25].data.size(), 4096u);
  // An ext4 super block, by its magic at 1024 + 56.
  EXPECT_EQ(log->entries()[25].sector, 0u);
  EXPECT_EQ(log->entries()[25].data[1080], std::byte{0x53});
  EXPECT_EQ(log->entries()[25].data[1081], std::byte{0xef});
}

TEST(LogWrites, the_kernels_own_bytes_are_written_again_bit_for_bit) {
  auto bytes = read_file_bytes(kPiece);
  ASSERT_TRUE(bytes.ok());
  auto log = WriteLog::parse(bytes.value(), kPiece);
  ASSERT_TRUE(log.ok());
  EXPECT_TRUE(write_again(log.value()) == bytes.value());
}

TEST(LogWrites, the_whole_captured_ext4_log_is_read) {
  const std::string path = kCaptured + "ext4.log-writes.zst";
  if (std::FILE* file = std::fopen(path.c_str(), "rb")) {
    std::fclose(file);
  } else {
    GTEST_SKIP() << path << " is not there";
  }
  auto log = WriteLog::read(path);
  ASSERT_TRUE(log.ok()) << log.error().to_string();
  EXPECT_EQ(log->entries().size(), 983u);
  EXPECT_EQ(marks(log.value()),
            (std::vector<std::string>{"mkfs", "mount", "files", "rename", "overwrite", "umount",
                                      std::string(kLogEndMark)}));
  const std::map<std::uint32_t, std::size_t> expected{{0, 42}, {1, 10},   {2, 1},   {4, 769},
                                                      {8, 7},  {16, 111}, {18, 23}, {19, 20}};
  EXPECT_EQ(count_by_flags(log.value()), expected);
  EXPECT_EQ(log->device_sectors(), 49152u);
  EXPECT_EQ(log->find_mark("umount"), 981u);
}

TEST(LogWrites, the_whole_captured_mirror_log_is_read) {
  const std::string path = kCaptured + "mirror.log-writes.zst";
  if (std::FILE* file = std::fopen(path.c_str(), "rb")) {
    std::fclose(file);
  } else {
    GTEST_SKIP() << path << " is not there";
  }
  auto log = WriteLog::read(path);
  ASSERT_TRUE(log.ok()) << log.error().to_string();
  EXPECT_EQ(log->entries().size(), 1579u);
  EXPECT_EQ(marks(log.value()),
            (std::vector<std::string>{"insync", "written", "removed", std::string(kLogEndMark)}));
  // The dirty log's header, by its magic 0x4D695272, at the first sector of the log's slice.
  bool seen = false;
  for (const LogEntry& entry : log->entries()) {
    if (entry.sector != 24576 || entry.data.empty()) continue;
    seen = seen || std::memcmp(entry.data.data(), "rRiM", 4) == 0;
  }
  EXPECT_TRUE(seen);
}

class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& name) : path_(testing::TempDir() + name) {}
  ~TemporaryFile() { std::remove(path_.c_str()); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TEST(LogWrites, a_log_is_saved_raw_and_compressed) {
  LogWritesWriter writer;
  writer.write(0, 0, std::vector<std::byte>(1 << 20));
  writer.mark("end");
  const TemporaryFile raw("dmsim-raw.log");
  const TemporaryFile packed("dmsim-packed.log.zst");
  ASSERT_TRUE(writer.save(raw.path()).ok());
  ASSERT_TRUE(writer.save(packed.path()).ok());
  for (const std::string& path : {raw.path(), packed.path()}) {
    auto log = WriteLog::read(path);
    ASSERT_TRUE(log.ok()) << log.error().to_string();
    EXPECT_EQ(log->entries().size(), 2u);
    EXPECT_EQ(log->entries()[1].mark, "end");
    EXPECT_EQ(log->entries()[0].data.size(), std::size_t{1} << 20);
  }
}

}  // namespace
}  // namespace dmsim
