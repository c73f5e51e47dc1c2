// Nothing that had not been durable survives; or all but one thing at a time.
#include "crash-replay/minimise/passes.h"
#include "harness/afterlife.h"

namespace dmsim::shrink_pass {

void fewer_survivors(Shrink& shrink) {
  std::vector<LabelledChoice> none = shrink.best().choices;
  for (LabelledChoice& choice : none) {
    if (choice.point == kSurvivor.name) choice.value = 0;
  }
  if (shrink.try_choices(none)) return;
  for (std::size_t i = 0; i < shrink.best().choices.size() && !shrink.over(); ++i) {
    const LabelledChoice& choice = shrink.best().choices[i];
    if (choice.point != kSurvivor.name || choice.value == 0) continue;
    std::vector<LabelledChoice> fewer = shrink.best().choices;
    fewer[i].value = 0;
    shrink.try_choices(fewer);
  }
}

}  // namespace dmsim::shrink_pass
