// Changes of a volume group, in memory only: what a command makes of the metadata it has read.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/lvm/volume_group.h"

namespace dmsim::lvm {

// Adds a volume of `extents` on one physical volume, in the first gap that is large enough. Failure, in
// words: there is none, or the name is taken.
Result<Done, std::string> add_linear(VolumeGroup& group, std::string_view name, std::string_view physical,
                                     Extents extents);

struct MirrorShape {
  std::vector<std::string> legs;  // physical volumes
  std::string log;                // physical volume; empty: core log
  Extents extents = 0;
  std::uint32_t region_sectors = 0;
};
// Adds NAME, NAME_mimage_0 ... and NAME_mlog.
Result<Done, std::string> add_mirror(VolumeGroup& group, std::string_view name, const MirrorShape& shape);

// Makes `store`, a volume of the group, the snapshot of `origin`.
void add_snapshot(VolumeGroup& group, std::string_view origin, std::string_view store,
                  std::uint32_t chunk_sectors);

// What is wrong with a mirror, as its status line tells it.
struct MirrorHealth {
  std::vector<std::string> failed_legs;  // devices, as the status names them
  bool log_failed = false;
  bool needs_repair() const { return log_failed || !failed_legs.empty(); }
};
// Of "START LENGTH mirror ...": legs that have failed a write (D), a flush (F) or for no known reason (U);
// read errors and errors of synchronisation are no reason for repair, as dmeventd has it. Anything that
// is no mirror is healthy.
MirrorHealth mirror_health(std::string_view status);

// Takes the legs that stand on `failed_devices` out of the mirror `name`, and its log if that has failed:
// with one leg left it becomes linear, without its log it gets a core log. The names of the volumes that
// are gone. Failure, in words: no leg would be left, or it is no mirror.
Result<std::vector<std::string>, std::string> reduce_mirror(VolumeGroup& group, std::string_view name,
                                                            const MirrorHealth& health);

}  // namespace dmsim::lvm
