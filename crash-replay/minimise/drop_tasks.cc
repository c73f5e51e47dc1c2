#include "crash-replay/minimise/passes.h"
#include "crash-replay/minimise/plan_parts.h"

namespace dmsim::shrink_pass {

void drop_tasks(Shrink& shrink) {
  drop_parts(shrink, [](Plan& plan) -> auto& { return plan.tasks; }, drop_dangling);
}

}  // namespace dmsim::shrink_pass
