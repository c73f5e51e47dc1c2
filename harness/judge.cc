#include "harness/judge.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "engine/native/mirror/log_reader.h"
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
  const auto& checks = world_.plan().checks;
  return std::find(checks.begin(), checks.end(), name) != checks.end();
}

bool Judge::compares_contents() const {
  const auto& checks_of_plan = world_.plan().checks;
  return std::any_of(checks_of_plan.begin(), checks_of_plan.end(), [](const std::string& name) {
    return name != oracle::kLiveness && name != oracle::kNoLeak && name != oracle::kAnswers &&
           name != oracle::kCanary;
  });
}

void Judge::set_up() { watches_claims_ = checks(oracle::kNoFalseSync); }

void Judge::report(Violation violation) {
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
    failed_.push_back({device, bio.op, bio.range(), status});
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
      if (disk == nullptr) continue;
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
  if (reference == nullptr || (!torn && !fake)) return;
  const SectorRange range = request.bio->range();
  const std::string& device = request.device->name();
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
        if (disk == nullptr || there % kPageSectors != 0) continue;
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

void Judge::judge_error(const FailedRequest& request) {
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
  // All targets of a device take part in a flush, also those that nobody has written to.
  for (const Extent& extent : extents) {
    if (request.op != Op::kFlush || extent.copies.empty()) continue;
    const bool refused = std::all_of(
        extent.copies.begin(), extent.copies.end(),
        [&](const Extent::Copy& copy) { return world_.disk_refused_something(copy.disk); });
    if (refused) return;
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
  if (!failed_.empty()) {
    for (const FailedRequest& request : std::exchange(failed_, {})) judge_error(request);
  }
  if (watches_claims_) check_claims();
}

void Judge::check_claims() {
  const auto& views = world_.mirror_views();
  bool same = views.size() == claims_.size();
  for (std::size_t i = 0; same && i < views.size(); ++i) same = views[i].view == claims_[i].view;
  if (!same) {
    claims_.clear();
    for (const auto& [device, view] : views) {
      claims_.push_back({view, device, view->claim_generation() + 1,
                         std::vector<bool>(view->region_count(), false)});
    }
  }
  for (Claim& claim : claims_) {
    const std::uint64_t generation = claim.view->claim_generation();
    if (generation == claim.generation) continue;
    claim.generation = generation;
    check_claim(claim);
  }
}

void Judge::check_claim(Claim& claim) {
  for (std::uint64_t region = 0; region < claim.view->region_count(); ++region) {
    const MirrorRegion state = claim.view->region(region);
    const bool settled = state.in_sync && state.pending == 0 && !state.recovering;
    const bool before = claim.settled[region];
    claim.settled[region] = settled;
    if (!settled || before) continue;
    const auto differs = legs_difference(*claim.view, region_range(*claim.view, region));
    if (!differs) continue;
    const Sector where = claim.view->begin() + *differs;
    Violation violation;
    violation.oracle = oracle::kNoFalseSync;
    violation.state = state.clean ? "clean" : "in sync";
    violation.device = claim.device;
    violation.sectors = {where, where + 1};
    violation.blame = blame_for(claim.device, violation.sectors);
    violation.sentence = fmt::format(
        "region {} of {} is claimed in sync with no write under way, but its legs differ at sector {}",
        region, claim.device, where);
    report(std::move(violation));
  }
}

// The first sector of `part` (from the target's start) where two legs differ, caches included. Legs that
// are no disks are not compared.
std::optional<Sector> Judge::legs_difference(const MirrorView& view, SectorRange part) const {
  const auto& legs = view.legs();
  const Disk* first = world_.disk(legs[0].device);
  for (std::size_t leg = 1; first != nullptr && leg < legs.size(); ++leg) {
    const Disk* other = world_.disk(legs[leg].device);
    if (other == nullptr) return std::nullopt;
    const Sector here = legs[0].offset;
    const Sector there = legs[leg].offset;
    if (first->cache_empty() && other->cache_empty()) {
      const auto found = first->media().first_difference({here + part.begin, here + part.end},
                                                         other->media(), there + part.begin);
      if (found) return *found - here;
      continue;
    }
    const bool aligned = here % kPageSectors == there % kPageSectors;
    for (Sector sector = part.begin; sector < part.end;) {
      const auto in_a = static_cast<std::uint32_t>((here + sector) % kPageSectors);
      const auto in_b = static_cast<std::uint32_t>((there + sector) % kPageSectors);
      const PageRef& a = first->current_page((here + sector) / kPageSectors);
      const PageRef& b = other->current_page((there + sector) / kPageSectors);
      const std::uint64_t step =
          aligned ? std::min<std::uint64_t>(kPageSectors - in_a, part.end - sector) : 1;
      for (std::uint32_t i = 0; i < step && !a.same_content(b); ++i) {
        if (a.sector_digest(in_a + i) != b.sector_digest(in_b + i)) return sector + i;
      }
      sector += step;
    }
  }
  return std::nullopt;
}

SectorRange Judge::region_range(const MirrorView& view, std::uint64_t region) {
  const Sector begin = region * view.region_sectors();
  return {begin, std::min<Sector>(begin + view.region_sectors(), view.sectors())};
}

void Judge::check_legs() {
  for (const auto& [device, view] : world_.mirror_views()) {
    if (!legs_difference(*view, {0, view->sectors()})) continue;
    const Disk* log = view->log_device().empty() ? nullptr : world_.disk(view->log_device());
    std::vector<std::byte> bytes;
    if (log != nullptr) {
      const std::uint64_t sectors = std::min<std::uint64_t>(
          mirror_log::log_sectors(view->region_count(), kPageSectors), log->sectors());
      bytes.resize(sectors * kSectorBytes);
      for (std::uint64_t page = 0; page * kPageSectors < sectors; ++page) {
        std::memcpy(bytes.data() + page * kPageBytes, log->current_page(page).bytes(), kPageBytes);
      }
    }
    std::uint64_t believed = 0;  // regions of which the log on disk says something
    if (log != nullptr) {
      const mirror_log::Header header = mirror_log::read_header(bytes);
      if (mirror_log::is_valid(header)) {
        believed = std::min<std::uint64_t>(header.region_count,
                                           (bytes.size() - mirror_log::kBitmapOffset) * 8);
      }
    }
    for (std::uint64_t region = 0; region < view->region_count(); ++region) {
      const MirrorRegion state = view->region(region);
      const bool claimed = state.in_sync && state.pending == 0 && !state.recovering;
      const bool clean = region < believed && mirror_log::read_clean_bit(bytes, region);
      if (!claimed && !clean) continue;
      const auto differs = legs_difference(*view, region_range(*view, region));
      if (!differs) continue;
      const Sector where = view->begin() + *differs;
      Violation violation;
      violation.oracle = oracle::kLegsIdentical;
      violation.state = clean ? "clean in the log" : "claimed in sync";
      violation.device = device;
      violation.sectors = {where, where + 1};
      violation.blame = blame_for(device, violation.sectors);
      violation.sentence =
          fmt::format("the {} region {} of {} {}, but its legs differ at sector {}",
                      clean ? "log calls" : "mirror claims", region, device,
                      clean ? "clean" : "in sync", where);
      report(std::move(violation));
    }
  }
}

void Judge::report_stuck(std::string_view how) {
  Violation violation;
  violation.oracle = oracle::kLiveness;
  violation.sentence = std::string(how);
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
  if (checks(oracle::kLegsIdentical)) check_legs();
  if (checks(oracle::kNoLeak)) {
    std::vector<std::string> leaks = world_.mapper().leaks();
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
