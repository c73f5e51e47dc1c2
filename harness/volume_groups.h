// What a plan's volume groups come to: LVM2's metadata, and the mapped devices of every boot.
#pragma once

#include <string>
#include <vector>

#include "engine/lvm/device_tree.h"
#include "engine/lvm/metadata_area.h"
#include "harness/plan.h"
#include "models/disk/image.h"

namespace dmsim {

// Failure, in words: a volume does not fit, a disk is too small.
Result<lvm::VolumeGroup, std::string> volume_group_of(const VolumeGroupPlan& group,
                                                      const std::vector<DiskOptions>& disks);
// Its devices, lower ones first. Requires a group that can be made.
std::vector<DevicePlan> devices_of(const VolumeGroupPlan& group, const Plan& plan);
// Those of all groups.
std::vector<DevicePlan> group_devices(const Plan& plan);
// Every mapped device that the plan's groups may ever have: of either layering, and of their snapshots.
std::vector<std::string> group_device_names(const Plan& plan);
// What vgcreate has left on each disk, into the images in the order of the plan's disks.
void format_volume_groups(const Plan& plan, PageSpace& pages, std::vector<Image>* images);

}  // namespace dmsim
