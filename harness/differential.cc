#include "harness/differential.h"

#include <algorithm>
#include <iterator>
#include <sstream>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "base/words.h"
#include "engine/native/mirror/log_reader.h"
#include "harness/engine_factory.h"
#include "harness/first_life.h"
#include "harness/oracle_names.h"
#include "harness/world.h"
#include "sim/choice.h"

namespace dmsim {
namespace {

const SwitchInfo* find_switch(std::string_view name) {
  for (const SwitchInfo& info : all_switches()) {
    if (info.name == name) return &info;
  }
  return nullptr;
}

std::string_view linux_value(const SwitchInfo& info) {
  return info.linux_value.empty() ? info.values.front() : info.linux_value;
}

// LVM's own faults, over whatever engine.
bool of_user_space(std::string_view name) { return name.starts_with("lvm.") || name.starts_with("pvmove."); }

Plan plan_for(Plan plan, std::string_view engine) {
  plan.engine = engine;
  plan.power_cut.when = PowerCutPlan::When::kNever;
  if (engine != "native") {
    for (auto it = plan.switches.begin(); it != plan.switches.end();) {
      it = of_user_space(it->first) ? std::next(it) : plan.switches.erase(it);
    }
    return plan;
  }
  for (const SwitchInfo& info : all_switches()) {
    if (!info.linux_value.empty()) plan.switches.try_emplace(std::string(info.name), info.linux_value);
  }
  return plan;
}

std::string answers_in_words(const AnswerCounts& answers) {
  std::string out;
  for (std::size_t op = 0; op < answers.size(); ++op) {
    for (std::size_t status = 0; status < answers[op].size(); ++status) {
      if (answers[op][status] == 0) continue;
      out += fmt::format("{}{} {} {}", out.empty() ? "" : ", ", answers[op][status], kOpNames[op],
                         kStatusNames[status]);
    }
  }
  return out.empty() ? "none" : out;
}

// One letter a region: S in sync and clean, s in sync and dirty, - not in sync. What the bit for clean says of a region
// out of sync is nobody's business but the log's: a log in memory has it set from the start in Linux, not in native.
std::string regions_in_letters(const MirrorView& view) {
  std::string out;
  for (std::uint64_t index = 0; index < view.region_count(); ++index) {
    const MirrorRegion region = view.region(index);
    out += !region.in_sync ? '-' : region.clean ? 'S' : 's';
  }
  return out;
}

std::string log_in_words(const Disk& disk, std::uint64_t regions) {
  const std::uint64_t bytes = mirror_log::kBitmapOffset + mirror_log::bitmap_bytes(regions);
  if (bytes > disk.sectors() * kSectorBytes) return "too small";
  std::vector<std::byte> log;
  for (std::uint64_t page = 0; page * kPageBytes < bytes; ++page) {
    const PageRef& content = disk.current_page(page);
    log.insert(log.end(), content.bytes(), content.bytes() + kPageBytes);
  }
  const mirror_log::Header header = mirror_log::read_header(log);
  // After a read that failed Linux writes a header back that nobody has set: memory says what it is then.
  std::string out = header.magic != mirror_log::kMagic ? std::string("no magic ")
                                                       : fmt::format("version {} regions {} ", header.version,
                                                                     header.region_count);
  for (std::uint64_t region = 0; region < regions; ++region) {
    out += mirror_log::read_clean_bit(log, region) ? '1' : '0';
  }
  return out;
}

// The disks that hold metadata of clones.
std::vector<std::string_view> clone_metadata(const Plan& plan) {
  std::vector<std::string_view> out;
  for (const DevicePlan& device : plan.devices) {
    const std::vector<std::string_view> words = words_of(device.table);
    if (words.size() > 3 && words[2] == "clone") out.push_back(words[3]);
  }
  return out;
}

// What can be compared of a status: all but how many blocks of its metadata a clone uses, as native's metadata are
// another format than Linux's.
std::string comparable_status(const std::string& status) {
  std::string out;
  std::istringstream in(status);
  for (std::string line; std::getline(in, line);) {
    std::vector<std::string_view> words = words_of(line);
    constexpr std::size_t kUsed = 4;  // "0 512 clone 8 6/16 ...": of 16 blocks, 6
    std::string used;
    if (words.size() > kUsed && words[2] == "clone") {
      used = fmt::format("some{}", words[kUsed].substr(std::min(words[kUsed].find('/'), words[kUsed].size())));
      words[kUsed] = used;
    }
    out += fmt::format("{}{}", out.empty() ? "" : "\n", fmt::join(words, " "));
  }
  return out;
}

// A kernel's complaint of itself ends its run before users see what comes of it, and native has no such memory to
// complain of: that run says nothing. `dmsim run` holds each engine to that promise.
bool complains_of_itself(const Violation& violation) { return violation.oracle == oracle::kNoEngineBug; }

std::string end_in_words(Stretch stretch) {
  switch (stretch) {
    case Stretch::kDone: return "at rest";
    case Stretch::kBroken: return "a promise is broken";
    case Stretch::kStuck:
    case Stretch::kPaused: break;
  }
  return "stuck";
}

// A superblock, a space map, two trees, and all of them again, since a commit writes them somewhere else.
constexpr std::uint64_t kLeastLinuxCloneMetadata = 16 * kPageSectors;

// A machine counts as at rest when its last answers and claims are out; daemons may still write down what they have
// decided.
constexpr Duration kLastWords = Duration::seconds(5);

// The verbs block, so somebody has to ask them in a fiber: after everybody has come to an end.
void ask_administrator(World& world, std::vector<Facet>* out) {
  struct Asked {
    bool done = false;
    std::vector<Facet> facets;
  } asked;
  const auto ask = [&world, &asked] {
    world.scheduler().sleep(kLastWords);
    for (const DevicePlan& device : world.plan().devices) {
      const auto say = [&](std::string what, const DmResult<std::string>& answer) {
        asked.facets.push_back({what + " of " + device.name,
                                answer.ok() ? *answer : errno_name(answer.error().errno_value)});
      };
      DmResult<std::string> status = world.mapper().status(device.name);
      if (status.ok()) *status = comparable_status(*status);
      say("status", status);
      say("table", world.mapper().table(device.name, TableSlot::kLive));
    }
    asked.done = true;
  };
  world.spawn_task("observer", ask);
  world.run_until([&asked] { return asked.done; }, nullptr);
  if (!asked.done) asked.facets = {{"status", "cannot be asked"}};
  out->insert(out->end(), asked.facets.begin(), asked.facets.end());
}

bool some_in_common(const Shown::Values& left, const Shown::Values& right) {
  return std::any_of(left.each.begin(), left.each.end(), [&right](const std::string& value) {
    return std::find(right.each.begin(), right.each.end(), value) != right.each.end();
  });
}

// One engine has nothing of the kind, and that says nothing: it did not come to rest each time, and might have shown
// it then; or the other one has shown it only where it got stuck, in the middle of things.
bool has_not_come_to_it(const Shown::Values& mine, bool always_at_rest, const Shown::Values& other) {
  return mine.each.empty() && (!always_at_rest || !other.at_rest);
}

}  // namespace

std::vector<Facet> observe(const Plan& plan, Workshop& workshop, std::uint64_t seed) {
  RandomChoices choices(seed);
  World world(plan, workshop, choices, Trace::Keep::kTail);
  std::string refused;
  FirstLife life(world, &refused);
  const Stretch stretch = life.go_on(nullptr);
  if (!refused.empty()) return {{"boot", refused}};
  std::vector<Facet> out;
  const std::vector<Violation>& violations = world.judge().violations();
  if (std::any_of(violations.begin(), violations.end(), complains_of_itself)) return {};
  out.push_back({"end", end_in_words(stretch)});
  // Each for itself: which of one fault's consequences come at the same instant, the schedule decides.
  for (const Violation& violation : violations) out.push_back({"broken promise", violation.oracle});
  if (violations.empty()) out.push_back({"broken promise", "none"});
  if (stretch == Stretch::kBroken) return out;  // in the middle of things: when, the schedule decides
  for (const std::string& device : world.used_devices()) {
    out.push_back({"answers of " + device, answers_in_words(world.device(device).answers())});
  }
  if (stretch == Stretch::kDone) ask_administrator(world, &out);
  for (const World::DeviceView& mirror : world.mirror_views()) {
    out.push_back({"regions of " + mirror.device, regions_in_letters(*mirror.view)});
    const Disk* const log = world.disk(mirror.view->log_device());
    if (log != nullptr) {
      out.push_back({"log of " + mirror.device, log_in_words(*log, mirror.view->region_count())});
    }
  }
  return out;
}

void Shown::add(const std::vector<Facet>& run) {
  const bool rests = !run.empty() && run.front() == Facet{"end", "at rest"};
  ++runs;
  always_at_rest = always_at_rest && rests;
  for (const Facet& facet : run) {
    Values& values = values_of(facet.name);
    ++values.times;
    values.at_rest = values.at_rest || rests;
    if (std::find(values.each.begin(), values.each.end(), facet.value) == values.each.end()) {
      values.each.push_back(facet.value);
    }
  }
}

Shown::Values& Shown::values_of(const std::string& facet) {
  for (Values& values : facets) {
    if (values.facet == facet) return values;
  }
  return facets.emplace_back(Values{facet});
}

Comparison compare_shown(Shown left, Shown right) {
  CHECK(left.runs == right.runs, left.runs, right.runs);
  for (const Shown::Values& values : right.facets) left.values_of(values.facet);
  Comparison out;
  out.runs = left.runs;
  for (const Shown::Values& values : left.facets) {
    const Shown::Values& other = right.values_of(values.facet);
    const bool unseen = has_not_come_to_it(values, left.always_at_rest, other) ||
                        has_not_come_to_it(other, right.always_at_rest, values);
    if (some_in_common(values, other)) {
      out.agreed.push_back(values.facet);
    } else if (values.varies() || other.varies() || unseen) {
      out.undetermined.push_back(values.facet);
    } else {
      out.disagreements.push_back({values.facet, values.each, other.each});
    }
  }
  return out;
}

Comparison compare_engines(const Plan& plan, std::string_view left, std::string_view right, Workshop& workshop,
                           std::uint64_t seed, std::uint64_t runs, const std::function<bool()>& stop) {
  const Plan left_plan = plan_for(plan, left);
  const Plan right_plan = plan_for(plan, right);
  Shown by_left;
  Shown by_right;
  for (std::uint64_t run = 0; run < runs && (stop == nullptr || !stop()); ++run) {
    by_left.add(observe(left_plan, workshop, seed + run));
    by_right.add(observe(right_plan, workshop, seed + run));
  }
  return compare_shown(std::move(by_left), std::move(by_right));
}

std::string why_not_done_by(std::string_view engine, const Plan& plan) {
  for (const auto& [name, value] : plan.switches) {
    if (of_user_space(name)) continue;
    const bool of_kernels = name.starts_with("linux.");
    if (of_kernels == (engine != "native")) continue;
    const SwitchInfo* const info = find_switch(name);
    if (info != nullptr && value != linux_value(*info)) {
      return fmt::format("it sets {} to '{}', which only {} can do", name, value,
                         of_kernels ? "the kernels' engines" : "the native engine");
    }
  }
  // Who made the plan for a kernel knows how much metadata that needs.
  if (engine == "native" || plan.engine == engine) return {};
  for (const std::string_view metadata : clone_metadata(plan)) {
    for (const DiskOptions& disk : plan.disks) {
      if (disk.name != metadata || disk.sectors >= kLeastLinuxCloneMetadata) continue;
      return fmt::format("{} has {} sectors: enough for native's metadata, not for Linux's", metadata, disk.sectors);
    }
  }
  return {};
}

std::string why_not_comparable(const Plan& plan) {
  for (const std::string_view engine : {"native", "linux"}) {
    if (std::string why = why_not_done_by(engine, plan); !why.empty()) return why;
  }
  for (const std::string_view metadata : clone_metadata(plan)) {
    if (std::any_of(plan.faults.begin(), plan.faults.end(),
                    [&metadata](const FaultOptions& fault) { return fault.disk == metadata; })) {
      return fmt::format("it plants a fault on {}, where native's metadata are another format than Linux's", metadata);
    }
  }
  return {};
}

}  // namespace dmsim
