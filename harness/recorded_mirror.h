// Where a recording holds a mirror: which slices of the recorded device stand for its legs and for its dirty log, and
// whether the table that names them, and the recording itself, agree with that.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "block/sector.h"
#include "models/workload/log_writes.h"

namespace dmsim {

struct RecordedMirror {
  Sector length = 0;
  Sector region_sectors = 0;       // a power of two
  std::vector<SectorRange> legs;   // where each leg's data lies on the recorded device; >= 2, of `length`
  std::vector<SectorRange> slices; // the legs' whole slices, then the log's
  SectorRange log;

  std::uint64_t regions() const { return (length + region_sectors - 1) / region_sectors; }
  // In sectors of the mirror.
  SectorRange region(std::uint64_t index) const {
    return {index * region_sectors, std::min(length, (index + 1) * region_sectors)};
  }
};

// A mirror's line in dmsetup's syntax with a disk log; its devices may have any names. `legs` are the
// slices that stand for its legs, in the table's order.
Result<RecordedMirror> parse_recorded_mirror(std::string_view table,
                                             const std::vector<SectorRange>& legs, SectorRange log);

// Says what in a log cannot be if the slices are what they are said to be: an entry that straddles one's
// border, a slice beyond what was recorded. `name` is the log's, for the error.
Outcome<> check_slices(const WriteLog& log, const std::string& name, const RecordedMirror& mirror,
                       std::uint64_t device_sectors);

}  // namespace dmsim
