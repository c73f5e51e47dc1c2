// Words of a clone's table and messages, which Linux compares whatever their case.
#pragma once

#include <algorithm>
#include <string_view>

namespace dmsim::native {

inline bool same_word(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace dmsim::native
