#include <gtest/gtest.h>

#include <cerrno>

#include "engine/native/core/core_switches.h"
#include "engine/native/core/table_text.h"

namespace dmsim::native {
namespace {

using Words = std::vector<std::string>;

TEST(TableText, words_are_split_at_white_space_of_any_kind) {
  EXPECT_EQ(split_words("  core 2\t64\n nosync "), (Words{"core", "2", "64", "nosync"}));
  EXPECT_EQ(split_words(""), Words{});
  EXPECT_EQ(split_words(" \t "), Words{});
}

TEST(TableText, a_backslash_takes_the_next_character_as_it_is) {
  EXPECT_EQ(split_words(R"(a\ b c)"), (Words{"a b", "c"}));
  EXPECT_EQ(split_words(R"(a\\b \x)"), (Words{R"(a\b)", "x"}));
  EXPECT_EQ(split_words(R"(end\)"), (Words{R"(end\)"}));
}

TEST(TableText, numbers_are_decimal_and_must_fill_the_whole_word) {
  EXPECT_EQ(parse_u64("0"), 0u);
  EXPECT_EQ(parse_u64("18446744073709551615"), 18446744073709551615ull);
  for (const char* bad : {"", "12x", "-1", "+1", " 1", "0x10", "18446744073709551616",
                          "99999999999999999999"}) {
    EXPECT_FALSE(parse_u64(bad).has_value()) << bad;
  }
  EXPECT_EQ(parse_u32("4294967295"), 4294967295u);
  EXPECT_FALSE(parse_u32("4294967296").has_value());
}

TEST(TableText, lines_are_start_length_type_and_the_rest) {
  const auto lines = parse_table_lines("# a comment\n0 8 linear leg0 0\n\n  8 16   zero\n");
  ASSERT_TRUE(lines.ok());
  ASSERT_EQ(lines->size(), 2u);
  EXPECT_EQ((*lines)[0].begin, 0u);
  EXPECT_EQ((*lines)[0].length, 8u);
  EXPECT_EQ((*lines)[0].type, "linear");
  EXPECT_EQ((*lines)[0].parameters, "leg0 0");
  EXPECT_EQ((*lines)[1].begin, 8u);
  EXPECT_EQ((*lines)[1].type, "zero");
  EXPECT_EQ((*lines)[1].parameters, "");
}

TEST(TableText, a_line_that_is_not_one_is_named_by_its_number) {
  for (const char* bad : {"0 8 zero\nx 8 zero", "0 8 zero\n8 y zero", "0 8 zero\n8 8"}) {
    const auto lines = parse_table_lines(bad);
    ASSERT_FALSE(lines.ok()) << bad;
    EXPECT_EQ(lines.error().errno_value, EINVAL);
    EXPECT_EQ(lines.error().reason, "Invalid format on line 2 of table");
  }
}

TEST(CoreSwitches, absent_names_have_their_fixed_value_and_others_are_left_to_their_owners) {
  const CoreSwitches plain = CoreSwitches::of({{"mirror.something", "else"}});
  EXPECT_TRUE(plain.requeue_to_eio);
  EXPECT_TRUE(plain.preflush_error_kept);
  const CoreSwitches faulty = CoreSwitches::of(
      {{"core.requeue_to_eio", "requeue-always"}, {"core.preflush_error", "forgotten"}});
  EXPECT_FALSE(faulty.requeue_to_eio);
  EXPECT_FALSE(faulty.preflush_error_kept);
  for (const SwitchInfo& info : core_switches()) {
    EXPECT_GE(info.values.size(), 2u);
    EXPECT_TRUE(CoreSwitches::of({{std::string(info.name), std::string(info.values[0])}}).requeue_to_eio);
  }
}

TEST(CoreSwitchesDeathTest, a_value_that_a_switch_does_not_have_is_a_bug_of_ours) {
  EXPECT_DEATH(CoreSwitches::of({{"core.requeue_to_eio", "maybe"}}), "core.requeue_to_eio");
}

}  // namespace
}  // namespace dmsim::native
