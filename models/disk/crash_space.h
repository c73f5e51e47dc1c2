// CrashSpace: what a disk's media may hold after a power cut at this instant.
//
// Media hold their content for certain, except in the *free units*: atomic units (a sector, or a
// 4 KiB block) for which something newer is in the volatile cache or on its way. Each lists its
// candidates from oldest to newest; which of them, or the old content, is found after the cut is
// free, independently for every unit. So a multi-sector write tears by itself, and a later write may
// survive where an earlier one is lost.
//
// It is a value: it holds a fork of the media and references to contents, and stays good whatever the
// disk does afterwards.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "models/disk/image.h"
#include "models/disk/write_cache.h"
#include "sim/trace.h"

namespace dmsim {

struct CrashCandidate {
  // How far the write that brings this content had come.
  enum class Progress : std::uint8_t {
    kSubmitted,    // in flight, data not yet moved: this is what would be sampled now
    kTransferred,  // in flight, data moved, not complete
    kCompleted,    // in the volatile cache
  };
  PageRef content;   // the page; only the unit's own sectors of it count
  TraceId submit;    // the disk.submit event of that write
  Progress progress;
  bool fua;          // that write asks for durability (so it is in flight)
};

struct FreeUnit {
  Sector sector;          // its first
  std::uint32_t sectors;  // 1 or 8
  std::uint32_t first;    // of its candidates, in CrashSpace::candidates
  std::uint32_t count;    // >= 1
};

struct CrashSpace {
  explicit CrashSpace(Image durable) : media(std::move(durable)) {}

  Image media;                             // what is durable for certain
  std::vector<FreeUnit> units;             // by sector, disjoint
  std::vector<CrashCandidate> candidates;  // oldest to newest within a unit

  std::span<const CrashCandidate> candidates_of(const FreeUnit& unit) const {
    return {candidates.data() + unit.first, unit.count};
  }
  // The media after a cut: for each unit 0 (what the media hold) or k (its k-th candidate, from 1).
  // Torn pages are made in `space`, which should be that of the world that boots from the result.
  // Costs what the chosen units cost. Requires choices.size() == units.size().
  Image survive(std::span<const std::uint32_t> choices, PageSpace& space) const;
  // The same with each unit's newest candidate: everything cached or in flight has made it.
  Image survive_all(PageSpace& space) const;

 private:
  std::size_t survive_page(std::span<const std::uint32_t> choices, std::size_t from, Image* image,
                           PageSpace& space) const;
};

// Turns what a disk has pending into free units. Kept by the disk for its capacity.
class CrashSpaceBuilder {
 public:
  // New content for the sectors of `mask` of a page. Pieces of one page come in the order in which
  // they would reach the media.
  void add(std::uint64_t index, std::uint8_t mask, CrashCandidate candidate) {
    pieces_.push_back({index, mask, std::move(candidate)});
  }
  void add_versions(const DirtyPage& page);
  // Fills units and candidates of `out`, whose media are set. `atomic_sectors` is 1 or 8; blocks of 8
  // that pieces cover in part are put together in pages that `scratch` makes. Empties the builder.
  void build(std::uint32_t atomic_sectors, PageSpace& scratch, CrashSpace* out);

 private:
  struct Piece {
    std::uint64_t index;
    std::uint8_t mask;
    CrashCandidate candidate;
  };
  void build_sectors(std::span<const Piece> pieces, CrashSpace* out) const;
  void build_block(std::span<const Piece> pieces, PageSpace& scratch, CrashSpace* out) const;
  std::vector<Piece> pieces_;
};

}  // namespace dmsim
