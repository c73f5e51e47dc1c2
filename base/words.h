// Words of a line of text: of a table, a status, a script.
#pragma once

#include <string_view>
#include <vector>

namespace dmsim {

// What stands between blanks, tabs and ends of lines. Views into `text`.
inline std::vector<std::string_view> words_of(std::string_view text) {
  constexpr std::string_view kBetween = " \t\n";
  std::vector<std::string_view> words;
  for (std::size_t at = text.find_first_not_of(kBetween); at != std::string_view::npos;
       at = text.find_first_not_of(kBetween, at)) {
    std::size_t end = text.find_first_of(kBetween, at);
    if (end == std::string_view::npos) end = text.size();
    words.push_back(text.substr(at, end - at));
    at = end;
  }
  return words;
}

}  // namespace dmsim
