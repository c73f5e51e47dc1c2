#include "sim/actor.h"

namespace dmsim {

Actor ActorNames::intern(std::string_view name) {
  for (std::size_t i = 0; i < names_.size(); ++i) {
    if (names_[i] == name) return static_cast<Actor>(i);
  }
  names_.emplace_back(name);
  return static_cast<Actor>(names_.size() - 1);
}

}  // namespace dmsim
