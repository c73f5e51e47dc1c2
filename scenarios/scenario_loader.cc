#include "scenarios/scenario_loader.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "scenarios/readers.h"

namespace dmsim {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSkippedFolder = "bad";

Failure<InputError> file_failure(const std::string& path, std::string message) {
  InputError error;
  error.file = path;
  error.message = std::move(message);
  return Failure{error};
}

Result<std::string> read_file(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) {
    return file_failure(path, "found no such file" + nearest_file(path));
  }
  if (status.type() == fs::file_type::directory) {
    return file_failure(path, "found a folder, expected a scenario file");
  }
  std::ifstream stream(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  if (!stream.is_open() || stream.bad()) return file_failure(path, "cannot be read");
  return text;
}

// What can be said of the file before its variants are laid over it.
void check_scenario(Reading& reading, const YamlNode& root, const std::string& stem) {
  check_keys(reading, root, kScenarioKeys);
  if (reading.failed()) return;
  const YamlNode* name = root.find("scenario");
  if (name == nullptr || !name->is_scalar()) {
    return reading.fail(name == nullptr ? root.position : name->position,
                        fmt::format("missing key 'scenario', expected scenario: {}", stem));
  }
  if (name->text != stem) {
    return reading.fail(name->position, fmt::format("scenario: found {}, expected the file's own name, "
                                                    "{}", in_quotes(name->text), stem));
  }
  const YamlNode* variants = root.find("variants");
  if (variants == nullptr) return;
  if (!variants->is_map() || variants->entries.empty()) {
    return reading.fail(variants->position, fmt::format("variants: found {}, expected a map of name "
                                                        "to what differs",
                                                        variants->is_map() ? "an empty map"
                                                                           : describe(*variants)));
  }
  for (const YamlEntry& entry : variants->entries) {
    check_name(reading, entry.key_position, "a variant", entry.key);
    check_keys(reading, entry.value, kVariantKeys);
  }
}

// One variant of the scenario as a plan. `merged` is the scenario without its variants.
Result<Plan> read_variant(const YamlNode& merged, const std::string& variant,
                          const std::string& path, const Vocabulary& vocabulary) {
  Reading reading(path, vocabulary);
  const fs::path parent = fs::path(path).parent_path();
  Plan plan;
  reading.require_files_in(parent.string());
  read_plan_map(reading, merged, plan, false);
  plan.engine_is_named = merged.find("engine") != nullptr;
  if (!reading.failed() && plan.checks.empty()) {
    const YamlNode* checks = merged.find("check");
    CHECK(checks != nullptr);
    reading.fail(checks->position, "check: found none, expected at least one oracle");
  }
  if (reading.failed()) return Failure{reading.error()};
  plan.variant = variant;
  plan.directory = parent.string();
  return plan;
}

// An error that only the variant brings about says so.
InputError name_variant(InputError error, const YamlNode& base, const std::string& variant,
                        const std::string& path, const Vocabulary& vocabulary) {
  const Result<Plan> plain = read_variant(base, "", path, vocabulary);
  if (plain || plain.error().to_string() != error.to_string()) {
    error.message += fmt::format(" (in variant '{}')", variant);
  }
  return error;
}

YamlNode without_variants(const YamlNode& root) {
  YamlNode base = root;
  std::erase_if(base.entries, [](const YamlEntry& entry) { return entry.key == "variants"; });
  return base;
}

Outcome<> add_folder(const std::string& folder, std::vector<std::string>& files) {
  std::vector<fs::path> below;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    below.push_back(at->path());
  }
  if (error) return file_failure(folder, "cannot be read: " + error.message());
  std::sort(below.begin(), below.end());
  for (const fs::path& path : below) {
    if (fs::is_directory(path, error)) {
      if (path.filename() == kSkippedFolder) continue;
      if (const Outcome<> added = add_folder(path.string(), files); !added) return added;
    } else if (path.extension() == ".yaml") {
      files.push_back(path.string());
    }
  }
  return Done{};
}

}  // namespace

Result<std::vector<Plan>> load_scenario(const std::string& path, const Vocabulary& vocabulary) {
  const Result<std::string> text = read_file(path);
  if (!text) return Failure{text.error()};
  const Result<YamlNode> root = parse_yaml(*text, path);
  if (!root) return Failure{root.error()};
  Reading reading(path, vocabulary);
  check_scenario(reading, *root, fs::path(path).stem().string());
  if (reading.failed()) return Failure{reading.error()};

  const YamlNode base = without_variants(*root);
  std::vector<Plan> plans;
  const YamlNode* variants = root->find("variants");
  if (variants == nullptr) {
    Result<Plan> plan = read_variant(base, "", path, vocabulary);
    if (!plan) return Failure{plan.error()};
    plans.push_back(std::move(*plan));
    return plans;
  }
  for (const YamlEntry& entry : variants->entries) {
    Result<Plan> plan = read_variant(merge_yaml(base, entry.value), entry.key, path, vocabulary);
    if (!plan) return Failure{name_variant(plan.error(), base, entry.key, path, vocabulary)};
    plans.push_back(std::move(*plan));
  }
  return plans;
}

Result<std::vector<std::string>> find_scenarios(std::span<const std::string> paths) {
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (!fs::exists(status)) {
      // "seeds/" names what "seeds" does, and its siblings are those of "seeds".
      const fs::path named(path);
      return file_failure(path.empty() ? "''" : path, "found no such file or folder" +
                                    nearest_file(named.has_filename() ? named : named.parent_path()));
    }
    if (!fs::is_directory(status)) {
      files.push_back(path);
      continue;
    }
    const std::size_t before = files.size();
    if (const Outcome<> added = add_folder(path, files); !added) return Failure{added.error()};
    if (files.size() == before) return file_failure(path, "found no scenario (*.yaml) in this folder");
  }
  std::vector<std::string> distinct;
  for (std::string& file : files) {
    const std::string normal = fs::path(file).lexically_normal().string();
    const bool known = std::any_of(distinct.begin(), distinct.end(), [&](const std::string& other) {
      return fs::path(other).lexically_normal().string() == normal;
    });
    if (!known) distinct.push_back(std::move(file));
  }
  return distinct;
}

}  // namespace dmsim
