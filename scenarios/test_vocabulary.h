// A vocabulary for the loader's tests, which must not change when an engine learns a new switch.
#pragma once

#include <array>
#include <string_view>

#include "scenarios/vocabulary.h"

namespace dmsim {

inline const Vocabulary& test_vocabulary() {
  static constexpr std::array<std::string_view, 5> kOracles{
      "legs-identical-where-clean", "stable-read", "read-your-writes", "liveness", "no-false-sync"};
  static constexpr std::array<std::string_view, 3> kEngines{"native", "linux-6.1", "linux-6.12"};
  static constexpr std::array<std::string_view, 3> kBuffer{"stable", "shared", "bounce"};
  static constexpr std::array<std::string_view, 2> kOffOn{"off", "on"};
  static constexpr std::array<SwitchInfo, 3> kSwitches{
      {{"mirror.buffer", kBuffer, "what legs are written from", "mir-unstable-page"},
       {"mirror.dec_promotes_nosync", kOffOn, "completion makes a region clean", "mir-nosync"},
       {"core.read_balance", kOffOn, "reads go to any leg", "none"}}};
  static const Vocabulary vocabulary{kOracles, kSwitches, kEngines};
  return vocabulary;
}

}  // namespace dmsim
