// The judge's watch over volumes that are moved: what each holds, through the mapping that is in force, is what
// its users wrote.
//
// No read is needed to see it: the bytes are looked up on the disks, by the tables that are live. That is done
// where it can change without a user's doing, which is when a mapping changes; for what a write wrote, when it
// has been answered; and for everything at rest. A power cut asks the same of the mapping that was committed,
// by what the next life activates (afterlife.cc).
//
// Where there are several copies one that fits is enough: which of them a reader may be given is the business
// of the mirror's own oracles.
#include "harness/judge.h"
#include "harness/oracle_names.h"
#include "harness/world.h"

namespace dmsim {

void Judge::check_moves() {
  const std::uint64_t now = world_.mapper().table_generation();
  if (now == moves_seen_) return;
  moves_seen_ = now;
  check_moved_contents("after a change of the mapping");
}

// Users live in the first life; later ones are judged by what survived (Reference::check_after_cut).
void Judge::check_moved_contents(std::string_view when) {
  if (world_.life() > 0) return;
  for (const std::string& device : world_.checked_devices()) {
    if (follows_snapshot(device) || world_.disk(device) != nullptr) continue;
    check_moved_range(device, {0, world_.reference(device)->sectors()}, when);
  }
}

// One breach is enough. True: there is none.
bool Judge::check_moved_range(const std::string& device, SectorRange range, std::string_view when) {
  const Reference& reference = *world_.reference(device);
  for (const Extent& extent : copies(device)) {
    const SectorRange part = extent.range.intersection(range);
    for (Sector sector = part.begin; sector < part.end; ++sector) {
      if (some_copy_has(reference, device, sector)) continue;
      const auto write = reference.newest_write(sector);
      const Extent::Copy& copy = extent.copies.front();
      Violation violation;
      violation.oracle = oracle::kMovedEqualsModel;
      violation.state = fmt::format("{}, {}", when, write ? "written" : "never written");
      violation.device = device;
      violation.sectors = {sector, sector + 1};
      violation.blame = blame_for(device, violation.sectors);
      violation.sentence = fmt::format(
          "{} sector {} of {} lies at sector {} of {} and does not hold {}", when, sector, device,
          copy.begin + (sector - extent.range.begin), copy.disk,
          write ? "what was last written there" : "its old content, although nobody has written there");
      report(std::move(violation));
      return false;
    }
  }
  return true;
}

}  // namespace dmsim
