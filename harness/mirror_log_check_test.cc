// Recorded mirrors, sound and spoilt: what was left out of the log must show in some crash state.
#include "harness/mirror_log_check.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "harness/test_logs.h"
#include "sim/choice.h"

namespace dmsim {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

constexpr const char* kPiece = "harness/testdata/mirror-piece.log-writes.zst";
constexpr const char* kWhole = "../shared/data/mirror.log-writes.zst";
constexpr const char* kRealTable = "0 12288 mirror disk 2 C 256 2 A 0 B 0 1 handle_errors";
constexpr Sector kLegB = 12288;
constexpr Sector kLog = 24576;

RecordedMirror real_mirror() {
  auto mirror = parse_recorded_mirror(kRealTable, {{0, kLegB}, {kLegB, kLog}}, {kLog, 26624});
  CHECK(mirror.ok(), mirror.error().to_string());
  return *mirror;
}

WriteLog read_log(const char* path) {
  auto log = WriteLog::read(path);
  CHECK(log.ok(), log.error().to_string());
  return std::move(*log);
}

MirrorLogReport report_on(const WriteLog& log, const RecordedMirror& mirror,
                          LogStateOptions options = {}) {
  if (options.caches.empty()) options.caches = mirror.slices;
  return check_mirror_log(log, mirror, {.states = std::move(options)});
}

// Two legs of four regions of 8 sectors, at 0 and 32; the dirty log at 64.
class SmallMirror : public ::testing::Test {
 protected:
  SmallMirror() {
    auto parsed_table = parse_recorded_mirror("0 32 mirror disk 2 C 8 2 A 0 B 0 1 handle_errors",
                                              {{0, 32}, {32, 64}}, {64, 72});
    CHECK(parsed_table.ok(), parsed_table.error().to_string());
    mirror = *parsed_table;
    say(0x0F);
    writer.flush(64);
  }
  void say(std::uint8_t clean_bits) { writer.write(64, 0, dirty_log_sectors(4, clean_bits)); }
  void write_legs(Sector sector, unsigned char fill) {
    writer.write(sector, 0, sectors_of(1, fill));
    writer.write(32 + sector, 0, sectors_of(1, fill));
  }
  void flush_legs() {
    writer.flush(0);
    writer.flush(32);
  }
  MirrorLogReport report() { return report_on(parsed(writer), mirror); }

  RecordedMirror mirror;
  LogWritesWriter writer;
};

TEST_F(SmallMirror, a_region_marked_before_and_cleaned_after_its_write_is_sound) {
  say(0x0D);
  writer.flush(64);
  write_legs(9, 'a');
  flush_legs();
  say(0x0F);
  const MirrorLogReport got = report();
  EXPECT_EQ(got.violations, 0u);
  EXPECT_GT(got.states, 8u);
  EXPECT_EQ(got.exhausted_moments, got.moments);
}

TEST_F(SmallMirror, a_mark_that_was_not_flushed_before_the_write_is_found_and_told) {
  say(0x0D);
  write_legs(9, 'a');
  const MirrorLogReport got = report();
  ASSERT_GT(got.violations, 0u);
  const MirrorLogFinding& first = got.findings.at(0);
  EXPECT_EQ(first.entry, 3u);
  EXPECT_EQ(first.difference, (LegDifference{1, 1, 9}));
  EXPECT_THAT(first.sentence, HasSubstr("region 1 is clean"));
  EXPECT_THAT(first.details, Contains("entry 2 W64+3  log: region 1 dirty, lost"));
  EXPECT_THAT(first.details, Contains("entry 3 W9+1  leg 0, landed"));
  EXPECT_THAT(first.details, Contains("entry 1 F  flush of the log"));
}

TEST_F(SmallMirror, a_region_cleaned_before_one_leg_was_flushed_is_found) {
  say(0x0D);
  writer.flush(64);
  write_legs(9, 'a');
  writer.flush(0);
  say(0x0F);
  EXPECT_GT(report().violations, 0u);
  // On one disk the flush of the one leg is a flush of the other.
  EXPECT_EQ(check_mirror_log(parsed(writer), mirror, {}).violations, 0u);
}

TEST_F(SmallMirror, a_log_that_was_never_valid_claims_nothing) {
  LogWritesWriter bare;
  bare.write(9, 0, sectors_of(1, 'a'));
  bare.write(66, 0, sectors_of(1, 0xFF));
  bare.flush();
  EXPECT_EQ(report_on(parsed(bare), mirror).violations, 0u);
}

TEST_F(SmallMirror, regions_beyond_the_headers_count_are_not_clean) {
  LogWritesWriter grown;
  grown.write(9, 0, sectors_of(1, 'a'));
  grown.flush(0);
  grown.write(64, 0, dirty_log_sectors(1, 0x0F));
  EXPECT_EQ(report_on(parsed(grown), mirror).violations, 0u);
  grown.write(64, 0, dirty_log_sectors(2, 0x0F));
  EXPECT_GT(report_on(parsed(grown), mirror).violations, 0u);
}

TEST_F(SmallMirror, the_walk_stops_at_its_bound_and_says_so) {
  write_legs(9, 'a');
  MirrorLogOptions options;
  options.max_states = 2;
  const MirrorLogReport got = check_mirror_log(parsed(writer), mirror, options);
  EXPECT_TRUE(got.cut);
  EXPECT_EQ(got.states, 2u);
}

// Random logs, most of them unsound: what is looked at per state must say the same as looking at all.
TEST_F(SmallMirror, looking_only_at_what_may_have_changed_finds_what_looking_at_everything_finds) {
  std::uint64_t broken = 0;
  std::uint64_t sound = 0;
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    RandomNumbers numbers(seed);
    LogWritesWriter random;
    for (int i = 0; i < 14; ++i) {
      const auto fill = static_cast<unsigned char>('a' + numbers.below(2));
      switch (numbers.below(6)) {
        case 0: random.write(64, 0, dirty_log_sectors(4, static_cast<std::uint8_t>(numbers.below(16)))); break;
        case 1: random.flush(numbers.below(3) * 32); break;
        case 2: random.discard(numbers.below(48), 1 + numbers.below(16)); break;
        default: {
          const std::uint32_t flags = numbers.below(4) == 0 ? std::uint32_t{kLogFua} : 0u;
          const std::size_t sectors = 1 + static_cast<std::size_t>(numbers.below(12));
          random.write(numbers.below(2) * 32 + numbers.below(20), flags, sectors_of(sectors, fill));
        }
      }
    }
    const WriteLog log = parsed(random);
    LogStates states(log, {.device_sectors = 72, .caches = mirror.slices, .stale = {{32, 40}}, .exhaustive = 32});
    MirrorLogCheck check(mirror);
    while (states.next()) {
      check.begin_moment(states);
      for (std::uint64_t number = 0; number < states.count(); ++number) {
        const Image state = states.state(number);
        const auto quick = check.check(state);
        const auto slow = check.check_all(state);
        ASSERT_EQ(quick.has_value(), slow.has_value()) << seed << " " << states.entry() << "." << number;
        ++(slow ? broken : sound);
      }
    }
  }
  EXPECT_GT(broken, 1000u);
  EXPECT_GT(sound, 1000u);
}

TEST(RealMirrorLog, the_recorded_beginning_of_a_real_mirror_keeps_its_legs_identical_where_clean) {
  const WriteLog log = read_log(kPiece);
  const MirrorLogReport got = report_on(log, real_mirror());
  EXPECT_EQ(got.violations, 0u);
  EXPECT_EQ(got.last_entry, log.entries().size() - 1);
  EXPECT_GT(got.states, 5000u);
}

TEST(RealMirrorLog, each_planted_loss_in_it_is_found) {
  const WriteLog log = read_log(kPiece);
  const std::size_t insync = log.find_mark("insync");
  ASSERT_LT(insync, log.entries().size());
  std::size_t leg_b_write = insync;
  while (log.entries()[leg_b_write].sector < kLegB || log.entries()[leg_b_write].sector >= kLog ||
         log.entries()[leg_b_write].sectors == 0) {
    ++leg_b_write;
  }
  const auto broken = [&](auto change) {
    return report_on(edited(log, change), real_mirror()).violations;
  };
  EXPECT_EQ(broken([](std::size_t, LogEntry&) { return true; }), 0u);
  // No flush of the dirty log arrives.
  EXPECT_GT(broken([](std::size_t, LogEntry& e) { return !(e.is_empty_flush() && e.sector == kLog); }), 0u);
  // No flush of leg B arrives.
  EXPECT_GT(broken([](std::size_t, LogEntry& e) { return !(e.is_empty_flush() && e.sector == kLegB); }), 0u);
  // One write to leg B is lost.
  EXPECT_GT(broken([&](std::size_t i, LogEntry&) { return i != leg_b_write; }), 0u);
  // One write to leg B goes astray by a page.
  EXPECT_GT(broken([&](std::size_t i, LogEntry& e) {
              if (i == leg_b_write) e.sector += 8;
              return true;
            }), 0u);
  // Between `insync` and there, the region is never marked dirty.
  EXPECT_GT(broken([&](std::size_t i, LogEntry& e) { return i < insync || i > leg_b_write || e.sector != kLog; }), 0u);
}

TEST(RealMirrorLog, legs_swapped_for_the_wrong_half_are_found) {
  auto mirror = parse_recorded_mirror(kRealTable, {{0, kLegB}, {kLegB, kLog}}, {kLog, 26624});
  ASSERT_TRUE(mirror.ok());
  const WriteLog log = read_log(kPiece);
  const std::size_t insync = log.find_mark("insync");
  // The two entries after the first mark: first the write, then the mark.
  const WriteLog swapped = [&] {
    LogWritesWriter writer;
    std::vector<LogEntry> entries = log.entries();
    std::swap(entries[insync + 1], entries[insync + 3]);
    std::swap(entries[insync + 2], entries[insync + 4]);
    for (const LogEntry& entry : entries) {
      if (entry.is_mark()) writer.mark(entry.mark);
      else if (entry.sectors == 0) writer.flush(entry.sector, entry.flags);
      else writer.write(entry.sector, entry.flags, entry.data);
    }
    return parsed(writer);
  }();
  EXPECT_GT(report_on(swapped, *mirror).violations, 0u);
}

// The kernel writes header and bitmap of a new log in one request. Torn between the two, the header
// vouches for bits that somebody else left there.
TEST(RealMirrorLog, over_a_stale_log_device_the_first_write_torn_at_512_bytes_claims_clean_regions) {
  const RecordedMirror mirror = real_mirror();
  const WriteLog log = read_log(kPiece);
  const std::vector<SectorRange> stale{mirror.slices.begin() + 1, mirror.slices.end()};
  const MirrorLogReport torn = report_on(log, mirror, {.stale = stale});
  ASSERT_GT(torn.violations, 0u);
  EXPECT_EQ(torn.findings.at(0).entry, 0u);
  EXPECT_EQ(torn.findings.size(), 1u);
  EXPECT_EQ(report_on(log, mirror, {.atomic_sectors = 8, .stale = stale}).violations, 0u);
}

TEST(RealMirrorLog, the_whole_recorded_log_keeps_its_legs_identical_where_clean) {
  if (!std::filesystem::exists(kWhole)) GTEST_SKIP() << "the recorded logs are not here";
  const MirrorLogReport got = report_on(read_log(kWhole), real_mirror());
  EXPECT_EQ(got.violations, 0u);
  EXPECT_GT(got.states, 100000u);
  EXPECT_GT(got.duplicates, 0u);
}

}  // namespace
}  // namespace dmsim
