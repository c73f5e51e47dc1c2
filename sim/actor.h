// Actors: whoever does something in a world: a task, a daemon, a device, a leg. Named once, then a
// small integer. Numbers follow the order of naming, so they are the same in every run of a plan.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace dmsim {

enum class Actor : std::uint32_t { kNobody = 0 };

class ActorNames {
 public:
  ActorNames() : names_{"-"} {}

  // The actor of that name, new or known. Names are few: the search is linear.
  Actor intern(std::string_view name);
  const std::string& name(Actor actor) const { return names_[static_cast<std::uint32_t>(actor)]; }
  std::size_t size() const { return names_.size(); }

 private:
  std::vector<std::string> names_;  // [0] is "-", nobody
};

}  // namespace dmsim
