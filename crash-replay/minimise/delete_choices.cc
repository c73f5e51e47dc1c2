// Choices gone from the list: whoever drew them draws what came next under the same label. It moves what
// matters to an earlier draw, where zeroing cannot.
#include "crash-replay/minimise/passes.h"

namespace dmsim::shrink_pass {

void delete_choices(Shrink& shrink) {
  constexpr std::size_t kMostSingles = 400;  // beyond, only runs are deleted
  const std::size_t count = shrink.best().choices.size();
  const std::size_t least = count > kMostSingles ? count / kMostSingles : 1;
  for (std::size_t run = count / 2; run >= least; run /= 2) {
    for (std::size_t at = 0; !shrink.over();) {
      std::vector<LabelledChoice> choices = shrink.best().choices;
      if (at >= choices.size()) break;
      const auto first = choices.begin() + static_cast<std::ptrdiff_t>(at);
      choices.erase(first, first + static_cast<std::ptrdiff_t>(std::min(run, choices.size() - at)));
      if (!shrink.try_choices(choices)) at += run;
    }
  }
}

}  // namespace dmsim::shrink_pass
