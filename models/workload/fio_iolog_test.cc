#include "models/workload/fio_iolog.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace dmsim {
namespace {

const std::string kData = "models/workload/testdata/";

Iolog read_ok(const std::string& name) {
  auto log = read_fio_iolog(kData + name);
  EXPECT_TRUE(log.ok()) << (log.ok() ? "" : log.error().to_string());
  return log.ok() ? log.value() : Iolog{};
}

std::size_t count(const Iolog& log, IologAction action) {
  return static_cast<std::size_t>(
      std::count_if(log.entries.begin(), log.entries.end(),
                    [&](const IologEntry& entry) { return entry.action == action; }));
}

std::string refusal(std::string_view text) {
  const auto log = parse_fio_iolog(text, "a.iolog");
  EXPECT_FALSE(log.ok()) << text;
  return log.ok() ? "" : log.error().to_string();
}

TEST(FioIolog, a_captured_version_3_log_with_fsyncs_is_read) {
  const Iolog log = read_ok("psync-fsync.v3.iolog");
  EXPECT_EQ(log.version, 3);
  EXPECT_EQ(log.files, std::vector<std::string>{"disk.img"});
  ASSERT_EQ(log.entries.size(), 29u);
  EXPECT_EQ(count(log, IologAction::kWrite), 17u);
  EXPECT_EQ(count(log, IologAction::kRead), 7u);
  EXPECT_EQ(count(log, IologAction::kSync), 2u);
  EXPECT_EQ(log.entries[0].action, IologAction::kAdd);
  EXPECT_EQ(log.entries[1].action, IologAction::kOpen);
  EXPECT_EQ(log.entries[2].action, IologAction::kWrite);
  EXPECT_EQ(log.entries[2].offset, 12288u);
  EXPECT_EQ(log.entries[2].length, 4096u);
  EXPECT_EQ(log.entries[2].at, Duration::microseconds(339));
  EXPECT_EQ(log.entries[2].line, 4);
  EXPECT_EQ(log.entries.back().action, IologAction::kClose);
  EXPECT_EQ(log.entries.back().at, Duration::microseconds(1925));
}

TEST(FioIolog, a_captured_log_of_two_files_keeps_them_apart) {
  const Iolog log = read_ok("two-files-datasync.v3.iolog");
  EXPECT_EQ(log.files, (std::vector<std::string>{"a.img", "b.img"}));
  EXPECT_EQ(count(log, IologAction::kDataSync), 1u);
  EXPECT_EQ(count(log, IologAction::kWrite), 8u);
  std::size_t of_second = 0;
  for (const IologEntry& entry : log.entries) of_second += entry.file;
  EXPECT_EQ(of_second, 7u);  // add, open, four writes, close
}

TEST(FioIolog, a_captured_log_of_trims_is_read) {
  const Iolog log = read_ok("null-trim.v3.iolog");
  EXPECT_EQ(count(log, IologAction::kTrim), 8u);
  EXPECT_EQ(count(log, IologAction::kWrite), 8u);
  EXPECT_EQ(log.entries[2].action, IologAction::kTrim);
  EXPECT_EQ(log.entries[2].length, 8192u);
}

TEST(FioIolog, a_version_2_log_waits_relative_to_the_wait_before) {
  const Iolog log = read_ok("by-hand.v2.iolog");
  EXPECT_EQ(log.version, 2);
  ASSERT_EQ(log.entries.size(), 12u);
  EXPECT_EQ(log.entries[4].action, IologAction::kSync);
  EXPECT_EQ(log.entries[4].at, Duration());
  EXPECT_EQ(log.entries[5].action, IologAction::kWait);
  EXPECT_EQ(log.entries[5].at, Duration::microseconds(1500));
  EXPECT_EQ(log.entries[6].at, Duration::microseconds(1500));
  EXPECT_EQ(log.entries[7].at, Duration::microseconds(2000));
  EXPECT_EQ(log.entries[8].offset, 4096u);
  EXPECT_EQ(log.entries[8].length, 8192u);
  EXPECT_EQ(log.entries[9].action, IologAction::kDataSync);
  EXPECT_EQ(log.entries[10].action, IologAction::kTrim);
}

TEST(FioIolog, time_never_runs_backwards) {
  auto log = parse_fio_iolog("fio version 3 iolog\n5 f add\n9 f open\n7 f read 0 1\n", "x");
  ASSERT_TRUE(log.ok());
  EXPECT_EQ(log->entries[2].at, Duration::microseconds(9));
}

TEST(FioIolog, empty_lines_tabs_and_dos_line_ends_are_fine) {
  auto log = parse_fio_iolog("fio version 2 iolog\r\n\nf\tadd\r\n  f open\n\nf read 0 512", "x");
  ASSERT_TRUE(log.ok());
  ASSERT_EQ(log->entries.size(), 3u);
  EXPECT_EQ(log->entries[2].line, 6);
  EXPECT_EQ(log->entries[2].length, 512u);
}

TEST(FioIolog, a_log_of_nothing_but_its_first_line_is_empty) {
  auto log = parse_fio_iolog("fio version 3 iolog\n", "x");
  ASSERT_TRUE(log.ok());
  EXPECT_TRUE(log->entries.empty());
}

TEST(FioIolog, a_file_may_be_closed_and_opened_again) {
  auto log = parse_fio_iolog(
      "fio version 2 iolog\nf add\nf open\nf close\nf open\nf write 0 1\n", "x");
  EXPECT_TRUE(log.ok());
  EXPECT_EQ(refusal("fio version 2 iolog\nf add\nf open\nf close\nf write 0 1\n"),
            "a.iolog:5:1: write of file 'f', which is not open, expected 'f open' above");
}

TEST(FioIolog, the_first_line_must_name_a_known_version) {
  EXPECT_EQ(refusal(""), "a.iolog:1:1: the log is empty, expected 'fio version 2 iolog' or 'fio "
                         "version 3 iolog'");
  EXPECT_EQ(refusal("fio version 4 iolog\n"),
            "a.iolog:1:1: found 'fio version 4 iolog', expected 'fio version 2 iolog' or 'fio "
            "version 3 iolog'");
  EXPECT_EQ(refusal("f add\n"), "a.iolog:1:1: found 'f add', expected 'fio version 2 iolog' or "
                                "'fio version 3 iolog'");
}

TEST(FioIolog, unknown_actions_get_the_nearest_name) {
  EXPECT_EQ(refusal("fio version 2 iolog\nf add\nf open\nf wirte 0 1\n"),
            "a.iolog:4:3: unknown action 'wirte', did you mean 'write'?");
  EXPECT_EQ(refusal("fio version 2 iolog\nf 0 4096\n"), "a.iolog:2:3: unknown action '0'");
}

TEST(FioIolog, files_must_be_added_once_and_opened_before_use) {
  EXPECT_EQ(refusal("fio version 2 iolog\nf open\n"),
            "a.iolog:2:1: file 'f' was never added, expected 'f add' above");
  EXPECT_EQ(refusal("fio version 2 iolog\nf add\nf add\n"), "a.iolog:3:1: file 'f' is added twice");
  EXPECT_EQ(refusal("fio version 3 iolog\n0 f add\n1 f read 0 1\n"),
            "a.iolog:3:3: read of file 'f', which is not open, expected 'f open' above");
  EXPECT_EQ(refusal("fio version 3 iolog\n0 f add\n1 f close\n"),
            "a.iolog:3:3: close of file 'f', which is not open, expected 'f open' above");
}

TEST(FioIolog, lines_that_end_early_are_refused_at_their_end) {
  EXPECT_EQ(refusal("fio version 3 iolog\n12\n"),
            "a.iolog:2:3: found the line's end, expected a file");
  EXPECT_EQ(refusal("fio version 3 iolog\n12 f\n"),
            "a.iolog:2:5: found the line's end, expected an action");
  EXPECT_EQ(refusal("fio version 2 iolog\nf add\nf open\nf read\n"),
            "a.iolog:4:7: found the line's end, expected the offset of the read");
  EXPECT_EQ(refusal("fio version 2 iolog\nf add\nf open\nf read 8\n"),
            "a.iolog:4:9: found the line's end, expected the length of the read");
  EXPECT_EQ(refusal("fio version 2 iolog\nf add\nf wait\n"),
            "a.iolog:3:7: found the line's end, expected the microseconds of the wait");
}

TEST(FioIolog, words_too_many_are_refused_where_they_stand) {
  EXPECT_EQ(refusal("fio version 2 iolog\nf add 0\n"),
            "a.iolog:2:7: found '0' behind add, expected the line's end");
  EXPECT_EQ(refusal("fio version 2 iolog\nf add\nf open\nf read 0 1 2\n"),
            "a.iolog:4:12: found '2' behind read, expected the line's end");
}

TEST(FioIolog, numbers_must_be_numbers_that_fit) {
  EXPECT_EQ(refusal("fio version 3 iolog\nf add\n"),
            "a.iolog:2:1: found 'f', expected a timestamp in microseconds");
  EXPECT_EQ(refusal("fio version 2 iolog\nf add\nf open\nf read 4k 1\n"),
            "a.iolog:4:8: found '4k', expected an offset in bytes");
  EXPECT_EQ(refusal("fio version 2 iolog\nf add\nf open\nf read 0 -1\n"),
            "a.iolog:4:10: found '-1', expected a length in bytes");
  EXPECT_EQ(refusal("fio version 2 iolog\nf add\nf open\nf read 0 0\n"),
            "a.iolog:4:10: found a length of 0, expected at least one byte");
  EXPECT_EQ(refusal("fio version 2 iolog\nf add\nf open\nf read 18446744073709551616 1\n"),
            "a.iolog:4:8: 18446744073709551616 is too large for an offset in bytes");
  EXPECT_EQ(refusal("fio version 2 iolog\nf add\nf open\nf read 18446744073709551615 1\n"),
            "a.iolog:4:29: 1 is too large for a length in bytes");
  EXPECT_EQ(refusal("fio version 3 iolog\n9223372036854775 f add\n9223372036854776 f open\n"),
            "a.iolog:3:1: 9223372036854776 is too large for a timestamp in microseconds");
  EXPECT_EQ(refusal("fio version 2 iolog\nf add\nf wait 9223372036854775\nf wait 1\n"),
            "a.iolog:4:8: this wait ends after the end of time (292 years)");
}

TEST(FioIolog, only_version_2_waits) {
  EXPECT_EQ(refusal("fio version 3 iolog\n0 f add\n1 f wait 5 0\n"),
            "a.iolog:3:5: found wait, which only version 2 has");
}

TEST(FioIolog, a_file_that_is_not_there_is_named) {
  const auto log = read_fio_iolog(kData + "no-such.iolog");
  ASSERT_FALSE(log.ok());
  EXPECT_EQ(log.error().to_string(), kData + "no-such.iolog: No such file or directory");
}

TEST(FioIolog, actions_have_fios_names) {
  EXPECT_EQ(iolog_action_name(IologAction::kAdd), "add");
  EXPECT_EQ(iolog_action_name(IologAction::kTrim), "trim");
  EXPECT_EQ(iolog_action_name(IologAction::kDataSync), "datasync");
  EXPECT_EQ(iolog_action_name(IologAction::kWait), "wait");
}

}  // namespace
}  // namespace dmsim
