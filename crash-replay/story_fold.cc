#include <fmt/format.h>

#include "crash-replay/story_steps.h"

namespace dmsim {

void fold_repetitions(std::vector<StoryStep>* steps) {
  constexpr std::size_t kLongest = 4;  // steps of a round
  constexpr std::size_t kFewest = 3;   // rounds
  const auto same = [&](std::size_t i, std::size_t j) {
    return (*steps)[i].text == (*steps)[j].text && (*steps)[i].notation == (*steps)[j].notation;
  };
  for (std::size_t period = 1; period <= kLongest; ++period) {
    std::vector<StoryStep> kept;
    for (std::size_t i = 0; i < steps->size();) {
      std::size_t again = 0;
      while (i + period + again < steps->size() && same(i + again, i + period + again)) ++again;
      const std::size_t rounds = again / period;
      const std::size_t told = rounds + 1 < kFewest ? 1 : period;
      for (std::size_t k = 0; k < told; ++k) kept.push_back(std::move((*steps)[i + k]));
      i += told;
      if (rounds + 1 < kFewest) continue;
      StoryStep rest = (*steps)[i];
      i += rounds * period;
      rest.text = fmt::format("The same happens {} more times, the last time at {}", rounds,
                              instant_words((*steps)[i - 1].at));
      rest.notation.clear();
      kept.push_back(std::move(rest));
    }
    *steps = std::move(kept);
  }
}

}  // namespace dmsim
