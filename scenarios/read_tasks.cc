// Readers of the tasks: what applications and administrators do.
#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "models/workload/notation.h"
#include "scenarios/readers.h"
#include "scenarios/units.h"

namespace dmsim {
namespace {

// The device of a task: a mapped device or, for a control, a disk.
const KnownDevice* read_device_of_task(Reading& reading, MapReader& map, std::string& name) {
  map.text("device", name);
  if (reading.failed()) return nullptr;
  const KnownDevice* device = reading.find_device(name);
  if (device == nullptr) {
    reading.fail(map.position_of("device"),
                 unknown_name("device", name, reading.device_names(true, true)));
  }
  return device;
}

// Devices grow when an administrator's task loads a longer table, which may come later in the file.
void check_within_later(Reading& reading, YamlPosition where, std::string what, SectorRange range,
                        const std::string& device) {
  reading.later([&reading, where, what = std::move(what), range, device] {
    check_within(reading, where, what, range, *reading.find_device(device));
  });
}

void read_pace(MapReader& map, Pace& pace) {
  map.duration("start", pace.start);
  map.durations("every", pace.every);
  map.count("count", pace.count, 1);
}

void read_area(Reading& reading, MapReader& map, const std::string& device, Area& area) {
  map.range("range", area.range);
  map.sectors("block", area.block_sectors);
  map.flag("sequential", area.sequential);
  if (reading.failed()) return;
  if (area.block_sectors == 0) return map.fail("block", "found '0B', expected at least one sector");
  if (area.range.empty()) {
    return check_within_later(reading, map.position_of("block"), "block", {0, area.block_sectors},
                              device);
  }
  if (area.block_sectors > area.range.count()) {
    return map.fail(map.has("block") ? "block" : "range",
                    fmt::format("found blocks of {}s in the range {}, expected a range of at least "
                                "one block",
                                area.block_sectors, format_range(area.range)));
  }
  check_within_later(reading, map.position_of("range"), "range", area.range, device);
}

void check_direct(MapReader& map, Path path, std::string_view key, bool is_default) {
  if (path == Path::kDirect || is_default) return;
  map.fail(key, fmt::format("only path: direct has this, but the path is {}",
                            kPathWords[static_cast<std::size_t>(path)]));
}

void check_listed(MapReader& map, Path path) {
  if (path == Path::kUnlisted) map.fail("path", "found 'unlisted', which only writes can be");
}

WriteTask read_write(Reading& reading, MapReader& map) {
  WriteTask task;
  read_device_of_task(reading, map, task.device);
  map.word("path", task.path);
  read_area(reading, map, task.device, task.area);
  read_pace(map, task.pace);
  map.flag("fua", task.fua);
  map.flag("preflush", task.preflush);
  map.count("in-flight", task.in_flight, 1);
  map.count("flush-every", task.flush_every);
  map.flag("scribble", task.scribble);
  check_direct(map, task.path, "fua", !task.fua);
  check_direct(map, task.path, "preflush", !task.preflush);
  check_direct(map, task.path, "in-flight", task.in_flight == 1);
  check_direct(map, task.path, "scribble", !task.scribble);
  map.flag("heeds-cache", task.heeds_cache);
  check_direct(map, task.path, "heeds-cache", !task.heeds_cache);
  return task;
}

ReadTask read_read(Reading& reading, MapReader& map) {
  ReadTask task;
  read_device_of_task(reading, map, task.device);
  map.word("path", task.path);
  check_listed(map, task.path);
  read_area(reading, map, task.device, task.area);
  read_pace(map, task.pace);
  map.count("in-flight", task.in_flight, 1);
  check_direct(map, task.path, "in-flight", task.in_flight == 1);
  return task;
}

DiscardTask read_discard(Reading& reading, MapReader& map) {
  DiscardTask task;
  read_device_of_task(reading, map, task.device);
  read_area(reading, map, task.device, task.area);
  read_pace(map, task.pace);
  return task;
}

FlushTask read_flush(Reading& reading, MapReader& map) {
  FlushTask task;
  read_device_of_task(reading, map, task.device);
  map.word("path", task.path);
  check_listed(map, task.path);
  read_pace(map, task.pace);
  return task;
}

MmapStoreTask read_mmap_store(Reading& reading, MapReader& map) {
  MmapStoreTask task;
  read_device_of_task(reading, map, task.device);
  map.range("range", task.range);
  constexpr std::uint64_t kMostPages = std::uint64_t{1} << 50;
  std::uint64_t page = 0;
  map.count("page", page);
  map.bytes("store", task.store_bytes);
  read_pace(map, task.pace);
  if (reading.failed()) return task;
  if (map.has("page") && map.has("range")) {
    map.fail("page", "found both page and range, expected one of them");
  } else if (page > kMostPages) {
    map.fail("page", fmt::format("found '{}', which is too large", page));
  } else if (map.has("page")) {
    task.range = {page * kPageSectors, (page + 1) * kPageSectors};
  }
  if (task.range.begin % kPageSectors != 0 || task.range.end % kPageSectors != 0) {
    map.fail("range", fmt::format("found {}, expected whole pages, of 8s each",
                                  format_range(task.range)));
  }
  if (task.store_bytes == 0 || kPageBytes % task.store_bytes != 0) {
    map.fail("store", fmt::format("found {}, expected a divisor of 4KiB",
                                  format_size(task.store_bytes)));
  }
  check_within_later(reading, map.position_of(map.has("page") ? "page" : "range"),
                     map.has("page") ? fmt::format("page {}", page) : "range", task.range,
                     task.device);
  return task;
}

IoTask read_io(Reading& reading, MapReader& map) {
  IoTask task;
  read_device_of_task(reading, map, task.device);
  map.duration("start", task.start);
  map.text("script", task.script);
  if (reading.failed()) return task;
  const Result<IoScript> script = parse_notation(task.script);
  if (!script) {
    map.fail("script", script.error().message);
  } else if (script->steps.empty()) {
    map.fail("script", "found no request, expected I/O as in W0+8 c(W0+8) F c(F)");
  } else {
    reading.later([&reading, where = map.position_of("script"), end = script->end_sector(),
                   name = task.device] {
      const KnownDevice& device = *reading.find_device(name);
      if (device.sectors == 0 || end <= device.sectors) return;
      reading.fail(where, fmt::format("script: found requests up to sector {}, but '{}' ends at {}",
                                      end, name, device.sectors));
    });
  }
  return task;
}

Ext2Task read_ext2(Reading& reading, MapReader& map) {
  static constexpr std::array<std::uint32_t, 3> kBlockBytes{1024, 2048, 4096};
  Ext2Task task;
  read_device_of_task(reading, map, task.device);
  map.duration("start", task.start);
  std::size_t block = 0;
  map.word("block", block);
  task.block_bytes = kBlockBytes[block];
  map.count("files", task.files);
  map.bytes("file-size", task.file_bytes);
  map.count("unlink-every", task.unlink_every);
  map.count("fsync-every", task.fsync_every);
  map.durations("every", task.every);
  map.flag("unmount", task.unmount);
  return task;
}

FioIologTask read_fio_iolog(Reading& reading, MapReader& map) {
  FioIologTask task;
  read_device_of_task(reading, map, task.device);
  map.text("file", task.file);
  reading.check_file(map.position_of("file"), task.file);
  map.duration("start", task.start);
  return task;
}

LogWritesTask read_log_writes(Reading& reading, MapReader& map) {
  LogWritesTask task;
  read_device_of_task(reading, map, task.device);
  map.text("file", task.file);
  reading.check_file(map.position_of("file"), task.file);
  map.duration("start", task.start);
  map.count("first-entry", task.first_entry);
  map.count("entries", task.entries);
  return task;
}

TaskBody read_body(Reading& reading, const YamlNode& node, std::size_t kind,
                   const std::string& name, const Plan& plan) {
  MapReader map(reading, node, *kTaskKinds[kind].table);
  switch (kind) {  // in the order of TaskBody
    case 0: return read_write(reading, map);
    case 1: return read_read(reading, map);
    case 2: return read_discard(reading, map);
    case 3: return read_flush(reading, map);
    case 4: return read_mmap_store(reading, map);
    case 5: return read_io(reading, map);
    case 6: return read_ext2(reading, map);
    case 7: return read_fio_iolog(reading, map);
    case 8: return read_log_writes(reading, map);
    case 9: return read_dmsetup(reading, map, name, plan);
    case 10: return read_journal_fs(reading, map);
    case 11: return read_create_snapshot(reading, map, plan);
    case 12: return read_dmeventd(reading, map, plan);
    case 13: return read_swap(reading, map);
    case 14: return read_pvmove_lvm1(reading, map, plan);
    case 15: return read_pvmove(reading, map, plan);
    case 16: return read_resync_mirror(reading, map, plan);
    default: break;
  }
  CHECK(false, kind);
  return {};
}

// The entry of a task's map that says its kind, and the kind; null when the reading has failed.
const YamlEntry* find_kind(Reading& reading, const YamlNode& node, std::size_t& kind) {
  if (!node.is_map()) {
    reading.fail(node.position, fmt::format("found {}, expected a task as in write: {{device: lv}}",
                                            describe(node)));
    return nullptr;
  }
  std::vector<std::string_view> kinds;
  for (const TaskKind& each : kTaskKinds) kinds.push_back(each.name);
  const YamlEntry* chosen = nullptr;
  for (const YamlEntry& entry : node.entries) {
    if (entry.key == "name") continue;
    const auto found = std::find(kinds.begin(), kinds.end(), entry.key);
    if (found == kinds.end()) {
      reading.fail(entry.key_position, unknown_name("kind of task", entry.key, kinds));
      return nullptr;
    }
    if (chosen != nullptr) {
      reading.fail(entry.key_position, fmt::format("found a second kind, '{}', in one task: each task "
                                                   "is an item of the list", entry.key));
      return nullptr;
    }
    chosen = &entry;
    kind = static_cast<std::size_t>(found - kinds.begin());
  }
  if (chosen == nullptr) {
    reading.fail(node.position, fmt::format("found a task without a kind, expected {}",
                                            one_of(kinds)));
  }
  return chosen;
}

}  // namespace

void read_tasks(Reading& reading, const YamlNode& node, Plan& plan) {
  std::map<std::size_t, std::uint64_t> count_by_kind;
  for (const YamlNode& item : node.items) {
    std::size_t kind = 0;
    const YamlEntry* entry = find_kind(reading, item, kind);
    if (entry == nullptr) return;
    TaskPlan task;
    task.name = fmt::format("{}-{}", entry->key, ++count_by_kind[kind]);
    YamlPosition where = entry->key_position;
    if (const YamlNode* name = item.find("name")) {
      where = name->position;
      if (!name->is_scalar()) {
        return reading.fail(where, fmt::format("name: found {}, expected a task's name",
                                               describe(*name)));
      }
      task.name = name->text;
      check_name(reading, where, "a task", task.name);
    }
    for (const TaskPlan& other : plan.tasks) {
      if (other.name != task.name) continue;
      reading.fail(where, fmt::format("found a second task of the name '{}'", task.name));
    }
    task.body = read_body(reading, entry->value, kind, task.name, plan);
    plan.tasks.push_back(std::move(task));
    if (reading.failed()) return;
  }
}

}  // namespace dmsim
