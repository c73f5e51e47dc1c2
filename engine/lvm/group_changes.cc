#include "engine/lvm/group_changes.h"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "engine/lvm/device_tree.h"
#include "engine/lvm/mirror_status.h"

namespace dmsim::lvm {
namespace {

// Where `extents` extents of the physical volume are free.
Result<Extents, std::string> find_gap(const VolumeGroup& group, const PhysicalVolume& physical, Extents extents) {
  std::map<Extents, Extents> used;  // first to end
  for (const LogicalVolume& volume : group.logical_volumes) {
    for (const Segment& segment : volume.segments) {
      for (const Area& area : segment.areas) {
        if (area.volume == physical.name) used[area.first] = area.first + segment.count;
      }
    }
  }
  Extents at = 0;
  for (const auto& [first, end] : used) {
    if (first - at >= extents) break;
    at = end;
  }
  if (at + extents <= physical.extent_count) return at;
  return Failure{fmt::format("{} extents are not free on {}", extents, physical.name)};
}

LogicalVolume fresh_volume(std::string_view name, bool visible) {
  LogicalVolume out;
  out.name = std::string(name);
  out.id = make_id(name);
  out.set_status("VISIBLE", visible);
  return out;
}

bool is_failure(char letter) { return letter == 'D' || letter == 'F' || letter == 'U'; }

void remove_volume(VolumeGroup& group, const std::string& name, std::vector<std::string>& gone) {
  std::erase_if(group.logical_volumes, [&](const LogicalVolume& each) { return each.name == name; });
  gone.push_back(name);
}

}  // namespace

Result<Done, std::string> add_linear(VolumeGroup& group, std::string_view name, std::string_view physical,
                                     Extents extents) {
  if (group.logical(name) != nullptr) return Failure{fmt::format("there is a volume '{}' already", name)};
  const PhysicalVolume* const on = group.physical(physical);
  if (on == nullptr) return Failure{fmt::format("there is no physical volume '{}'", physical)};
  const auto at = find_gap(group, *on, extents);
  if (!at) return Failure{at.error()};
  LogicalVolume volume = fresh_volume(name, true);
  Segment segment;
  segment.count = extents;
  segment.areas = {{on->name, *at}};
  volume.segments = {segment};
  group.logical_volumes.push_back(std::move(volume));
  return Done{};
}

Result<Done, std::string> add_mirror(VolumeGroup& group, std::string_view name, const MirrorShape& shape) {
  Segment mirror;
  mirror.count = shape.extents;
  mirror.type = Segment::Type::kMirror;
  mirror.region_sectors = shape.region_sectors;
  for (std::size_t leg = 0; leg < shape.legs.size(); ++leg) {
    const std::string image = fmt::format("{}_mimage_{}", name, leg);
    if (auto added = add_linear(group, image, shape.legs[leg], shape.extents); !added) return added;
    group.logical(image)->set_status("VISIBLE", false);
    mirror.areas.push_back({image, 0});
  }
  if (!shape.log.empty()) {
    mirror.log = fmt::format("{}_mlog", name);
    if (auto added = add_linear(group, mirror.log, shape.log, 1); !added) return added;
    group.logical(mirror.log)->set_status("VISIBLE", false);
  }
  LogicalVolume volume = fresh_volume(name, true);
  volume.segments = {mirror};
  group.logical_volumes.push_back(std::move(volume));
  return Done{};
}

void add_snapshot(VolumeGroup& group, std::string_view origin, std::string_view store,
                  std::uint32_t chunk_sectors) {
  std::size_t number = 0;
  while (group.logical(fmt::format("snapshot{}", number)) != nullptr) ++number;
  LogicalVolume volume = fresh_volume(fmt::format("snapshot{}", number), true);
  Segment segment;
  segment.count = group.logical(origin)->extents();
  segment.type = Segment::Type::kSnapshot;
  segment.origin = std::string(origin);
  segment.cow = std::string(store);
  segment.chunk_sectors = chunk_sectors;
  volume.segments = {segment};
  group.logical_volumes.push_back(std::move(volume));
}

MirrorHealth mirror_health(std::string_view status) {
  MirrorHealth out;
  const std::optional<MirrorStatus> mirror = read_mirror_status(status);
  if (!mirror) return out;
  for (std::size_t leg = 0; leg < mirror->devices.size(); ++leg) {
    if (is_failure(mirror->letters[leg])) out.failed_legs.emplace_back(mirror->devices[leg]);
  }
  out.log_failed = is_failure(mirror->log_letter);
  return out;
}

Result<std::vector<std::string>, std::string> reduce_mirror(VolumeGroup& group, std::string_view name,
                                                            const MirrorHealth& health) {
  LogicalVolume* const volume = group.logical(name);
  if (volume == nullptr || volume->segments.size() != 1 || volume->segments[0].type != Segment::Type::kMirror) {
    return Failure{fmt::format("{} is no mirror", name)};
  }
  Segment mirror = volume->segments[0];
  std::vector<std::string> gone_images;
  std::erase_if(mirror.areas, [&](const Area& area) {
    const std::string device = device_name(group.name, area.volume);
    const bool failed = std::find(health.failed_legs.begin(), health.failed_legs.end(), device) !=
                        health.failed_legs.end();
    if (failed) gone_images.push_back(area.volume);
    return failed;
  });
  if (mirror.areas.empty()) return Failure{fmt::format("no leg of {} is left", name)};
  std::vector<std::string> gone;
  const bool linear = mirror.areas.size() == 1;
  if (!mirror.log.empty() && (health.log_failed || linear)) {
    remove_volume(group, std::exchange(mirror.log, {}), gone);
  }
  std::vector<Segment> segments{mirror};
  if (linear) {
    const std::string last = mirror.areas[0].volume;
    segments = group.logical(last)->segments;
    group.logical(name)->set_status("LOCKED", group.logical(last)->has_status("LOCKED"));
    remove_volume(group, last, gone);
  }
  for (const std::string& image : gone_images) remove_volume(group, image, gone);
  group.logical(name)->segments = std::move(segments);
  return gone;
}

}  // namespace dmsim::lvm
