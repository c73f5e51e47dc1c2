#include "crash-replay/minimise/passes.h"

namespace dmsim::shrink_pass {

void drop_steps(Shrink& shrink) {
  for (std::size_t task = 0; task < shrink.best().plan.tasks.size() && !shrink.over(); ++task) {
    std::vector<DmsetupStep> none;
    drop_parts(shrink, [task, &none](Plan& plan) -> std::vector<DmsetupStep>& {
      if (task >= plan.tasks.size()) return none;
      auto* admin = std::get_if<DmsetupTask>(&plan.tasks[task].body);
      return admin == nullptr ? none : admin->steps;
    });
  }
}

}  // namespace dmsim::shrink_pass
