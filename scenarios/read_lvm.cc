// Readers of volume groups, and of the tasks of those who administrate them.
#include <algorithm>

#include <fmt/format.h>

#include "harness/volume_groups.h"
#include "models/workload/journal_format.h"
#include "scenarios/readers.h"
#include "scenarios/units.h"

namespace dmsim {
namespace {

std::vector<std::string> read_disk_names(Reading& reading, MapReader& map, std::string_view key) {
  std::vector<std::string> out;
  const YamlNode* const list = map.find_list(key);
  if (list == nullptr) return out;
  for (const YamlNode& item : list->items) {
    const KnownDevice* const disk = item.is_scalar() ? reading.find_device(item.text) : nullptr;
    if (disk == nullptr || !disk->is_disk) {
      reading.fail(item.position, unknown_name("disk", item.is_scalar() ? item.text : describe(item),
                                               reading.device_names(true, false)));
      return out;
    }
    out.push_back(item.text);
  }
  if (out.empty()) map.fail(key, "found none, expected at least one disk");
  return out;
}

LogicalVolumePlan read_volume(Reading& reading, const YamlEntry& entry) {
  check_name(reading, entry.key_position, "a volume", entry.key);
  MapReader map(reading, entry.value, kVolumeKeys);
  LogicalVolumePlan volume;
  volume.name = entry.key;
  volume.on = read_disk_names(reading, map, "on");
  map.text("log", volume.log);
  map.count("extents", volume.extents, 1);
  map.sectors("region", volume.region_sectors);
  if (volume.on.size() == 1 && !volume.log.empty()) map.fail("log", "found a log, but only mirrors have one");
  if (volume.region_sectors < 8 || (volume.region_sectors & (volume.region_sectors - 1)) != 0) {
    map.fail("region", fmt::format("found {}, expected a power of two of at least 4KiB",
                                   format_sectors(volume.region_sectors)));
  }
  return volume;
}

VolumeGroupPlan read_volume_group(Reading& reading, const YamlEntry& entry, const Plan& plan) {
  check_name(reading, entry.key_position, "a volume group", entry.key);
  MapReader map(reading, entry.value, kVolumeGroupKeys);
  VolumeGroupPlan group;
  group.name = entry.key;
  group.disks = read_disk_names(reading, map, "disks");
  map.sectors("extent", group.extent_sectors);
  if (group.extent_sectors == 0 || group.extent_sectors % kPageSectors != 0) {
    map.fail("extent", fmt::format("found {}, expected a multiple of 4KiB", format_sectors(group.extent_sectors)));
  }
  if (const YamlNode* volumes = map.find_map("volumes")) {
    for (const YamlEntry& volume : volumes->entries) group.volumes.push_back(read_volume(reading, volume));
  }
  map.word("format", group.format);
  map.text("backup", group.backup);
  if (reading.failed()) return group;
  if (group.format == GroupFormat::kLvm1) {
    if (const auto made = lvm1_group_of(group, plan.disks); !made) reading.fail(entry.key_position, made.error());
    return group;
  }
  if (const auto made = volume_group_of(group, plan.disks); !made) reading.fail(entry.key_position, made.error());
  return group;
}

const VolumeGroupPlan* find_group(Reading& reading, MapReader& map, const Plan& plan, const std::string& name,
                                  GroupFormat format = GroupFormat::kLvm2) {
  if (reading.failed()) return nullptr;
  std::vector<std::string_view> names;
  for (const VolumeGroupPlan& group : plan.volume_groups) {
    if (group.format != format) continue;
    if (group.name == name) return &group;
    names.push_back(group.name);
  }
  reading.fail(map.position_of("group"), unknown_name("volume group", name, names));
  return nullptr;
}

}  // namespace

void read_volume_groups(Reading& reading, const YamlNode& node, Plan& plan) {
  for (const YamlEntry& entry : node.entries) {
    VolumeGroupPlan group = read_volume_group(reading, entry, plan);
    if (reading.failed()) return;
    for (const VolumeGroupPlan& other : plan.volume_groups) {
      for (const std::string& disk : group.disks) {
        if (std::find(other.disks.begin(), other.disks.end(), disk) == other.disks.end()) continue;
        return reading.fail(entry.key_position,
                            fmt::format("disk '{}' belongs to volume group '{}' already", disk, other.name));
      }
    }
    for (const LogicalVolumePlan& volume : group.volumes) {
      const std::uint64_t sectors = volume.extents * group.extent_sectors;
      for (const char* layer : {"", "real"}) {
        if (*layer != 0 && group.format == GroupFormat::kLvm1) continue;
        reading.add_device({lvm::device_name(group.name, volume.name, layer), sectors, false});
      }
      for (std::size_t leg = 0; volume.on.size() > 1 && leg < volume.on.size(); ++leg) {
        const std::string image = fmt::format("{}_mimage_{}", volume.name, leg);
        reading.add_device({lvm::device_name(group.name, image), sectors, false});
      }
    }
    if (!group.backup.empty() && reading.find_device(group.backup) == nullptr) {
      return reading.fail(entry.value.position, unknown_name("device", group.backup, reading.device_names(true, true)));
    }
    plan.volume_groups.push_back(std::move(group));
  }
}

JournalFsTask read_journal_fs(Reading& reading, MapReader& map) {
  JournalFsTask task;
  map.text("device", task.device);
  map.duration("start", task.start);
  map.count("files", task.files);
  map.count("names", task.names, 1);
  map.bytes("file-size", task.file_bytes);
  map.durations("every", task.every);
  map.count("fsync-every", task.fsync_every);
  map.duration("commit-every", task.commit_every);
  map.count("journal-blocks", task.journal_blocks, 8);
  map.flag("barriers", task.barriers);
  map.flag("unmount", task.unmount);
  if (reading.failed()) return task;
  if (reading.find_device(task.device) == nullptr) {
    reading.fail(map.position_of("device"), unknown_name("device", task.device, reading.device_names(true, true)));
  }
  constexpr std::uint32_t kMostBytes = journal_format::kMostFileBlocks * journal_format::kBlockBytes;
  if (task.file_bytes == 0 || task.file_bytes > kMostBytes) {
    map.fail("file-size", fmt::format("found {}, expected up to {}", format_size(task.file_bytes),
                                      format_size(kMostBytes)));
  }
  if (task.names > 32) map.fail("names", fmt::format("found '{}', expected up to 32", task.names));
  return task;
}

CreateSnapshotTask read_create_snapshot(Reading& reading, MapReader& map, const Plan& plan) {
  CreateSnapshotTask task;
  map.text("group", task.group);
  map.text("origin", task.origin);
  map.text("snapshot", task.snapshot);
  map.text("on", task.on);
  map.count("extents", task.extents, 1);
  map.sectors("chunk", task.chunk_sectors);
  map.duration("start", task.start);
  map.flag("may-fail", task.may_fail);
  const VolumeGroupPlan* const group = find_group(reading, map, plan, task.group);
  if (group == nullptr) return task;
  check_name(reading, map.position_of("snapshot"), "a snapshot", task.snapshot);
  std::vector<std::string_view> volumes;
  for (const LogicalVolumePlan& volume : group->volumes) volumes.push_back(volume.name);
  if (std::find(volumes.begin(), volumes.end(), task.origin) == volumes.end()) {
    return reading.fail(map.position_of("origin"), unknown_name("volume", task.origin, volumes)), task;
  }
  if (std::find(group->disks.begin(), group->disks.end(), task.on) == group->disks.end()) {
    const std::vector<std::string_view> disks(group->disks.begin(), group->disks.end());
    return reading.fail(map.position_of("on"), unknown_name("physical volume", task.on, disks)), task;
  }
  if (task.chunk_sectors < 8 || (task.chunk_sectors & (task.chunk_sectors - 1)) != 0) {
    map.fail("chunk", fmt::format("found {}, expected a power of two of at least 4KiB",
                                  format_sectors(task.chunk_sectors)));
  }
  const KnownDevice* const origin = reading.find_device(lvm::device_name(task.group, task.origin));
  CHECK(origin != nullptr, task.origin);
  reading.add_device({lvm::device_name(task.group, task.snapshot), origin->sectors, false});
  return task;
}

SwapTask read_swap(Reading& reading, MapReader& map) {
  SwapTask task;
  map.text("device", task.device);
  map.count("pages", task.pages, 1);
  map.duration("start", task.pace.start);
  map.durations("every", task.pace.every);
  map.count("count", task.pace.count, 1);
  if (reading.failed()) return task;
  const KnownDevice* const device = reading.find_device(task.device);
  if (device == nullptr) {
    reading.fail(map.position_of("device"), unknown_name("device", task.device, reading.device_names(true, true)));
  } else if (device->sectors != 0 && task.pages > device->sectors / kPageSectors) {
    map.fail("pages", fmt::format("found '{}', but '{}' has {}", task.pages, task.device,
                                  device->sectors / kPageSectors));
  }
  return task;
}

Lvm1PvmoveTask read_pvmove_lvm1(Reading& reading, MapReader& map, const Plan& plan) {
  Lvm1PvmoveTask task;
  map.text("group", task.group);
  map.text("from", task.from);
  map.text("to", task.to);
  map.duration("start", task.start);
  map.flag("back", task.back);
  map.flag("may-fail", task.may_fail);
  const VolumeGroupPlan* const group = find_group(reading, map, plan, task.group, GroupFormat::kLvm1);
  if (group == nullptr) return task;
  for (const std::string_view key : {"from", "to"}) {
    const std::string& disk = key == "from" ? task.from : task.to;
    if (std::find(group->disks.begin(), group->disks.end(), disk) != group->disks.end()) continue;
    const std::vector<std::string_view> disks(group->disks.begin(), group->disks.end());
    return reading.fail(map.position_of(key), unknown_name("physical volume", disk, disks)), task;
  }
  if (task.from == task.to) map.fail("to", fmt::format("found '{}' twice, expected another disk", task.to));
  return task;
}

DmeventdTask read_dmeventd(Reading& reading, MapReader& map, const Plan& plan) {
  DmeventdTask task;
  map.text("group", task.group);
  map.duration("start", task.start);
  find_group(reading, map, plan, task.group);
  return task;
}

PvmoveTask read_pvmove(Reading& reading, MapReader& map, const Plan& plan) {
  PvmoveTask task;
  map.text("group", task.group);
  map.text("from", task.from);
  if (map.find_list("to") != nullptr) task.to = read_disk_names(reading, map, "to");
  map.text("volume", task.volume);
  map.flag("atomic", task.atomic);
  map.flag("abort", task.abort);
  map.flag("no-mirror-target", task.no_mirror_target);
  map.flag("may-fail", task.may_fail);
  map.duration("start", task.start);
  map.duration("poll", task.poll);
  const VolumeGroupPlan* const group = find_group(reading, map, plan, task.group);
  if (group == nullptr) return task;
  if (task.abort) {
    if (!task.from.empty()) map.fail("from", "found a disk, but abort ends every move of the group");
    return task;
  }
  const std::vector<std::string_view> disks(group->disks.begin(), group->disks.end());
  const auto is_physical = [&](const std::string& name) {
    return std::find(disks.begin(), disks.end(), name) != disks.end();
  };
  if (!is_physical(task.from)) {
    return reading.fail(map.position_of("from"), unknown_name("physical volume", task.from, disks)), task;
  }
  for (const std::string& name : task.to) {
    if (is_physical(name)) continue;
    return reading.fail(map.position_of("to"), unknown_name("physical volume", name, disks)), task;
  }
  if (task.poll <= Duration()) map.fail("poll", "found 0, expected a duration");
  std::vector<std::string_view> volumes;
  for (const LogicalVolumePlan& volume : group->volumes) volumes.push_back(volume.name);
  if (!task.volume.empty() && std::find(volumes.begin(), volumes.end(), task.volume) == volumes.end()) {
    reading.fail(map.position_of("volume"), unknown_name("volume", task.volume, volumes));
  }
  return task;
}

ResyncMirrorTask read_resync_mirror(Reading& reading, MapReader& map, const Plan& plan) {
  ResyncMirrorTask task;
  map.text("group", task.group);
  map.text("volume", task.volume);
  map.duration("start", task.start);
  const VolumeGroupPlan* const group = find_group(reading, map, plan, task.group);
  if (group == nullptr) return task;
  std::vector<std::string_view> mirrors;
  for (const LogicalVolumePlan& volume : group->volumes) {
    if (volume.on.size() > 1) mirrors.push_back(volume.name);
  }
  if (std::find(mirrors.begin(), mirrors.end(), task.volume) == mirrors.end()) {
    reading.fail(map.position_of("volume"), unknown_name("mirror", task.volume, mirrors));
  }
  return task;
}

}  // namespace dmsim
