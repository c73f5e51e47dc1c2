#include "models/disk/crash_space.h"

#include <algorithm>
#include <cstring>

namespace dmsim {
namespace {

std::uint8_t mask_of(const FreeUnit& unit) {
  const auto first = static_cast<std::uint32_t>(unit.sector % kPageSectors);
  return static_cast<std::uint8_t>(((1u << unit.sectors) - 1) << first);
}

void copy_sectors(std::byte* to, const PageRef& from, std::uint8_t mask) {
  for (std::uint32_t sector = 0; sector < kPageSectors; ++sector) {
    if ((mask >> sector & 1) == 0) continue;
    std::memcpy(to + sector * kSectorBytes, from.sector_bytes(sector), kSectorBytes);
  }
}

}  // namespace

Image CrashSpace::survive(std::span<const std::uint32_t> choices, PageSpace& space) const {
  CHECK(choices.size() == units.size(), choices.size(), units.size());
  Image image = media;
  for (std::size_t i = 0; i < units.size();) {
    if (choices[i] == 0) {
      ++i;
    } else {
      i = survive_page(choices, i, &image, space);
    }
  }
  return image;
}

// The chosen units of one page, from unit `from` on; returns the first unit of the next page. A page
// that took one content as a whole is stored by reference, any other is put together once.
std::size_t CrashSpace::survive_page(std::span<const std::uint32_t> choices, std::size_t from,
                                     Image* image, PageSpace& space) const {
  const auto chosen = [&](std::size_t unit) -> const PageRef& {
    CHECK(choices[unit] <= units[unit].count, choices[unit], units[unit].count);
    return candidates[units[unit].first + choices[unit] - 1].content;
  };
  const std::uint64_t index = units[from].sector / kPageSectors;
  std::uint8_t mask = 0;
  bool one_content = true;
  std::size_t end = from;
  for (; end < units.size() && units[end].sector / kPageSectors == index; ++end) {
    if (choices[end] == 0) continue;
    one_content = one_content && chosen(end).same_content(chosen(from));
    mask = static_cast<std::uint8_t>(mask | mask_of(units[end]));
  }
  if (one_content) {
    image->set_sectors(space, index, mask, chosen(from));
    return end;
  }
  PageRef torn = media.page(index);
  std::byte* bytes = space.change(torn);
  for (std::size_t unit = from; unit < end; ++unit) {
    if (choices[unit] != 0) copy_sectors(bytes, chosen(unit), mask_of(units[unit]));
  }
  image->set_page(index, std::move(torn));
  return end;
}

Image CrashSpace::survive_all(PageSpace& space) const {
  std::vector<std::uint32_t> newest;
  newest.reserve(units.size());
  for (const FreeUnit& unit : units) newest.push_back(unit.count);
  return survive(newest, space);
}

void CrashSpaceBuilder::add_versions(const DirtyPage& page) {
  for (const CachedWrite* write = page.oldest; write != nullptr; write = write->newer) {
    add(page.index, write->mask,
        {write->content, write->submit,
         write->completed != 0 ? CrashCandidate::Progress::kCompleted
                               : CrashCandidate::Progress::kTransferred,
         write->fua});
  }
}

void CrashSpaceBuilder::build(std::uint32_t atomic_sectors, PageSpace& scratch, CrashSpace* out) {
  out->units.clear();
  out->candidates.clear();
  std::stable_sort(pieces_.begin(), pieces_.end(),
                   [](const Piece& a, const Piece& b) { return a.index < b.index; });
  const std::span<const Piece> all = pieces_;
  for (std::size_t begin = 0; begin < all.size();) {
    std::size_t end = begin;
    while (end < all.size() && all[end].index == all[begin].index) ++end;
    const auto of_page = all.subspan(begin, end - begin);
    if (atomic_sectors == 1) {
      build_sectors(of_page, out);
    } else {
      build_block(of_page, scratch, out);
    }
    begin = end;
  }
  pieces_.clear();
}

// Sectors that the same pieces cover share one list of candidates.
void CrashSpaceBuilder::build_sectors(std::span<const Piece> pieces, CrashSpace* out) const {
  bool listed = false;  // the list at `first` is for the sector before
  std::uint32_t first = 0;
  std::uint32_t count = 0;
  for (std::uint32_t sector = 0; sector < kPageSectors; ++sector) {
    const bool same = listed && std::all_of(pieces.begin(), pieces.end(), [&](const Piece& piece) {
      return (piece.mask >> sector & 1) == (piece.mask >> (sector - 1) & 1);
    });
    if (!same) {
      first = static_cast<std::uint32_t>(out->candidates.size());
      for (const Piece& piece : pieces) {
        if ((piece.mask >> sector & 1) != 0) out->candidates.push_back(piece.candidate);
      }
      count = static_cast<std::uint32_t>(out->candidates.size()) - first;
      listed = true;
    }
    if (count > 0) {
      out->units.push_back({pieces[0].index * kPageSectors + sector, 1, first, count});
    }
  }
}

// A drive with 4 KiB blocks reads, changes and writes the whole block, so each version holds
// everything that came before it.
void CrashSpaceBuilder::build_block(std::span<const Piece> pieces, PageSpace& scratch,
                                    CrashSpace* out) const {
  const std::uint64_t index = pieces[0].index;
  const auto first = static_cast<std::uint32_t>(out->candidates.size());
  PageRef block = out->media.page(index);
  for (const Piece& piece : pieces) {
    if (piece.mask == 0xFF) {
      block = piece.candidate.content;
    } else {
      // The media or the candidate before hold the block too, so this changes a copy.
      copy_sectors(scratch.change(block), piece.candidate.content, piece.mask);
    }
    CrashCandidate candidate = piece.candidate;
    candidate.content = block;
    out->candidates.push_back(std::move(candidate));
  }
  out->units.push_back({index * kPageSectors, kPageSectors, first,
                        static_cast<std::uint32_t>(pieces.size())});
}

}  // namespace dmsim
