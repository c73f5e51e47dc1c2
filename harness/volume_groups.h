// What a plan's volume groups come to: LVM2's metadata, and the mapped devices of every boot.
#pragma once

#include <string>
#include <vector>

#include "engine/lvm/device_tree.h"
#include "engine/lvm/lvm1_group.h"
#include "engine/lvm/metadata_area.h"
#include "harness/plan.h"
#include "models/disk/image.h"

namespace dmsim {

// Failure, in words: a volume does not fit, a disk is too small.
Result<lvm::VolumeGroup, std::string> volume_group_of(const VolumeGroupPlan& group,
                                                      const std::vector<DiskOptions>& disks);
// The same of a group of LVM1.
Result<lvm1::Group, std::string> lvm1_group_of(const VolumeGroupPlan& group, const std::vector<DiskOptions>& disks);
// The disk is a physical volume of LVM1: what it holds is its volumes' to say, not its own users'.
bool is_lvm1_disk(const Plan& plan, std::string_view disk);
bool has_lvm1(const Plan& plan);
// Its devices, lower ones first. Requires a group that can be made.
std::vector<DevicePlan> devices_of(const VolumeGroupPlan& group, const Plan& plan);
// Those of all groups.
std::vector<DevicePlan> group_devices(const Plan& plan);
// Every mapped device that the plan's groups may ever have: of either layering, and of their snapshots.
std::vector<std::string> group_device_names(const Plan& plan);
// What vgcreate has left on each disk, into the images in the order of the plan's disks.
void format_volume_groups(const Plan& plan, PageSpace& pages, std::vector<Image>* images);

}  // namespace dmsim
