// read_plan: a whole plan from its YAML, and the readers of what stands beside the machine and the
// tasks: checks, switches, expectation.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/nearest.h"
#include "base/words.h"
#include "scenarios/plan_yaml.h"
#include "scenarios/readers.h"

namespace dmsim {
namespace {

std::vector<std::string_view> switch_names(const Vocabulary& vocabulary) {
  std::vector<std::string_view> names;
  for (const SwitchInfo& info : vocabulary.switches) names.push_back(info.name);
  return names;
}

bool contains(std::span<const std::string_view> names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// "ORACLE [or ORACLE]... [by WHOM]", after "violates".
void read_violated(Reading& reading, YamlPosition where, std::span<const std::string_view> words,
                   Plan& plan) {
  std::size_t at = 0;
  const auto next = [&] { return at < words.size() ? words[at++] : std::string_view("nothing more"); };
  do {
    const std::string_view oracle = next();
    if (oracle.back() == ',') {
      return reading.fail(where, fmt::format("expect: found a comma in {}, expected `or` between "
                                             "oracles", in_quotes(oracle)));
    }
    const std::vector<std::string_view> checks(plan.checks.begin(), plan.checks.end());
    if (contains(reading.vocabulary().oracles, oracle) && !contains(checks, oracle)) {
      return reading.fail(where, fmt::format("expect: oracle '{}' is not in `check`, so it would "
                                             "never be violated", oracle));
    }
    if (!contains(checks, oracle)) {
      return reading.fail(where, "expect: " + unknown_name("oracle", oracle, checks));
    }
    plan.expect.oracles.emplace_back(oracle);
  } while (at < words.size() && words[at] == "or" && ++at > 0);
  if (at == words.size()) return;
  if (const std::string_view by = next(); by != "by") {
    return reading.fail(where, fmt::format("expect: found {} after an oracle, expected `or ORACLE`, "
                                           "`by {}` or the end", in_quotes(by), one_of(kBlameWords)));
  }
  const std::string_view whom = next();
  const auto blamed = std::find(kBlameWords.begin(), kBlameWords.end(), whom);
  if (blamed == kBlameWords.end()) {
    return reading.fail(where, fmt::format("expect: found {} after `by`, expected {}", in_quotes(whom),
                                           one_of(kBlameWords)));
  }
  plan.expect.blame = static_cast<Blame>(blamed - kBlameWords.begin());
  if (at < words.size()) {
    reading.fail(where, fmt::format("expect: found {} after `by {}`, expected the end",
                                    in_quotes(words[at]), whom));
  }
}

// A kernel of the user's own, "linux:DIR", or a mutant of one that is known, "linux-6.1+NAME".
bool is_derived_engine(const Reading& reading, std::string_view name) {
  if (name.substr(0, 6) == "linux:") return name.size() > 6;
  const std::size_t plus = name.find('+');
  return plus != std::string_view::npos && contains(reading.vocabulary().engines, name.substr(0, plus));
}

void read_machine(Reading& reading, MapReader& map, Plan& plan) {
  if (const YamlNode* disks = map.find_map("disks")) read_disks(reading, *disks, plan);
  if (const YamlNode* faults = map.find_list("faults")) read_faults(reading, *faults, plan);
  if (const YamlNode* devices = map.find_map("devices")) read_devices(reading, *devices, plan);
  if (const YamlNode* groups = map.find_map("volume-groups")) read_volume_groups(reading, *groups, plan);
  MachinePlan& machine = plan.machine;
  if (const YamlNode* memory = map.find("memory")) read_memory(reading, *memory, machine.memory);
  if (const YamlNode* node = map.find("pdflush")) read_pdflush(reading, *node, machine.pdflush);
  map.flag("kswapd", machine.kswapd);
  if (const YamlNode* node = map.find("scheduler")) read_scheduler(reading, *node, machine);
}

void read_checks(Reading& reading, const YamlNode& node, Plan& plan) {
  for (const YamlNode& item : node.items) {
    if (!item.is_scalar()) {
      return reading.fail(item.position, fmt::format("check: found {}, expected an oracle's name",
                                                     describe(item)));
    }
    if (!contains(reading.vocabulary().oracles, item.text)) {
      return reading.fail(item.position,
                          unknown_name("oracle", item.text, reading.vocabulary().oracles));
    }
    if (std::find(plan.checks.begin(), plan.checks.end(), item.text) != plan.checks.end()) {
      return reading.fail(item.position, fmt::format("check: found '{}' twice", item.text));
    }
    plan.checks.push_back(item.text);
  }
}

void read_switches(Reading& reading, const YamlNode& node, Plan& plan) {
  const std::span<const SwitchInfo> known = reading.vocabulary().switches;
  for (const YamlEntry& entry : node.entries) {
    const auto info = std::find_if(known.begin(), known.end(), [&](const SwitchInfo& candidate) {
      return candidate.name == entry.key;
    });
    if (info == known.end()) {
      return reading.fail(entry.key_position,
                          unknown_name("switch", entry.key, switch_names(reading.vocabulary())));
    }
    const std::string value = entry.value.is_scalar() ? entry.value.text : "";
    if (!contains(info->values, value)) {
      const std::string nearest = did_you_mean(value, info->values);
      return reading.fail(entry.value.position,
                          fmt::format("switch {}: found {}{}", entry.key, describe(entry.value),
                                      nearest.empty() ? ", expected " + one_of(info->values)
                                                      : nearest));
    }
    plan.switches[entry.key] = value;
  }
}

void read_expectation(Reading& reading, YamlPosition where, const std::string& text, Plan& plan) {
  const std::vector<std::string_view> words = words_of(text);
  if (words.size() == 1 && words[0] == "holds") return;
  if (words.empty() || words[0] != "violates") {
    return reading.fail(where, fmt::format("expect: found {}, expected `holds` or `violates ORACLE "
                                           "[or ORACLE]... [by {}]`", in_quotes(text),
                                           one_of(kBlameWords)));
  }
  plan.expect.verdict = Expectation::Verdict::kViolates;
  read_violated(reading, where, std::span(words).subspan(1), plan);
}

}  // namespace

void read_engine(Reading& reading, MapReader& map, std::string& engine) {
  map.text("engine", engine);
  if (reading.failed() || engine.empty() || contains(reading.vocabulary().engines, engine)) return;
  if (is_derived_engine(reading, engine)) return;
  reading.fail(map.position_of("engine"), unknown_name("engine", engine, reading.vocabulary().engines));
}

void read_plan_map(Reading& reading, const YamlNode& root, Plan& plan, bool extra_keys) {
  MapReader map(reading, root, kPlanKeys, extra_keys);
  map.text("scenario", plan.scenario);
  if (!reading.failed()) {
    check_name(reading, map.position_of("scenario"), "a scenario", plan.scenario);
  }
  map.text("variant", plan.variant);
  map.text("about", plan.about);
  map.text("source", plan.source);
  map.text("directory", plan.directory);
  read_engine(reading, map, plan.engine);
  read_machine(reading, map, plan);
  if (const YamlNode* tasks = map.find_list("tasks")) read_tasks(reading, *tasks, plan);
  if (const YamlNode* node = map.find_map("power-cut")) {
    read_power_cut(reading, *node, plan.power_cut);
  }
  if (const YamlNode* checks = map.find_list("check")) read_checks(reading, *checks, plan);
  if (const YamlNode* node = map.find_map("switches")) read_switches(reading, *node, plan);
  map.count("runs", plan.runs, 1);
  if (const std::string* text = map.find_text("expect")) {
    read_expectation(reading, map.position_of("expect"), *text, plan);
  }
  reading.finish();
}

Result<Plan> read_plan(const YamlNode& root, const std::string& file, const Vocabulary& vocabulary,
                       ReadPlanOptions options) {
  Reading reading(file, vocabulary);
  Plan plan;
  read_plan_map(reading, root, plan, options.extra_keys);
  if (reading.failed()) return Failure{reading.error()};
  return plan;
}

Result<Plan> read_plan(std::string_view text, const std::string& file,
                       const Vocabulary& vocabulary, ReadPlanOptions options) {
  const Result<YamlNode> root = parse_yaml(text, file);
  if (!root) return Failure{root.error()};
  return read_plan(*root, file, vocabulary, options);
}

}  // namespace dmsim
