// Weights of plans, in points. A part costs something for being there (so that doing without it is
// always a gain) and something for each thing it says. Numbers cost their binary digits, so that a
// disk of half the size is worth a point; rounds and words of a script cost themselves, since each is
// something that happens.
#include "crash-replay/minimise/crash_size.h"

#include <bit>
#include <string_view>

#include "crash-replay/minimise/plan_parts.h"
#include "models/workload/notation.h"

namespace dmsim {
namespace {

constexpr std::uint64_t kTaskPoints = 30;
constexpr std::uint64_t kScriptPoints = 20;  // an explicit script is easier to read than a generator
constexpr std::uint64_t kFaultPoints = 20;
constexpr std::uint64_t kDiskPoints = 20;
constexpr std::uint64_t kDevicePoints = 20;
constexpr std::uint64_t kRoundPoints = 4;    // as a word of a script
constexpr std::uint64_t kStepPoints = 6;
constexpr std::uint64_t kOptionPoints = 2;   // one that is not at its default

std::uint64_t digits(std::uint64_t value) { return static_cast<std::uint64_t>(std::bit_width(value)); }
std::uint64_t weight(Duration duration) {
  return digits(static_cast<std::uint64_t>(duration.count_ns() < 0 ? 0 : duration.count_ns()));
}
std::uint64_t weight(const DurationRange& range) { return weight(range.least) + weight(range.most); }
std::uint64_t option(bool differs) { return differs ? kOptionPoints : 0; }

// Words cost two each, and numbers their digits on top.
std::uint64_t weight_of_words(std::string_view text) {
  std::uint64_t out = 0;
  std::uint64_t number = 0;
  bool in_word = false;
  for (const char c : text) {
    const bool blank = c == ' ' || c == '\n' || c == '\t';
    if (!blank && !in_word) out += 2;
    in_word = !blank;
    if (c >= '0' && c <= '9') {
      number = number * 10 + static_cast<std::uint64_t>(c - '0');
    } else {
      out += digits(number);
      number = 0;
    }
  }
  return out + digits(number);
}

// Where exactly it begins costs nothing, but that it is not at the beginning does.
std::uint64_t weight(const SectorRange& range) {
  return option(range.begin != 0) + 4 * digits(range.count());
}
std::uint64_t weight(SectorRange range, std::uint64_t device_sectors) {
  return weight(range.empty() ? SectorRange{0, device_sectors} : range);
}
std::uint64_t weight(const Area& area, std::uint64_t device_sectors) {
  const Area plain;
  return weight(area.range, device_sectors) + option(area.block_sectors != plain.block_sectors) +
         digits(area.block_sectors) + option(area.sequential != plain.sequential);
}
// When it starts costs nothing: later is not more complicated than earlier.
std::uint64_t weight(const Pace& pace) { return weight(pace.every) + kRoundPoints * pace.count; }

template <typename Task>
std::uint64_t area_weight(const Task& task, const Plan& plan) {
  return weight(task.area, sectors_of(plan, task.device));
}

std::uint64_t weight(const WriteTask& task, const Plan& plan) {
  const WriteTask plain;
  return kTaskPoints + area_weight(task, plan) + weight(task.pace) + option(task.path != plain.path) +
         option(task.fua) + option(task.preflush) + option(task.in_flight != 1) + digits(task.in_flight) +
         option(task.flush_every != 0) + option(task.scribble) + option(task.heeds_cache);
}
std::uint64_t weight(const ReadTask& task, const Plan& plan) {
  return kTaskPoints + area_weight(task, plan) + weight(task.pace) + option(task.path != Path::kDirect) +
         option(task.in_flight != 1) + digits(task.in_flight);
}
std::uint64_t weight(const DiscardTask& task, const Plan& plan) {
  return kTaskPoints + area_weight(task, plan) + weight(task.pace);
}
std::uint64_t weight(const FlushTask& task, const Plan&) {
  return kTaskPoints + option(task.path != Path::kDirect) + weight(task.pace);
}
std::uint64_t weight(const MmapStoreTask& task, const Plan& plan) {
  return kTaskPoints + weight(task.range, sectors_of(plan, task.device)) + weight(task.pace) +
         option(task.store_bytes != 512);
}
std::uint64_t weight(const IoTask& task, const Plan&) {
  std::uint64_t out = kScriptPoints;
  const auto script = parse_notation(task.script);
  for (std::size_t i = 0; script.ok() && i < script->steps.size(); ++i) {
    const IoStep& step = script->steps[i];
    out += 4;
    if (step.kind != IoStep::Kind::kStart) continue;
    out += digits(step.request.sectors) + (step.request.sector == 0 ? 0 : 1) + option(step.request.fua);
  }
  return out;
}
std::uint64_t weight(const Ext2Task& task, const Plan&) {
  const Ext2Task plain;
  // mke2fs alone is more than a thousand stores, and a file some ten.
  return 10 * kTaskPoints + 1000 * kRoundPoints + weight(task.every) + 10 * kRoundPoints * task.files +
         digits(task.file_bytes) + digits(task.block_bytes) +
         option(task.unlink_every != plain.unlink_every) + option(task.fsync_every != 0) +
         option(!task.unmount);
}
std::uint64_t weight(const JournalFsTask& task, const Plan&) {
  return 5 * kTaskPoints + weight(task.every) + 10 * kRoundPoints * task.files + digits(task.file_bytes) +
         option(task.fsync_every != 1) + option(task.unmount) + option(!task.barriers);
}
std::uint64_t weight(const CreateSnapshotTask& task, const Plan&) {
  return 5 * kTaskPoints + digits(task.extents) + option(task.may_fail);
}
std::uint64_t weight(const SwapTask& task, const Plan&) {
  return kTaskPoints + digits(task.pages) + weight(task.pace);
}
std::uint64_t weight(const Lvm1PvmoveTask& task, const Plan&) {
  return 2 * kTaskPoints + option(task.back) + option(task.may_fail);
}
std::uint64_t weight(const DmeventdTask&, const Plan&) { return 2 * kTaskPoints; }
std::uint64_t weight(const PvmoveTask& task, const Plan&) {
  return 3 * kTaskPoints + kStepPoints * task.to.size() + option(!task.volume.empty()) + option(task.atomic) +
         option(task.no_mirror_target) + option(task.may_fail) + option(task.poll != PvmoveTask().poll);
}
std::uint64_t weight(const ResyncMirrorTask&, const Plan&) { return 2 * kTaskPoints; }
std::uint64_t weight(const FioIologTask&, const Plan&) { return 10 * kTaskPoints; }
std::uint64_t weight(const LogWritesTask& task, const Plan&) {
  return 10 * kTaskPoints + digits(task.first_entry) +
         (task.entries == 0 ? 1000 : task.entries);
}
std::uint64_t weight(const DmsetupTask& task, const Plan&) {
  std::uint64_t out = kTaskPoints;
  for (const DmsetupStep& step : task.steps) {
    out += kStepPoints + weight_of_words(step.text) + weight(step.duration) + digits(step.sector) +
           option(step.suspend != SuspendOptions{}) + option(step.freeze_fails) +
           option(!step.answer.empty());
    if (step.interrupted_after) out += kOptionPoints + weight(*step.interrupted_after);
  }
  return out;
}

std::uint64_t weight(const DiskOptions& disk) {
  DiskOptions plain;
  return kDiskPoints + digits(disk.sectors) + option(disk.cache != plain.cache) +
         option(disk.atomic_sectors != plain.atomic_sectors) +
         option(disk.cache_sectors != plain.cache_sectors) + option(disk.read != plain.read) +
         option(disk.write != plain.write) + option(disk.flush != plain.flush) +
         option(disk.discard != plain.discard) + option(disk.evict_every != plain.evict_every) +
         option(disk.discard_supported != plain.discard_supported) +
         option(disk.transfer_steps != plain.transfer_steps);
}

std::uint64_t weight(const FaultOptions& fault) {
  std::uint64_t out = kFaultPoints + option(fault.probability != Ratio{1, 1}) +
                      option(fault.after_reboot) + option(fault.skip != 0) + digits(fault.skip);
  if (fault.range) out += kOptionPoints + weight(*fault.range);
  if (fault.heals) out += kOptionPoints + weight(*fault.heals);
  if (fault.count) out += kOptionPoints + digits(*fault.count);
  return out;
}

std::uint64_t weight(const MachinePlan& machine) {
  const MachinePlan plain;
  std::uint64_t out = option(machine.memory != plain.memory) + digits(machine.memory.pages) +
                      option(machine.kswapd != plain.kswapd) +
                      option(machine.slice_cost != plain.slice_cost) +
                      option(machine.preemption.numerator != 0);
  if (machine.pdflush) {
    out += 10 + weight(machine.pdflush->interval) + weight(machine.pdflush->expire) +
           option(machine.pdflush->nonblocking);
  }
  return out;
}

std::uint64_t weight(const PowerCutPlan& cut) {
  return option(cut.when != PowerCutPlan::When::kNever) + weight(cut.at) +
         option(cut.survivors != SurvivorPolicy::kChosen) + option(cut.devices_fail_over) +
         option(cut.tables != TablesAfterCut::kPlan) + cut.depth;
}

std::uint64_t weight(const VolumeGroupPlan& group) {
  std::uint64_t out = kDevicePoints + option(!group.backup.empty()) + kStepPoints * group.disks.size();
  for (const LogicalVolumePlan& volume : group.volumes) {
    out += kDevicePoints + kStepPoints * volume.on.size() + option(!volume.log.empty()) + digits(volume.extents);
  }
  return out;
}

bool starts_the_story(const TraceEvent& event) {
  const std::string_view kind = event.kind->name;
  return kind == "dm.submit" || kind == "cache.store" || kind == "cache.write" ||
         kind == "cache.fsync" || kind == "direct.scribble";
}

// Whoever looks at the end whether all is well belongs to the harness, not to the story.
bool by_checker(const TraceEvent& event, const ActorNames& names) {
  for (std::size_t i = 0; i < event.kind->args.size(); ++i) {
    const TraceArg& arg = event.kind->args[i];
    if (arg.form != ArgForm::kActor || arg.name != "issuer") continue;
    if (names.name(static_cast<Actor>(event.args[i])) == "checker") return true;
  }
  return false;
}

// Requests to disks that every run of a mirror has: what a resume reads and writes of the log, and the
// copies of recovery. Requests that lead back to a user's are none, whenever they come.
class Boilerplate {
 public:
  explicit Boilerplate(const Trace& trace) : trace_(trace) {}

  // Of every event, in order. True: it is one of these requests.
  bool follow(const TraceEvent& event) {
    const std::string_view kind = event.kind->name;
    const bool after_log_write = log_write_;
    log_write_ = kind == "mirror.log_write";
    if (kind == "power.cut") resumes_ = copies_ = 0;
    if (kind == "dm.resume") ++resumes_;
    if (kind == "dm.resumed" && resumes_ > 0) --resumes_;
    if (kind == "mirror.recover") follow_recovery(event);
    if (kind != "disk.submit" || event.cause != 0) return false;
    if (resumes_ > 0) return true;
    return copies_ > 0 && !after_log_write && !says(event, "op=\"flush\"");
  }

 private:
  void follow_recovery(const TraceEvent& event) {
    if (says(event, "phase=\"copy begins\"")) {
      ++copies_;
    } else if (copies_ > 0) {
      --copies_;
    }
  }
  bool says(const TraceEvent& event, std::string_view words) const {
    return trace_.render(event).find(words) != std::string::npos;
  }

  const Trace& trace_;
  std::uint64_t resumes_ = 0;  // under way
  std::uint64_t copies_ = 0;   // under way
  bool log_write_ = false;     // the event before said that the log is written
};

std::string counted(std::uint64_t count, std::string_view thing) {
  return fmt::format("{} {}{}", count, thing, count == 1 ? "" : "s");
}

}  // namespace

std::uint64_t plan_weight(const Plan& plan) {
  std::uint64_t out = weight(plan.machine) + weight(plan.power_cut) + plan.checks.size();
  for (const DiskOptions& disk : plan.disks) out += weight(disk);
  for (const FaultOptions& fault : plan.faults) out += weight(fault);
  for (const DevicePlan& device : plan.devices) {
    out += kDevicePoints + weight_of_words(device.table) + option(!device.boot);
  }
  for (const VolumeGroupPlan& group : plan.volume_groups) out += weight(group);
  for (const TaskPlan& task : plan.tasks) {
    out += std::visit([&](const auto& body) { return weight(body, plan); }, task.body);
  }
  return out;
}

std::uint64_t count_io_events(const Trace& trace) {
  std::uint64_t total = 0;
  std::uint64_t at_last_cut = 0;
  bool begun = false;
  bool cut = false;
  Boilerplate boilerplate(trace);
  for (const TraceEvent& event : trace.kept()) {
    const bool expected = boilerplate.follow(event);
    if (event.kind->name == "power.cut") {
      cut = true;
      at_last_cut = total;
    }
    const bool request = starts_the_story(event);
    if (request && by_checker(event, trace.actors())) continue;
    begun = begun || request;
    const bool disk = event.kind->name == "disk.submit" && !expected;
    if (begun && (request || disk)) ++total;
  }
  return cut ? at_last_cut : total;
}

CrashSize measure(const Crash& crash, const Trace& trace) {
  CrashSize size;
  size.plan = plan_weight(crash.plan);
  size.io_events = count_io_events(trace);
  size.tasks = crash.plan.tasks.size();
  size.trace_events = trace.last_id();
  size.choices = crash.choices.size();
  for (const LabelledChoice& choice : crash.choices) {
    if (choice.value != 0) ++size.not_plain;
    const std::uint64_t sum = size.sum + choice.value;
    size.sum = sum < size.sum ? ~std::uint64_t{0} : sum;
  }
  return size;
}

std::string size_words(const CrashSize& size) {
  return fmt::format("{}, {}, {}, {} of them not plain", counted(size.io_events, "I/O event"),
                     counted(size.tasks, "task"), counted(size.choices, "choice"), size.not_plain);
}

}  // namespace dmsim
