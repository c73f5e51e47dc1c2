// The judge's watch over snapshots: when one is made it takes over what its origin may hold, when one is
// merged its origin takes over what it may hold; and what is found wrong with either gets its own name.
//
// What is known of them comes from tables alone, so that every engine is held to the same. A snapshot is
// made, and a merge begins, when its table goes live: whoever makes a snapshot suspends its origin before.
//
// Not followed: snapshots of an origin into which another is being merged, snapshots whose origin's users
// see it at other addresses, and discards that a snapshot passes on to its origin.
#include <algorithm>
#include <numeric>

#include "engine/native/snapshot/store_reader.h"
#include "harness/judge.h"
#include "harness/oracle_names.h"
#include "harness/page_reader.h"
#include "harness/world.h"

namespace dmsim {
namespace {

bool names_snapshots(std::string_view table) { return table.find(" snapshot") != std::string::npos; }

// Where the sector lies, by the first copy.
std::optional<std::pair<std::string, Sector>> first_copy_at(const std::vector<Extent>& extents,
                                                       Sector sector) {
  for (const Extent& extent : extents) {
    if (!extent.range.contains(sector) || extent.copies.empty()) continue;
    return std::pair{extent.copies[0].disk, extent.copies[0].begin + (sector - extent.range.begin)};
  }
  return std::nullopt;
}

}  // namespace

void Judge::set_up_snapshots() {
  const Plan& plan = world_.plan();
  may_have_snapshots_ = std::any_of(
      plan.devices.begin(), plan.devices.end(),
      [](const DevicePlan& device) { return names_snapshots(device.table); });
  for (const TaskPlan& task : plan.tasks) {
    const auto* administrator = std::get_if<DmsetupTask>(&task.body);
    if (administrator == nullptr) continue;
    for (const DmsetupStep& step : administrator->steps) {
      may_have_snapshots_ = may_have_snapshots_ || names_snapshots(step.text);
    }
  }
  // Those that LVM makes go by names that the group may have.
  may_have_snapshots_ =
      may_have_snapshots_ || (!plan.volume_groups.empty() && checks(oracle::kSnapshotEquals));
  if (world_.before() != nullptr) snapshots_ = world_.before()->judge().snapshots_;
}

const Judge::SnapshotWatch* Judge::snapshot_watch(std::string_view device) const {
  const auto found = std::find_if(snapshots_.begin(), snapshots_.end(),
                                  [&](const SnapshotWatch& each) { return each.device == device; });
  return found == snapshots_.end() ? nullptr : &*found;
}

bool Judge::follows_snapshot(std::string_view device) const {
  const SnapshotWatch* const watch = snapshot_watch(device);
  return watch != nullptr && !watch->gone;
}

bool Judge::forgets_at_cut(std::string_view device) const {
  const SnapshotWatch* const watch = snapshot_watch(device);
  return watch != nullptr && (watch->gone || !watch->line.persistent);
}

// A table that goes live is a snapshot's beginning, or a merge's: before anything is done with it.
void Judge::look_at_new_tables() {
  const std::uint64_t now = world_.mapper().table_generation();
  if (now == tables_seen_) return;
  tables_seen_ = now;
  look_for_snapshots();
}

// In the first life only: later ones have the same snapshots, and no users.
void Judge::look_for_snapshots() {
  if (!may_have_snapshots_ || !compares_contents() || world_.life() > 0) return;
  for (const std::string& name : world_.mapped_names()) {
    const auto table = world_.mapper().table(name, TableSlot::kLive);
    const auto line = table.ok() ? read_snapshot(*table) : std::nullopt;
    auto* const watch = const_cast<SnapshotWatch*>(snapshot_watch(name));
    if (!line) {
      // What was merged stays what it became.
      if (watch != nullptr && !watch->line.merges) watch->gone = true;
    } else if (watch != nullptr && watch->merged && line->cow == watch->line.cow && !line->merges) {
      continue;
    } else if (watch != nullptr && watch->gone && line->cow == watch->line.cow && !line->merges &&
               !watch->line.merges && line->persistent) {
      watch->gone = false;  // taken down and up again: its store has kept it as it was
    } else if (watch == nullptr || watch->gone || watch->line.cow != line->cow ||
               watch->line.merges != line->merges) {
      follow_snapshot(name, *line);
    }
  }
}

void Judge::follow_snapshot(const std::string& name, const SnapshotLine& line) {
  const auto same_store = std::find_if(
      snapshots_.begin(), snapshots_.end(), [&](const SnapshotWatch& each) {
        return each.line.cow == line.cow && !each.line.merges && each.device != name;
      });
  SnapshotWatch watch{name, line, false, false, 0};
  if (same_store != snapshots_.end()) {
    Reference* const own = world_.own_reference(name);
    if (own == nullptr) return;
    own->become(world_.reference(same_store->device));
    if (line.merges) same_store->gone = same_store->merged = true;
  } else {
    std::string user;
    if (!find_origin_user(name, line, &user)) return;
    Reference* const own = world_.own_reference(name);
    if (own == nullptr) return;
    own->become(user.empty() ? nullptr : world_.reference(user));
    if (!user.empty()) watch.origin_writes = world_.reference(user)->writes();
  }
  std::erase_if(snapshots_, [&](const SnapshotWatch& each) { return each.device == name; });
  snapshots_.push_back(std::move(watch));
}

// The device through which the origin's users have come so far; empty: there were none. False: the snapshot
// is not one that is followed.
bool Judge::find_origin_user(const std::string& name, const SnapshotLine& line, std::string* user) {
  const TableOf live = [this](std::string_view device) -> std::optional<std::string> {
    auto table = world_.mapper().table(device, TableSlot::kLive);
    if (!table.ok() || table->empty()) return std::nullopt;
    return std::move(*table);
  };
  const std::vector<Extent> here = resolve_contents(name, live);
  if (here.empty()) return false;
  const Sector last = here.back().range.end - 1;
  for (const SnapshotWatch& other : snapshots_) {
    if (other.line.merges && other.line.origin == line.origin) return false;
  }
  for (const std::string& device : world_.checked_devices()) {
    if (device == name || snapshot_watch(device) != nullptr) continue;
    std::vector<Extent> there = resolve_copies(device, live);
    if (const Disk* disk = world_.disk(device); disk != nullptr) {
      there.push_back({{0, disk->sectors()}, {{device, 0}}});
    }
    const auto first_here = first_copy_at(here, 0);
    if (!first_here || first_copy_at(there, 0) != first_here ||
        first_copy_at(there, last) != first_copy_at(here, last)) {
      continue;
    }
    // Of a stack it is the uppermost that knows all writes; disks come last in the eyes of their users.
    if (user->empty() || world_.reference(device)->writes() > world_.reference(*user)->writes()) {
      *user = device;
    }
  }
  return true;
}

// What is wrong with a snapshot, or with what one is merged into, is that promise's breach, if it is checked.
void Judge::name_snapshot_breach(Violation* violation) const {
  const SnapshotWatch* const watch = snapshot_watch(violation->device);
  if (watch == nullptr) return;
  const std::string was = violation->oracle;
  if (watch->line.merges) {
    if (!checks(oracle::kOriginModel)) return;
    if (was != oracle::kUntouched && was != oracle::kReadYourWrites && was != oracle::kDurability) return;
    violation->oracle = oracle::kOriginModel;
    violation->details.push_back("a snapshot is being, or has been, merged into " + violation->device);
    return;
  }
  if (was != oracle::kUntouched || !checks(oracle::kSnapshotEquals)) return;
  violation->oracle = oracle::kSnapshotEquals;
  violation->sentence =
      fmt::format("{}sector {} of {} is not what {} held there when the snapshot was made",
                  violation->state == "after a power cut" ? "after the power cut " : "",
                  violation->sectors.begin, violation->device, watch->line.origin);
}

// A snapshot that was only ever written to itself, and whose user space wants overflows to leave reads alone,
// fails no read as long as no disk does.
void Judge::judge_snapshot_error(const SnapshotWatch& watch, const FailedRequest& request) {
  if (watch.line.merges || !watch.line.overflows || request.op != Op::kRead || watch.gone) return;
  for (const auto& disk : world_.disks()) {
    if (world_.disk_refused_something(disk->name())) return;
  }
  std::string user;
  if (find_origin_user(watch.device, watch.line, &user) && !user.empty() &&
      world_.reference(user)->writes() != watch.origin_writes) {
    return;
  }
  Violation violation;
  violation.oracle = oracle::kNoFalseError;
  violation.state = fmt::format("read of a snapshot ends with {}", status_name(request.status.code));
  violation.device = request.device;
  violation.sectors = request.range;
  violation.sentence = fmt::format(
      "R{}+{} of {} failed with {}, although no disk has refused anything, and only the snapshot's own "
      "writes have filled its store",
      request.range.begin, request.range.count(), request.device, status_name(request.status.code));
  report(std::move(violation));
}

bool Judge::wants_to_look() const {
  return !snapshots_.empty() && (checks(oracle::kSnapshotEquals) || checks(oracle::kOriginModel));
}

// A snapshot that can be read no more must say so, unless a disk is why.
void Judge::judge_unreadable_snapshot(const SnapshotWatch& watch) {
  const auto& disks = world_.disks();
  const bool refused = std::any_of(disks.begin(), disks.end(),
                                   [&](const auto& disk) { return world_.disk_refused_something(disk->name()); });
  const auto status = world_.mapper().status(watch.device);
  if (refused || watch.line.merges || !status.ok()) return;
  for (const char* word : {"Invalid", "Overflow", "Merge failed"}) {
    if (status->find(word) != std::string::npos) return;
  }
  Violation violation;
  violation.oracle = oracle::kSnapshotEquals;
  violation.state = "cannot be read";
  violation.device = watch.device;
  violation.sentence = fmt::format("at rest {} cannot be read, although no disk has refused anything, and its status "
                                   "does not call it invalid", watch.device);
  report(std::move(violation));
}

// At rest, in a fiber: every sector of every snapshot is read and held against what it must be.
void Judge::look_at_snapshots() {
  for (const SnapshotWatch& watch : std::vector<SnapshotWatch>(snapshots_)) {
    BlockDevice* const device = world_.mapper().find(watch.device);
    const Reference* const reference = world_.reference(watch.device);
    if (watch.gone || device == nullptr || device->sectors() == 0 || reference == nullptr) continue;
    std::vector<std::uint64_t> pages(
        (std::min(device->sectors(), reference->sectors()) + kPageSectors - 1) / kPageSectors);
    std::iota(pages.begin(), pages.end(), std::uint64_t{0});
    PageReader reader(world_, *device);
    std::optional<Sector> wrong;
    const bool readable = reader.read(pages, [&](std::uint64_t page, const PageRef& found) {
      for (std::uint32_t i = 0; i < kPageSectors && !wrong; ++i) {
        const Sector sector = page * kPageSectors + i;
        if (sector >= reference->sectors()) return;
        if (!reference->is_admissible_now(sector, found.sector_digest(i))) wrong = sector;
      }
    });
    if (!readable) judge_unreadable_snapshot(watch);
    if (!wrong) continue;
    Violation violation;
    violation.oracle = watch.line.merges ? oracle::kOriginModel : oracle::kSnapshotEquals;
    violation.state = "at rest";
    violation.device = watch.device;
    violation.sectors = {*wrong, *wrong + 1};
    violation.blame = blame_for(watch.device, violation.sectors);
    violation.sentence =
        watch.line.merges
            ? fmt::format("at rest sector {} of {} is not what the merged snapshot held there, nor what "
                          "was written to it since", *wrong, watch.device)
            : fmt::format("at rest sector {} of {} is not what {} held there when the snapshot was made, "
                          "nor what was written to it since", *wrong, watch.device, watch.line.origin);
    report(std::move(violation));
  }
}

// Every chunk of a store up to the first free one is named by a record.
void Judge::check_stores() {
  if (!checks(oracle::kNoLeak)) return;
  for (const SnapshotWatch& watch : snapshots_) {
    if (watch.gone || watch.line.merges || !watch.line.persistent) continue;
    std::vector<Extent> extents = copies(watch.line.cow);
    if (const Disk* disk = world_.disk(watch.line.cow); disk != nullptr) {
      extents = {{{0, disk->sectors()}, {{watch.line.cow, 0}}}};
    }
    if (extents.empty()) continue;
    const auto read = [&](Sector first, std::uint32_t count, std::byte* out) {
      for (std::uint32_t i = 0; i < count; ++i, out += kSectorBytes) {
        const auto place = first_copy_at(extents, first + i);
        const Disk* const disk = place ? world_.disk(place->first) : nullptr;
        if (disk == nullptr) continue;
        const PageRef page = disk->current_page(place->second / kPageSectors);
        std::copy_n(page.sector_bytes(static_cast<std::uint32_t>(place->second % kPageSectors)),
                    kSectorBytes, out);
      }
    };
    const auto store = snapshot_store::read_store(read, extents.back().range.end);
    if (!store.ok() || store->lost_chunks == 0) continue;
    Violation violation;
    violation.oracle = oracle::kNoLeak;
    violation.state = "chunks of a snapshot's store";
    violation.device = watch.device;
    violation.sentence = fmt::format("{} chunks of {} are neither free nor named by any exception of {}",
                                     store->lost_chunks, watch.line.cow, watch.device);
    report(std::move(violation));
  }
}

}  // namespace dmsim
