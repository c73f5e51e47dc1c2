// As large as tables need them; the log's disk needs its header and bits, which only trying tells.
#include "crash-replay/minimise/passes.h"
#include "crash-replay/minimise/plan_parts.h"

namespace dmsim::shrink_pass {

void shrink_disks(Shrink& shrink) {
  for (std::size_t disk = 0; disk < shrink.best().plan.disks.size() && !shrink.over(); ++disk) {
    const std::uint64_t sectors = shrink.best().plan.disks[disk].sectors;
    // The largest of these that is too small for a table is refused by the loader, at no cost.
    for (std::uint64_t smaller = 8; smaller < sectors && !shrink.over();
         smaller += smaller < 64 ? 8 : smaller / 16 * 8) {
      Plan plan = shrink.best().plan;
      plan.disks[disk].sectors = smaller;
      fit_ranges(plan);
      if (shrink.try_plan(plan)) break;
    }
  }
}

}  // namespace dmsim::shrink_pass
