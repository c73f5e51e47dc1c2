// What a story says of a clone: hydrations, commits, and from where the region in focus is read.
#pragma once

#include <optional>

#include "crash-replay/story.h"

namespace dmsim {

// All require chronicle.focus.clone.
std::string clone_before(const Chronicle& chronicle);
// The hydration of the region in focus that still matters at the end, or the write that brought it about.
std::optional<std::size_t> clone_story_start(const Chronicle& chronicle);
// Without a power cut: what the durable metadata promise of the region when that is found not to be so.
std::optional<StoryStep> tell_clone_end(const Chronicle& chronicle);
// The step that the event of kind "clone.*" is; none: it does not concern the region in focus. `*durable` is
// set when from here on the metadata on disk are known to say that the region is on the destination.
std::optional<StoryStep> tell_clone_event(const Chronicle& chronicle, std::size_t event, bool* durable);

}  // namespace dmsim
