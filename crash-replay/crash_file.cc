#include "crash-replay/crash_file.h"

#include <charconv>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "scenarios/plan_yaml.h"
#include "scenarios/yaml_tree.h"

namespace dmsim {
namespace {

std::string indented(const std::string& text, const std::string& by) {
  std::string out;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) out += line.empty() ? "\n" : by + line + "\n";
  return out;
}

InputError error_at(const std::string& file, YamlPosition where, std::string message) {
  return {file, where.line, where.column, std::move(message), -1};
}

// "value/bound point@who".
bool parse_choice(const std::string& text, LabelledChoice* choice) {
  const char* at = text.data();
  const char* const end = at + text.size();
  auto number = std::from_chars(at, end, choice->value);
  if (number.ec != std::errc() || number.ptr == end || *number.ptr != '/') return false;
  number = std::from_chars(number.ptr + 1, end, choice->bound);
  if (number.ec != std::errc() || number.ptr == end || *number.ptr != ' ') return false;
  const std::string_view label(number.ptr + 1, static_cast<std::size_t>(end - number.ptr - 1));
  const std::size_t split = label.find('@');
  if (split == std::string_view::npos || split == 0) return false;
  choice->point = label.substr(0, split);
  choice->who = label.substr(split + 1);
  return choice->value < choice->bound;
}

Result<Blame> read_blame(const YamlNode& node, const std::string& file) {
  for (const Blame blame : {Blame::kEngine, Blame::kApplication, Blame::kDisk}) {
    if (node.text == blame_name(blame)) return blame;
  }
  return Failure{error_at(file, node.position,
                          "unknown blame '" + node.text + "', expected engine, application or disk")};
}

Result<Violation> read_violation(const YamlNode& node, const std::string& file) {
  Violation violation;
  const YamlNode* name = node.find("oracle");
  const YamlNode* blame = node.find("blame");
  if (name == nullptr || !name->is_scalar() || blame == nullptr || !blame->is_scalar()) {
    return Failure{error_at(file, node.position, "a violation needs an oracle and a blame")};
  }
  violation.oracle = name->text;
  auto whose = read_blame(*blame, file);
  if (!whose.ok()) return Failure{whose.error()};
  violation.blame = *whose;
  if (const YamlNode* device = node.find("device")) violation.device = device->text;
  if (const YamlNode* state = node.find("state")) violation.state = state->text;
  if (const YamlNode* sentence = node.find("sentence")) violation.sentence = sentence->text;
  return violation;
}

}  // namespace

std::string write_crash(const Crash& crash) {
  std::string out = "# A broken promise, ready to be replayed: dmsim replay THIS-FILE\n";
  out += fmt::format("dmsim-crash: {}\n", kCrashFormat);
  out += fmt::format("fingerprint: '{:016x}'\n", crash.fingerprint);
  out += fmt::format("seed: {}\n", crash.seed);
  out += "violations:\n";
  for (const Violation& violation : crash.violations) {
    out += "  - oracle: " + yaml_scalar(violation.oracle) + "\n";
    out += fmt::format("    blame: {}\n", blame_name(violation.blame));
    out += "    device: " + yaml_scalar(violation.device) + "\n";
    out += "    state: " + yaml_scalar(violation.state) + "\n";
    out += "    sentence: " + yaml_scalar(violation.sentence) + "\n";
  }
  out += "plan:\n" + indented(write_plan(crash.plan), "  ");
  out += crash.choices.empty() ? "choices: []\n" : "choices:\n";
  for (const LabelledChoice& choice : crash.choices) {
    out += "  - " + yaml_scalar(fmt::format("{}/{} {}@{}", choice.value, choice.bound, choice.point,
                                            choice.who)) + "\n";
  }
  return out;
}

Outcome<> save_crash(const Crash& crash, const std::string& path) {
  std::error_code error;
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (!folder.empty()) std::filesystem::create_directories(folder, error);
  const std::string temporary = path + ".part";
  {
    std::ofstream file(temporary, std::ios::binary | std::ios::trunc);
    file << write_crash(crash);
    file.flush();
    if (!file) return Failure{InputError{path, 0, 0, "cannot be written", -1}};
  }
  if (std::rename(temporary.c_str(), path.c_str()) != 0) {
    return Failure{InputError{path, 0, 0, "cannot be written", -1}};
  }
  return Done{};
}

Result<Crash> read_crash(const std::string& path, const Vocabulary& vocabulary) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Failure{InputError{path, 0, 0, "cannot be read", -1}};
  std::ostringstream text;
  text << file.rdbuf();
  auto root = parse_yaml(text.str(), path);
  if (!root.ok()) return Failure{root.error()};
  const YamlNode* format = root->find("dmsim-crash");
  if (!root->is_map() || format == nullptr) {
    return Failure{error_at(path, {1, 1}, "not a crash file: it has no key 'dmsim-crash'")};
  }
  if (format->text != std::to_string(kCrashFormat)) {
    return Failure{error_at(path, format->position,
                            fmt::format("crash format '{}' is not known, expected {}", format->text,
                                        kCrashFormat))};
  }
  Crash crash;
  for (const char* key : {"fingerprint", "violations", "plan", "choices"}) {
    if (root->find(key) != nullptr) continue;
    return Failure{error_at(path, root->position,
                            fmt::format("the key '{}' is missing: is the file truncated?", key))};
  }
  const YamlNode& fingerprint = *root->find("fingerprint");
  const char* const end = fingerprint.text.data() + fingerprint.text.size();
  const auto parsed = std::from_chars(fingerprint.text.data(), end, crash.fingerprint, 16);
  if (parsed.ec != std::errc() || parsed.ptr != end) {
    return Failure{error_at(path, fingerprint.position,
                            "expected 16 hexadecimal digits, found '" + fingerprint.text + "'")};
  }
  for (const YamlNode& item : root->find("violations")->items) {
    auto violation = read_violation(item, path);
    if (!violation.ok()) return Failure{violation.error()};
    crash.violations.push_back(std::move(*violation));
  }
  if (crash.violations.empty()) {
    return Failure{error_at(path, root->find("violations")->position, "expected at least one violation")};
  }
  auto plan = read_plan(*root->find("plan"), path, vocabulary);
  if (!plan.ok()) return Failure{plan.error()};
  crash.plan = std::move(*plan);
  for (const YamlNode& item : root->find("choices")->items) {
    LabelledChoice choice;
    if (!item.is_scalar() || !parse_choice(item.text, &choice)) {
      return Failure{error_at(path, item.position,
                              "expected a choice 'VALUE/BOUND POINT@WHO', found '" + item.text + "'")};
    }
    crash.choices.push_back(std::move(choice));
  }
  return crash;
}

ReplayResult replay_crash(const Crash& crash, Workshop& workshop, const LinearOptions& options) {
  ReplayResult result;
  ReplayedChoices choices(crash.choices);
  result.run = run_linear(crash.plan, workshop, choices, options);
  const Violation& expected = crash.violations.front();
  for (const Violation& seen : result.run.violations) {
    if (seen.oracle == expected.oracle && seen.device == expected.device &&
        seen.blame == expected.blame) {
      result.reproduced = true;
    }
  }
  result.same_fingerprint = result.run.fingerprint == crash.fingerprint;
  result.departures = choices.departures();
  result.first_departure = choices.first_departure();
  result.unused = choices.unused();
  return result;
}

}  // namespace dmsim
