// Choices to their plainest outcome: all of them and all of one label, which is quick; runs of them and single ones,
// which is not.
#include <set>

#include "crash-replay/minimise/passes.h"

namespace dmsim::shrink_pass {
namespace {

std::vector<std::size_t> not_plain(const std::vector<LabelledChoice>& choices) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (choices[i].value != 0) out.push_back(i);
  }
  return out;
}

template <typename Wanted>
void zero_where(Shrink& shrink, Wanted wanted) {
  if (shrink.over()) return;
  std::vector<LabelledChoice> choices = shrink.best().choices;
  for (LabelledChoice& choice : choices) {
    if (wanted(choice)) choice.value = 0;
  }
  shrink.try_choices(choices);
}

void zero_labels(Shrink& shrink) {
  std::set<std::string> points;
  std::set<std::pair<std::string, std::string>> labels;
  for (const LabelledChoice& choice : shrink.best().choices) {
    if (choice.value == 0) continue;
    points.insert(choice.point);
    labels.emplace(choice.point, choice.who);
  }
  for (const std::string& point : points) {
    zero_where(shrink, [&](const LabelledChoice& choice) { return choice.point == point; });
  }
  for (const auto& [point, who] : labels) {
    zero_where(shrink, [&, p = point, w = who](const LabelledChoice& choice) {
      return choice.point == p && choice.who == w;
    });
  }
}

}  // namespace

void plain_labels(Shrink& shrink) {
  zero_where(shrink, [](const LabelledChoice&) { return true; });
  zero_labels(shrink);
}

void zero_choices(Shrink& shrink) {
  plain_labels(shrink);
  for (std::size_t run = not_plain(shrink.best().choices).size(); run > 0; run /= 2) {
    for (std::size_t at = 0; !shrink.over();) {
      std::vector<LabelledChoice> choices = shrink.best().choices;
      const std::vector<std::size_t> indices = not_plain(choices);
      if (at >= indices.size()) break;
      for (std::size_t i = at; i < std::min(at + run, indices.size()); ++i) choices[indices[i]].value = 0;
      if (!shrink.try_choices(choices)) at += run;
    }
  }
}

}  // namespace dmsim::shrink_pass
