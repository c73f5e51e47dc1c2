#include "crash-replay/crash_file.h"

#include <unistd.h>

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

template <typename Number>
bool parse_number(std::string_view text, Number* value, int base = 10) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value, base);
  return error == std::errc() && end == text.data() + text.size();
}

// "8..16".
bool parse_sectors(std::string_view text, SectorRange* range) {
  const std::size_t dots = text.find("..");
  return dots != std::string_view::npos && parse_number(text.substr(0, dots), &range->begin) &&
         parse_number(text.substr(dots + 2), &range->end) && range->begin <= range->end;
}

// One key of a violation. False: its value is not of the right kind.
bool read_violation_key(const YamlEntry& entry, Violation* violation) {
  const YamlNode& value = entry.value;
  if (entry.key == "details") {
    for (const YamlNode& line : value.items) violation->details.push_back(line.text);
    return value.is_sequence();
  }
  std::int64_t at_ns = 0;
  if (entry.key == "sectors") return parse_sectors(value.text, &violation->sectors);
  if (entry.key == "event") return parse_number(value.text, &violation->event);
  if (entry.key == "life") return parse_number(value.text, &violation->life);
  if (entry.key == "at-ns") {
    const bool good = parse_number(value.text, &at_ns);
    violation->at = Instant::at_ns(at_ns);
    return good;
  }
  if (entry.key == "oracle") violation->oracle = value.text;
  if (entry.key == "device") violation->device = value.text;
  if (entry.key == "state") violation->state = value.text;
  if (entry.key == "sentence") violation->sentence = value.text;
  return value.is_scalar();
}

Result<Violation> read_violation(const YamlNode& node, const std::string& file) {
  Violation violation;
  const YamlNode* name = node.find("oracle");
  const YamlNode* blame = node.find("blame");
  if (name == nullptr || !name->is_scalar() || blame == nullptr || !blame->is_scalar()) {
    return Failure{error_at(file, node.position, "a violation needs an oracle and a blame")};
  }
  auto whose = read_blame(*blame, file);
  if (!whose.ok()) return Failure{whose.error()};
  violation.blame = *whose;
  for (const YamlEntry& entry : node.entries) {
    if (read_violation_key(entry, &violation)) continue;
    return Failure{error_at(file, entry.value.position,
                            fmt::format("this cannot be the '{}' of a violation", entry.key))};
  }
  return violation;
}

// The keys that every crash file has, and of which kind each is.
Outcome<> check_keys(const YamlNode& root, const std::string& file) {
  using Kind = YamlNode::Kind;
  struct Key {
    const char* name;
    Kind kind;
    const char* words;
  };
  constexpr Key kKeys[] = {{"fingerprint", Kind::kScalar, "a number"},
                           {"seed", Kind::kScalar, "a number"},
                           {"violations", Kind::kSequence, "a list"},
                           {"plan", Kind::kMap, "a map"},
                           {"choices", Kind::kSequence, "a list"},
                           {"complete", Kind::kScalar, "'true'"}};
  for (const Key& key : kKeys) {
    const YamlNode* node = root.find(key.name);
    if (node == nullptr) {
      return Failure{error_at(file, root.position,
                              fmt::format("the key '{}' is missing: is the file truncated?", key.name))};
    }
    if (node->kind != key.kind) {
      return Failure{error_at(file, node->position,
                              fmt::format("'{}' must be {}", key.name, key.words))};
    }
  }
  if (root.find("complete")->text == "true") return Done{};
  return Failure{error_at(file, root.find("complete")->position,
                          "'complete' must be 'true': is the file truncated?")};
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
    out += fmt::format("    sectors: {}..{}\n", violation.sectors.begin, violation.sectors.end);
    out += fmt::format("    at-ns: {}\n    event: {}\n    life: {}\n", violation.at.ns(),
                       violation.event, violation.life);
    out += violation.details.empty() ? "    details: []\n" : "    details:\n";
    for (const std::string& detail : violation.details) {
      out += "      - " + yaml_scalar(detail) + "\n";
    }
  }
  out += "plan:\n" + indented(write_plan(crash.plan), "  ");
  out += crash.choices.empty() ? "choices: []\n" : "choices:\n";
  for (const LabelledChoice& choice : crash.choices) {
    out += "  - " + yaml_scalar(fmt::format("{}/{} {}@{}", choice.value, choice.bound, choice.point,
                                            choice.who)) + "\n";
  }
  // The last line: a file that lacks it has lost its end.
  return out + "complete: true\n";
}

Outcome<> save_crash(const Crash& crash, const std::string& path) {
  std::error_code error;
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (!folder.empty()) std::filesystem::create_directories(folder, error);
  // Two workers may save the same crash at once (--check-twice): whole files replace each other.
  const std::string temporary = fmt::format("{}.{}.part", path, ::getpid());
  {
    std::ofstream file(temporary, std::ios::binary | std::ios::trunc);
    file << write_crash(crash);
    file.close();
    if (!file) {
      std::filesystem::remove(temporary, error);
      return Failure{InputError{path, 0, 0, "cannot be written", -1}};
    }
  }
  if (std::rename(temporary.c_str(), path.c_str()) != 0) {
    std::filesystem::remove(temporary, error);
    return Failure{InputError{path, 0, 0, "cannot be written", -1}};
  }
  return Done{};
}

Result<Crash> read_crash(const std::string& path, const Vocabulary& vocabulary) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Failure{InputError{path, 0, 0, "cannot be read", -1}};
  if (std::filesystem::is_directory(path)) {
    return Failure{InputError{path, 0, 0, "is a folder, expected a crash file", -1}};
  }
  std::ostringstream text;
  text << file.rdbuf();
  return parse_crash(text.str(), path, vocabulary);
}

Result<Crash> parse_crash(const std::string& text, const std::string& path,
                          const Vocabulary& vocabulary) {
  auto root = parse_yaml(text, path);
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
  if (auto keys = check_keys(*root, path); !keys.ok()) return Failure{keys.error()};
  Crash crash;
  const YamlNode& fingerprint = *root->find("fingerprint");
  if (!parse_number(fingerprint.text, &crash.fingerprint, 16)) {
    return Failure{error_at(path, fingerprint.position,
                            "expected 16 hexadecimal digits, found '" + fingerprint.text + "'")};
  }
  const YamlNode& seed = *root->find("seed");
  if (!parse_number(seed.text, &crash.seed)) {
    return Failure{error_at(path, seed.position, "expected a seed, found '" + seed.text + "'")};
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
