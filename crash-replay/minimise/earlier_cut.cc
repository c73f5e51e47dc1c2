// The first opportunity at which a power cut still shows it. Not every later one does, so they are all
// tried in turn, as far as that is affordable, and then halves.
#include "crash-replay/minimise/passes.h"
#include "harness/afterlife.h"

namespace dmsim::shrink_pass {
namespace {

constexpr std::uint64_t kMostInTurn = 500;

}  // namespace

void earlier_cut(Shrink& shrink) {
  std::vector<LabelledChoice> choices = shrink.best().choices;
  if (choices.empty() || choices.front().point != kCutAt.name) return;
  const std::uint64_t at = choices.front().value;
  for (std::uint64_t cut = 0; cut < std::min(at, kMostInTurn) && !shrink.over(); ++cut) {
    choices.front().value = cut;
    if (shrink.try_choices(choices)) return;
  }
  for (std::uint64_t cut = at / 2; cut >= kMostInTurn && !shrink.over(); cut /= 2) {
    choices.front().value = cut;
    if (shrink.try_choices(choices)) return;
  }
}

}  // namespace dmsim::shrink_pass
