// Fewer page frames: memory is short after fewer stores.
#include "crash-replay/minimise/passes.h"

namespace dmsim::shrink_pass {

void shrink_memory(Shrink& shrink) {
  if (!shrink.best().plan.machine.kswapd) return;
  lower(shrink, 8, [](Plan& plan) { return &plan.machine.memory.pages; });
}

}  // namespace dmsim::shrink_pass
