// What a broken promise is about: which device, page, region, legs and log. And what those really hold
// when the run has ended.
#pragma once

#include "crash-replay/story_chronicle.h"

namespace dmsim {

// Requires chronicle.violation and chronicle.events.
StoryFocus find_focus(const Chronicle& chronicle, World& last);
// Fills the leg states' digests, the log's words and the differing sectors.
void look_at_the_end(const World& last, Chronicle* chronicle);

}  // namespace dmsim
