// The timeline: one self-contained page that shows a broken promise.
//
// A lane for each actor, time downwards (a row for each event, idle time compressed and marked), requests
// as bars coloured and labelled by the version of the page they carry, arrows between lanes, the power
// cut as a line across, the story beside it, legs against log below. No script is needed to read it, it
// loads nothing from anywhere, and prints in black on white.
#pragma once

#include <string>

#include "crash-replay/story.h"

namespace dmsim {

// HTML, UTF-8.
std::string timeline_page(const Chronicle& chronicle, Story& story);

}  // namespace dmsim
