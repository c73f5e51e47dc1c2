// One block, at the device's beginning or where the promise was broken, or half of the area.
#include "crash-replay/minimise/passes.h"
#include "crash-replay/minimise/plan_parts.h"

namespace dmsim::shrink_pass {
namespace {

std::vector<SectorRange> smaller_areas(const Plan& plan, const TaskPlan& task, const Violation& violation) {
  TaskPlan copy = task;
  SectorRange range = *range_of(copy.body);
  const Area* area = area_of(copy.body);
  const std::uint64_t block = area == nullptr ? 8 : area->block_sectors;
  const std::uint64_t sectors = sectors_of(plan, *device_of(copy.body));
  if (range.empty()) range = {0, sectors};
  std::vector<SectorRange> out{{0, block}};
  const Sector at = violation.sectors.begin / block * block;
  for (const std::uint64_t blocks : {std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{4}}) {
    out.push_back({at, at + blocks * block});
    out.push_back({0, blocks * block});
  }
  const std::uint64_t half = range.count() / 2 / block * block;
  if (half > 0) {
    out.push_back({range.begin, range.begin + half});
    out.push_back({range.end - half, range.end});
  }
  std::erase_if(out, [&](const SectorRange& proposal) {
    return proposal.end > sectors || proposal.count() > range.count() || proposal == range;
  });
  return out;
}

void shrink_range(Shrink& shrink, std::size_t task) {
  for (bool again = true; again && !shrink.over();) {
    again = false;
    const Crash& best = shrink.best();
    for (const SectorRange& range : smaller_areas(best.plan, best.plan.tasks[task], best.violations.front())) {
      Plan plan = shrink.best().plan;
      *range_of(plan.tasks[task].body) = range;
      if (!shrink.try_plan(plan)) continue;
      again = true;
      break;
    }
  }
}

}  // namespace

void shrink_areas(Shrink& shrink) {
  for (std::size_t i = 0; i < shrink.best().plan.tasks.size() && !shrink.over(); ++i) {
    Plan plan = shrink.best().plan;
    if (range_of(plan.tasks[i].body) == nullptr) continue;
    for (const std::uint32_t block : {1u, 8u}) {
      plan = shrink.best().plan;
      Area* area = area_of(plan.tasks[i].body);
      if (area == nullptr || area->block_sectors <= block) continue;
      area->block_sectors = block;
      if (shrink.try_plan(plan)) break;
    }
    shrink_range(shrink, i);
  }
}

}  // namespace dmsim::shrink_pass
