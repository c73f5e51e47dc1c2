#include "harness/volume_groups.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "engine/lvm/group_changes.h"
#include "engine/lvm/lvm_switches.h"
#include "engine/lvm/metadata_steps.h"

namespace dmsim {
namespace {

// As pvcreate places it, but nearer: metadata up to 64 KiB, data behind.
constexpr Sector kFirstExtent = 128;

void add_name(std::vector<std::string>& names, const std::string& name) {
  if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
}

lvm::VolumeGroup must_be_made(const VolumeGroupPlan& group, const std::vector<DiskOptions>& disks) {
  auto made = volume_group_of(group, disks);
  CHECK(made.ok(), group.name, made.ok() ? "" : made.error());
  return std::move(*made);
}

lvm1::Group must_be_lvm1(const VolumeGroupPlan& group, const std::vector<DiskOptions>& disks) {
  auto made = lvm1_group_of(group, disks);
  CHECK(made.ok(), group.name, made.ok() ? "" : made.error());
  return std::move(*made);
}

// Maps, in the words of tables.
std::vector<DevicePlan> lvm1_devices(const VolumeGroupPlan& group, const Plan& plan) {
  const lvm1::Group made = must_be_lvm1(group, plan.disks);
  std::vector<DevicePlan> out;
  for (const lvm1::LogicalVolume& volume : made.volumes) {
    out.push_back({lvm1::device_name(made.name, volume.name), made.table(volume), true});
  }
  return out;
}

// Both copies say the same at first.
void format_lvm1(const VolumeGroupPlan& group, const Plan& plan, PageSpace& pages, std::vector<Image>* images) {
  const std::vector<std::byte> page = lvm1::encode(must_be_lvm1(group, plan.disks));
  for (std::size_t disk = 0; disk < plan.disks.size(); ++disk) {
    if (std::find(group.disks.begin(), group.disks.end(), plan.disks[disk].name) == group.disks.end()) continue;
    for (std::uint64_t copy = 0; copy < 2; ++copy) (*images)[disk].write_sectors(pages, lvm1::map_sector(copy), page);
  }
}

}  // namespace

Result<lvm::VolumeGroup, std::string> volume_group_of(const VolumeGroupPlan& plan,
                                                      const std::vector<DiskOptions>& disks) {
  lvm::VolumeGroup group;
  group.name = plan.name;
  group.id = lvm::make_id(plan.name);
  group.extent_sectors = plan.extent_sectors;
  for (const std::string& name : plan.disks) {
    const auto disk = std::find_if(disks.begin(), disks.end(),
                                   [&](const DiskOptions& each) { return each.name == name; });
    if (disk == disks.end()) return Failure{fmt::format("there is no disk '{}'", name)};
    if (disk->sectors < kFirstExtent + plan.extent_sectors) {
      return Failure{fmt::format("disk '{}' is too small for metadata and one extent", name)};
    }
    lvm::PhysicalVolume volume;
    volume.name = name;
    volume.id = lvm::make_id(name);
    volume.device = "/dev/" + name;
    volume.device_sectors = disk->sectors;
    volume.first_extent = kFirstExtent;
    volume.extent_count = (disk->sectors - kFirstExtent) / plan.extent_sectors;
    group.physical_volumes.push_back(std::move(volume));
  }
  for (const LogicalVolumePlan& volume : plan.volumes) {
    const auto added = volume.on.size() == 1
                           ? lvm::add_linear(group, volume.name, volume.on[0], volume.extents)
                           : lvm::add_mirror(group, volume.name,
                                             {volume.on, volume.log, volume.extents, volume.region_sectors});
    if (!added) return Failure{fmt::format("volume '{}': {}", volume.name, added.error())};
  }
  return group;
}

Result<lvm1::Group, std::string> lvm1_group_of(const VolumeGroupPlan& plan, const std::vector<DiskOptions>& disks) {
  lvm1::Group group;
  group.name = plan.name;
  group.extent_sectors = plan.extent_sectors;
  for (const std::string& name : plan.disks) {
    const auto disk = std::find_if(disks.begin(), disks.end(),
                                   [&](const DiskOptions& each) { return each.name == name; });
    if (disk == disks.end()) return Failure{fmt::format("there is no disk '{}'", name)};
    if (disk->sectors < group.first_extent + plan.extent_sectors) {
      return Failure{fmt::format("disk '{}' is too small for its map and one extent", name)};
    }
    const std::uint64_t extents = (disk->sectors - group.first_extent) / plan.extent_sectors;
    group.disks.push_back({name, static_cast<std::uint32_t>(std::min<std::uint64_t>(extents, 65535))});
  }
  std::uint64_t map_entries = 0;
  for (const LogicalVolumePlan& volume : plan.volumes) {
    if (volume.on.size() != 1) return Failure{fmt::format("volume '{}': LVM1 has no mirrors", volume.name)};
    const auto disk = group.find_disk(volume.on[0]);
    if (!disk) return Failure{fmt::format("volume '{}': '{}' is not of the group", volume.name, volume.on[0])};
    group.volumes.push_back({volume.name, {}});
    for (std::uint64_t i = 0; i < volume.extents; ++i) {
      const auto place = group.free_extent(*disk);
      if (!place) return Failure{fmt::format("volume '{}': {} extents do not fit on {}", volume.name, volume.extents,
                                             volume.on[0])};
      group.volumes.back().map.push_back(*place);
    }
    map_entries += volume.extents;
  }
  const std::uint64_t bytes = 72 + 36 * (group.disks.size() + group.volumes.size()) + 4 * map_entries;
  if (bytes > kPageBytes) return Failure{std::string("its map does not fit into a page")};
  return group;
}

bool is_lvm1_disk(const Plan& plan, std::string_view disk) {
  return std::any_of(plan.volume_groups.begin(), plan.volume_groups.end(), [&](const VolumeGroupPlan& group) {
    return group.format == GroupFormat::kLvm1 &&
           std::find(group.disks.begin(), group.disks.end(), disk) != group.disks.end();
  });
}

bool has_lvm1(const Plan& plan) {
  return std::any_of(plan.volume_groups.begin(), plan.volume_groups.end(),
                     [](const VolumeGroupPlan& group) { return group.format == GroupFormat::kLvm1; });
}

std::vector<DevicePlan> devices_of(const VolumeGroupPlan& group, const Plan& plan) {
  if (group.format == GroupFormat::kLvm1) return lvm1_devices(group, plan);
  const lvm::TreeOptions options{lvm::LvmSwitches::of(plan.switches).passthrough};
  std::vector<DevicePlan> out;
  for (const lvm::DeviceNode& node : lvm::device_tree(must_be_made(group, plan.disks), options)) {
    out.push_back({node.name, node.table, true});
  }
  return out;
}

std::vector<DevicePlan> group_devices(const Plan& plan) {
  std::vector<DevicePlan> out;
  for (const VolumeGroupPlan& group : plan.volume_groups) {
    for (DevicePlan& device : devices_of(group, plan)) out.push_back(std::move(device));
  }
  return out;
}

std::vector<std::string> group_device_names(const Plan& plan) {
  std::vector<std::string> out;
  for (const DevicePlan& device : group_devices(plan)) add_name(out, device.name);
  for (const VolumeGroupPlan& group : plan.volume_groups) {
    if (group.format == GroupFormat::kLvm1) continue;
    for (const LogicalVolumePlan& volume : group.volumes) {
      add_name(out, lvm::device_name(group.name, volume.name, "real"));
    }
  }
  std::map<std::string, std::size_t> moves;  // of each group
  for (const TaskPlan& task : plan.tasks) {
    if (const auto* move = std::get_if<PvmoveTask>(&task.body)) {
      if (move->abort) continue;
      const std::string name = fmt::format("pvmove{}", moves[move->group]++);
      add_name(out, lvm::device_name(move->group, name));
      if (!move->atomic) continue;
      for (const char* image : {"_mimage_0", "_mimage_1"}) add_name(out, lvm::device_name(move->group, name + image));
    }
    const auto* create = std::get_if<CreateSnapshotTask>(&task.body);
    if (create == nullptr) continue;
    add_name(out, lvm::device_name(create->group, create->snapshot));
    add_name(out, lvm::device_name(create->group, create->snapshot, "cow"));
  }
  return out;
}

void format_volume_groups(const Plan& plan, PageSpace& pages, std::vector<Image>* images) {
  for (const VolumeGroupPlan& group : plan.volume_groups) {
    if (group.format == GroupFormat::kLvm1) {
      format_lvm1(group, plan, pages, images);
      continue;
    }
    const lvm::VolumeGroup made = must_be_made(group, plan.disks);
    for (const lvm::PhysicalVolume& volume : made.physical_volumes) {
      for (std::size_t disk = 0; disk < plan.disks.size(); ++disk) {
        if (plan.disks[disk].name != volume.name) continue;
        for (const lvm::SectorWrite& part : lvm::fresh_volume(made, volume, {})) {
          (*images)[disk].write_sectors(pages, part.first, part.bytes);
        }
      }
    }
  }
}

}  // namespace dmsim
