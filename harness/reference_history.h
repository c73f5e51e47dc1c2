// What a Reference keeps: writes that still matter, and for each page which contents may be in it. For its own files.
#pragma once

#include "harness/reference.h"

namespace dmsim {

struct Reference::WriteRecord {
  std::uint64_t number = 0;     // 1, 2, 3, ... in order of submission
  std::uint64_t submitted = 0;  // clock
  std::uint64_t completed = 0;  // clock; 0: under way
  bool ok = false;
  bool fua = false;
  bool discard = false;
  bool raced = false;           // by the application: see raced_by_application()
  SectorRange range;
  const Segment* segments = nullptr;  // while under way
  std::uint32_t data_offset = 0;
  std::uint32_t candidates = 0;  // entries that name this record
  bool waits_for_flush = false;  // listed in not_durable_
};

// Content that may be in some sectors of one page.
struct Reference::Candidate {
  WriteRecord* write;       // null: the initial content
  PageRef content;          // null: anything (discarded)
  std::int8_t shift;        // sector of `content` = sector in device page + shift
  std::uint8_t mask;        // sectors of the device page
  std::uint64_t stale_since;  // clock; 0: still current for readers
  std::uint8_t lost_mask = 0;  // of `mask`: sectors where a power cut can no longer bring it back

  bool is_of(std::uint32_t sector_in_page) const { return (mask >> sector_in_page & 1) != 0; }
  bool may_survive_in(std::uint32_t sector_in_page) const { return ((mask & ~lost_mask) >> sector_in_page & 1) != 0; }
  bool is_current() const { return stale_since == 0; }
  bool was_current_at(std::uint64_t clock) const { return is_current() || stale_since > clock; }
  // A sector with this digest is what it put there.
  bool matches(std::uint32_t sector_in_page, std::uint64_t digest) const {
    const int in_content = static_cast<int>(sector_in_page) + shift;
    return !content || content.sector_digest(static_cast<std::uint32_t>(in_content)) == digest;
  }
  std::uint64_t write_number() const { return write == nullptr ? 0 : write->number; }
};

struct Reference::PageHistory {
  std::vector<Candidate> candidates;
  std::uint64_t last_activity = 0;  // clock of the last begin or end of a write here
  std::uint32_t in_flight = 0;
  bool touched = false;
  std::uint8_t read_mask = 0;       // sectors with a last read
  std::array<std::uint64_t, kPageSectors> read_digest{};
  std::array<std::uint64_t, kPageSectors> read_begun{};
};

}  // namespace dmsim
