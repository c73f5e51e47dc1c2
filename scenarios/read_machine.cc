// Readers of what a scenario says of the machine: disks, faults, devices, memory, scheduler, power.
#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "base/nearest.h"
#include "scenarios/readers.h"
#include "scenarios/tables.h"
#include "scenarios/units.h"

namespace dmsim {
namespace {

// Enters a disk or device under a name that nothing else has.
void declare(Reading& reading, const YamlEntry& entry, KnownDevice device) {
  const std::string what = device.is_disk ? "a disk" : "a device";
  check_name(reading, entry.key_position, what, entry.key);
  if (reading.find_device(entry.key) != nullptr) {
    reading.fail(entry.key_position,
                 fmt::format("found '{}' as the name of {}, but a disk has it already", entry.key,
                             what));
  }
  reading.add_device(std::move(device));
}

DiskOptions read_disk(Reading& reading, const YamlEntry& entry) {
  MapReader map(reading, entry.value, kDiskKeys);
  DiskOptions disk;
  disk.name = entry.key;
  map.sectors("size", disk.sectors);
  map.word("cache", disk.cache);
  std::size_t atomic = disk.atomic_sectors == 1 ? 0 : 1;
  map.word("atomic", atomic);
  disk.atomic_sectors = atomic == 0 ? 1 : kPageSectors;
  map.sectors("cache-size", disk.cache_sectors);
  map.durations("read", disk.read);
  map.durations("write", disk.write);
  map.durations("flush", disk.flush);
  map.durations("discard", disk.discard);
  map.duration("evict-every", disk.evict_every);
  map.flag("discard-supported", disk.discard_supported);
  map.count("transfer-steps", disk.transfer_steps, 1);
  map.word("content", disk.content);
  if (disk.sectors == 0 || disk.sectors % kPageSectors != 0) {
    map.fail("size", fmt::format("found {}, expected a multiple of 4KiB above zero",
                                 format_sectors(disk.sectors)));
  }
  return disk;
}

void read_fault_range(Reading& reading, const YamlNode& node, SectorRange& range) {
  MapReader map(reading, node, kFaultRangeKeys);
  std::uint64_t begin = 0;
  std::uint64_t count = 0;
  map.sectors("at", begin);
  map.sectors("count", count);
  if (count == 0) map.fail("count", "found nothing to strike, expected at least one sector");
  if (!reading.failed()) range = {begin, begin + count};
}

FaultOptions read_fault(Reading& reading, const YamlNode& node) {
  MapReader map(reading, node, kFaultKeys);
  FaultOptions fault;
  map.text("disk", fault.disk);
  map.word("kind", fault.kind);
  if (const YamlNode* range = map.find("range")) {
    fault.range.emplace();
    if (range->is_map()) {
      read_fault_range(reading, *range, *fault.range);
    } else {
      map.range("range", *fault.range);
    }
  }
  map.duration("from", fault.from);
  map.duration("heals", fault.heals);
  map.count("skip", fault.skip);
  if (map.has("count")) fault.count.emplace();
  std::uint64_t strikes = 1;
  map.count("count", strikes, 1);
  if (fault.count) fault.count = strikes;
  map.ratio("probability", fault.probability);
  map.flag("after-reboot", fault.after_reboot);
  if (reading.failed()) return fault;

  const KnownDevice* disk = reading.find_device(fault.disk);
  if (disk == nullptr) {
    reading.fail(map.position_of("disk"),
                 unknown_name("disk", fault.disk, reading.device_names(true, false)));
  } else if (fault.range) {
    check_within(reading, map.position_of("range"), "range", *fault.range, *disk);
  }
  if (fault.heals && *fault.heals <= fault.from) {
    map.fail("heals", fmt::format("found {}, expected an instant after `from`, which is {}",
                                  format_duration(*fault.heals), format_duration(fault.from)));
  }
  return fault;
}

std::string_view trimmed(std::string_view line) {
  constexpr std::string_view kBlank = " \t\r";
  const std::size_t begin = line.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return line.substr(begin, line.find_last_not_of(kBlank) + 1 - begin);
}

void append_lines(std::string& table, std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    if (!line.empty()) table.append(table.empty() ? "" : "\n").append(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

void check_use(Reading& reading, YamlPosition where, const TableUse& use, TableReading how) {
  const KnownDevice& upper = *how.upper;
  std::vector<std::string_view> names = reading.device_names(true, true);
  std::erase(names, upper.name);
  if (use.device == upper.name) {
    return reading.fail(where, fmt::format("table of '{}' names the device itself, expected a disk or "
                                           "a device before it", upper.name));
  }
  const KnownDevice* lower = reading.find_device(use.device);
  if (lower == nullptr) {
    std::string message = unknown_name("disk or device", use.device, names);
    const bool guessed = !nearest_name(use.device, names).empty();
    if (how.at_boot && !guessed) message += " (a table names disks and the devices before it)";
    return reading.fail(where, std::move(message));
  }
  if (use.range) {
    check_within(reading, where, fmt::format("table of '{}'", upper.name), *use.range, *lower);
  }
}

DevicePlan read_device(Reading& reading, const YamlEntry& entry) {
  DevicePlan device;
  device.name = entry.key;
  declare(reading, entry, {entry.key, 0, false});
  const TableReading how{.upper = reading.find_device(entry.key), .at_boot = true};
  if (!entry.value.is_map()) {
    device.table = read_table(reading, entry.value, how);
    return device;
  }
  MapReader map(reading, entry.value, kDeviceKeys);
  map.flag("boot", device.boot);
  if (!device.boot && !map.has("table")) {
    map.leave_out("table");
  } else if (const YamlNode* table = map.find("table")) {
    device.table = read_table(reading, *table, how);
  }
  return device;
}

}  // namespace

void check_within(Reading& reading, YamlPosition where, std::string_view what, SectorRange range,
                  const KnownDevice& device) {
  if (device.sectors == 0 || range.end <= device.sectors) return;
  reading.fail(where, fmt::format("{}: found {} on {} '{}', which ends at {}s", what,
                                  format_range(range), device.is_disk ? "disk" : "device",
                                  device.name, device.sectors));
}

std::string read_table(Reading& reading, const YamlNode& node, TableReading how) {
  std::string table;
  std::vector<YamlPosition> line_positions;  // of a list's lines; empty: all at the node
  if (node.is_scalar()) {
    append_lines(table, node.text);
  } else if (node.is_sequence()) {
    for (const YamlNode& line : node.items) {
      if (!line.is_scalar() || trimmed(line.text).empty() ||
          line.text.find('\n') != std::string::npos) {
        reading.fail(line.position, fmt::format("found {}, expected one line of a table",
                                                describe(line)));
        return {};
      }
      append_lines(table, line.text);
      line_positions.push_back(line.position);
    }
  } else {
    reading.fail(node.position, fmt::format("found {}, expected a table as in \"0 2048 linear leg0 "
                                            "0\", or a list of its lines", describe(node)));
  }
  if (reading.failed() || how.may_be_wrong) return table;

  const auto place = [&](std::size_t line) {
    return line < line_positions.size() ? line_positions[line] : node.position;
  };
  const Result<ParsedTable, TableError> parsed = parse_table(table);
  if (!parsed) {
    const bool one_line = table.find('\n') == std::string::npos || !line_positions.empty();
    const std::string which = one_line ? "" : fmt::format(" line {}", parsed.error().line + 1);
    reading.fail(place(parsed.error().line),
                 fmt::format("table{}: {}", which, parsed.error().message));
    return table;
  }
  CHECK(how.upper != nullptr);
  for (const TableUse& use : parsed->uses) check_use(reading, place(use.line), use, how);
  how.upper->sectors = std::max(how.upper->sectors, parsed->sectors);
  return table;
}

void read_disks(Reading& reading, const YamlNode& node, Plan& plan) {
  for (const YamlEntry& entry : node.entries) {
    plan.disks.push_back(read_disk(reading, entry));
    declare(reading, entry, {entry.key, plan.disks.back().sectors, true});
  }
  if (plan.disks.empty()) reading.fail(node.position, "disks: found none, expected at least one");
}

void read_faults(Reading& reading, const YamlNode& node, Plan& plan) {
  for (const YamlNode& item : node.items) plan.faults.push_back(read_fault(reading, item));
}

void read_devices(Reading& reading, const YamlNode& node, Plan& plan) {
  for (const YamlEntry& entry : node.entries) plan.devices.push_back(read_device(reading, entry));
}

void read_memory(Reading& reading, const YamlNode& node, MemoryOptions& memory) {
  MapReader map(reading, node, kMemoryKeys);
  map.count("pages", memory.pages, 8);
  map.count("low-pages", memory.low_pages);
  map.count("high-pages", memory.high_pages);
  map.flag("stable-pages", memory.stable_pages);
  if (memory.high_pages > memory.pages) {
    map.fail("high-pages", fmt::format("found '{}', expected no more than pages, which is {}",
                                       memory.high_pages, memory.pages));
  }
  const std::uint64_t high = memory.high_pages == 0 ? memory.pages / 4 : memory.high_pages;
  if (memory.low_pages > high) {
    map.fail("low-pages", fmt::format("found '{}', expected no more than high-pages, which is {}",
                                      memory.low_pages, high));
  }
}

void read_pdflush(Reading& reading, const YamlNode& node, std::optional<PdflushOptions>& pdflush) {
  if (node.is_scalar() && node.text == "none") return;
  MapReader map(reading, node, kPdflushKeys);
  PdflushOptions options;
  map.duration("interval", options.interval);
  map.duration("expire", options.expire);
  map.flag("nonblocking", options.nonblocking);
  if (options.interval == Duration()) map.fail("interval", "found '0s', expected more than zero");
  pdflush = options;
}

void read_scheduler(Reading& reading, const YamlNode& node, MachinePlan& machine) {
  MapReader map(reading, node, kSchedulerKeys);
  map.duration("slice-cost", machine.slice_cost);
  map.ratio("preemption", machine.preemption);
  map.duration("patience", machine.patience);
  map.duration("settle", machine.settle);
  // A slice that costs nothing would let a loop that never blocks stop the clock.
  if (machine.slice_cost == Duration()) {
    map.fail("slice-cost", "found '0s', expected more than zero");
  }
}

void read_power_cut(Reading& reading, const YamlNode& node, PowerCutPlan& power_cut) {
  using When = PowerCutPlan::When;
  MapReader map(reading, node, kPowerCutKeys);
  if (const std::string* when = map.find_text("when")) {
    if (*when == "never") {
      power_cut.when = When::kNever;
    } else if (*when == "any") {
      power_cut.when = When::kAny;
    } else if (*when == "at-end") {
      power_cut.when = When::kAtEnd;
    } else if (const Result<Duration> at = parse_duration(*when)) {
      power_cut.when = When::kAt;
      power_cut.at = *at;
    } else {
      map.fail("when", fmt::format("found {}, expected never, any, at-end, or how long after boot, "
                                   "as in 10ms", in_quotes(*when)));
    }
  }
  map.duration("from", power_cut.from);
  if (power_cut.from != Duration() && power_cut.when != When::kAny) {
    map.fail("from", "found it beside another `when`, expected `when: any`");
  }
  map.word("survivors", power_cut.survivors);
  map.count("states", power_cut.states_per_cut, 1);
  map.count("depth", power_cut.depth, 1);
  map.word("tables", power_cut.tables);
  map.flag("fail-over", power_cut.devices_fail_over);
  read_engine(reading, map, power_cut.engine);
}

}  // namespace dmsim
