// What a Reference says of what was found: by a read, and on the disks after a power cut.
#include <algorithm>

#include "harness/reference_history.h"

namespace dmsim {

std::uint64_t Reference::begin_read() {
  reads_.push_back(++clock_);
  return clock_;
}

void Reference::abandon_read(std::uint64_t begun) {
  const auto at = std::find(reads_.begin(), reads_.end(), begun);
  CHECK(at != reads_.end());
  reads_.erase(at);
}

void Reference::check_read(const Bio& bio, std::uint64_t begun, std::vector<Mismatch>* wrong) {
  abandon_read(begun);
  DataCursor cursor(bio);
  DataPiece piece;
  while (cursor.next(&piece)) {
    const PageRef& found = piece.segment->frame->page();
    PageHistory& page = history(piece.device_sector / kPageSectors);
    for (std::uint32_t i = 0; i < piece.sectors; ++i) {
      const Sector sector = piece.device_sector + i;
      const std::uint64_t digest = found.sector_digest(piece.segment_offset / kSectorBytes + i);
      note_read(page, sector % kPageSectors, digest, begun, sector);
      if (const auto mismatch = mismatch_of_read(page, sector, digest, begun)) wrong->push_back(*mismatch);
    }
  }
}

// Every content that was current at some time since the read began may be in what it returns.
std::optional<Mismatch> Reference::mismatch_of_read(const PageHistory& page, Sector sector, std::uint64_t digest,
                                                    std::uint64_t begun) const {
  const auto in_page = static_cast<std::uint32_t>(sector % kPageSectors);
  const auto is_initial = [&] { return initial_page(sector / kPageSectors).sector_digest(in_page) == digest; };
  if (!page.touched) {
    if (is_initial()) return std::nullopt;
    return Mismatch{sector, Mismatch::Kind::kUntouched, 0, 0};
  }
  Mismatch out{sector, Mismatch::Kind::kForeign, 0, 0};
  bool written = false;
  for (const Candidate& candidate : page.candidates) {
    if (!candidate.is_of(in_page)) continue;
    written = written || candidate.write != nullptr;
    const bool matches = candidate.matches(in_page, digest);
    if (candidate.was_current_at(begun)) {
      if (matches) return std::nullopt;
      out.expected_write = std::max(out.expected_write, candidate.write_number());
    } else if (matches) {
      out.kind = Mismatch::Kind::kStale;
      out.found_write = candidate.write_number();
    }
  }
  if (!written) {
    out.kind = Mismatch::Kind::kUntouched;
  } else if (out.kind == Mismatch::Kind::kForeign && is_initial()) {
    out.kind = Mismatch::Kind::kStale;
  }
  return out;
}

void Reference::note_read(PageHistory& page, std::uint32_t sector_in_page, std::uint64_t digest,
                          std::uint64_t begun, Sector sector) {
  const bool quiet = page.in_flight == 0 && page.last_activity < begun;
  const auto bit = static_cast<std::uint8_t>(1u << sector_in_page);
  if (quiet && (page.read_mask & bit) != 0 && page.read_begun[sector_in_page] > page.last_activity &&
      page.read_digest[sector_in_page] != digest) {
    unstable_.push_back(sector);
  }
  if (!quiet) {
    page.read_mask = static_cast<std::uint8_t>(page.read_mask & ~bit);
    return;
  }
  page.read_mask |= bit;
  page.read_digest[sector_in_page] = digest;
  page.read_begun[sector_in_page] = begun;
}

void Reference::check_after_cut(std::uint64_t number, const PageRef& found, std::uint8_t mask,
                                std::vector<Mismatch>* wrong) const {
  const PageHistory* page = pages_[number].get();
  const PageRef& initial = initial_page(number);
  const bool touched = page != nullptr && page->touched;
  if (!touched && equal_bytes(found, initial)) return;
  for (std::uint32_t in_page = 0; in_page < kPageSectors; ++in_page) {
    if ((mask >> in_page & 1) == 0) continue;
    const std::uint64_t digest = found.sector_digest(in_page);
    const bool is_initial = initial.sector_digest(in_page) == digest;
    Mismatch mismatch{number * kPageSectors + in_page, Mismatch::Kind::kUntouched, 0, 0};
    bool admissible = !touched && is_initial;
    if (touched) {
      for (const Candidate& candidate : page->candidates) {
        if (!candidate.may_survive_in(in_page)) continue;
        if (candidate.write != nullptr) {
          const bool first = mismatch.kind == Mismatch::Kind::kUntouched;
          mismatch.kind = Mismatch::Kind::kForeign;
          mismatch.expected_write = first ? candidate.write->number
                                          : std::min(mismatch.expected_write, candidate.write->number);
        }
        if (candidate.matches(in_page, digest)) {
          admissible = true;
          break;
        }
      }
    }
    if (admissible) continue;
    if (mismatch.kind == Mismatch::Kind::kForeign && is_initial) {
      mismatch.kind = Mismatch::Kind::kStale;
    }
    wrong->push_back(mismatch);
  }
}

std::uint64_t Reference::requirement_fingerprint() const {
  if (requirement_at_ == clock_) return requirement_;
  std::uint64_t sum = 0;
  for (const std::uint64_t number : touched_) {
    for (const Candidate& candidate : pages_[number]->candidates) {
      const auto possible = static_cast<std::uint8_t>(candidate.mask & ~candidate.lost_mask);
      if (possible == 0) continue;
      const std::uint64_t content = candidate.content ? candidate.content.digest() : 1;
      sum += mix_words(mix_words(number, content),
                       possible + (static_cast<std::uint64_t>(candidate.shift + 8) << 8));
    }
  }
  requirement_at_ = clock_;
  requirement_ = mix_words(sum, races_.size());
  return requirement_;
}

bool Reference::is_admissible_now(Sector sector, std::uint64_t digest) const {
  const std::uint64_t number = sector / kPageSectors;
  const auto in_page = static_cast<std::uint32_t>(sector % kPageSectors);
  const PageHistory* page = pages_[number].get();
  if (page == nullptr || !page->touched) return initial_page(number).sector_digest(in_page) == digest;
  return std::any_of(page->candidates.begin(), page->candidates.end(), [&](const Candidate& candidate) {
    return candidate.is_of(in_page) && candidate.is_current() && candidate.matches(in_page, digest);
  });
}

std::optional<Reference::WriteShape> Reference::newest_write(Sector sector) const {
  const PageHistory* page = pages_[sector / kPageSectors].get();
  const WriteRecord* newest = nullptr;
  for (std::size_t i = 0; page != nullptr && i < page->candidates.size(); ++i) {
    const Candidate& candidate = page->candidates[i];
    if (!candidate.is_of(sector % kPageSectors) || candidate.write == nullptr) continue;
    if (newest == nullptr || candidate.write->number > newest->number) newest = candidate.write;
  }
  if (newest == nullptr) return std::nullopt;
  return WriteShape{newest->range.count(), newest->fua};
}

bool Reference::is_whole_content(std::uint64_t number, const PageRef& found) const {
  const PageHistory* page = pages_[number].get();
  if (page == nullptr) return true;
  for (const Candidate& candidate : page->candidates) {
    if (candidate.mask != 0xFF || candidate.shift != 0 || !candidate.content) return true;
    if (equal_bytes(candidate.content, found)) return true;
  }
  return false;
}

}  // namespace dmsim
