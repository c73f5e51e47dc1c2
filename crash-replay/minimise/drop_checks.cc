#include "crash-replay/minimise/passes.h"

namespace dmsim::shrink_pass {

void drop_checks(Shrink& shrink) {
  drop_parts(shrink, [](Plan& plan) -> auto& { return plan.checks; });
}

}  // namespace dmsim::shrink_pass
