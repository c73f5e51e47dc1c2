// write_plan: one function per part, each the mirror of its reader.
//
// Maps of values are written in flow style on one line, lists and maps of parts in block style, so that
// a plan reads like a scenario. What a plan leaves open (a fault's range, an area) is left out, every
// other value is written even where it is the default.
#include "scenarios/plan_yaml.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "scenarios/keys.h"
#include "scenarios/units.h"

namespace dmsim {
namespace {

// "{key: value, ...}", in the order of its calls.
class Flow {
 public:
  Flow& text(std::string_view key, std::string_view value) { return raw(key, yaml_scalar(value)); }
  Flow& flag(std::string_view key, bool value) { return raw(key, value ? "true" : "false"); }
  Flow& count(std::string_view key, std::uint64_t value) { return raw(key, std::to_string(value)); }
  Flow& bytes(std::string_view key, std::uint64_t value) { return raw(key, format_size(value)); }
  Flow& sectors(std::string_view key, std::uint64_t value) {
    return raw(key, format_sectors(value));
  }
  Flow& duration(std::string_view key, Duration value) { return raw(key, format_duration(value)); }
  Flow& duration(std::string_view key, const std::optional<Duration>& value) {
    return value ? duration(key, *value) : *this;
  }
  Flow& durations(std::string_view key, DurationRange value) {
    return raw(key, format_duration_range(value));
  }
  Flow& range(std::string_view key, SectorRange value) {
    return value.empty() ? *this : raw(key, format_range(value));
  }
  Flow& ratio(std::string_view key, Ratio value) { return raw(key, format_ratio(value)); }
  template <typename Enum>
  Flow& word(std::string_view key, std::span<const std::string_view> words, Enum value) {
    const auto index = static_cast<std::size_t>(value);
    CHECK(index < words.size(), key, index);
    return raw(key, words[index]);
  }
  Flow& raw(std::string_view key, std::string_view value) {
    if (!out_.empty()) out_ += ", ";
    out_.append(key).append(": ").append(value);
    return *this;
  }
  std::string done() const { return "{" + out_ + "}"; }

 private:
  std::string out_;
};

// A table as it stands in flow style: a text, or a list of its lines.
std::string table_value(std::string_view table) {
  if (table.find('\n') == std::string_view::npos) return yaml_scalar(table);
  std::string out;
  while (!table.empty()) {
    const std::size_t end = std::min(table.find('\n'), table.size());
    out += (out.empty() ? "[" : ", ") + yaml_scalar(table.substr(0, end));
    table.remove_prefix(std::min(end + 1, table.size()));
  }
  return out + "]";
}

std::string disk_value(const DiskOptions& disk) {
  CHECK(disk.atomic_sectors == 1 || disk.atomic_sectors == kPageSectors, disk.atomic_sectors);
  return Flow()
      .sectors("size", disk.sectors)
      .word("cache", kCacheWords, disk.cache)
      .word("atomic", kAtomicWords, disk.atomic_sectors == 1 ? 0 : 1)
      .sectors("cache-size", disk.cache_sectors)
      .durations("read", disk.read)
      .durations("write", disk.write)
      .durations("flush", disk.flush)
      .durations("discard", disk.discard)
      .duration("evict-every", disk.evict_every)
      .flag("discard-supported", disk.discard_supported)
      .count("transfer-steps", disk.transfer_steps)
      .word("content", kContentWords, disk.content)
      .done();
}

std::string fault_value(const FaultOptions& fault) {
  Flow flow;
  flow.text("disk", fault.disk).word("kind", kFaultWords, fault.kind);
  if (fault.range) flow.range("range", *fault.range);
  flow.duration("from", fault.from).duration("heals", fault.heals).count("skip", fault.skip);
  if (fault.count) flow.count("count", *fault.count);
  return flow.ratio("probability", fault.probability)
      .flag("after-reboot", fault.after_reboot)
      .done();
}

std::string device_value(const DevicePlan& device) {
  Flow flow;
  if (!device.table.empty()) flow.raw("table", table_value(device.table));
  return flow.flag("boot", device.boot).done();
}

Flow& add_pace(Flow& flow, const Pace& pace) {
  return flow.duration("start", pace.start)
      .durations("every", pace.every)
      .count("count", pace.count);
}
Flow& add_area(Flow& flow, const Area& area) {
  return flow.range("range", area.range)
      .sectors("block", area.block_sectors)
      .flag("sequential", area.sequential);
}

std::string body_value(const WriteTask& task) {
  Flow flow;
  flow.text("device", task.device).word("path", kPathWords, task.path);
  return add_pace(add_area(flow, task.area), task.pace)
      .flag("fua", task.fua)
      .flag("preflush", task.preflush)
      .count("in-flight", task.in_flight)
      .count("flush-every", task.flush_every)
      .flag("scribble", task.scribble)
      .flag("heeds-cache", task.heeds_cache)
      .done();
}
std::string body_value(const ReadTask& task) {
  Flow flow;
  flow.text("device", task.device).word("path", kPathWords, task.path);
  return add_pace(add_area(flow, task.area), task.pace).count("in-flight", task.in_flight).done();
}
std::string body_value(const DiscardTask& task) {
  Flow flow;
  flow.text("device", task.device);
  return add_pace(add_area(flow, task.area), task.pace).done();
}
std::string body_value(const FlushTask& task) {
  Flow flow;
  flow.text("device", task.device).word("path", kPathWords, task.path);
  return add_pace(flow, task.pace).done();
}
std::string body_value(const MmapStoreTask& task) {
  Flow flow;
  flow.text("device", task.device).range("range", task.range).bytes("store", task.store_bytes);
  return add_pace(flow, task.pace).done();
}
std::string body_value(const IoTask& task) {
  return Flow()
      .text("device", task.device)
      .duration("start", task.start)
      .text("script", task.script)
      .done();
}
std::string body_value(const Ext2Task& task) {
  const std::size_t block = task.block_bytes == 1024 ? 0 : task.block_bytes == 2048 ? 1 : 2;
  CHECK(task.block_bytes == 1024u << block, task.block_bytes);
  return Flow()
      .text("device", task.device)
      .duration("start", task.start)
      .word("block", kExt2BlockWords, block)
      .count("files", task.files)
      .bytes("file-size", task.file_bytes)
      .count("unlink-every", task.unlink_every)
      .count("fsync-every", task.fsync_every)
      .durations("every", task.every)
      .flag("unmount", task.unmount)
      .done();
}
std::string body_value(const FioIologTask& task) {
  return Flow()
      .text("device", task.device)
      .text("file", task.file)
      .duration("start", task.start)
      .done();
}
std::string body_value(const LogWritesTask& task) {
  return Flow()
      .text("device", task.device)
      .text("file", task.file)
      .duration("start", task.start)
      .count("first-entry", task.first_entry)
      .count("entries", task.entries)
      .done();
}

// Only what its verb has may be said of a step: the rest would be lost in YAML.
void check_step(const DmsetupStep& step) {
  using Verb = DmsetupStep::Verb;
  const bool plain = step.verb == Verb::kSleep || step.verb == Verb::kWaitTask;
  const bool has_text = step.verb == Verb::kLoad || step.verb == Verb::kMessage ||
                        step.verb == Verb::kWaitStatus || step.verb == Verb::kWaitTask;
  const bool has_duration = step.verb == Verb::kSleep || step.verb == Verb::kWaitStatus;
  const auto verb = static_cast<int>(step.verb);
  CHECK(plain == step.device.empty(), verb, step.device);
  CHECK(has_text || step.text.empty(), verb, step.text);
  CHECK(has_duration || step.duration == Duration(), verb, step.duration.count_ns());
  CHECK(step.verb == Verb::kMessage || step.sector == 0, verb, step.sector);
  CHECK(step.verb == Verb::kSuspend || step.suspend == SuspendOptions(), verb);
  CHECK(step.verb == Verb::kSuspend || !step.freeze_fails, verb);
  CHECK(!plain || (step.answer.empty() && !step.interrupted_after), verb, step.answer);
}

std::string step_value(const DmsetupStep& step) {
  using Verb = DmsetupStep::Verb;
  check_step(step);
  if (step.verb == Verb::kSleep) return format_duration(step.duration);
  if (step.verb == Verb::kWaitTask) return yaml_scalar(step.text);
  Flow flow;
  flow.text("device", step.device);
  if (step.verb == Verb::kLoad) flow.raw("table", table_value(step.text));
  if (step.verb == Verb::kSuspend) {
    flow.flag("noflush", step.suspend.noflush)
        .flag("skip-lockfs", step.suspend.skip_lockfs)
        .flag("freeze-fails", step.freeze_fails);
  }
  if (step.verb == Verb::kMessage) flow.sectors("sector", step.sector).text("text", step.text);
  if (step.verb == Verb::kWaitStatus) {
    flow.text("contains", step.text).duration("every", step.duration);
  }
  return flow.duration("interrupted-after", step.interrupted_after)
      .text("answer", step.answer.empty() ? kAnswerWords[0] : std::string_view(step.answer))
      .done();
}

std::string body_value(const DmsetupTask& task) {
  std::string out = "\n      start: " + format_duration(task.start) + "\n      steps:";
  for (const DmsetupStep& step : task.steps) {
    out += fmt::format("\n        - {}: {}", kVerbs[static_cast<std::size_t>(step.verb)].name,
                       step_value(step));
  }
  return out;
}

std::string body_value(const JournalFsTask& task) {
  return Flow()
      .text("device", task.device)
      .duration("start", task.start)
      .count("files", task.files)
      .count("names", task.names)
      .bytes("file-size", task.file_bytes)
      .durations("every", task.every)
      .count("fsync-every", task.fsync_every)
      .duration("commit-every", task.commit_every)
      .count("journal-blocks", task.journal_blocks)
      .flag("barriers", task.barriers)
      .flag("unmount", task.unmount)
      .done();
}
std::string body_value(const CreateSnapshotTask& task) {
  return Flow()
      .text("group", task.group)
      .text("origin", task.origin)
      .text("snapshot", task.snapshot)
      .text("on", task.on)
      .count("extents", task.extents)
      .sectors("chunk", task.chunk_sectors)
      .duration("start", task.start)
      .flag("may-fail", task.may_fail)
      .done();
}
std::string body_value(const DmeventdTask& task) {
  return Flow().text("group", task.group).duration("start", task.start).done();
}

std::string body_value(const SwapTask& task) {
  Flow flow;
  flow.text("device", task.device).count("pages", task.pages);
  return add_pace(flow, task.pace).done();
}
std::string body_value(const Lvm1PvmoveTask& task) {
  return Flow()
      .text("group", task.group)
      .text("from", task.from)
      .text("to", task.to)
      .duration("start", task.start)
      .flag("back", task.back)
      .flag("may-fail", task.may_fail)
      .done();
}

std::string names_value(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + yaml_scalar(name);
  return "[" + out + "]";
}

std::string body_value(const PvmoveTask& task) {
  Flow flow;
  flow.text("group", task.group);
  if (!task.from.empty()) flow.text("from", task.from);
  if (!task.to.empty()) flow.raw("to", names_value(task.to));
  if (!task.volume.empty()) flow.text("volume", task.volume);
  return flow.flag("atomic", task.atomic)
      .flag("abort", task.abort)
      .flag("no-mirror-target", task.no_mirror_target)
      .flag("may-fail", task.may_fail)
      .duration("start", task.start)
      .duration("poll", task.poll)
      .done();
}
std::string body_value(const ResyncMirrorTask& task) {
  return Flow().text("group", task.group).text("volume", task.volume).duration("start", task.start).done();
}

std::string volume_group_value(const VolumeGroupPlan& group) {
  std::string out = fmt::format("  {}:\n    disks: {}\n    extent: {}\n", yaml_scalar(group.name),
                                names_value(group.disks), format_sectors(group.extent_sectors));
  out += fmt::format("    format: {}\n", kGroupFormatWords[static_cast<std::size_t>(group.format)]);
  if (!group.backup.empty()) out += fmt::format("    backup: {}\n", yaml_scalar(group.backup));
  out += group.volumes.empty() ? "    volumes: {}\n" : "    volumes:\n";
  for (const LogicalVolumePlan& volume : group.volumes) {
    Flow flow;
    flow.raw("on", names_value(volume.on));
    if (!volume.log.empty()) flow.text("log", volume.log);
    flow.count("extents", volume.extents).sectors("region", volume.region_sectors);
    out += fmt::format("      {}: {}\n", yaml_scalar(volume.name), flow.done());
  }
  return out;
}

std::string task_item(const TaskPlan& task) {
  const std::string body =
      std::visit([](const auto& alternative) { return body_value(alternative); }, task.body);
  return fmt::format("  - name: {}\n    {}:{}{}\n", yaml_scalar(task.name),
                     kTaskKinds[task.body.index()].name, body.front() == '\n' ? "" : " ", body);
}

std::string machine_parts(const MachinePlan& machine) {
  const std::string memory = Flow()
                                 .count("pages", machine.memory.pages)
                                 .count("low-pages", machine.memory.low_pages)
                                 .count("high-pages", machine.memory.high_pages)
                                 .flag("stable-pages", machine.memory.stable_pages)
                                 .done();
  const std::string pdflush = !machine.pdflush ? "none"
                                               : Flow()
                                                     .duration("interval", machine.pdflush->interval)
                                                     .duration("expire", machine.pdflush->expire)
                                                     .flag("nonblocking", machine.pdflush->nonblocking)
                                                     .done();
  const std::string scheduler = Flow()
                                    .duration("slice-cost", machine.slice_cost)
                                    .ratio("preemption", machine.preemption)
                                    .duration("patience", machine.patience)
                                    .duration("settle", machine.settle)
                                    .done();
  return fmt::format("memory: {}\npdflush: {}\nkswapd: {}\nscheduler: {}\n", memory, pdflush,
                     machine.kswapd, scheduler);
}

std::string when_value(const PowerCutPlan& power_cut) {
  using When = PowerCutPlan::When;
  CHECK(power_cut.when == When::kAt || power_cut.at == Duration(), power_cut.at.count_ns());
  switch (power_cut.when) {
    case When::kNever: return "never";
    case When::kAny: return "any";
    case When::kAt: return format_duration(power_cut.at);
    case When::kAtEnd: return "at-end";
  }
  CHECK(false);
  return {};
}

std::string power_cut_value(const PowerCutPlan& power_cut) {
  Flow flow;
  // Of no other kind of cut: a plan whose cuts were taken away may still have it.
  const Duration from = power_cut.when == PowerCutPlan::When::kAny ? power_cut.from : Duration();
  flow.raw("when", when_value(power_cut))
      .duration("from", from)
      .word("survivors", kSurvivorWords, power_cut.survivors)
      .count("states", power_cut.states_per_cut)
      .count("depth", power_cut.depth)
      .word("tables", kTablesAfterCutWords, power_cut.tables)
      .flag("fail-over", power_cut.devices_fail_over);
  if (!power_cut.engine.empty()) flow.text("engine", power_cut.engine);
  return flow.done();
}

std::string expectation_value(const Expectation& expect) {
  if (expect.verdict == Expectation::Verdict::kHolds) {
    CHECK(expect.oracles.empty() && expect.blame == Blame::kEngine);
    return "holds";
  }
  CHECK(!expect.oracles.empty());
  return fmt::format("violates {} by {}", fmt::join(expect.oracles, " or "),
                     kBlameWords[static_cast<std::size_t>(expect.blame)]);
}

bool is_plain(std::string_view text) {
  static constexpr std::array<std::string_view, 12> kOtherMeaning{
      "null", "Null", "NULL", "true", "True", "TRUE", "false", "False", "FALSE", "yes", "no", "..."};
  const auto harmless = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '_' || c == '.' || c == '/' || c == '+' || c == '-' || c == ' ';
  };
  if (text.empty() || !std::all_of(text.begin(), text.end(), harmless)) return false;
  if (text.front() == ' ' || text.back() == ' ' || text.front() == '-') return false;
  return std::find(kOtherMeaning.begin(), kOtherMeaning.end(), text) == kOtherMeaning.end();
}

}  // namespace

std::string yaml_scalar(std::string_view text) {
  if (is_plain(text)) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (byte < 0x20 || byte == 0x7F) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string write_plan(const Plan& plan) {
  std::string out;
  const auto to = std::back_inserter(out);
  const auto text = [&](std::string_view key, const std::string& value) {
    fmt::format_to(to, "{}: {}\n", key, yaml_scalar(value));
  };
  text("scenario", plan.scenario);
  text("variant", plan.variant);
  text("about", plan.about);
  text("source", plan.source);
  text("directory", plan.directory);
  text("engine", plan.engine);
  out += "disks:\n";
  for (const DiskOptions& disk : plan.disks) {
    fmt::format_to(to, "  {}: {}\n", yaml_scalar(disk.name), disk_value(disk));
  }
  if (!plan.faults.empty()) out += "faults:\n";
  for (const FaultOptions& fault : plan.faults) fmt::format_to(to, "  - {}\n", fault_value(fault));
  if (!plan.devices.empty()) out += "devices:\n";
  for (const DevicePlan& device : plan.devices) {
    fmt::format_to(to, "  {}: {}\n", yaml_scalar(device.name), device_value(device));
  }
  if (!plan.volume_groups.empty()) out += "volume-groups:\n";
  for (const VolumeGroupPlan& group : plan.volume_groups) out += volume_group_value(group);
  out += machine_parts(plan.machine);
  if (!plan.tasks.empty()) out += "tasks:\n";
  for (const TaskPlan& task : plan.tasks) out += task_item(task);
  fmt::format_to(to, "power-cut: {}\n", power_cut_value(plan.power_cut));
  fmt::format_to(to, "check: [{}]\n", fmt::join(plan.checks, ", "));
  if (!plan.switches.empty()) out += "switches:\n";
  for (const auto& [name, value] : plan.switches) {
    fmt::format_to(to, "  {}: {}\n", yaml_scalar(name), yaml_scalar(value));
  }
  fmt::format_to(to, "runs: {}\nexpect: {}\n", plan.runs, expectation_value(plan.expect));
  return out;
}

}  // namespace dmsim
