// Copies: where the bytes of a mapped device really lie, read from its table as a person would.
//
// This is the harness's own reading of dmsetup tables, independent of any engine: it tells the
// reference what a device held at boot, and the oracles which copies could have served a request.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "block/sector.h"

namespace dmsim {

// A run of a mapped device and the disks that hold it.
struct Extent {
  struct Copy {
    std::string disk;
    Sector begin;  // on that disk, of range.begin
    bool from_source = false;  // a clone's source: read where nothing has been written, never written
  };
  SectorRange range;         // of the mapped device
  // Best first: a mirror's default leg leads; a clone's source, which is what it holds at first, comes before
  // its destination. Empty: nothing holds it.
  std::vector<Copy> copies;
  // A clone's: disks of its metadata. Requests may need these and all copies.
  std::vector<std::string> metadata_disks = {};
  bool is_clone() const { return !metadata_disks.empty(); }
};

// The table of a mapped device, nullopt for a name that is not one (a disk).
using TableOf = std::function<std::optional<std::string>(std::string_view device)>;

// Extents of `device`, ascending. Mapped devices below are followed down to disks. Lines that cannot
// be read give extents without copies.
std::vector<Extent> resolve_copies(std::string_view device, const TableOf& table_of);

// Where the contents of `device` lay before anybody used it: as resolve_copies(), but a snapshot, or a merge
// of one, holds what its origin does.
std::vector<Extent> resolve_contents(std::string_view device, const TableOf& table_of);

// The first line of a table, if it is a snapshot's or a snapshot-merge's.
struct SnapshotLine {
  std::string origin;
  std::string cow;
  bool merges = false;
  bool persistent = false;
  bool sized = false;      // the chunk size is known; not before a store has been handed over to the table
  bool overflows = false;  // user space asked for overflows that leave reads alone (PO)
  friend bool operator==(const SnapshotLine&, const SnapshotLine&) = default;
};
std::optional<SnapshotLine> read_snapshot(std::string_view table);

// Disks that `device`'s mirrors use only for their dirty log, and its clones for their metadata.
std::vector<std::string> log_disks(std::string_view device, const TableOf& table_of);

// Some line of the table is a clone's; some line names that device.
bool has_clone(std::string_view table);
bool names_device(std::string_view table, std::string_view device);

// Where the copies of `range` lie: disk and sectors there.
struct DiskRange {
  std::string disk;
  SectorRange sectors;
};
std::vector<DiskRange> disk_ranges(const std::vector<Extent>& extents, SectorRange range);
// The other way: sectors of the mapped device that have a copy in `sectors` of `disk`.
std::vector<SectorRange> device_ranges(const std::vector<Extent>& extents, std::string_view disk,
                                       SectorRange sectors);

}  // namespace dmsim
