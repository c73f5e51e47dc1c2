#include "crash-replay/minimise/plan_parts.h"

#include <algorithm>
#include <charconv>
#include <sstream>
#include <type_traits>

#include <fmt/format.h>

#include "engine/lvm/device_tree.h"
#include "harness/volume_groups.h"
#include "models/workload/notation.h"
#include "scenarios/tables.h"

namespace dmsim {
namespace {

std::uint64_t number_in(const std::string& word) {
  std::uint64_t value = 0;
  const char* const end = word.data() + word.size();
  const auto parsed = std::from_chars(word.data(), end, value);
  return parsed.ec == std::errc() && parsed.ptr == end ? value : 0;
}

// `range` moved, and if need be cut, until it ends by `end`; its begin stays a multiple of `grain`.
SectorRange fitted(SectorRange range, std::uint64_t end, std::uint64_t grain) {
  if (range.empty() || range.end <= end) return range;
  const std::uint64_t count = std::min(range.count(), end);
  const std::uint64_t begin = (end - count) / grain * grain;
  return {begin, begin + count};
}

std::string fitted(const std::string& text, std::uint64_t end) {
  auto script = parse_notation(text);
  if (!script.ok()) return text;
  for (IoStep& step : script->steps) {
    IoRequest& request = step.request;
    if (request.sectors == 0 || request.sector + request.sectors <= end) continue;
    request.sectors = static_cast<std::uint32_t>(std::min<std::uint64_t>(request.sectors, end));
    request.sector = end - request.sectors;
  }
  return notation(*script);
}

// Also one that a volume group has, or may come to have.
bool has_device(const Plan& plan, const std::string& name) {
  const auto named = [&](const auto& thing) { return thing.name == name; };
  if (std::any_of(plan.devices.begin(), plan.devices.end(), named) ||
      std::any_of(plan.disks.begin(), plan.disks.end(), named)) {
    return true;
  }
  const std::vector<std::string> names = group_device_names(plan);
  return std::find(names.begin(), names.end(), name) != names.end();
}

const VolumeGroupPlan* group_of(const Plan& plan, const std::string& name) {
  const auto found = std::find_if(plan.volume_groups.begin(), plan.volume_groups.end(),
                                  [&](const VolumeGroupPlan& group) { return group.name == name; });
  return found == plan.volume_groups.end() ? nullptr : &*found;
}

bool has_volume(const VolumeGroupPlan& group, const std::string& name) {
  return std::any_of(group.volumes.begin(), group.volumes.end(),
                     [&](const LogicalVolumePlan& volume) { return volume.name == name; });
}

bool has_disk(const VolumeGroupPlan& group, const std::string& name) {
  return std::find(group.disks.begin(), group.disks.end(), name) != group.disks.end();
}

// A command of LVM about a group, a volume or a disk of it that the plan does not have.
bool is_dangling(const Plan& plan, const TaskBody& body) {
  return std::visit([&](const auto& task) {
    if constexpr (requires { task.group; }) {
      const VolumeGroupPlan* const group = group_of(plan, task.group);
      if (group == nullptr) return true;
      if constexpr (requires { task.origin; }) {
        return !has_volume(*group, task.origin) || !has_disk(*group, task.on);
      } else if constexpr (requires { task.abort; }) {
        return !task.abort &&
               (!has_disk(*group, task.from) || (!task.volume.empty() && !has_volume(*group, task.volume)));
      } else if constexpr (requires { task.from; }) {
        return !has_disk(*group, task.from) || !has_disk(*group, task.to);
      } else if constexpr (requires { task.volume; }) {
        return !task.volume.empty() && !has_volume(*group, task.volume);
      }
    }
    return false;
  }, body);
}

// Groups lose disks that are not there, and volumes that stand on one.
void drop_volumes(Plan& plan) {
  const auto is_disk = [&](const std::string& name) {
    return std::any_of(plan.disks.begin(), plan.disks.end(),
                       [&](const DiskOptions& disk) { return disk.name == name; });
  };
  for (VolumeGroupPlan& group : plan.volume_groups) {
    std::erase_if(group.disks, [&](const std::string& name) { return !is_disk(name); });
    std::erase_if(group.volumes, [&](const LogicalVolumePlan& volume) {
      return !std::all_of(volume.on.begin(), volume.on.end(), is_disk) ||
             (!volume.log.empty() && !is_disk(volume.log));
    });
  }
  std::erase_if(plan.volume_groups, [](const VolumeGroupPlan& group) { return group.volumes.empty(); });
  for (VolumeGroupPlan& group : plan.volume_groups) {
    if (!group.backup.empty() && !has_device(plan, group.backup)) group.backup.clear();
  }
}

bool has_task(const Plan& plan, const std::string& name) {
  return std::any_of(plan.tasks.begin(), plan.tasks.end(),
                     [&](const TaskPlan& task) { return task.name == name; });
}

}  // namespace

Pace* pace_of(TaskBody& body) {
  return std::visit([](auto& task) -> Pace* {
    if constexpr (requires { task.pace; }) return &task.pace;
    return nullptr;
  }, body);
}

Area* area_of(TaskBody& body) {
  return std::visit([](auto& task) -> Area* {
    if constexpr (requires { task.area; }) return &task.area;
    return nullptr;
  }, body);
}

SectorRange* range_of(TaskBody& body) {
  if (Area* area = area_of(body)) return &area->range;
  if (auto* store = std::get_if<MmapStoreTask>(&body)) return &store->range;
  return nullptr;
}

const std::string* device_of(const TaskBody& body) {
  return std::visit([](const auto& task) -> const std::string* {
    if constexpr (requires { task.device; }) return &task.device;
    return nullptr;
  }, body);
}

std::uint64_t sectors_of(const Plan& plan, std::string_view name) {
  for (const DevicePlan& device : plan.devices) {
    if (device.name != name) continue;
    const auto table = parse_table(device.table);
    return table.ok() ? table->sectors : 0;
  }
  for (const DiskOptions& disk : plan.disks) {
    if (disk.name == name) return disk.sectors;
  }
  for (const VolumeGroupPlan& group : plan.volume_groups) {
    for (const LogicalVolumePlan& volume : group.volumes) {
      if (lvm::device_name(group.name, volume.name) == name) return volume.extents * group.extent_sectors;
    }
  }
  return 0;
}

void fit_ranges(Plan& plan) {
  for (TaskPlan& task : plan.tasks) {
    const std::string* device = device_of(task.body);
    if (device == nullptr) continue;
    const std::uint64_t sectors = sectors_of(plan, *device);
    if (sectors == 0) continue;
    std::uint64_t grain = 8;
    if (Area* area = area_of(task.body)) {
      area->block_sectors = static_cast<std::uint32_t>(
          std::min<std::uint64_t>(area->block_sectors, sectors));
      grain = area->block_sectors;
    }
    if (SectorRange* range = range_of(task.body)) *range = fitted(*range, sectors, grain);
    if (auto* io = std::get_if<IoTask>(&task.body)) io->script = fitted(io->script, sectors);
  }
  for (FaultOptions& fault : plan.faults) {
    const std::uint64_t sectors = sectors_of(plan, fault.disk);
    if (fault.range && sectors != 0) fault.range = fitted(*fault.range, sectors, 1);
  }
}

void move_starts(Plan& plan, const std::function<Duration(Duration)>& move) {
  for (TaskPlan& task : plan.tasks) {
    std::visit([&](auto& body) {
      if constexpr (requires { body.pace; }) body.pace.start = move(body.pace.start);
      if constexpr (requires { body.start; }) body.start = move(body.start);
    }, task.body);
  }
  for (FaultOptions& fault : plan.faults) {
    fault.from = move(fault.from);
    if (fault.heals) fault.heals = move(*fault.heals);
  }
}

void drop_dangling(Plan& plan) {
  drop_volumes(plan);
  const auto gone = [&](const std::string& name) { return !has_device(plan, name); };
  std::erase_if(plan.faults, [&](const FaultOptions& fault) { return gone(fault.disk); });
  std::erase_if(plan.tasks, [&](const TaskPlan& task) {
    const std::string* device = device_of(task.body);
    return (device != nullptr && gone(*device)) || is_dangling(plan, task.body);
  });
  for (TaskPlan& task : plan.tasks) {
    // A move goes to what is left of the disks that it names; to all others if none is.
    if (auto* move = std::get_if<PvmoveTask>(&task.body)) {
      const VolumeGroupPlan* const group = group_of(plan, move->group);
      std::erase_if(move->to, [&](const std::string& name) { return !has_disk(*group, name); });
    }
    auto* admin = std::get_if<DmsetupTask>(&task.body);
    if (admin == nullptr) continue;
    std::erase_if(admin->steps, [&](const DmsetupStep& step) {
      if (step.verb == DmsetupStep::Verb::kWaitTask) return !has_task(plan, step.text);
      return !step.device.empty() && gone(step.device);
    });
  }
}

TableWords table_words(std::string_view table) {
  TableWords out;
  std::istringstream lines{std::string(table)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    out.emplace_back();
    for (std::string word; words >> word;) out.back().push_back(word);
  }
  return out;
}

std::string table_text(TableWords words) {
  std::string out;
  std::uint64_t at = 0;
  for (auto& line : words) {
    if (line.size() < 2) continue;
    line[0] = std::to_string(at);
    at += number_in(line[1]);
    if (!out.empty()) out += '\n';
    for (std::size_t i = 0; i < line.size(); ++i) out += (i == 0 ? "" : " ") + line[i];
  }
  return out;
}

void change_table(Plan& plan, std::size_t device, const std::string& table) {
  const std::string old = plan.devices[device].table;
  plan.devices[device].table = table;
  for (TaskPlan& task : plan.tasks) {
    auto* admin = std::get_if<DmsetupTask>(&task.body);
    if (admin == nullptr) continue;
    for (DmsetupStep& step : admin->steps) {
      if (step.verb == DmsetupStep::Verb::kLoad && step.text == old) step.text = table;
    }
  }
}

MirrorWords mirror_words(const std::vector<std::string>& line) {
  MirrorWords words;
  if (line.size() < 7 || line[2] != "mirror") return words;
  words.log_arguments = 4;
  const std::uint64_t arguments = number_in(line[4]);
  words.region_size = line[3] == "disk" ? 6 : 5;
  const std::size_t legs = 5 + static_cast<std::size_t>(arguments);
  if (arguments == 0 || arguments > line.size() || legs >= line.size()) return words;
  words.leg_count = static_cast<std::size_t>(number_in(line[legs]));
  words.features = legs + 1 + 2 * words.leg_count;
  if (words.leg_count == 0 || words.leg_count > line.size() || words.features > line.size()) return words;
  words.legs = legs;
  return words;
}

}  // namespace dmsim
