#include "scenarios/yaml_tree.h"

#include <gtest/gtest.h>

#include "sim/choice.h"

namespace dmsim {
namespace {

constexpr ChoicePoint kEdit{"test.edit"};

YamlNode parse(std::string_view text) {
  Result<YamlNode> root = parse_yaml(text, "t.yaml");
  EXPECT_TRUE(root.ok()) << (root.ok() ? "" : root.error().to_string());
  return root.ok() ? *root : YamlNode();
}
std::string error_of(std::string_view text) {
  const Result<YamlNode> root = parse_yaml(text, "t.yaml");
  return root.ok() ? "accepted" : root.error().to_string();
}
// The tree in one line, keys in order.
std::string show(const YamlNode& node) {
  std::string out;
  switch (node.kind) {
    case YamlNode::Kind::kNull: return "~";
    case YamlNode::Kind::kScalar: return node.text;
    case YamlNode::Kind::kSequence:
      for (const YamlNode& item : node.items) out += (out.empty() ? "" : " ") + show(item);
      return "[" + out + "]";
    case YamlNode::Kind::kMap:
      for (const YamlEntry& entry : node.entries) {
        out += (out.empty() ? "" : " ") + entry.key + ":" + show(entry.value);
      }
      return "{" + out + "}";
  }
  return "?";
}
std::string merged(std::string_view base, std::string_view overlay) {
  return show(merge_yaml(parse(base), parse(overlay)));
}

TEST(YamlTree, every_key_and_value_knows_its_place) {
  const YamlNode root = parse("a: 1\nb:\n  - x\n  - {c: y}\n");
  const YamlNode& list = *root.find("b");
  EXPECT_EQ(root.entries[1].key_position.line, 2);
  EXPECT_EQ(list.items[0].position.line, 3);
  EXPECT_EQ(list.items[0].position.column, 5);
  EXPECT_EQ(list.items[1].entries[0].key_position.column, 6);
  EXPECT_EQ(list.items[1].entries[0].value.position.column, 9);
}

TEST(YamlTree, a_missing_value_is_null_at_its_key_and_quoted_nothing_is_a_text) {
  const YamlNode root = parse("a:\nb: ~\nc: null\nd: \"null\"\ne: ''\n");
  EXPECT_EQ(show(root), "{a:~ b:~ c:~ d:null e:}");
  EXPECT_TRUE(root.find("d")->is_scalar());
  EXPECT_EQ(root.find("a")->position.line, 1);
}

TEST(YamlTree, aliases_stand_for_copies) {
  EXPECT_EQ(show(parse("a: &x {p: 1}\nb: [*x, *x]\n")), "{a:{p:1} b:[{p:1} {p:1}]}");
}

TEST(YamlTree, carriage_returns_and_a_byte_order_mark_change_nothing) {
  EXPECT_EQ(show(parse("\xEF\xBB\xBF" "a: \"q\"\r\nb: 'r'\r\n")), "{a:q b:r}");
}

TEST(YamlTree, text_in_utf8_is_kept) {
  EXPECT_EQ(parse("a: Größe \"zwölf\"\n").find("a")->text, "Größe \"zwölf\"");
}

TEST(YamlTree, a_quote_must_be_closed_whichever_it_is) {
  EXPECT_EQ(error_of("a: \"x\nb: 1\n"), "t.yaml:1:4: found a quote that is never closed");
  EXPECT_EQ(error_of("a: 'x\nb: 1\n"), "t.yaml:1:4: found a quote that is never closed");
  EXPECT_EQ(show(parse("a: \"x \\\" y\"\nb: 'x '' y'\n")), "{a:x \" y b:x ' y}");
}

TEST(YamlTree, what_is_no_text_is_refused_with_its_place) {
  EXPECT_EQ(error_of("a: \xC0\x80\n"), "t.yaml:1:4: found byte 0xc0, expected UTF-8 text");
  EXPECT_EQ(error_of("\xFF\xFE" "a\0"), "t.yaml:1:1: found byte 0xff, expected UTF-8 text");
  EXPECT_EQ(error_of("a: ä\nb: \xE2\x82"), "t.yaml:2:4: found byte 0xe2, expected UTF-8 text");
  EXPECT_EQ(error_of("a: \x01\n"), "t.yaml:1:4: found control character 0x01, expected text");
}

TEST(YamlTree, maps_merge_at_every_depth_and_anything_else_replaces) {
  EXPECT_EQ(merged("a: {x: 1, y: 2}\nb: [1, 2]\n", "a: {y: 3, z: 4}\nb: [9]\nc: 5\n"),
            "{a:{x:1 y:3 z:4} b:[9] c:5}");
  EXPECT_EQ(merged("a: {x: {p: 1, q: 2}}\n", "a: {x: {q: 3}}\n"), "{a:{x:{p:1 q:3}}}");
  EXPECT_EQ(merged("a: text\n", "a: {x: 1}\n"), "{a:{x:1}}");
  EXPECT_EQ(merged("a: {x: 1}\n", "a: text\n"), "{a:text}");
}

TEST(YamlTree, null_removes_a_key_that_is_there_and_stays_where_none_is) {
  EXPECT_EQ(merged("a: {x: 1, y: 2}\nb: 3\n", "a: {x: null}\nb: ~\n"), "{a:{y:2}}");
  EXPECT_EQ(merged("a: 1\n", "b: null\n"), "{a:1 b:~}");
}

TEST(YamlTree, merged_values_keep_the_place_of_whoever_won) {
  const YamlNode base = parse("a: {x: 1, y: 2}\n");
  const YamlNode overlay = parse("\n\na: {y: 3}\n");
  const YamlNode both = merge_yaml(base, overlay);
  EXPECT_EQ(both.find("a")->find("x")->position.line, 1);
  EXPECT_EQ(both.find("a")->find("y")->position.line, 3);
}

TEST(YamlTree, no_mangled_text_does_worse_than_an_error) {
  const std::string_view sound =
      "a: &x {p: 1, q: [2, 3]}\nb: |\n  lines\n  more\nc: \"quoted \\n\"\nd: [*x, 'e']\n? f\n: g\n";
  const std::string_view bytes = "{}[]:,-?&*!|>'\"%@`#\n\t ~\\a0\x04\xC3";
  RandomChoices choices(11);
  int accepted = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string text(sound);
    const std::uint64_t edits = 1 + choices.draw(kEdit, Actor::kNobody, 4);
    for (std::uint64_t i = 0; i < edits; ++i) {
      const auto at = static_cast<std::size_t>(choices.draw(kEdit, Actor::kNobody, text.size()));
      const char byte = bytes[choices.draw(kEdit, Actor::kNobody, bytes.size())];
      if (choices.draw(kEdit, Actor::kNobody, 2) == 0) {
        text[at] = byte;
      } else {
        text.insert(at, 1, byte);
      }
    }
    const Result<YamlNode> root = parse_yaml(text, "t.yaml");
    if (root.ok()) {
      ++accepted;
    } else {
      EXPECT_FALSE(root.error().message.empty()) << text;
    }
  }
  EXPECT_GT(accepted, 100);
  EXPECT_LT(accepted, 2900);
}

}  // namespace
}  // namespace dmsim
