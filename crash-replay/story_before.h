// What a story says of the time before its first step, in a few lines.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "crash-replay/story_chronicle.h"

namespace dmsim {

// "1 change", "3 changes".
std::string plural(std::uint64_t count, std::string_view one, std::string_view many);

// Of the events before `end`, those that count.
std::size_t count_before(const Chronicle& chronicle, std::size_t end,
                         const std::function<bool(const StoryEvent&)>& counts);

// What the story is about, then leg failures, regions copied, stores and administrators' verbs before event `first`.
std::vector<std::string> tell_before(const Chronicle& chronicle, std::size_t first);

}  // namespace dmsim
