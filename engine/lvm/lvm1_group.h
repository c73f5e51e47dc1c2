// Lvm1Group: a volume group as LVM1 knows it, and the map of extents that stands on its physical volumes.
//
// A logical volume is a list of physical extents, nothing else. The whole map fits into one page, of which every
// physical volume holds two copies, an older and a newer: docs/LVM1_METADATA.md. A new version overwrites the older
// copy, so that a power cut at any instant leaves at least the version before; the newest that is whole counts.
//
// Not modelled: LVM1's own layout on disk (its structures are older than any specification), striping, snapshots,
// more than fits into a page.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "block/page.h"
#include "block/sector.h"

namespace dmsim::lvm1 {

// A physical extent.
struct Place {
  std::uint16_t disk = 0;    // in Group::disks
  std::uint16_t extent = 0;  // of it, from 0
  friend bool operator==(Place, Place) = default;
};

struct PhysicalVolume {
  std::string name;           // the disk's, at most 31 bytes
  std::uint32_t extents = 0;
  friend bool operator==(const PhysicalVolume&, const PhysicalVolume&) = default;
};

struct LogicalVolume {
  std::string name;           // at most 31 bytes
  std::vector<Place> map;     // one for each logical extent
  friend bool operator==(const LogicalVolume&, const LogicalVolume&) = default;
};

struct Group {
  std::string name;           // at most 31 bytes
  std::uint64_t sequence = 1; // grows with every version
  std::uint32_t extent_sectors = 128;
  Sector first_extent = 32;   // where extent 0 of every physical volume begins
  std::vector<PhysicalVolume> disks;
  std::vector<LogicalVolume> volumes;

  Sector sector_of(Place place) const { return first_extent + std::uint64_t{place.extent} * extent_sectors; }
  std::optional<std::uint16_t> find_disk(std::string_view disk) const;
  LogicalVolume* find(std::string_view volume);
  // The lowest extent of the disk that no volume uses.
  std::optional<Place> free_extent(std::uint16_t disk) const;
  // The volume's map in the words of a device-mapper table: linear lines.
  std::string table(const LogicalVolume& volume) const;
  friend bool operator==(const Group&, const Group&) = default;
};

// GROUP-VOLUME: how a volume is called as a device.
std::string device_name(std::string_view group, std::string_view volume);

// Where the copy that version `sequence` overwrites begins, on every physical volume.
constexpr Sector map_sector(std::uint64_t sequence) { return kPageSectors * (1 + sequence % 2); }

// A page, and back; nothing: these bytes are no whole version of a map. Requires a group that fits.
std::vector<std::byte> encode(const Group& group);
std::optional<Group> decode(const std::byte* page);

// The newest version among those that the two copies on each of `disks` hold. `read(disk, first, out)` fills a
// page; false: it cannot be read.
using ReadPage = std::function<bool(const std::string& disk, Sector first, std::byte* out)>;
std::optional<Group> newest(std::string_view group, const std::vector<std::string>& disks, const ReadPage& read);

}  // namespace dmsim::lvm1
