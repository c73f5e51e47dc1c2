#include "base/result.h"

#include <algorithm>

namespace dmsim {

std::string InputError::to_string() const {
  std::string where = file;
  if (line > 0) where += fmt::format(":{}", line);
  if (line > 0 && column > 0) where += fmt::format(":{}", column);
  if (offset >= 0) where += fmt::format(": at byte {}", offset);
  std::string all = where.empty() ? message : where + ": " + message;
  // A file that is no text at all may be quoted here; a terminal is not to obey it.
  const auto obeyed = [](char c) { return (c >= 0 && c < ' ' && c != '\n' && c != '\t') || c == 0x7F; };
  std::replace_if(all.begin(), all.end(), obeyed, '?');
  return all;
}

}  // namespace dmsim
