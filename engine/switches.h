// Planted bugs: named switches whose first value is the fixed behaviour and whose others restore a
// historical fault. One table says all there is to know of each; `dmsim list switches` prints it.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>

namespace dmsim {

struct SwitchInfo {
  std::string_view name;                      // "mirror.dec_promotes_nosync"
  std::span<const std::string_view> values;   // [0] is the fixed behaviour
  std::string_view about;                     // one sentence: what the faulty value does
  std::string_view fault;                     // the fault's name in docs/FAULTS.md: "mir-nosync-to-clean"
  std::string_view linux_value = {};          // what today's kernel does; empty: as values[0]
};

// As written in a plan: name -> value. A name that is absent has its fixed value.
using SwitchValues = std::map<std::string, std::string, std::less<>>;

}  // namespace dmsim
