#include "crash-replay/story_pvmove.h"

#include <fmt/format.h>

namespace dmsim {

std::string moved_through(const StoryEvent& event) {
  return event.is("pvmove.step") ? std::string(event.text("volume")) : std::string();
}

std::optional<std::size_t> last_move(const std::vector<StoryEvent>& events) {
  for (std::size_t i = events.size(); i-- > 0;) {
    if (events[i].is("pvmove.step") && events[i].text("what") == "begin") return i;
  }
  return std::nullopt;
}

std::optional<std::string> tell_lvm_event(const StoryEvent& event) {
  if (event.is("lvm.metadata")) {
    return fmt::format("{} has {} version {} of the metadata of {}", event.actor, event.text("step"),
                       event.number("sequence"), event.text("group"));
  }
  if (!event.is("pvmove.step")) return std::nullopt;
  const std::string_view what = event.text("what");
  const std::string move(event.text("volume"));
  if (what == "begin") {
    return fmt::format("{} begins to move extents: {} is to go under the volumes, in segments that are copied one "
                       "after the other ({} of them)", event.actor, move, event.number("of"));
  }
  if (what == "checkpoint") {
    return fmt::format("{} finds segment {} of {} copied: it is to use its new extents, and the next one is to be "
                       "copied", event.actor, event.number("segment"), event.number("of"));
  }
  if (what == "finish") {
    return fmt::format("{} finds all copied: the volumes are to take their new extents, and {} is to go", event.actor,
                       move);
  }
  if (what == "abort") {
    return fmt::format("{} aborts the move: what is not done is to stay on its old extents", event.actor);
  }
  if (what == "retreat") {
    return fmt::format("{} gives {} the old extents alone, so that what its mirror holds is issued again", event.actor,
                       move);
  }
  if (what == "gone") return fmt::format("Nothing is left of {} in the metadata", move);
  return std::nullopt;
}

}  // namespace dmsim
