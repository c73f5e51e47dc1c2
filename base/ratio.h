// Ratio: how probabilities are written (`3/100`). No floating point decides anything in dmsim.
#pragma once

#include <cstdint>

namespace dmsim {

struct Ratio {
  std::uint32_t numerator = 0;    // 0 <= numerator <= denominator
  std::uint32_t denominator = 1;  // >= 1
  friend constexpr bool operator==(const Ratio&, const Ratio&) = default;
};

}  // namespace dmsim
