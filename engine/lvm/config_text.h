// The text that LVM2 keeps its metadata in: sections in braces, and names with numbers, strings or lists.
//
//   vg0 {
//       seqno = 3
//       status = ["RESIZEABLE", "READ", "WRITE"]
//       physical_volumes { pv0 { pe_count = 100 } }
//   }
//
// Reads what lvm2 writes (comments, lists over several lines, escaped quotes) and writes what lvm2 reads.
// Floating-point numbers, which metadata never holds, are refused.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace dmsim::lvm {

using ConfigScalar = std::variant<std::int64_t, std::string>;
using ConfigList = std::vector<ConfigScalar>;

class ConfigSection;

struct ConfigEntry {
  std::string name;
  // A section; else a list or a single value.
  std::unique_ptr<ConfigSection> section;
  ConfigList values;
  bool is_list = false;
  int line = 0;  // where it was read; 0: it was made
};

// The entries between two braces (or of a whole text), in the order of the text.
class ConfigSection {
 public:
  const std::vector<ConfigEntry>& entries() const { return entries_; }
  const ConfigEntry* find(std::string_view name) const;
  const ConfigSection* section(std::string_view name) const;

  void add(std::string name, std::int64_t value);
  void add(std::string name, std::string value);
  void add(std::string name, ConfigList values);
  ConfigSection& add_section(std::string name);

  // `file` names the text in errors. Every name stands once in its section.
  static Result<ConfigSection> parse(std::string_view text, std::string_view file);
  // One entry a line, indented by tabs; ends with a line feed.
  std::string to_text() const;

 private:
  friend class ConfigParser;
  void print(std::string& out, int depth) const;
  std::vector<ConfigEntry> entries_;
};

}  // namespace dmsim::lvm
