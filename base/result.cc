#include "base/result.h"

namespace dmsim {

std::string InputError::to_string() const {
  std::string where = file;
  if (line > 0) where += fmt::format(":{}", line);
  if (line > 0 && column > 0) where += fmt::format(":{}", column);
  if (offset >= 0) where += fmt::format(": at byte {}", offset);
  return where.empty() ? message : where + ": " + message;
}

}  // namespace dmsim
