// The text of tables and messages: dmsetup's line format, and dm's rules for splitting arguments.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/device_mapper.h"

namespace dmsim::native {

// One line: "START LENGTH TYPE PARAMETERS".
struct TableLine {
  Sector begin = 0;
  std::uint64_t length = 0;
  std::string type;
  std::string parameters;  // not split yet; may be empty
};

// Lines separated by '\n'; empty lines and those that begin with '#' are skipped, as dmsetup does.
// EINVAL, "Invalid format on line N of table".
DmResult<std::vector<TableLine>> parse_table_lines(std::string_view text);

// dm's argument splitting (dm_split_args): white space separates, a backslash takes the next character
// as it is and vanishes.
std::vector<std::string> split_words(std::string_view text);

// All of `word` as a decimal number, as "%llu%c" and "%u%c" accept it; nothing when it is not one or
// does not fit.
std::optional<std::uint64_t> parse_u64(std::string_view word);
std::optional<std::uint32_t> parse_u32(std::string_view word);

}  // namespace dmsim::native
