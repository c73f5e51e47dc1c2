// What a story says of LVM2's commands: what becomes of the metadata, and how far a move is.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "crash-replay/story_chronicle.h"

namespace dmsim {

// The sentence that an event of kind "pvmove.*" or "lvm.*" is; none: it is none.
std::optional<std::string> tell_lvm_event(const StoryEvent& event);
// The device of a move, if the event tells of one.
std::string moved_through(const StoryEvent& event);

// The index of the event by which the last move began.
std::optional<std::size_t> last_move(const std::vector<StoryEvent>& events);

}  // namespace dmsim
