// VolumeGroup: what LVM2's metadata says, and the text it is written as.
//
// Holds what dmsim's actors use: physical volumes, logical volumes, and segments of the types striped
// (with one stripe: linear), mirror and snapshot, and error. Tags, RAID, thin pools, history and locking are not
// modelled: text that has them is refused by name rather than misread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "block/sector.h"

namespace dmsim::lvm {

// Extents are counted in VolumeGroup::extent_sectors.
using Extents = std::uint64_t;

struct PhysicalVolume {
  std::string name;    // "pv0", the metadata's own name for it
  std::string id;      // a UUID as LVM2 writes it
  std::string device;  // a hint only: "/dev/leg0"
  std::vector<std::string> status{"ALLOCATABLE"};
  std::uint64_t device_sectors = 0;
  Sector first_extent = 0;  // where extent 0 begins (pe_start)
  Extents extent_count = 0;
  friend bool operator==(const PhysicalVolume&, const PhysicalVolume&) = default;
};

// A stretch of a physical volume, or of another logical volume.
struct Area {
  std::string volume;
  Extents first = 0;
  friend bool operator==(const Area&, const Area&) = default;
};

struct Segment {
  enum class Type : std::uint8_t { kStriped, kMirror, kSnapshot, kError };
  Extents first = 0;  // in its logical volume
  Extents count = 0;
  Type type = Type::kStriped;
  std::vector<Area> areas;             // kStriped: one; kMirror: one for each leg
  std::string log;                     // kMirror: the logical volume of its log; empty: core log
  std::uint32_t region_sectors = 0;    // kMirror; 0: not told (pvmove)
  Extents extents_copied = 0;          // kMirror, pvmove: how far the copying was when last written down
  std::string origin, cow;             // kSnapshot: names of logical volumes
  std::uint32_t chunk_sectors = 0;     // kSnapshot
  friend bool operator==(const Segment&, const Segment&) = default;
};

struct LogicalVolume {
  std::string name;
  std::string id;
  std::vector<std::string> status{"READ", "WRITE", "VISIBLE"};  // also "LOCKED", "PVMOVE"
  std::vector<std::string> flags;
  std::vector<Segment> segments;  // ascending, without gaps
  Extents extents() const {
    return segments.empty() ? 0 : segments.back().first + segments.back().count;
  }
  bool has_status(std::string_view word) const;
  void set_status(std::string_view word, bool on);
  friend bool operator==(const LogicalVolume&, const LogicalVolume&) = default;
};

struct VolumeGroup {
  std::string name;
  std::string id;
  std::uint64_t sequence = 1;  // seqno: grows with every write
  std::uint32_t extent_sectors = 8192;
  std::vector<std::string> status{"RESIZEABLE", "READ", "WRITE"};
  std::vector<PhysicalVolume> physical_volumes;
  std::vector<LogicalVolume> logical_volumes;

  const PhysicalVolume* physical(std::string_view volume) const;
  const LogicalVolume* logical(std::string_view volume) const;
  LogicalVolume* logical(std::string_view volume);
  // What is wrong with it, in words; empty: nothing. Segments lie one after the other, areas name
  // volumes that exist and lie within them, and no physical extent is used twice.
  std::vector<std::string> complaints() const;
  friend bool operator==(const VolumeGroup&, const VolumeGroup&) = default;
};

// `description` says in words which step wrote it ("Created *before* executing ..." in LVM2's own archives).
std::string to_text(const VolumeGroup& group, std::string_view description);
// `file` names the text in errors. What it returns has no complaints().
Result<VolumeGroup> volume_group_from_text(std::string_view text, std::string_view file);

// A UUID in LVM2's form, made from a name: the same name, the same UUID, on every machine.
std::string make_id(std::string_view name);
// Without the dashes, 32 characters: as it stands in a label. Requires a UUID in LVM2's form.
std::string id_without_dashes(std::string_view id);

}  // namespace dmsim::lvm
