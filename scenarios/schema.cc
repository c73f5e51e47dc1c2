#include "scenarios/schema.h"

#include <iterator>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "scenarios/keys.h"

namespace dmsim {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kNamePattern = "^[A-Za-z0-9_.+-]+$";
constexpr std::string_view kSize = "[0-9]+(B|s|KiB|MiB|GiB|TiB)";
constexpr std::string_view kDuration = "[0-9]+(ns|us|ms|s)";

Json pattern(const std::string& expression) {
  return {{"type", "string"}, {"pattern", "^(" + expression + ")$"}};
}
Json reference(std::string_view id) { return {{"$ref", fmt::format("#/definitions/{}", id)}}; }
Json list_of(Json items) { return {{"type", "array"}, {"items", std::move(items)}}; }
Json map_of(Json values) {
  return {{"type", "object"},
          {"propertyNames", {{"pattern", kNamePattern}}},
          {"additionalProperties", std::move(values)}};
}
Json either(Json a, Json b) { return {{"anyOf", Json::array({std::move(a), std::move(b)})}}; }
Json words_of(const KeyInfo& key) {
  Json words = Json::array();
  for (const std::string_view word : key.words) words.push_back(word);
  return {{"enum", std::move(words)}};
}
// What an editor would take for a number or a flag is as good where text is expected.
Json text() { return {{"type", Json::array({"string", "number", "boolean"})}}; }
Json table() { return either({{"type", "string"}}, list_of({{"type", "string"}})); }

Json schema_of(const KeyInfo& key) {
  const auto map = [&] { return reference(key.table->id); };
  const std::string range = fmt::format("{0}\\.\\.{0}", kSize);
  switch (key.shape) {
    case Shape::kText: return text();
    case Shape::kCount: return {{"type", "integer"}, {"minimum", 0}};
    case Shape::kSize: return pattern(std::string(kSize));
    case Shape::kDuration: return pattern(std::string(kDuration));
    case Shape::kDurationRange: return pattern(fmt::format("{0}(\\.\\.{0})?", kDuration));
    case Shape::kRange: return pattern(range);
    case Shape::kRatio: return pattern("[0-9]+/[0-9]+");
    case Shape::kFlag: return {{"type", "boolean"}};
    case Shape::kWord: return words_of(key);
    case Shape::kTable: return table();
    case Shape::kTexts: return list_of(text());
    case Shape::kTextMap: return map_of(text());
    case Shape::kMap: return map();
    case Shape::kMapOrWord: return either(map(), words_of(key));
    case Shape::kRangeOrMap: return either(pattern(range), map());
    case Shape::kTableOrMap: return either(table(), map());
    case Shape::kMapOfMaps: return map_of(map());
    case Shape::kMapOfTables: return map_of(either(table(), map()));
    case Shape::kListOfMaps: return list_of(map());
    case Shape::kTasks: return list_of(reference("task"));
    case Shape::kSteps: return list_of(reference("verb"));
  }
  CHECK(false);
  return {};
}

Json schema_of(const KeyTable& keys, bool in_variant) {
  Json properties = Json::object();
  Json required = Json::array();
  for (const KeyInfo& key : keys.keys) {
    Json schema = schema_of(key);
    schema["description"] = key.about;
    if (key.fallback.empty()) required.push_back(key.name);
    // A variant's null removes the key.
    properties[std::string(key.name)] =
        in_variant ? either(std::move(schema), {{"type", "null"}}) : std::move(schema);
  }
  Json out{{"type", "object"},
           {"properties", std::move(properties)},
           {"additionalProperties", false}};
  // A variant changes what the scenario says; a device may have no table when boot is false.
  if (!in_variant && &keys != &kDeviceKeys && !required.empty()) out["required"] = required;
  return out;
}

// A map with exactly one key that says what the rest is, and perhaps a name.
Json single_key(Json properties, bool named) {
  Json choices = Json::array();
  for (const auto& [key, schema] : properties.items()) {
    choices.push_back({{"required", Json::array({key})}});
  }
  if (named) properties["name"] = text();
  return {{"type", "object"},
          {"properties", std::move(properties)},
          {"additionalProperties", false},
          {"oneOf", std::move(choices)}};
}

Json task_schema() {
  Json kinds = Json::object();
  for (const TaskKind& kind : kTaskKinds) {
    kinds[std::string(kind.name)] = reference(kind.table->id);
    kinds[std::string(kind.name)]["description"] = kind.about;
  }
  return single_key(std::move(kinds), true);
}

Json verb_schema() {
  Json verbs = Json::object();
  for (const VerbInfo& verb : kVerbs) {
    Json schema = verb.table != nullptr ? reference(verb.table->id) : text();
    schema["description"] = verb.about;
    verbs[std::string(verb.name)] = std::move(schema);
  }
  return single_key(std::move(verbs), false);
}

std::string_view shape_name(const KeyInfo& key) {
  switch (key.shape) {
    case Shape::kText: return "text";
    case Shape::kCount: return "number";
    case Shape::kSize: return "size";
    case Shape::kDuration: return "duration";
    case Shape::kDurationRange: return "durations";
    case Shape::kRange: return "range";
    case Shape::kRatio: return "ratio";
    case Shape::kFlag: return "flag";
    case Shape::kWord: return "word";
    case Shape::kTable: return "table";
    case Shape::kTexts: return "list of texts";
    case Shape::kTextMap: return "map of name to text";
    case Shape::kMap: return "map";
    case Shape::kMapOrWord: return "map or word";
    case Shape::kRangeOrMap: return "range or map";
    case Shape::kTableOrMap: return "table or map";
    case Shape::kMapOfMaps: return "map of name to map";
    case Shape::kMapOfTables: return "map of name to table or map";
    case Shape::kListOfMaps: return "list of maps";
    case Shape::kTasks: return "list of tasks";
    case Shape::kSteps: return "list of steps";
  }
  CHECK(false);
  return {};
}

void add_reference(std::string& out, const KeyTable& keys) {
  const auto to = std::back_inserter(out);
  fmt::format_to(to, "| key of {} | value | default | meaning |\n|---|---|---|---|\n", keys.name);
  for (const KeyInfo& key : keys.keys) {
    std::string value(shape_name(key));
    if (!key.words.empty()) value = fmt::format("`{}`", fmt::join(key.words, "`, `"));
    if (key.shape == Shape::kMapOrWord) value = "map or " + value;
    const std::string fallback = key.fallback.empty() ? "*required*"
                                 : key.fallback == "-" ? ""
                                                       : fmt::format("`{}`", key.fallback);
    fmt::format_to(to, "| `{}` | {} | {} | {} |\n", key.name, value, fallback, key.about);
  }
  out += '\n';
}

}  // namespace

std::string scenario_schema() {
  Json schema = schema_of(kScenarioKeys, false);
  schema["required"] = Json::array({"scenario"});  // the rest may come from the variants
  Json definitions = Json::object();
  for (const KeyTable* keys : all_key_tables()) {
    if (keys == &kScenarioKeys || keys == &kPlanKeys) continue;
    definitions[std::string(keys->id)] = schema_of(*keys, keys == &kVariantKeys);
  }
  definitions["task"] = task_schema();
  definitions["verb"] = verb_schema();
  Json out{{"$schema", "http://json-schema.org/draft-07/schema#"}, {"title", "dmsim scenario"}};
  out.update(schema);
  out["definitions"] = std::move(definitions);
  return out.dump(1) + "\n";
}

std::string key_reference() {
  std::string out;
  const auto to = std::back_inserter(out);
  for (const KeyTable* keys : {&kScenarioKeys, &kDiskKeys, &kFaultKeys, &kFaultRangeKeys, &kDeviceKeys,
                               &kVolumeGroupKeys, &kVolumeKeys, &kMemoryKeys, &kPdflushKeys, &kSchedulerKeys,
                               &kPowerCutKeys}) {
    add_reference(out, *keys);
  }
  out += "### Tasks\n\n| kind | what it does |\n|---|---|\n";
  for (const TaskKind& kind : kTaskKinds) {
    fmt::format_to(to, "| `{}` | {} |\n", kind.name, kind.about);
  }
  out += '\n';
  for (const TaskKind& kind : kTaskKinds) add_reference(out, *kind.table);
  out += "### Steps of a dmsetup task\n\n| step | keys | what it does |\n|---|---|---|\n";
  const KeyTable* plain = nullptr;
  for (const VerbInfo& verb : kVerbs) {
    if (verb.name == "create") plain = verb.table;
    const std::string_view keys = verb.table == nullptr
                                      ? (verb.name == "sleep" ? "a duration" : "a task's name")
                                      : verb.table->name;
    fmt::format_to(to, "| `{}` | {} | {} |\n", verb.name, keys, verb.about);
  }
  out += '\n';
  CHECK(plain != nullptr);
  add_reference(out, *plain);
  for (const VerbInfo& verb : kVerbs) {
    if (verb.table != nullptr && verb.table != plain) add_reference(out, *verb.table);
  }
  return out;
}

}  // namespace dmsim
