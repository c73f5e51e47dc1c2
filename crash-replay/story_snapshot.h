// What a story says of a snapshot: who overwrites the chunk in focus, how it is saved, recorded, merged, and what
// becomes of the store.
#pragma once

#include <optional>

#include "crash-replay/story.h"

namespace dmsim {

class World;

// The snapshot that the promise is about, if it is about one.
std::optional<StoryFocus::Snapshot> find_snapshot(const StoryFocus& focus, World& last);

// All require chronicle.focus.snapshot.
std::string snapshot_before(const Chronicle& chronicle);
// Whatever first concerns the chunk in focus, or all of the snapshot.
std::optional<std::size_t> snapshot_story_start(const Chronicle& chronicle);
// The step that the event is; none: it does not concern the chunk in focus.
std::optional<StoryStep> tell_snapshot_event(const Chronicle& chronicle, std::size_t event);

}  // namespace dmsim
