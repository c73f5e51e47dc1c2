#include "harness/judge.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "harness/oracle_names.h"
#include "harness/world.h"

namespace dmsim {
namespace {

std::string words_of(SectorRange range) {
  return range.count() == 1 ? fmt::format("sector {}", range.begin)
                            : fmt::format("sectors {}..{}", range.begin, range.end - 1);
}

// Words without what differs from run to run.
std::string without_numbers(std::string text) {
  std::replace_if(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; }, '#');
  return text;
}

std::string write_words(std::uint64_t number) {
  return number == 0 ? "the initial content" : fmt::format("write {}", number);
}

}  // namespace

bool Judge::checks(std::string_view name) const {
  if (name == oracle::kNoEngineBug && engine_of_life(world_.plan(), world_.life()) != "native") return true;
  const auto& checks = world_.plan().checks;
  return std::find(checks.begin(), checks.end(), name) != checks.end();
}

bool Judge::compares_contents() const {
  const auto& checks_of_plan = world_.plan().checks;
  return std::any_of(checks_of_plan.begin(), checks_of_plan.end(), [](const std::string& name) {
    return name != oracle::kLiveness && name != oracle::kNoLeak && name != oracle::kAnswers &&
           name != oracle::kNoEngineBug && name != oracle::kCanary;
  });
}

void Judge::set_up() {
  watches_claims_ = checks(oracle::kNoFalseSync);
  watches_clones_ = checks(oracle::kCommittedDurable) && world_.may_have_clones();
  watches_moves_ = checks(oracle::kMovedEqualsModel);
  set_up_snapshots();
}

void Judge::report(Violation violation) {
  name_snapshot_breach(&violation);
  if (!checks(violation.oracle)) {
    // A plan may want to see what a machine holds that waits for ever: said in the statistics.
    if (violation.oracle == oracle::kLiveness) ++hangs_;
    return;
  }
  // What an application or a disk brought about is no finding unless the plan is about that.
  if (violation.blame != Blame::kEngine && violation.blame != world_.plan().expect.blame) {
    ++excused_;
    return;
  }
  for (const Violation& known : violations_) {
    if (known.oracle == violation.oracle && known.device == violation.device) return;
  }
  violation.at = world_.scheduler().now();
  violation.event = world_.trace().last_id();
  violation.life = world_.life();
  violations_.push_back(std::move(violation));
  world_.scheduler().pause();  // a life ends with it, not with the rest of a batch of steps
}

// Users of the device itself, or of one that is stacked upon it, have raced with themselves there.
bool Judge::raced_by_application(std::string_view device, SectorRange range) {
  const Reference* own = world_.reference(device);
  if (own != nullptr && own->raced_by_application(range)) return true;
  const std::vector<Extent> here = copies(device);
  for (const std::string& user : world_.checked_devices()) {
    const Reference* reference = world_.reference(user);
    if (user == device || !reference->has_races()) continue;
    for (const auto& [disk, on_disk] : disk_ranges(here, range)) {
      // By the live tables, and by those it boots with: it may not be up (yet).
      for (const auto& extents : {copies(user), world_.copies_by_plan(user)}) {
        for (const SectorRange& there : device_ranges(extents, disk, on_disk)) {
          if (reference->raced_by_application(there)) return true;
        }
      }
    }
  }
  return false;
}

// Whoever is dishonest, or changes his own buffers, answers for what follows from it.
Blame Judge::blame_for(std::string_view device, SectorRange range) {
  if (!range.empty() && raced_by_application(device, range)) return Blame::kApplication;
  return world_.some_disk_was_dishonest() ? Blame::kDisk : Blame::kEngine;
}

void Judge::on_mismatches(WatchedDevice& device, const std::vector<Mismatch>& wrong) {
  for (const Mismatch& mismatch : wrong) {
    const SectorRange sector{mismatch.sector, mismatch.sector + 1};
    Violation violation;
    violation.device = device.name();
    violation.sectors = sector;
    violation.blame = blame_for(device.name(), sector);
    switch (mismatch.kind) {
      case Mismatch::Kind::kUntouched:
        violation.oracle = oracle::kUntouched;
        violation.state = "read while running";
        violation.sentence = fmt::format(
            "a read of {} of {} returned something else than its old content, although nobody has "
            "written there", words_of(sector), device.name());
        break;
      case Mismatch::Kind::kStale:
        violation.oracle = oracle::kReadYourWrites;
        violation.state = "stale content";
        violation.sentence = fmt::format(
            "a read of {} of {} returned {}, although {} had completed", words_of(sector),
            device.name(), write_words(mismatch.found_write), write_words(mismatch.expected_write));
        break;
      case Mismatch::Kind::kForeign:
        violation.oracle = oracle::kReadYourWrites;
        violation.state = "foreign content";
        violation.sentence = fmt::format(
            "a read of {} of {} returned what it never held; expected {}", words_of(sector),
            device.name(), write_words(mismatch.expected_write));
        break;
    }
    report(std::move(violation));
  }
}

void Judge::on_answer(const UserRequest& request, BlockStatus status) {
  const Bio& bio = *request.bio;
  const std::string& device = request.device->name();
  if (!status.ok() && status.code != BlockStatus::Code::kNotSupported) {
    failed_.push_back({device, bio.op, bio.op == Op::kFlush || bio.preflush, bio.range(), status});
    world_.scheduler().pause();  // judged at once, before anybody can answer to it
  }
  if (status.ok() && bio.op == Op::kWrite) judge_success(request);
  Reference* reference = request.device->reference();
  if (reference == nullptr || bio.op != Op::kRead) return;
  for (const Sector sector : reference->take_unstable_reads()) {
    Violation violation;
    violation.oracle = oracle::kStableRead;
    violation.state = "read twice while running";
    violation.device = device;
    violation.sectors = {sector, sector + 1};
    violation.blame = blame_for(device, violation.sectors);
    violation.sentence = fmt::format(
        "two reads of sector {} of {} with no write between them returned different data", sector,
        device);
    report(std::move(violation));
  }
}

const std::vector<Extent>& Judge::copies(std::string_view device) {
  if (const std::uint64_t now = world_.mapper().table_generation(); now != copies_of_tables_) {
    copies_.clear();
    copies_of_tables_ = now;
  }
  for (const auto& [name, extents] : copies_) {
    if (name == device) return extents;
  }
  const TableOf table_of = [this](std::string_view name) -> std::optional<std::string> {
    auto table = world_.mapper().table(name, TableSlot::kLive);
    if (!table.ok()) return std::nullopt;
    return std::move(*table);
  };
  copies_.emplace_back(std::string(device), resolve_copies(device, table_of));
  return copies_.back().second;
}

bool Judge::some_copy_has(const Reference& reference, std::string_view device, Sector sector) {
  for (const Extent& extent : copies(device)) {
    if (!extent.range.contains(sector)) continue;
    for (const Extent::Copy& copy : extent.copies) {
      const Disk* disk = world_.disk(copy.disk);
      if (disk == nullptr || copy.from_source) continue;
      const Sector there = copy.begin + (sector - extent.range.begin);
      const PageRef page = disk->current_page(there / kPageSectors);
      const std::uint64_t digest =
          page.sector_digest(static_cast<std::uint32_t>(there % kPageSectors));
      if (reference.is_admissible_now(sector, digest)) return true;
    }
    return extent.copies.empty();  // nothing holds it by design (error, zero)
  }
  return true;
}

void Judge::judge_success(const UserRequest& request) {
  const bool torn = checks(oracle::kVersion);
  const bool fake = checks(oracle::kNoFalseSuccess);
  const Reference* reference = request.device->reference();
  if (reference == nullptr || (!torn && !fake && !watches_moves_)) return;
  const SectorRange range = request.bio->range();
  const std::string& device = request.device->name();
  if (watches_moves_) check_moved_range(device, range, "after a write");
  for (Sector sector = range.begin; fake && sector < range.end; ++sector) {
    if (some_copy_has(*reference, device, sector)) continue;
    copies_.clear();  // tables may have been swapped a moment ago
    if (some_copy_has(*reference, device, sector)) continue;
    Violation violation;
    violation.oracle = oracle::kNoFalseSuccess;
    violation.state = request.bio->fua ? "FUA write" : "write";
    violation.device = device;
    violation.sectors = {sector, sector + 1};
    violation.blame = blame_for(device, violation.sectors);
    violation.sentence = fmt::format("{} of {} succeeded, but no copy holds its sector {}",
                                     bio_notation(*request.bio), device, sector);
    report(std::move(violation));
    break;
  }
  if (!torn) return;
  for (Sector first = (range.begin + kPageSectors - 1) / kPageSectors * kPageSectors;
       first + kPageSectors <= range.end; first += kPageSectors) {
    for (const Extent& extent : copies(device)) {
      if (!extent.range.contains(first)) continue;
      for (const Extent::Copy& copy : extent.copies) {
        const Disk* disk = world_.disk(copy.disk);
        const Sector there = copy.begin + (first - extent.range.begin);
        if (disk == nullptr || copy.from_source || there % kPageSectors != 0) continue;
        if (reference->is_whole_content(first / kPageSectors,
                                        disk->current_page(there / kPageSectors))) {
          continue;
        }
        Violation violation;
        violation.oracle = oracle::kVersion;
        violation.state = "mixture on a leg";
        violation.device = device;
        violation.sectors = {first, first + kPageSectors};
        violation.blame = blame_for(device, violation.sectors);
        violation.sentence = fmt::format(
            "{} of {} left a mixture of two contents of page {} on {}", bio_notation(*request.bio),
            device, first / kPageSectors, copy.disk);
        report(std::move(violation));
      }
    }
  }
}

// A copy that could have served the request: it never refused anything since power on, and holds what a
// reader must see.
bool Judge::copy_is_fit(const Extent& extent, const Extent::Copy& copy, const Reference& reference,
                        SectorRange range) const {
  const Disk* disk = world_.disk(copy.disk);
  if (disk == nullptr || world_.disk_refused_something(copy.disk)) return false;
  const SectorRange part = extent.range.intersection(range);
  for (Sector sector = part.begin; sector < part.end; ++sector) {
    const Sector there = copy.begin + (sector - extent.range.begin);
    const PageRef page = disk->current_page(there / kPageSectors);
    const std::uint64_t digest =
        page.sector_digest(static_cast<std::uint32_t>(there % kPageSectors));
    if (!reference.is_admissible_now(sector, digest)) return false;
  }
  return true;
}

bool Judge::something_refused(const Extent& extent) const {
  return std::any_of(extent.copies.begin(), extent.copies.end(),
                     [&](const Extent::Copy& copy) { return world_.disk_refused_something(copy.disk); }) ||
         std::any_of(extent.metadata_disks.begin(), extent.metadata_disks.end(),
                     [&](const std::string& disk) { return world_.disk_refused_something(disk); });
}

void Judge::judge_error(const FailedRequest& request) {
  if (const SnapshotWatch* watch = snapshot_watch(request.device)) {
    return judge_snapshot_error(*watch, request);
  }
  const Reference* reference = world_.reference(request.device);
  if (reference == nullptr) return;
  // A flush concerns everything that was ever written.
  std::vector<SectorRange> ranges;
  if (request.op == Op::kFlush) {
    for (const std::uint64_t page : reference->touched_pages()) {
      ranges.push_back({page * kPageSectors, (page + 1) * kPageSectors});
    }
  } else {
    ranges.push_back(request.range);
  }
  copies_.clear();
  const std::vector<Extent>& extents = copies(request.device);
  std::string fit;  // a disk whose copies could have served it all
  // A clone needs all that is below it; what it reads from where is not its users' choice.
  for (const Extent& extent : extents) {
    if (extent.is_clone() && something_refused(extent)) return;
  }
  // All targets of a device take part in a flush, also those that nobody has written to.
  for (const Extent& extent : extents) {
    if (!request.flushes || extent.copies.empty()) continue;
    const bool refused = std::all_of(
        extent.copies.begin(), extent.copies.end(),
        [&](const Extent::Copy& copy) { return world_.disk_refused_something(copy.disk); });
    if (refused) return;
  }
  // LVM1 moves extents under the flushes of others, which went to where the extents were when they were sent; and the
  // device of LVM2's pvmove hands a flush on to whatever it moves, also for others.
  if (request.flushes && (world_.lvm1() != nullptr || watches_moves_)) {
    const auto& disks = world_.plan().disks;
    const auto refused = [&](const DiskOptions& disk) { return world_.disk_refused_something(disk.name); };
    if (std::any_of(disks.begin(), disks.end(), refused)) return;
  }
  for (const SectorRange& range : ranges) {
    for (const Extent& extent : extents) {
      if (!extent.range.overlaps(range)) continue;
      const auto good = std::find_if(
          extent.copies.begin(), extent.copies.end(), [&](const Extent::Copy& copy) {
            return copy_is_fit(extent, copy, *reference, range);
          });
      if (good == extent.copies.end()) return;  // somewhere nothing could have
      fit = good->disk;
    }
  }
  if (fit.empty()) return;
  Violation violation;
  violation.oracle = oracle::kNoFalseError;
  violation.state = fmt::format("{} ends with {}", op_name(request.op),
                                status_name(request.status.code));
  violation.device = request.device;
  violation.sectors = request.range;
  violation.sentence = fmt::format(
      "{} of {} failed with {}, although {} holds a good copy and has refused nothing",
      bio_notation(request.op, false, request.range.begin,
                   static_cast<std::uint32_t>(request.range.count())),
      request.device, status_name(request.status.code), fit);
  report(std::move(violation));
}

void Judge::after_step() {
  if (may_have_snapshots_) look_at_new_tables();
  if (!failed_.empty()) {
    for (const FailedRequest& request : std::exchange(failed_, {})) judge_error(request);
  }
  check_troubles();
  if (watches_claims_) check_claims();
  if (watches_clones_) check_clones();
  if (watches_moves_) check_moves();
}

void Judge::report_stuck(std::string_view how) {
  Violation violation;
  violation.oracle = oracle::kLiveness;
  violation.sentence = std::string(how);
  if (!world_.plan().volume_groups.empty()) violation.details = world_.lvm().wait_graph();
  for (const StuckFiber& fiber : world_.scheduler().stuck()) {
    const ActorNames& names = world_.trace().actors();
    violation.details.push_back(
        names.name(fiber.actor) + " waits for " + fiber.waits_for +
        (fiber.held_by == Actor::kNobody ? "" : ", held by " + names.name(fiber.held_by)));
    if (fiber.is_task && violation.state.empty()) violation.state = "waits for " + without_numbers(fiber.waits_for);
  }
  for (const std::string& request : world_.unanswered()) {
    violation.details.push_back("not answered: " + request);
  }
  report(std::move(violation));
}

void Judge::at_rest() {
  check_stores();
  if (watches_moves_) check_moved_contents("at rest");
  if (checks(oracle::kLegsIdentical)) check_legs();
  if (checks(oracle::kNoLeak)) {
    std::vector<std::string> leaks = world_.mapper().leaks();
    check_troubles();  // it may have looked for more than leaks
    for (const auto& [device, view] : world_.mirror_views()) {
      for (std::uint64_t region = 0; region < view->region_count(); ++region) {
        const MirrorRegion state = view->region(region);
        if (state.tracked && state.in_sync && state.pending == 0) {
          leaks.push_back(fmt::format("an entry for region {} in the region hash of {}", region, device));
        }
      }
    }
    if (!leaks.empty()) {
      Violation violation;
      violation.oracle = oracle::kNoLeak;
      violation.state = without_numbers(leaks.front());
      violation.sentence = "at rest the engine still holds " + leaks.front();
      violation.details = std::move(leaks);
      report(std::move(violation));
    }
  }
  if (checks(oracle::kCanary)) {
    Violation violation;
    violation.oracle = oracle::kCanary;
    violation.sentence = "the canary is always found dead";
    report(std::move(violation));
  }
}

}  // namespace dmsim
