// As large as tables need them; the log's disk needs its header and bits, which only trying tells. A kernel's metadata
// of a clone keep their size: where they are full, commits fail, and other promises are broken in the same words.
#include <algorithm>

#include "crash-replay/minimise/passes.h"
#include "crash-replay/minimise/plan_parts.h"
#include "scenarios/tables.h"

namespace dmsim::shrink_pass {

namespace {

std::vector<std::uint64_t> sizes_to_try(const Plan& plan, std::size_t disk) {
  const std::string& name = plan.disks[disk].name;
  std::uint64_t used = 8;
  for (const DevicePlan& device : plan.devices) {
    const auto table = parse_table(device.table);
    if (!table.ok()) continue;
    for (const TableUse& use : table->uses) {
      if (use.device == name && use.range) used = std::max(used, use.range->end);
    }
  }
  const std::uint64_t sectors = plan.disks[disk].sectors;
  used = (used + 7) / 8 * 8;
  return {used, used + 8, used + 56, used + (sectors - std::min(sectors, used)) / 16 * 8};
}

bool keeps_its_size(const Plan& plan, const std::string& disk) {
  if (plan.engine == "native") return false;
  return std::any_of(plan.devices.begin(), plan.devices.end(), [&disk](const DevicePlan& device) {
    const TableWords table = table_words(device.table);
    return std::any_of(table.begin(), table.end(), [&disk](const std::vector<std::string>& line) {
      return line.size() > 3 && line[2] == "clone" && line[3] == disk;
    });
  });
}

}  // namespace

void shrink_disks(Shrink& shrink) {
  for (std::size_t disk = 0; disk < shrink.best().plan.disks.size() && !shrink.over(); ++disk) {
    if (keeps_its_size(shrink.best().plan, shrink.best().plan.disks[disk].name)) continue;
    const std::uint64_t sectors = shrink.best().plan.disks[disk].sectors;
    for (const std::uint64_t smaller : sizes_to_try(shrink.best().plan, disk)) {
      if (smaller >= sectors || shrink.over()) continue;
      Plan plan = shrink.best().plan;
      plan.disks[disk].sectors = smaller;
      fit_ranges(plan);
      if (shrink.try_plan(plan)) break;
    }
  }
}

}  // namespace dmsim::shrink_pass
