#include "harness/mirror_log_check.h"

#include <algorithm>

#include "base/reached.h"
#include "engine/native/mirror/log_format.h"
#include "engine/native/mirror/log_reader.h"
#include "harness/fingerprint_set.h"

namespace dmsim {

template <typename Visit>
void MirrorLogCheck::on_mirror(SectorRange device, Visit visit) const {
  for (const SectorRange leg : mirror_.legs) {
    const SectorRange part = device.intersection(leg);
    if (!part.empty() && device.overlaps(leg)) visit({part.begin - leg.begin, part.end - leg.begin});
  }
}

void MirrorLogCheck::note_touched(SectorRange range) {
  for (Sector at = range.begin; at < range.end;) {
    const std::uint64_t region = at / mirror_.region_sectors;
    const Sector end = std::min(range.end, mirror_.region(region).end);
    touched_.push_back({region, {at, end}});
    at = end;
  }
}

void MirrorLogCheck::begin_moment(const LogStates& states) {
  const Image& durable = states.space().media;
  std::vector<std::uint64_t> moved;
  for (const SectorRange device : states.made_durable()) {
    on_mirror(device, [&](SectorRange range) {
      for (Sector at = range.begin; at < range.end; at = mirror_.region(moved.back()).end) {
        moved.push_back(at / mirror_.region_sectors);
      }
    });
  }
  std::sort(moved.begin(), moved.end());
  moved.erase(std::unique(moved.begin(), moved.end()), moved.end());
  for (const std::uint64_t region : moved) {
    const auto at = std::lower_bound(differing_.begin(), differing_.end(), region);
    const bool known = at != differing_.end() && *at == region;
    const bool differs = compare(durable, region, mirror_.region(region)).has_value();
    if (differs && !known) differing_.insert(at, region);
    if (!differs && known) differing_.erase(at);
  }
  touched_.clear();
  if (states.count() == 0) return;
  for (const FreeUnit& unit : states.space().units) {
    on_mirror({unit.sector, unit.sector + unit.sectors}, [&](SectorRange range) { note_touched(range); });
  }
  for (const std::uint64_t region : differing_) note_touched(mirror_.region(region));
  std::sort(touched_.begin(), touched_.end(), [](const Touched& a, const Touched& b) {
    return std::pair(a.range.begin, a.range.end) < std::pair(b.range.begin, b.range.end);
  });
  std::size_t kept = 0;
  for (std::size_t i = 1; i < touched_.size(); ++i) {
    Touched& last = touched_[kept];
    if (last.region == touched_[i].region && touched_[i].range.begin <= last.range.end) {
      last.range.end = std::max(last.range.end, touched_[i].range.end);
    } else {
      touched_[++kept] = touched_[i];
    }
  }
  if (!touched_.empty()) touched_.resize(kept + 1);
}

std::uint64_t MirrorLogCheck::claimed_regions(const Image& state) const {
  const Sector at = mirror_.log.begin;
  const mirror_log::Header header = mirror_log::read_header(
      {state.page(at / kPageSectors).sector_bytes(static_cast<std::uint32_t>(at % kPageSectors)),
       kSectorBytes});
  if (!mirror_log::is_valid(header)) return 0;
  return std::min(header.region_count, mirror_.regions());
}

bool MirrorLogCheck::clean(const Image& state, std::uint64_t region) const {
  const mirror_log::BitPlace place = mirror_log::bit_place(region);
  const Sector at = mirror_.log.begin + mirror_log::kBitmapSector + place.byte / kSectorBytes;
  const std::byte* bytes =
      state.page(at / kPageSectors).sector_bytes(static_cast<std::uint32_t>(at % kPageSectors));
  return (bytes[place.byte % kSectorBytes] & std::byte{place.mask}) != std::byte{0};
}

std::optional<LegDifference> MirrorLogCheck::compare(const Image& state, std::uint64_t region,
                                                     SectorRange range) const {
  const Sector first = mirror_.legs[0].begin;
  for (std::size_t leg = 1; leg < mirror_.legs.size(); ++leg) {
    const auto differs =
        state.first_difference({first + range.begin, first + range.end}, state,
                               mirror_.legs[leg].begin + range.begin);
    if (differs) return LegDifference{region, leg, *differs - first};
  }
  return std::nullopt;
}

std::optional<LegDifference> MirrorLogCheck::check(const Image& state) const {
  if (touched_.empty()) return std::nullopt;
  const std::uint64_t claimed = claimed_regions(state);
  for (const Touched& touched : touched_) {
    if (touched.region >= claimed || !clean(state, touched.region)) continue;
    if (auto found = compare(state, touched.region, touched.range)) return found;
  }
  return std::nullopt;
}

std::optional<LegDifference> MirrorLogCheck::check_all(const Image& state) const {
  const std::uint64_t claimed = claimed_regions(state);
  for (std::uint64_t region = 0; region < claimed; ++region) {
    if (!clean(state, region)) continue;
    if (auto found = compare(state, region, mirror_.region(region))) return found;
  }
  return std::nullopt;
}

namespace {

constexpr std::size_t kMostHistory = 14;  // lines of a finding

// What a finding tells: everything recorded that concerns the differing sector or its region's bit.
class FindingWriter {
 public:
  FindingWriter(const WriteLog& log, const RecordedMirror& mirror, const LogStates& states)
      : log_(log), mirror_(mirror), states_(states) {}

  MirrorLogFinding write(std::uint64_t number, const LegDifference& found) {
    states_.choose(number, &choices_);
    const Sector here = mirror_.legs[0].begin + found.sector;
    const Sector there = mirror_.legs[found.leg].begin + found.sector;
    MirrorLogFinding out{states_.entry(), number, found, {}, {}};
    out.sentence = fmt::format(
        "region {} is clean in the dirty log, but leg 0 and leg {} differ at sector {} of the mirror "
        "(device sectors {} and {})",
        found.region, found.leg, found.sector, here, there);
    out.details.push_back(fmt::format("power cut at entry {}, {}", states_.entry(),
                                      states_.policy(number)));
    const mirror_log::BitPlace place = mirror_log::bit_place(found.region);
    const Sector bit_sector =
        mirror_.log.begin + mirror_log::kBitmapSector + place.byte / kSectorBytes;
    std::vector<std::string> lines;
    std::size_t left = kMostHistory;
    for (std::size_t i = states_.entry() + 1; i-- > 0 && left > 0;) {
      const LogEntry& entry = log_.entries()[i];
      const SectorRange range{entry.sector, entry.sector + entry.sectors};
      std::string what;
      if (range.contains(here)) what = "leg 0";
      if (range.contains(there)) what = fmt::format("leg {}", found.leg);
      if (range.contains(bit_sector)) what = says(entry, found.region, bit_sector, place);
      if (what.empty() && (entry.flags & kLogFlush) == 0) continue;
      if (what.empty()) what = whose_flush(entry.sector);
      lines.push_back(fmt::format("entry {} {}  {}", i, notation(entry), what + outcome(i, entry)));
      --left;
    }
    out.details.insert(out.details.end(), lines.rbegin(), lines.rend());
    return out;
  }

 private:
  static std::string notation(const LogEntry& entry) {
    if (entry.sectors == 0) return "F";
    return fmt::format("{}{}+{}{}", entry.is_discard() ? 'D' : 'W', entry.sector, entry.sectors,
                       (entry.flags & kLogFua) != 0 ? "!" : "");
  }
  std::string whose_flush(Sector sector) const {
    for (std::size_t i = 0; i < mirror_.slices.size(); ++i) {
      if (!mirror_.slices[i].contains(sector)) continue;
      return i < mirror_.legs.size() ? fmt::format("flush of leg {}", i) : "flush of the log";
    }
    return "flush";
  }
  static std::string says(const LogEntry& entry, std::uint64_t region, Sector bit_sector,
                          mirror_log::BitPlace place) {
    const std::uint64_t at =
        (bit_sector - entry.sector) * kSectorBytes + place.byte % kSectorBytes;
    const bool clean = !entry.is_discard() && (entry.data[static_cast<std::size_t>(at)] &
                                               std::byte{place.mask}) != std::byte{0};
    return fmt::format("log: region {} {}", region, clean ? "clean" : "dirty");
  }
  std::string outcome(std::size_t index, const LogEntry& entry) const {
    if (entry.sectors == 0) return {};
    const auto& free = states_.free_entries();
    if (std::find(free.begin(), free.end(), index) == free.end()) return ", durable";
    return ", " + states_.fate(index, choices_);
  }

  const WriteLog& log_;
  const RecordedMirror& mirror_;
  const LogStates& states_;
  std::vector<std::uint32_t> choices_;
};

}  // namespace

MirrorLogReport check_mirror_log(const WriteLog& log, const RecordedMirror& mirror,
                                 const MirrorLogOptions& options) {
  MirrorLogReport report;
  LogStateOptions state_options = options.states;
  for (const SectorRange slice : mirror.slices) {
    state_options.device_sectors = std::max(state_options.device_sectors, slice.end);
  }
  LogStates states(log, state_options);
  MirrorLogCheck check(mirror);
  FingerprintSet seen;
  while (!report.cut && states.next()) {
    if (options.stop && options.stop()) break;
    report.last_entry = states.entry();
    check.begin_moment(states);
    if (states.count() == 0) continue;
    ++report.moments;
    if (states.exhausted()) ++report.exhausted_moments;
    for (std::uint64_t number = 0; number < states.count(); ++number) {
      const Image state = states.state(number);
      if (!seen.insert(state.fingerprint())) {
        ++report.duplicates;
        continue;
      }
      if (report.states == options.max_states) {
        report.cut = true;
        break;
      }
      ++report.states;
      const auto found = check.check(state);
      if (!found) continue;
      REACHED("a recorded crash state has a clean region whose legs differ");
      ++report.violations;
      const bool new_entry =
          report.findings.empty() || report.findings.back().entry != states.entry();
      if (new_entry && report.findings.size() < kMostFindings) {
        report.findings.push_back(FindingWriter(log, mirror, states).write(number, *found));
      }
    }
  }
  return report;
}

}  // namespace dmsim
