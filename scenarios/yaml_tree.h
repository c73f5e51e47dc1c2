// YamlNode: a YAML document as a plain tree whose every key and value knows its place in the file.
//
// Built from yaml-cpp's parser events rather than from its nodes: those forget positions when they are
// merged, keep duplicated keys silently and can be cyclic. Aliases are expanded; an expansion that
// would not fit a scenario (a "billion laughs") is an error. Keys are scalars. Tags and YAML merge
// keys (`<<`) are not modelled: a tag is an error, `<<` is a key like any other.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace dmsim {

// Where a key or value begins; 1-based.
struct YamlPosition {
  int line = 0;
  int column = 0;
};

struct YamlEntry;

struct YamlNode {
  enum class Kind { kNull, kScalar, kSequence, kMap };
  Kind kind = Kind::kNull;
  YamlPosition position;
  std::string text;                // kScalar only
  std::vector<YamlNode> items;     // kSequence only
  std::vector<YamlEntry> entries;  // kMap only, in file order, keys distinct

  bool is_null() const { return kind == Kind::kNull; }
  bool is_scalar() const { return kind == Kind::kScalar; }
  bool is_sequence() const { return kind == Kind::kSequence; }
  bool is_map() const { return kind == Kind::kMap; }
  // The value of `key` in a map; null when there is none. Valid until the node changes.
  const YamlNode* find(std::string_view key) const;
};

struct YamlEntry {
  std::string key;
  YamlPosition key_position;
  YamlNode value;
};

// The one document in `text`. `file` is used in errors only.
Result<YamlNode> parse_yaml(std::string_view text, const std::string& file);

// `overlay` laid over `base`: maps merge by key at every depth (keys of the base keep their place, new
// ones follow), anything else replaces, null removes the key. Positions are those of whoever won.
YamlNode merge_yaml(const YamlNode& base, const YamlNode& overlay);

}  // namespace dmsim
