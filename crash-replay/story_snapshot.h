// What a story says of a snapshot: who overwrites the chunk in focus, how it is saved, recorded, merged, and what
// becomes of the store.
#pragma once

#include <optional>

#include "crash-replay/story.h"

namespace dmsim {

class World;

// The snapshot or merge that `device` is, with the chunk in which `sector` lies; none: it is neither.
std::optional<StoryFocus::Snapshot> find_snapshot(const std::string& device, Sector sector, World& last);
// The same of the snapshot that this write of an origin waits for, as far as the trace tells.
std::optional<StoryFocus::Snapshot> find_awaited_snapshot(const std::vector<StoryEvent>& events,
                                                          const StoryEvent& write, World& last);

// All require chronicle.focus.snapshot.
std::string snapshot_before(const Chronicle& chronicle);
// Whatever first concerns the chunk in focus, or all of the snapshot.
std::optional<std::size_t> snapshot_story_start(const Chronicle& chronicle);
// What is missing for the write that waits; empty: nothing is known to be.
std::string missing_for_write(const Chronicle& chronicle);
// The step that the event is; none: it does not concern the chunk in focus.
std::optional<StoryStep> tell_snapshot_event(const Chronicle& chronicle, std::size_t event);

}  // namespace dmsim
