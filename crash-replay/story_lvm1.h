// What a story says of an extent of LVM1 that is moved: lock, copy, map, and the request that nobody waited for.
#pragma once

#include <optional>

#include "crash-replay/story.h"

namespace dmsim {

// Where else the extent in focus has been, from the trace: its former places become legs, behind where it is now.
void find_moved_extent(const std::vector<StoryEvent>& events, const Plan& plan, StoryFocus* focus);

// All require chronicle.focus.move.
std::string move_before(const Chronicle& chronicle);
// The write that the move lost, or what filled the cache that was copied from; none: neither.
std::optional<std::size_t> move_story_start(const Chronicle& chronicle);
// The step that the event of kind "lvm1.*" is; none: it is about another extent.
std::optional<StoryStep> tell_move_event(const Chronicle& chronicle, std::size_t event);

}  // namespace dmsim
