// A volume group for tests: two physical volumes, a linear volume, a mirror with a log, and a snapshot of it.
#pragma once

#include "engine/lvm/volume_group.h"

namespace dmsim::lvm {

inline PhysicalVolume test_physical(const std::string& name, Extents extents) {
  PhysicalVolume out;
  out.name = name;
  out.id = make_id(name);
  out.device = "/dev/" + name;
  out.first_extent = 128;
  out.extent_count = extents;
  out.device_sectors = 128 + extents * 8;
  return out;
}

inline LogicalVolume test_logical(const std::string& name, std::vector<Segment> segments) {
  LogicalVolume out;
  out.name = name;
  out.id = make_id(name);
  out.segments = std::move(segments);
  return out;
}

inline Segment striped(Extents first, Extents count, const std::string& on, Extents at) {
  Segment out;
  out.first = first;
  out.count = count;
  out.areas = {{on, at}};
  return out;
}

inline VolumeGroup test_group() {
  VolumeGroup group;
  group.name = "vg0";
  group.id = make_id("vg0");
  group.sequence = 7;
  group.extent_sectors = 8;
  group.physical_volumes = {test_physical("pv0", 64), test_physical("pv1", 64)};
  Segment mirror;
  mirror.count = 16;
  mirror.type = Segment::Type::kMirror;
  mirror.areas = {{"lv_mimage_0", 0}, {"lv_mimage_1", 0}};
  mirror.log = "lv_mlog";
  mirror.region_sectors = 8;
  group.logical_volumes = {test_logical("lv", {mirror}),
                           test_logical("lv_mimage_0", {striped(0, 16, "pv0", 0)}),
                           test_logical("lv_mimage_1", {striped(0, 16, "pv1", 0)}),
                           test_logical("lv_mlog", {striped(0, 1, "pv0", 16)}),
                           test_logical("data", {striped(0, 4, "pv0", 17), striped(4, 4, "pv1", 16)})};
  return group;
}

}  // namespace dmsim::lvm
