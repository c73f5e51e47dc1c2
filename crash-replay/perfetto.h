// A trace as Chrome-trace JSON, for ui.perfetto.dev and chrome://tracing.
#pragma once

#include <string>
#include <vector>

#include "crash-replay/story_events.h"

namespace dmsim {

// Every event of the trace. Requests of devices and disks are async events (they overlap), each with an
// id of its own; what cuts them short, power or the trace's end, ends them and says so.
std::string perfetto_json(const std::vector<StoryEvent>& events);

}  // namespace dmsim
