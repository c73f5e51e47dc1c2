#include "engine/lvm/config_text.h"

#include <gtest/gtest.h>

namespace dmsim::lvm {
namespace {

std::string error_of(std::string_view text) {
  const Result<ConfigSection> parsed = ConfigSection::parse(text, "vg.txt");
  return parsed ? "no error" : parsed.error().to_string();
}

TEST(ConfigText, what_lvm2_writes_is_read_comments_and_all) {
  const auto parsed = ConfigSection::parse(
      "# Generated\nvg0 {\n\tid = \"a-b\"\t# 1 Gigabyte\n\tseqno = 3\n\tflags = []\n\n"
      "\tstripes = [\n\t\t\"pv0\", 0\n\t]\n\tempty {\n\t}\n}\n",
      "vg.txt");
  ASSERT_TRUE(parsed);
  const ConfigSection* const group = parsed->section("vg0");
  ASSERT_NE(group, nullptr);
  EXPECT_EQ(group->find("seqno")->values, ConfigList{std::int64_t{3}});
  EXPECT_TRUE(group->find("flags")->is_list);
  EXPECT_TRUE(group->find("flags")->values.empty());
  EXPECT_EQ(group->find("stripes")->values, (ConfigList{std::string("pv0"), std::int64_t{0}}));
  EXPECT_TRUE(group->section("empty")->entries().empty());
  EXPECT_EQ(group->find("seqno")->line, 4);
}

TEST(ConfigText, what_is_written_is_read_back) {
  ConfigSection made;
  made.add("number", std::int64_t{-5});
  made.add("text", std::string("a \"b\" \\ c"));
  made.add_section("inner").add("list", ConfigList{std::int64_t{1}, std::string("x")});
  const std::string text = made.to_text();
  const auto parsed = ConfigSection::parse(text, "made");
  ASSERT_TRUE(parsed) << parsed.error().to_string();
  EXPECT_EQ(parsed->to_text(), text);
  EXPECT_EQ(parsed->find("text")->values, ConfigList{std::string("a \"b\" \\ c")});
}

TEST(ConfigText, every_error_says_line_column_and_what_was_expected) {
  EXPECT_EQ(error_of("a = 1\nb = \n}"), "vg.txt:3:1: found '}', expected a number, a string in quotes or a list");
  EXPECT_EQ(error_of("a {\n b = 1\n"), "vg.txt:3:1: found the end of the text, expected '}'");
  EXPECT_EQ(error_of("a 1"), "vg.txt:1:3: found '1', expected '=' or '{' after 'a'");
  EXPECT_EQ(error_of("}"), "vg.txt:1:1: found '}', which closes nothing");
  EXPECT_EQ(error_of("a = \"x"), "vg.txt:1:7: the string has no closing quote");
  EXPECT_EQ(error_of("a = [1 2]"), "vg.txt:1:8: found '2', expected ',' or ']'");
  EXPECT_EQ(error_of("a = 1\na = 2"), "vg.txt:2:2: 'a' stands here twice");
  EXPECT_EQ(error_of("a = 99999999999999999999"), "vg.txt:1:25: the number is too large");
  EXPECT_EQ(error_of("a = 1.5"), "vg.txt:1:6: found a number with a fraction, expected a whole one");
  EXPECT_EQ(error_of(std::string("a\0", 2)), "vg.txt:1:2: found byte 0x00, expected '=' or '{' after 'a'");
}

TEST(ConfigText, a_text_of_braces_is_refused_before_it_exhausts_the_stack) {
  std::string text;
  for (int i = 0; i < 100000; ++i) text += "a{";
  EXPECT_EQ(error_of(text), "vg.txt:1:34: sections are nested too deeply");
}

}  // namespace
}  // namespace dmsim::lvm
