#include "engine/lvm/device_tree.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/check.h"
#include "engine/lvm/pvmove_changes.h"

namespace dmsim::lvm {
namespace {

std::string with_hyphens_doubled(std::string_view part) {
  std::string out;
  for (const char c : part) out.append(c == '-' ? 2 : 1, c);
  return out;
}

const LogicalVolume& volume_of(const VolumeGroup& group, std::string_view name) {
  const LogicalVolume* found = group.logical(name);
  CHECK(found != nullptr, group.name, name);
  return *found;
}

std::string segment_line(const VolumeGroup& group, const Segment& segment) {
  const std::string range = fmt::format("{} {}", segment.first * group.extent_sectors,
                                        segment.count * group.extent_sectors);
  switch (segment.type) {
    case Segment::Type::kStriped: return range + " linear " + device_place(group, segment.areas[0]);
    case Segment::Type::kError: return range + " error";
    case Segment::Type::kMirror: {
      CHECK(segment.region_sectors > 0, "a mirror without a region size");
      std::string line = range + " mirror ";
      line += segment.log.empty()
                  ? fmt::format("core 1 {}", segment.region_sectors)
                  : fmt::format("disk 2 {} {}", device_name(group.name, segment.log), segment.region_sectors);
      line += fmt::format(" {}", segment.areas.size());
      for (const Area& area : segment.areas) line += " " + device_place(group, area);
      return line + " 1 handle_errors";
    }
    case Segment::Type::kSnapshot: break;
  }
  UNMODELLED("a snapshot's segment as a table of its own");
}

bool lies_one_down(const VolumeGroup& group, std::string_view volume, TreeOptions options) {
  // Also once a mirror has become linear: its layer stays.
  const bool layered = options.passthrough && volume_of(group, volume).has_status("VISIBLE") &&
                       snapshot_with_store(group, volume) == nullptr;
  return layered || is_origin(group, volume);
}

void add_once(std::vector<DeviceNode>& out, DeviceNode node) {
  for (const DeviceNode& known : out) {
    if (known.name == node.name) return;
  }
  out.push_back(std::move(node));
}

// What the volume's segments stand on, and then the device of the segments themselves.
void add_own(const VolumeGroup& group, std::string_view volume, TreeOptions options,
             std::vector<DeviceNode>& out) {
  for (const Segment& segment : volume_of(group, volume).segments) {
    for (const Area& area : segment.areas) {
      if (group.physical(area.volume) == nullptr) add_own(group, area.volume, options, out);
    }
    if (!segment.log.empty()) add_own(group, segment.log, options, out);
  }
  add_once(out, {own_device(group, volume, options), own_table(group, volume, options)});
}

}  // namespace

std::string device_name(std::string_view group, std::string_view volume, std::string_view layer) {
  std::string out = with_hyphens_doubled(group) + "-" + with_hyphens_doubled(volume);
  if (!layer.empty()) out += "-" + std::string(layer);
  return out;
}

std::string device_place(const VolumeGroup& group, const Area& area) {
  if (const PhysicalVolume* volume = group.physical(area.volume)) {
    std::string_view disk = volume->device;
    disk.remove_prefix(std::min(disk.size(), disk.rfind('/') + 1));
    return fmt::format("{} {}", disk, volume->first_extent + area.first * group.extent_sectors);
  }
  return fmt::format("{} {}", device_name(group.name, area.volume), area.first * group.extent_sectors);
}

bool stands_on(std::string_view table, std::string_view device) {
  for (std::size_t at = table.find(device); at != std::string_view::npos; at = table.find(device, at + 1)) {
    const bool begins = at == 0 || table[at - 1] == ' ' || table[at - 1] == '\n';
    const std::size_t end = at + device.size();
    if (begins && (end == table.size() || table[end] == ' ' || table[end] == '\n')) return true;
  }
  return false;
}

bool is_origin(const VolumeGroup& group, std::string_view volume) {
  return std::any_of(group.logical_volumes.begin(), group.logical_volumes.end(), [&](const LogicalVolume& each) {
    return !each.segments.empty() && each.segments[0].type == Segment::Type::kSnapshot &&
           each.segments[0].origin == volume;
  });
}

const Segment* snapshot_with_store(const VolumeGroup& group, std::string_view volume) {
  for (const LogicalVolume& each : group.logical_volumes) {
    if (each.segments.empty() || each.segments[0].type != Segment::Type::kSnapshot) continue;
    if (each.segments[0].cow == volume) return &each.segments[0];
  }
  return nullptr;
}

std::string own_device(const VolumeGroup& group, std::string_view volume, TreeOptions options) {
  if (snapshot_with_store(group, volume) != nullptr) return device_name(group.name, volume, "cow");
  return device_name(group.name, volume, lies_one_down(group, volume, options) ? "real" : "");
}

std::string own_table(const VolumeGroup& group, std::string_view volume, TreeOptions options) {
  if (is_move(volume_of(group, volume))) return move_table(group, volume, {options.moves_handle_errors});
  std::string out;
  for (const Segment& segment : volume_of(group, volume).segments) {
    if (!out.empty()) out += '\n';
    out += segment_line(group, segment);
  }
  return out;
}

std::vector<DeviceNode> device_tree(const VolumeGroup& group, std::string_view volume, TreeOptions options) {
  std::vector<DeviceNode> out;
  add_own(group, volume, options, out);
  if (!lies_one_down(group, volume, options)) return out;
  const std::uint64_t sectors = volume_of(group, volume).extents() * group.extent_sectors;
  const std::string real = own_device(group, volume, options);
  const std::string top = device_name(group.name, volume);
  if (!is_origin(group, volume)) {
    out.push_back({top, fmt::format("0 {} linear {} 0", sectors, real)});
    return out;
  }
  for (const LogicalVolume& each : group.logical_volumes) {
    if (each.segments.empty() || each.segments[0].type != Segment::Type::kSnapshot) continue;
    const Segment& snapshot = each.segments[0];
    if (snapshot.origin != volume) continue;
    add_own(group, snapshot.cow, options, out);
    out.push_back({device_name(group.name, snapshot.cow),
                   fmt::format("0 {} snapshot {} {} P {}", sectors, real, own_device(group, snapshot.cow, options),
                               snapshot.chunk_sectors)});
  }
  out.push_back({top, fmt::format("0 {} snapshot-origin {}", sectors, real)});
  return out;
}

std::vector<DeviceNode> device_tree(const VolumeGroup& group, TreeOptions options) {
  std::vector<DeviceNode> out;
  for (const LogicalVolume& volume : group.logical_volumes) {
    const bool is_snapshot = !volume.segments.empty() && volume.segments[0].type == Segment::Type::kSnapshot;
    if (!volume.has_status("VISIBLE") || is_snapshot || snapshot_with_store(group, volume.name) != nullptr) continue;
    for (DeviceNode& node : device_tree(group, volume.name, options)) add_once(out, std::move(node));
  }
  return out;
}

}  // namespace dmsim::lvm
