// Each value as close to 0 as it goes, by halving the distance. What works need not be an interval, so the
// result is a value whose predecessors on the way did not work, which is all that is promised.
#include "crash-replay/minimise/passes.h"

namespace dmsim::shrink_pass {
namespace {

bool lower_to(Shrink& shrink, std::size_t i, std::uint64_t value) {
  std::vector<LabelledChoice> choices = shrink.best().choices;
  choices[i].value = value;
  return shrink.try_choices(choices);
}

}  // namespace

void halve_choices(Shrink& shrink) {
  for (std::size_t i = 0; i < shrink.best().choices.size() && !shrink.over(); ++i) {
    std::uint64_t fails = 0;
    while (i < shrink.best().choices.size() && !shrink.over()) {
      const std::uint64_t works = shrink.best().choices[i].value;
      if (works <= fails + 1) break;
      const std::uint64_t middle = fails + (works - fails) / 2;
      if (!lower_to(shrink, i, middle)) fails = middle;
    }
  }
}

}  // namespace dmsim::shrink_pass
