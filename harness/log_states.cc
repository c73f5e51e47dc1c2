#include "harness/log_states.h"

#include <algorithm>
#include <cstring>

#include "base/reached.h"
#include "sim/choice.h"

namespace dmsim {
namespace {

DiskOptions zero_disk(std::uint64_t sectors) {
  DiskOptions options;
  options.name = "recorded device";
  options.sectors = (sectors + kPageSectors - 1) / kPageSectors * kPageSectors;
  options.content = DiskContent::kZero;
  return options;
}

std::uint8_t sectors_mask(std::uint64_t first, std::uint64_t count) {
  return static_cast<std::uint8_t>(((1u << count) - 1) << first);
}

// Calls piece(page index, mask, sectors from the range's begin) for every page of a range.
template <typename Visit>
void for_each_page(SectorRange range, Visit piece) {
  for (Sector sector = range.begin; sector < range.end;) {
    const std::uint64_t first = sector % kPageSectors;
    const std::uint64_t count = std::min<std::uint64_t>(kPageSectors - first, range.end - sector);
    piece(sector / kPageSectors, sectors_mask(first, count), sector - range.begin);
    sector += count;
  }
}

SectorRange range_of(const FreeUnit& unit) { return {unit.sector, unit.sector + unit.sectors}; }

bool same_sectors(const PageRef& a, const PageRef& b, SectorRange range) {
  if (a.same_content(b)) return true;
  for (Sector sector = range.begin; sector < range.end; ++sector) {
    const auto within = static_cast<std::uint32_t>(sector % kPageSectors);
    if (a.sector_digest(within) != b.sector_digest(within)) return false;
  }
  return true;
}

}  // namespace

LogStates::LogStates(const WriteLog& log, LogStateOptions options)
    : log_(log),
      options_(std::move(options)),
      zeroes_(pages_, zero_disk(std::max(options_.device_sectors, log.device_sectors()))),
      page_space_(pages_, 0),
      space_(Image(zeroes_, images_)) {
  CHECK(options_.atomic_sectors == 1 || options_.atomic_sectors == kPageSectors,
        options_.atomic_sectors);
  CHECK(options_.device_sectors == 0 || options_.device_sectors >= log.device_sectors(),
        options_.device_sectors, log.device_sectors());
  fill_stale();
}

void LogStates::fill_stale() {
  for (const SectorRange range : options_.stale) {
    const std::vector<std::byte> ones(static_cast<std::size_t>(range.count() * kSectorBytes),
                                      std::byte{0xFF});
    space_.media.write_sectors(page_space_, range.begin, ones);
    made_durable_.push_back(range);
  }
}

bool LogStates::next() {
  const std::size_t end = std::min(options_.end_entry, log_.entries().size());
  if (next_entry_ >= end) return false;
  entry_ = next_entry_++;
  if (entry_ > 0) made_durable_.clear();
  if (fua_in_flight_) land_fua();
  take(log_.entries()[entry_]);
  // The first moment with states has them all, whatever moved before it.
  if (entry_ == options_.first_entry) base_moved_ = true;
  build_space();
  number_states();
  base_moved_ = false;
  return true;
}

void LogStates::take(const LogEntry& entry) {
  if (entry.is_mark()) return;
  if ((entry.flags & kLogFlush) != 0) flush(cache_of(entry.sector));
  if (entry.sectors == 0) return;
  if (entry.is_discard()) {
    add_discard(entry);
  } else {
    add_write(entry);
  }
  fua_in_flight_ = (entry.flags & kLogFua) != 0;
}

std::size_t LogStates::cache_of(Sector sector) const {
  std::size_t cache = 0;
  while (cache < options_.caches.size() && !options_.caches[cache].contains(sector)) ++cache;
  return cache;
}

void LogStates::add_write(const LogEntry& entry) {
  for_each_page({entry.sector, entry.sector + entry.sectors},
                [&](std::uint64_t index, std::uint8_t mask, std::uint64_t at) {
                  std::byte* bytes = nullptr;
                  PageRef content = page_space_.make(&bytes);
                  const auto first = static_cast<std::uint32_t>((entry.sector + at) % kPageSectors);
                  const auto count = static_cast<std::uint32_t>(__builtin_popcount(mask));
                  if (mask != 0xFF) std::memset(bytes, 0, kPageBytes);
                  std::memcpy(bytes + first * kSectorBytes, entry.data.data() + at * kSectorBytes,
                              count * kSectorBytes);
                  add_piece(index, mask, std::move(content));
                });
}

void LogStates::add_discard(const LogEntry& entry) {
  for_each_page({entry.sector, entry.sector + entry.sectors},
                [&](std::uint64_t index, std::uint8_t mask, std::uint64_t) {
                  add_piece(index, mask, zeroes_.page(index));
                });
}

// A piece that changes neither what is durable nor follows one that would is left out: most discards of
// a fresh device are of that kind.
void LogStates::add_piece(std::uint64_t index, std::uint8_t mask, PageRef content) {
  const bool alone = std::none_of(pending_.begin(), pending_.end(),
                                  [&](const Piece& piece) { return piece.index == index; });
  if (alone) {
    std::uint8_t changes = 0;
    const PageRef& durable = space_.media.page(index);
    for (std::uint32_t sector = 0; sector < kPageSectors; ++sector) {
      if ((mask >> sector & 1) == 0) continue;
      if (content.sector_digest(sector) == durable.sector_digest(sector)) continue;
      changes = static_cast<std::uint8_t>(changes | 1u << sector);
    }
    if (changes == 0) return;
  }
  pending_.push_back({index, mask, entry_, std::move(content)});
}

void LogStates::land(const Piece& piece) {
  space_.media.set_sectors(page_space_, piece.index, piece.mask, piece.content);
  const Sector page = piece.index * kPageSectors;
  const auto first = static_cast<std::uint32_t>(__builtin_ctz(piece.mask));
  const Sector end = page + 32 - static_cast<std::uint32_t>(__builtin_clz(piece.mask));
  made_durable_.push_back({page + first, end});
  base_moved_ = true;
}

void LogStates::flush(std::size_t cache) {
  const auto keep = std::stable_partition(
      pending_.begin(), pending_.end(),
      [&](const Piece& piece) { return cache_of(piece.index * kPageSectors) != cache; });
  for (auto it = keep; it != pending_.end(); ++it) land(*it);
  pending_.erase(keep, pending_.end());
}

// The newest entry is complete, so durable: what older writes had for its sectors is overtaken.
void LogStates::land_fua() {
  fua_in_flight_ = false;
  const std::size_t entry = entry_ - 1;
  std::vector<Piece> landing;
  for (const Piece& piece : pending_) {
    if (piece.entry == entry) landing.push_back(piece);
  }
  for (const Piece& fua : landing) {
    for (Piece& piece : pending_) {
      if (piece.index == fua.index) piece.mask = static_cast<std::uint8_t>(piece.mask & ~fua.mask);
    }
    land(fua);
  }
  std::erase_if(pending_, [](const Piece& piece) { return piece.mask == 0; });
  if (!pending_.empty() && !landing.empty()) {
    REACHED("a recorded FUA write becomes durable ahead of an older write");
  }
}

void LogStates::build_space() {
  all_.reset();
  free_entries_.clear();
  for (const Piece& piece : pending_) {
    if (free_entries_.empty() || free_entries_.back() != piece.entry) {
      free_entries_.push_back(piece.entry);
    }
    const bool flying = fua_in_flight_ && piece.entry == entry_;
    builder_.add(piece.index, piece.mask,
                 {piece.content, piece.entry + 1,
                  flying ? CrashCandidate::Progress::kTransferred
                         : CrashCandidate::Progress::kCompleted,
                  flying});
  }
  builder_.build(options_.atomic_sectors, page_space_, &space_);
  std::erase_if(space_.units, [&](const FreeUnit& unit) {
    const PageRef& durable = space_.media.page(unit.sector / kPageSectors);
    const auto candidates = space_.candidates_of(unit);
    return std::all_of(candidates.begin(), candidates.end(), [&](const CrashCandidate& candidate) {
      return same_sectors(candidate.content, durable, range_of(unit));
    });
  });
}

void LogStates::add_section(Policy policy, std::uint64_t count) {
  if (count == 0) return;
  const std::uint64_t begin = this->count();
  sections_.push_back({policy, begin, begin + count});
}

// A moment that neither moved what is durable nor brought a free unit has no states: they were all there
// before.
void LogStates::number_states() {
  sections_.clear();
  alone_.clear();
  exhausted_ = false;
  if (entry_ < options_.first_entry) return;
  const bool brought = !free_entries_.empty() && free_entries_.back() == entry_;
  if (!base_moved_ && !brought) return;
  std::uint64_t combinations = 1;
  for (const FreeUnit& unit : space_.units) {
    combinations *= unit.count + 1;
    if (combinations > options_.exhaustive) break;
  }
  if (combinations <= options_.exhaustive) {
    exhausted_ = true;
    add_section(Policy::kCombination, combinations);
    return;
  }
  for (std::uint32_t unit = 0; unit < space_.units.size(); ++unit) {
    const auto candidates = space_.candidates_of(space_.units[unit]);
    for (std::uint32_t i = 0; i < candidates.size(); ++i) {
      if (base_moved_ || entry_of(candidates[i]) == entry_) alone_.push_back({unit, i + 1});
    }
  }
  add_section(Policy::kNone, 1);
  add_section(Policy::kAll, 1);
  add_section(Policy::kWriteAlone, free_entries_.size());
  add_section(Policy::kAllWritesButOne, free_entries_.size());
  add_section(Policy::kPrefix, free_entries_.size());
  add_section(Policy::kUnitAlone, alone_.size());
  add_section(Policy::kAllUnitsButOne, space_.units.size());
  add_section(Policy::kRandom, options_.random_subsets);
}

const LogStates::Section& LogStates::section_of(std::uint64_t number) const {
  CHECK(number < count(), number, count(), entry_);
  std::size_t at = 0;
  while (number >= sections_[at].end) ++at;
  return sections_[at];
}

Image LogStates::state(std::uint64_t number) {
  const Section& section = section_of(number);
  const std::uint64_t n = number - section.begin;
  const auto with = [&](Image image, const FreeUnit& unit, const PageRef& content) {
    const std::uint64_t index = unit.sector / kPageSectors;
    image.set_sectors(page_space_, index, sectors_mask(unit.sector % kPageSectors, unit.sectors),
                      content);
    return image;
  };
  if (section.policy == Policy::kAll || section.policy == Policy::kAllUnitsButOne) {
    if (!all_) all_ = space_.survive_all(page_space_);
  }
  if (section.policy == Policy::kNone) return space_.media;
  if (section.policy == Policy::kAll) return *all_;
  if (section.policy == Policy::kUnitAlone) {
    const FreeUnit& unit = space_.units[alone_[n].unit];
    return with(space_.media, unit, space_.candidates_of(unit)[alone_[n].choice - 1].content);
  }
  if (section.policy == Policy::kAllUnitsButOne) {
    const FreeUnit& unit = space_.units[n];
    return with(*all_, unit, space_.media.page(unit.sector / kPageSectors));
  }
  choose(number, &choices_);
  return space_.survive(choices_, page_space_);
}

template <typename Wanted>
std::uint32_t LogStates::newest(const FreeUnit& unit, Wanted wanted) const {
  const auto candidates = space_.candidates_of(unit);
  for (std::uint32_t i = unit.count; i > 0; --i) {
    if (wanted(entry_of(candidates[i - 1]))) return i;
  }
  return 0;
}

template <typename Wanted>
void LogStates::choose_newest(Wanted wanted, std::vector<std::uint32_t>* choices) const {
  for (std::size_t i = 0; i < choices->size(); ++i) {
    (*choices)[i] = newest(space_.units[i], wanted);
  }
}

void LogStates::choose(std::uint64_t number, std::vector<std::uint32_t>* choices) const {
  const Section& section = section_of(number);
  std::uint64_t n = number - section.begin;
  choices->assign(space_.units.size(), 0);
  const auto newest_of_all = [&] { choose_newest([](std::size_t) { return true; }, choices); };
  switch (section.policy) {
    case Policy::kCombination:
      for (std::size_t i = 0; i < choices->size(); ++i) {
        (*choices)[i] = static_cast<std::uint32_t>(n % (space_.units[i].count + 1));
        n /= space_.units[i].count + 1;
      }
      return;
    case Policy::kNone:
      return;
    case Policy::kAll:
      return newest_of_all();
    case Policy::kWriteAlone:
      return choose_newest([&](std::size_t entry) { return entry == free_entries_[n]; }, choices);
    case Policy::kAllWritesButOne:
      return choose_newest([&](std::size_t entry) { return entry != free_entries_[n]; }, choices);
    case Policy::kPrefix:
      return choose_newest([&](std::size_t entry) { return entry <= free_entries_[n]; }, choices);
    case Policy::kUnitAlone:
      (*choices)[alone_[n].unit] = alone_[n].choice;
      return;
    case Policy::kAllUnitsButOne:
      newest_of_all();
      (*choices)[n] = 0;
      return;
    case Policy::kRandom: {
      // Numbers of its own for each state, so that a state can be made again without the others.
      RandomNumbers numbers(mix_words(mix_words(options_.seed, entry_), n));
      for (std::size_t i = 0; i < choices->size(); ++i) {
        (*choices)[i] =
            static_cast<std::uint32_t>(numbers.below(std::uint64_t{space_.units[i].count} + 1));
      }
      return;
    }
  }
}

std::string LogStates::policy(std::uint64_t number) const {
  const Section& section = section_of(number);
  const std::uint64_t n = number - section.begin;
  switch (section.policy) {
    case Policy::kCombination: return fmt::format("combination {} of {}", n, section.end);
    case Policy::kNone: return "nothing free landed";
    case Policy::kAll: return "everything free landed";
    case Policy::kWriteAlone: return fmt::format("entry {} alone", free_entries_[n]);
    case Policy::kAllWritesButOne: return fmt::format("all but entry {}", free_entries_[n]);
    case Policy::kPrefix: return fmt::format("up to entry {}", free_entries_[n]);
    case Policy::kUnitAlone:
      return fmt::format("sector {} alone", space_.units[alone_[n].unit].sector);
    case Policy::kAllUnitsButOne: return fmt::format("all but sector {}", space_.units[n].sector);
    case Policy::kRandom: return fmt::format("random subset {}", n);
  }
  CHECK(false, number);
  return {};
}

std::string LogStates::fate(std::size_t entry, std::span<const std::uint32_t> choices) const {
  std::uint64_t landed = 0;
  std::uint64_t lost = 0;
  std::string landed_sectors;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    const FreeUnit& unit = space_.units[i];
    const auto candidates = space_.candidates_of(unit);
    for (std::uint32_t k = 0; k < unit.count; ++k) {
      if (entry_of(candidates[k]) != entry) continue;
      if (choices[i] == k + 1) {
        ++landed;
        landed_sectors += fmt::format("{}{}", landed_sectors.empty() ? "" : ",", unit.sector);
      } else {
        ++lost;
      }
    }
  }
  if (landed + lost == 0) return "changes nothing";
  if (lost == 0) return "landed";
  if (landed == 0) return "lost";
  return fmt::format("torn: {} of {} units landed, at {}", landed, landed + lost, landed_sectors);
}

std::vector<std::string> LogStates::survivors(std::uint64_t number) const {
  std::vector<std::uint32_t> choices;
  choose(number, &choices);
  std::vector<std::string> lines;
  for (const std::size_t index : free_entries_) {
    const LogEntry& entry = log_.entries()[index];
    lines.push_back(fmt::format("entry {} {}{}+{}{}: {}", index, entry.is_discard() ? 'D' : 'W',
                                entry.sector, entry.sectors,
                                (entry.flags & kLogFua) != 0 ? "!" : "", fate(index, choices)));
  }
  return lines;
}

}  // namespace dmsim
