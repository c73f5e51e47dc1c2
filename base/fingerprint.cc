#include "base/fingerprint.h"

#include <fmt/format.h>

namespace dmsim {

std::string Fingerprint::to_string() const { return fmt::format("{:016x}", value()); }

}  // namespace dmsim
