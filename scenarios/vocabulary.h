// Vocabulary: the names that a scenario may use and that other rooms own. Whoever loads a scenario
// knows them; the loader only compares.
#pragma once

#include <span>
#include <string_view>

#include "engine/switches.h"

namespace dmsim {

// The spans outlive every call they are given to.
struct Vocabulary {
  std::span<const std::string_view> oracles;  // "legs-identical-where-clean", ...
  std::span<const SwitchInfo> switches;
  std::span<const std::string_view> engines;  // "native", "linux-6.1", "linux-6.12"
};

}  // namespace dmsim
