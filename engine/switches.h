// Planted bugs: named switches whose first value is the fixed behaviour and whose others restore a
// historical fault. One table says all there is to know of each; `dmsim list switches` prints it.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "base/check.h"

namespace dmsim {

struct SwitchInfo {
  std::string_view name;                      // "mirror.dec_promotes_nosync"
  std::span<const std::string_view> values;   // [0] is the fixed behaviour
  std::string_view about;                     // one sentence: what the faulty value does
  std::string_view fault;                     // its name among all that are known: "mir-nosync-to-clean"; "-": a cure
  std::string_view linux_value = {};          // what today's kernel does; empty: as values[0]
};

// As written in a plan: name -> value. A name that is absent has its fixed value.
using SwitchValues = std::map<std::string, std::string, std::less<>>;

// What a plan says of one table's switches, for the engine that reads it into fields of its own. A name that the
// table lacks, or a value that the switch lacks, is a bug of ours: the loader lets neither pass.
class ChosenValues {
 public:
  // Both outlive this.
  ChosenValues(std::span<const SwitchInfo> table, const SwitchValues& values) : table_(table), values_(values) {}

  // The place of the value among the switch's values; 0: the fixed one.
  std::size_t place(std::string_view name) const {
    const auto said = values_.find(name);
    if (said == values_.end()) return 0;  // nearly always: tables are parsed in every life of a machine
    const SwitchInfo& info = info_of(name);
    std::size_t place = 0;
    while (place < info.values.size() && info.values[place] != said->second) ++place;
    CHECK(place < info.values.size(), "no such value of a switch", name, said->second);
    return place;
  }

  // Every value but the fixed one turns the field over.
  void flag(std::string_view name, bool* field) const {
    if (place(name) != 0) *field = !*field;
  }

  // The field's enumerators stand in the order of the switch's values.
  template <class Choice>
  void choice(std::string_view name, Choice* field) const {
    *field = static_cast<Choice>(place(name));
  }

 private:
  const SwitchInfo& info_of(std::string_view name) const {
    std::size_t at = 0;
    while (at < table_.size() && table_[at].name != name) ++at;
    CHECK(at < table_.size(), "no such switch", name);
    return table_[at];
  }

  std::span<const SwitchInfo> table_;
  const SwitchValues& values_;
};

}  // namespace dmsim
