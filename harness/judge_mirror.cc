// The judge's watch over mirrors: what they claim at every instant, and whether legs are equal where the
// log calls them clean.
#include <algorithm>
#include <cstring>

#include "engine/native/mirror/log_reader.h"
#include "harness/judge.h"
#include "harness/oracle_names.h"
#include "harness/world.h"

namespace dmsim {

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
    if (claim.view->held_bios() > 0 && checks(oracle::kAnswers)) check_holds(claim);
  }
}

// Writes that wait for a repair: whoever could repair must be able to see why.
void Judge::check_holds(const Claim& claim) {
  for (const MirrorView::Leg& leg : claim.view->legs()) {
    if (leg.failed) return;
  }
  const auto status = world_.mapper().status(claim.device);
  if (!status.ok()) return;
  // "... 3 disk log0 A": a log that has failed says so in its last letter.
  const std::string& text = *status;
  for (std::size_t at = text.find(" disk "); at != std::string::npos; at = text.find(" disk ", at + 1)) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    if (text[end - 1] != 'A') return;
  }
  Violation violation;
  violation.oracle = oracle::kAnswers;
  violation.state = "held without a failure to be seen";
  violation.device = claim.device;
  violation.sentence = fmt::format("{} holds {} until it is repaired, but its status shows no failure", claim.device,
                                   claim.view->held_bios() == 1 ? "a write" : "writes");
  report(std::move(violation));
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

// A leg may be a mapped device of its own, as lvm2 has it.
Judge::Place Judge::place_of(std::string_view device, Sector begin) {
  if (const Disk* disk = world_.disk(device)) return {disk, begin};
  const std::vector<Extent>& extents = copies(device);
  if (extents.size() != 1 || extents[0].copies.size() != 1) return {};
  return {world_.disk(extents[0].copies[0].disk), extents[0].copies[0].begin + begin};
}

// The first sector of `part` (from the target's start) where two legs differ, caches included. Legs that
// do not lie on a disk in one piece are not compared.
std::optional<Sector> Judge::legs_difference(const MirrorView& view, SectorRange part) {
  const auto& legs = view.legs();
  const Place default_leg = place_of(legs[0].device, legs[0].offset);
  const Disk* const first = default_leg.disk;
  for (std::size_t leg = 1; first != nullptr && leg < legs.size(); ++leg) {
    const Place other_leg = place_of(legs[leg].device, legs[leg].offset);
    const Disk* const other = other_leg.disk;
    if (other == nullptr) return std::nullopt;
    const Sector here = default_leg.begin;
    const Sector there = other_leg.begin;
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
    const Place log_place = view->log_device().empty() ? Place() : place_of(view->log_device(), 0);
    const Disk* const log = log_place.disk;
    const std::uint64_t log_page = log_place.begin / kPageSectors;
    std::vector<std::byte> bytes;
    if (log != nullptr) {
      const std::uint64_t sectors = std::min<std::uint64_t>(
          mirror_log::log_sectors(view->region_count(), kPageSectors), log->sectors());
      bytes.resize(sectors * kSectorBytes);
      for (std::uint64_t page = 0; page * kPageSectors < sectors; ++page) {
        std::memcpy(bytes.data() + page * kPageBytes, log->current_page(log_page + page).bytes(), kPageBytes);
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

}  // namespace dmsim
