// The nearest known name to one that is not known: "did you mean ...?".
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace dmsim {

// The candidate with the smallest edit distance to `word`, first one on a tie; empty when none is
// near enough to be a slip of the hand (more than a third of the word's length, at least 2, differs).
std::string_view nearest_name(std::string_view word, std::span<const std::string_view> candidates);

// ", did you mean 'X'?", or "" when nothing is near.
std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace dmsim
