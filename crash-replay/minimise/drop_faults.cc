#include "crash-replay/minimise/passes.h"

namespace dmsim::shrink_pass {

void drop_faults(Shrink& shrink) {
  drop_parts(shrink, [](Plan& plan) -> auto& { return plan.faults; });
}

}  // namespace dmsim::shrink_pass
