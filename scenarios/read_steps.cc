// Reader of an administrator's steps: the verbs of device-mapper, sleeping and waiting.
#include <algorithm>

#include <fmt/format.h>

#include "scenarios/readers.h"
#include "scenarios/units.h"

namespace dmsim {
namespace {

// The mapped device of a verb; null when the reading has failed.
KnownDevice* read_device_of_step(Reading& reading, MapReader& map, std::string& name) {
  map.text("device", name);
  if (reading.failed()) return nullptr;
  KnownDevice* device = reading.find_device(name);
  if (device == nullptr) {
    reading.fail(map.position_of("device"),
                 unknown_name("device", name, reading.device_names(false, true)));
  } else if (device->is_disk) {
    map.fail("device", fmt::format("found disk '{}', expected a device", name));
  }
  return reading.failed() ? nullptr : device;
}

void read_load(Reading& reading, MapReader& map, KnownDevice* device, const Plan& plan,
               DmsetupStep& step) {
  // A load that is meant to be refused may hold anything.
  const bool may_be_wrong = !step.answer.empty();
  if (const YamlNode* table = map.find("table")) {
    step.text = read_table(reading, *table, {.upper = device, .may_be_wrong = may_be_wrong});
  } else if (!reading.failed()) {
    const auto own = std::find_if(plan.devices.begin(), plan.devices.end(),
                                  [&](const DevicePlan& each) { return each.name == step.device; });
    CHECK(own != plan.devices.end(), step.device);
    step.text = own->table;
    if (step.text.empty()) {
      reading.fail(map.position(), fmt::format("missing key 'table' of a load step: device '{}' has "
                                               "none of its own", step.device));
    }
  }
}

void read_verb_map(Reading& reading, const YamlNode& node, const KeyTable& table, const Plan& plan,
                   DmsetupStep& step) {
  using Verb = DmsetupStep::Verb;
  const std::string name =
      fmt::format("a {} step", kVerbs[static_cast<std::size_t>(step.verb)].name);
  const KeyTable named{name, table.id, table.keys};
  MapReader map(reading, node, named);
  KnownDevice* device = read_device_of_step(reading, map, step.device);
  std::size_t answer = 0;
  map.duration("interrupted-after", step.interrupted_after);
  map.word("answer", answer);
  if (answer != 0) step.answer = kAnswerWords[answer];
  if (step.verb == Verb::kLoad) read_load(reading, map, device, plan, step);
  if (step.verb == Verb::kSuspend) {
    map.flag("noflush", step.suspend.noflush);
    map.flag("skip-lockfs", step.suspend.skip_lockfs);
    map.flag("freeze-fails", step.freeze_fails);
  }
  if (step.verb == Verb::kMessage) {
    map.sectors("sector", step.sector);
    map.text("text", step.text);
  }
  if (step.verb == Verb::kWaitStatus) {
    step.duration = Duration::milliseconds(1);
    map.text("contains", step.text);
    map.duration("every", step.duration);
    if (step.duration == Duration()) map.fail("every", "found '0s', expected more than zero");
  }
}

// "sleep: 5ms" and "wait-task: NAME".
void read_plain_verb(Reading& reading, const YamlNode& node, std::string_view task,
                     DmsetupStep& step) {
  if (!node.is_scalar()) {
    return reading.fail(node.position,
                        fmt::format("found {}, expected {}", describe(node),
                                    step.verb == DmsetupStep::Verb::kSleep ? "a duration"
                                                                          : "a task's name"));
  }
  if (step.verb == DmsetupStep::Verb::kSleep) {
    const Result<Duration> duration = parse_duration(node.text);
    if (!duration) return reading.fail(node.position, "sleep: " + duration.error().message);
    step.duration = *duration;
    return;
  }
  step.text = node.text;
  if (step.text == task) {
    reading.fail(node.position, fmt::format("wait-task: task '{}' would wait for itself", task));
  }
}

DmsetupStep read_step(Reading& reading, const YamlNode& node, std::string_view task,
                      const Plan& plan) {
  DmsetupStep step;
  if (!node.is_map() || node.entries.size() != 1) {
    reading.fail(node.position, fmt::format("found {}, expected one step as in suspend: {{device: "
                                            "lv}}", node.is_map() ? "a map of several keys"
                                                                  : describe(node)));
    return step;
  }
  const YamlEntry& entry = node.entries.front();
  std::vector<std::string_view> names;
  for (const VerbInfo& verb : kVerbs) names.push_back(verb.name);
  const auto found = std::find(names.begin(), names.end(), entry.key);
  if (found == names.end()) {
    reading.fail(entry.key_position, unknown_name("step", entry.key, names));
    return step;
  }
  const auto index = static_cast<std::size_t>(found - names.begin());
  step.verb = static_cast<DmsetupStep::Verb>(index);
  if (kVerbs[index].table != nullptr) {
    read_verb_map(reading, entry.value, *kVerbs[index].table, plan, step);
  } else {
    read_plain_verb(reading, entry.value, task, step);
  }
  return step;
}

}  // namespace

DmsetupTask read_dmsetup(Reading& reading, MapReader& map, const std::string& name,
                         const Plan& plan) {
  DmsetupTask task;
  map.duration("start", task.start);
  const YamlNode* steps = map.find_list("steps");
  if (steps == nullptr) return task;
  for (const YamlNode& node : steps->items) {
    task.steps.push_back(read_step(reading, node, name, plan));
    if (task.steps.back().verb != DmsetupStep::Verb::kWaitTask) continue;
    reading.later([&reading, &plan, where = node.entries.front().value.position,
                   awaited = task.steps.back().text] {
      std::vector<std::string_view> names;
      for (const TaskPlan& each : plan.tasks) names.push_back(each.name);
      if (std::find(names.begin(), names.end(), awaited) != names.end()) return;
      reading.fail(where, unknown_name("task", awaited, names));
    });
    if (reading.failed()) return task;
  }
  if (task.steps.empty()) map.fail("steps", "found none, expected at least one");
  return task;
}

}  // namespace dmsim
