#include "engine/native/core/table_text.h"

#include <fmt/format.h>

#include <cerrno>
#include <limits>

namespace dmsim::native {
namespace {

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// Takes the next run of characters that are not white space off `rest`.
std::string_view take_field(std::string_view& rest) {
  std::size_t from = 0;
  while (from < rest.size() && is_space(rest[from])) ++from;
  std::size_t to = from;
  while (to < rest.size() && !is_space(rest[to])) ++to;
  const std::string_view field = rest.substr(from, to - from);
  rest.remove_prefix(to);
  return field;
}

}  // namespace

std::optional<std::uint64_t> parse_u64(std::string_view word) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  if (word.empty()) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : word) {
    if (c < '0' || c > '9') return std::nullopt;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (value > (kMost - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  return value;
}

std::optional<std::uint32_t> parse_u32(std::string_view word) {
  const auto value = parse_u64(word);
  if (!value || *value > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  return static_cast<std::uint32_t>(*value);
}

DmResult<std::vector<TableLine>> parse_table_lines(std::string_view text) {
  std::vector<TableLine> out;
  int number = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view rest = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    const std::string_view begin = take_field(rest);
    if (begin.empty() || begin.front() == '#') continue;
    const auto first = parse_u64(begin);
    const auto length = parse_u64(take_field(rest));
    const std::string_view type = take_field(rest);
    if (!first || !length || type.empty()) {
      return Failure{DmError{EINVAL, fmt::format("Invalid format on line {} of table", number)}};
    }
    while (!rest.empty() && is_space(rest.front())) rest.remove_prefix(1);
    out.push_back({*first, *length, std::string(type), std::string(rest)});
  }
  return out;
}

std::vector<std::string> split_words(std::string_view text) {
  std::vector<std::string> out;
  std::size_t at = 0;
  while (true) {
    while (at < text.size() && is_space(text[at])) ++at;
    if (at == text.size()) return out;
    std::string word;
    while (at < text.size() && !is_space(text[at])) {
      // A backslash at the very end stands for itself.
      if (text[at] == '\\' && at + 1 < text.size()) ++at;
      word += text[at++];
    }
    out.push_back(std::move(word));
  }
}

}  // namespace dmsim::native
