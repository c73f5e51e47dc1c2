// From a volume group to the mapped devices that lvm2 makes of it: their names, their tables, their order.
//
// A visible logical volume is one device, vg-lv. A mirror's images and log are devices of their own below
// it, vg-lv_mimage_0 and vg-lv_mlog. An origin of snapshots moves one down, to vg-lv-real, and vg-lv becomes
// a snapshot-origin upon it; a snapshot is vg-snap, its store vg-snap-cow. With `passthrough` every visible
// volume lies one down in this way from the start, under a linear device that does nothing (the second cure
// of dm-devel 2010-08-18).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/lvm/volume_group.h"

namespace dmsim::lvm {

struct DeviceNode {
  std::string name;
  std::string table;
  friend bool operator==(const DeviceNode&, const DeviceNode&) = default;
};

struct TreeOptions {
  bool passthrough = false;
  bool moves_handle_errors = false;  // the mirror of a pvmove is told to, as others are
};

// "vg-lv", "vg-lv-real": with the hyphens of each part doubled.
std::string device_name(std::string_view group, std::string_view volume, std::string_view layer = {});

// Whether a snapshot of it exists.
bool is_origin(const VolumeGroup& group, std::string_view volume);
// The snapshot segment whose store is `volume`; null: it is none.
const Segment* snapshot_with_store(const VolumeGroup& group, std::string_view volume);
// The device that holds the volume's own segments: vg-lv, or vg-lv-real, or vg-snap-cow.
std::string own_device(const VolumeGroup& group, std::string_view volume, TreeOptions options);
// The table of the volume's own segments.
std::string own_table(const VolumeGroup& group, std::string_view volume, TreeOptions options = {});
// "pv0 128": where an area begins, on the disk or on the device of the volume below.
std::string device_place(const VolumeGroup& group, const Area& area);
// Some line of the table names that device.
bool stands_on(std::string_view table, std::string_view device);

// The devices of a visible volume, those below first; of an origin, its snapshots too, which come
// before the origin itself: from its first write on they must be there.
std::vector<DeviceNode> device_tree(const VolumeGroup& group, std::string_view volume, TreeOptions options);
// The devices of all visible volumes.
std::vector<DeviceNode> device_tree(const VolumeGroup& group, TreeOptions options);

}  // namespace dmsim::lvm
