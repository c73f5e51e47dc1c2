// Mapped devices with whoever uses them, legs that a mirror can do without, and then the disks that
// nothing is built on.
#include "crash-replay/minimise/passes.h"
#include "crash-replay/minimise/plan_parts.h"

namespace dmsim::shrink_pass {
namespace {

// The plan with one leg of a mirror less; the same plan when there are not more than two.
Plan without_leg(const Plan& plan, std::size_t device, std::size_t line, std::size_t leg) {
  Plan out = plan;
  if (device >= plan.devices.size()) return out;
  TableWords table = table_words(plan.devices[device].table);
  if (line >= table.size()) return out;
  const MirrorWords mirror = mirror_words(table[line]);
  if (!mirror.valid() || mirror.leg_count <= 2 || leg >= mirror.leg_count) return out;
  table[line][mirror.legs] = std::to_string(mirror.leg_count - 1);
  const auto first = table[line].begin() + static_cast<std::ptrdiff_t>(mirror.legs + 1 + 2 * leg);
  table[line].erase(first, first + 2);
  change_table(out, device, table_text(table));
  return out;
}

void drop_legs(Shrink& shrink, std::size_t device) {
  for (std::size_t line = 0;; ++line) {
    const TableWords table = table_words(shrink.best().plan.devices[device].table);
    if (line >= table.size()) return;
    for (std::size_t leg = mirror_words(table[line]).leg_count; leg-- > 0 && !shrink.over();) {
      shrink.try_plan(without_leg(shrink.best().plan, device, line, leg));
    }
  }
}

}  // namespace

void drop_devices(Shrink& shrink) {
  drop_parts(shrink, [](Plan& plan) -> auto& { return plan.devices; }, drop_dangling);
  for (std::size_t device = 0; device < shrink.best().plan.devices.size(); ++device) {
    drop_legs(shrink, device);
  }
  drop_parts(shrink, [](Plan& plan) -> auto& { return plan.disks; }, drop_dangling);
}

}  // namespace dmsim::shrink_pass
