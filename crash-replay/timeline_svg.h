// Draws a timeline as one SVG element. Every mark carries a <title>, so that a pointer tells more.
#pragma once

#include <string>

#include "crash-replay/timeline_layout.h"

namespace dmsim {

std::string timeline_svg(const Timeline& timeline, StoryNames& names);

// Of a version's colour: "c1" ... "c7", "c0" for what has no number, "i0" and "i1" for the initial content
// of the first leg and of any other. Colours of Okabe and Ito, which the
// colour-blind can tell apart; the label says the version too.
std::string version_class(const StoryContent& content, const StoryNames& names);
std::string escaped(std::string_view text);

}  // namespace dmsim
