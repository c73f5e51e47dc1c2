// dmsim check-log as a whole: exit codes, errors, exported states, e2fsck on a real recording.
#include "cli/check_log_command.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "cli/check_log_e2fsck.h"
#include "cli/exit_codes.h"
#include "harness/test_logs.h"
#include "models/workload/file_bytes.h"

namespace dmsim {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kMirrorPiece = "harness/testdata/mirror-piece.log-writes.zst";
constexpr const char* kRealExt4 = "../shared/data/ext4.log-writes.zst";

class CheckLog : public ::testing::Test {
 protected:
  CheckLog() {
    std::string pattern = ::testing::TempDir() + "check-log-XXXXXX";
    CHECK(mkdtemp(pattern.data()) != nullptr);
    folder = pattern;
    command.file = kMirrorPiece;
    command.table = "0 12288 mirror disk 2 C 256 2 A 0 B 0 1 handle_errors";
    command.legs = {"0s..12288s,12288s..24576s"};
    command.log = "24576s..26624s";
    command.jobs = 2;
  }
  ~CheckLog() override { std::filesystem::remove_all(folder); }

  // What the command said to stderr when it refused.
  std::string refusal() {
    ::testing::internal::CaptureStderr();
    const int code = check_log_command(command);
    std::string said = ::testing::internal::GetCapturedStderr();
    EXPECT_EQ(code, kExitBadInput) << said;
    return said;
  }
  // Exit code; stdout is kept in `out`.
  int run() {
    ::testing::internal::CaptureStdout();
    const int code = check_log_command(command);
    out = ::testing::internal::GetCapturedStdout();
    return code;
  }
  std::string path(const char* name) const { return folder + "/" + name; }

  std::string folder;
  CheckLogCommand command;
  std::string out;
};

TEST_F(CheckLog, a_sound_recording_holds) {
  command.json_file = path("result.json");
  EXPECT_EQ(run(), kExitHeld);
  EXPECT_THAT(out, HasSubstr("legs-identical-where-clean: holds"));
  std::ifstream json(command.json_file);
  const std::string text{std::istreambuf_iterator<char>(json), {}};
  EXPECT_THAT(text, HasSubstr("\"violations\": 0"));
}

TEST_F(CheckLog, legs_may_be_given_one_by_one_and_sizes_in_any_unit) {
  command.legs = {"0B..6MiB", "6MiB..12MiB"};
  command.log = "12MiB..13MiB";
  command.max_states = 100;
  EXPECT_EQ(run(), kExitHeld);
  EXPECT_THAT(out, HasSubstr("cut at bound: 100 states"));
}

TEST_F(CheckLog, a_violation_names_a_state_that_can_be_exported) {
  auto log = WriteLog::read(kMirrorPiece);
  ASSERT_TRUE(log.ok());
  LogWritesWriter writer;
  for (const LogEntry& entry : log->entries()) {
    if (entry.is_mark()) {
      writer.mark(entry.mark);
    } else if (entry.sectors != 0) {
      writer.write(entry.sector, entry.flags, entry.data);
    } else if (entry.sector != 24576) {
      writer.flush(entry.sector, entry.flags);
    }
  }
  command.file = path("spoilt.zst");
  ASSERT_TRUE(writer.save(command.file).ok());
  ASSERT_EQ(run(), kExitViolation);
  EXPECT_THAT(out, HasSubstr("is clean in the dirty log, but leg 0 and leg 1 differ"));
  const std::size_t at = out.find("--export-state ");
  ASSERT_NE(at, std::string::npos);
  command.export_state = out.substr(at + 15, out.find(' ', at + 15) - at - 15);
  command.out = path("state.img");
  ASSERT_EQ(run(), kExitHeld);
  EXPECT_EQ(std::filesystem::file_size(command.out), 26624u * kSectorBytes);
  EXPECT_THAT(out, HasSubstr("entry "));
}

TEST_F(CheckLog, a_truncated_log_is_refused_with_the_byte_at_which_it_ends) {
  auto bytes = read_file_bytes(kMirrorPiece);
  ASSERT_TRUE(bytes.ok());
  bytes->resize(5000);
  command.file = path("short");
  ASSERT_TRUE(write_file_bytes(command.file, *bytes).ok());
  EXPECT_THAT(refusal(), HasSubstr("at byte 3584: the log ends within the data of entry 2"));
}

TEST_F(CheckLog, bad_options_are_refused_by_name) {
  command.legs = {"0s..12288s"};
  EXPECT_THAT(refusal(), HasSubstr("expected 1, as that many ranges"));
  command.legs = {"0-12288"};
  EXPECT_THAT(refusal(), HasSubstr("--legs: "));
  command.legs = {"0s..12288s,12288s..24576s"};
  command.log = "99999s..199999s";
  EXPECT_THAT(refusal(), HasSubstr("lies outside the recorded device"));
  command.log = "24576s..26624s";
  command.device = "12MiB";
  EXPECT_THAT(refusal(), HasSubstr("--device: 24576 sectors, but the log writes up to sector"));
  command.device.clear();
  command.table = "0 12288 mirror core 1 256 2 A 0 B 0";
  EXPECT_THAT(refusal(), HasSubstr("found 'core', expected 'disk'"));
  command.table.clear();
  EXPECT_THAT(refusal(), HasSubstr("--table, --legs and --log go together"));
  command.legs.clear();
  command.log.clear();
  EXPECT_THAT(refusal(), HasSubstr("what to check"));
  command.export_state = "7";
  EXPECT_THAT(refusal(), HasSubstr("expected ENTRY.NUMBER"));
  command.export_state = "0.99";
  command.out = path("x");
  EXPECT_THAT(refusal(), HasSubstr("entry 0 has 2 states"));
  command.export_state = "5000.0";
  EXPECT_THAT(refusal(), HasSubstr("the log has 337 entries"));
}

TEST(StateName, is_an_entry_and_a_number) {
  EXPECT_EQ(*parse_state_name("930.2"), (StateName{930, 2}));
  for (const char* bad : {"", "1", "1.", ".1", "1.2.3", "a.b", "1.2x"}) {
    EXPECT_FALSE(parse_state_name(bad).ok()) << bad;
  }
}

TEST(E2fsck, what_a_mount_does_is_no_repair) {
  EXPECT_THAT(repairs_beyond_mount("x: recovering journal\nx: Clearing orphaned inode 13 (uid=0)\n"
                                   "x: clean, 24/6144 files, 2551/6144 blocks\n"),
              ElementsAre());
  EXPECT_THAT(repairs_beyond_mount("x: recovering journal\nx: Inode 12, i_blocks is 8, should be 0. FIXED.\n"),
              ElementsAre(HasSubstr("i_blocks")));
}

class RealExt4 : public CheckLog {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(kRealExt4)) GTEST_SKIP() << "the recorded logs are not here";
    command = {};
    command.file = kRealExt4;
    command.e2fsck = true;
    command.jobs = 2;
  }
};

TEST_F(RealExt4, sampled_crash_states_pass_e2fsck_after_journal_recovery) {
  command.sample = 40;
  EXPECT_EQ(run(), kExitHeld) << out;
  EXPECT_THAT(out, HasSubstr("are clean"));
}

TEST_F(RealExt4, a_superblock_torn_between_its_two_sectors_does_not_pass) {
  const auto log = WriteLog::read(kRealExt4);
  ASSERT_TRUE(log.ok());
  E2fsckOptions options;
  options.states.first_entry = 930;  // the superblock, written in place
  options.states.end_entry = 931;
  options.jobs = 2;
  const auto report = check_with_e2fsck(*log, options);
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->checked, 4u);
  ASSERT_GT(report->failures.size(), 0u);
  EXPECT_THAT(report->failures[0].details,
              ::testing::Contains(HasSubstr("Superblock checksum does not match")));
  options.states.atomic_sectors = kPageSectors;
  EXPECT_TRUE(check_with_e2fsck(*log, options)->failures.empty());
}

// The journal's flushes dropped: commit blocks may land ahead of what they commit.
TEST_F(RealExt4, a_journal_without_its_flushes_is_found) {
  const auto log = WriteLog::read(kRealExt4);
  ASSERT_TRUE(log.ok());
  const std::size_t mkfs = log->find_mark("mkfs");
  const WriteLog spoilt = edited(*log, [&](std::size_t i, LogEntry& entry) {
    entry.flags &= ~std::uint32_t{kLogFua};
    return i < mkfs || !entry.is_empty_flush();
  });
  command.file = path("spoilt.zst");
  LogWritesWriter writer;
  for (const LogEntry& entry : spoilt.entries()) {
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
  ASSERT_TRUE(writer.save(command.file).ok());
  command.sample = 60;
  EXPECT_EQ(run(), kExitViolation) << out;
}

}  // namespace
}  // namespace dmsim
