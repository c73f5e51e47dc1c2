// The mirror target: a device whose every region lives on two or more legs, kept equal.
//
//   log_type #logargs logargs... #mirrors (device offset){2,} [#features handle_errors keep_log]
//
// Its parts: dirty_log (which regions are clean, on disk), region_hash (what happens to each region
// now), mirror_legs (which legs are fit), region_copier (recovery's copies), mirror_worker (the one
// fiber that does everything that may block). See mirror_set.h for how they work together.
#pragma once

#include "engine/native/mirror/mirror_switches.h"
#include "engine/native/target.h"

namespace dmsim::native {

// Errors carry dm's own words; what the kernel would only print goes after them in parentheses.
DmResult<std::unique_ptr<Target>> construct_mirror(const TargetArguments& arguments);

inline constexpr TargetType kMirrorType{"mirror", construct_mirror};

}  // namespace dmsim::native
