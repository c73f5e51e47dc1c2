// DiskRequest: the disk's record of one bio under way. Only the disk's own files include this.
#pragma once

#include <algorithm>

#include "models/disk/disk.h"

namespace dmsim {

struct DiskRequest {
  enum class Phase : std::uint8_t {
    kPreflush,     // the flush before the write
    kWaiting,      // no data has moved
    kMoving,       // some steps of the transfer are done
    kTransferred,  // all of it; a flush is here from the start
  };

  DiskRequest* next = nullptr;    // in the pool
  DiskRequest* before = nullptr;  // in flight, in order of submission
  DiskRequest* after = nullptr;
  Disk* disk = nullptr;
  Bio* bio = nullptr;
  Op op = Op::kRead;
  bool fua = false;
  bool decided = false;           // the faults have spoken about the present part
  bool answered_above = false;    // the disk never saw it: a flush without a cache, a refused discard
  Phase phase = Phase::kWaiting;
  std::uint32_t steps_left = 1;   // of the transfer
  std::uint32_t moved = 0;        // sectors from its start that have moved
  SectorRange range;
  TraceId submit = 0;
  std::uint64_t barrier = 0;      // completions that a flush must make durable
  Instant completes;
  Fate fate;
  CachedWrite* first_write = nullptr;  // what it has put into the cache, linked by `next`
};

// The next `sectors` of the request that have not moved, as a bio to walk over, where they land.
inline Bio part_of(const DiskRequest& request, std::uint32_t sectors) {
  Bio part;
  part.op = request.op;
  part.sector = request.fate.lands_at + request.moved;
  part.sectors = sectors;
  part.segments = request.bio->segments;
  part.segment_count = request.bio->segment_count;
  part.data_offset = request.bio->data_offset + request.moved * kSectorBytes;
  return part;
}

// The part of a range that lies in its first page.
inline SectorRange first_page_of(SectorRange range) {
  return {range.begin, std::min(range.end, (range.begin / kPageSectors + 1) * kPageSectors)};
}

// One bit for each sector of its page that a range within one page covers.
inline std::uint8_t sector_mask(SectorRange within_page) {
  const auto first = static_cast<std::uint32_t>(within_page.begin % kPageSectors);
  const auto count = static_cast<std::uint32_t>(within_page.count());
  CHECK(first + count <= kPageSectors, first, count);
  return static_cast<std::uint8_t>(((1u << count) - 1) << first);
}

// Device pages that a range touches.
inline std::uint64_t pages_touched(SectorRange range) {
  if (range.empty()) return 0;
  return (range.end - 1) / kPageSectors - range.begin / kPageSectors + 1;
}

// Entry points of the scheduler's events; each belongs to one request or to the disk.
struct DiskEvents {
  static DiskRequest& request(void* context) { return *static_cast<DiskRequest*>(context); }
  static void end_preflush(void* context, std::uint64_t) {
    request(context).disk->end_preflush(request(context));
  }
  static void transfer(void* context, std::uint64_t) {
    request(context).disk->transfer(request(context));
  }
  static void complete(void* context, std::uint64_t) {
    request(context).disk->complete(request(context));
  }
  static void evict(void* context, std::uint64_t) { static_cast<Disk*>(context)->evict_one(); }
};

}  // namespace dmsim
