// Mapped devices with whoever uses them, volume groups and their volumes, legs that a mirror can do without, and
// then the disks that nothing is built on.
#include <utility>

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

// A volume that stays in its group: one leg less, no log, fewer extents; the group: no backup.
void shrink_volume(Shrink& shrink, std::size_t group, std::size_t volume) {
  const auto attempt = [&](const auto& change) {
    if (shrink.over()) return false;
    Plan plan = shrink.best().plan;
    if (!change(plan.volume_groups[group].volumes[volume])) return false;
    drop_dangling(plan);
    fit_ranges(plan);
    return shrink.try_plan(plan);
  };
  for (std::size_t leg = shrink.best().plan.volume_groups[group].volumes[volume].on.size(); leg-- > 0;) {
    attempt([leg](LogicalVolumePlan& made) {
      if (made.on.size() <= 1 || leg >= made.on.size()) return false;
      made.on.erase(made.on.begin() + static_cast<std::ptrdiff_t>(leg));
      if (made.on.size() == 1) made.log.clear();
      return true;
    });
  }
  attempt([](LogicalVolumePlan& made) { return !std::exchange(made.log, {}).empty(); });
  while (attempt([](LogicalVolumePlan& made) {
    made.extents /= 2;
    return made.extents > 0;
  })) {
  }
}

void shrink_groups(Shrink& shrink) {
  drop_parts(shrink, [](Plan& plan) -> auto& { return plan.volume_groups; }, drop_dangling);
  for (std::size_t group = 0; group < shrink.best().plan.volume_groups.size(); ++group) {
    drop_parts(shrink, [group](Plan& plan) -> auto& { return plan.volume_groups[group].volumes; },
               drop_dangling);
    if (group >= shrink.best().plan.volume_groups.size()) return;
    for (std::size_t i = 0; i < shrink.best().plan.volume_groups[group].volumes.size(); ++i) {
      shrink_volume(shrink, group, i);
    }
    Plan plan = shrink.best().plan;
    if (!std::exchange(plan.volume_groups[group].backup, {}).empty()) shrink.try_plan(plan);
  }
}

}  // namespace

void drop_devices(Shrink& shrink) {
  drop_parts(shrink, [](Plan& plan) -> auto& { return plan.devices; }, drop_dangling);
  shrink_groups(shrink);
  for (std::size_t device = 0; device < shrink.best().plan.devices.size(); ++device) {
    drop_legs(shrink, device);
  }
  drop_parts(shrink, [](Plan& plan) -> auto& { return plan.disks; }, drop_dangling);
}

}  // namespace dmsim::shrink_pass
