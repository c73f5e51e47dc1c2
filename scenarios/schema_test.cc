// The schema for editors and the reference for people against the key tables that the loader reads by.
// Set DMSIM_UPDATE_GOLDEN=1 to write both files anew.
#include "scenarios/schema.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include <nlohmann/json.hpp>

#include "scenarios/keys.h"

namespace dmsim {
namespace {

const std::string kSchemaFile = "scenarios/schema.json";
const std::string kReferenceFile = "docs/SCENARIOS.md";
constexpr std::string_view kBegin = "<!-- begin: made from scenarios/keys.cc -->\n";
constexpr std::string_view kEnd = "<!-- end -->\n";

bool updates_golden() { return std::getenv("DMSIM_UPDATE_GOLDEN") != nullptr; }

std::string read_all(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

std::set<std::string> keys_of(const nlohmann::json& definition) {
  std::set<std::string> keys;
  for (const auto& [key, schema] : definition.at("properties").items()) keys.insert(key);
  return keys;
}
std::set<std::string> keys_of(const KeyTable& table) {
  std::set<std::string> keys;
  for (const KeyInfo& key : table.keys) keys.emplace(key.name);
  return keys;
}

TEST(Schema, the_file_is_what_the_key_tables_make) {
  if (updates_golden()) std::ofstream(kSchemaFile) << scenario_schema();
  EXPECT_EQ(read_all(kSchemaFile), scenario_schema());
}

TEST(Schema, the_file_has_exactly_the_keys_that_the_loader_accepts) {
  const nlohmann::json schema = nlohmann::json::parse(read_all(kSchemaFile));
  EXPECT_EQ(keys_of(schema), keys_of(kScenarioKeys));
  std::set<std::string> expected{"task", "verb"};
  for (const KeyTable* table : all_key_tables()) {
    if (table == &kScenarioKeys || table == &kPlanKeys) continue;
    const std::string id(table->id);
    expected.insert(id);
    EXPECT_EQ(keys_of(schema.at("definitions").at(id)), keys_of(*table)) << id;
    EXPECT_EQ(schema.at("definitions").at(id).at("additionalProperties"), false) << id;
  }
  std::set<std::string> defined;
  for (const auto& [id, definition] : schema.at("definitions").items()) defined.insert(id);
  EXPECT_EQ(defined, expected);
}

TEST(Schema, every_kind_of_task_and_every_verb_is_in_it) {
  const nlohmann::json schema = nlohmann::json::parse(read_all(kSchemaFile));
  std::set<std::string> kinds{"name"};
  for (const TaskKind& kind : kTaskKinds) kinds.emplace(kind.name);
  std::set<std::string> verbs;
  for (const VerbInfo& verb : kVerbs) verbs.emplace(verb.name);
  EXPECT_EQ(keys_of(schema.at("definitions").at("task")), kinds);
  EXPECT_EQ(keys_of(schema.at("definitions").at("verb")), verbs);
}

TEST(Schema, every_reference_leads_somewhere) {
  const std::string text = read_all(kSchemaFile);
  const nlohmann::json schema = nlohmann::json::parse(text);
  const std::string prefix = "\"#/definitions/";
  int references = 0;
  for (std::size_t at = text.find(prefix); at != std::string::npos; at = text.find(prefix, at)) {
    at += prefix.size();
    const std::string id = text.substr(at, text.find('"', at) - at);
    EXPECT_TRUE(schema.at("definitions").contains(id)) << id;
    ++references;
  }
  EXPECT_GT(references, 20);
}

TEST(Schema, every_table_of_keys_is_in_the_reference) {
  const std::string reference = key_reference();
  for (const KeyTable* table : all_key_tables()) {
    if (table == &kVariantKeys || table == &kPlanKeys) continue;  // a scenario's
    EXPECT_NE(reference.find("| key of " + std::string(table->name) + " |"), std::string::npos) << table->name;
  }
}

TEST(Schema, the_reference_in_the_docs_is_what_the_key_tables_make) {
  std::string document = read_all(kReferenceFile);
  const std::size_t begin = document.find(kBegin);
  const std::size_t end = document.find(kEnd);
  ASSERT_NE(begin, std::string::npos);
  ASSERT_NE(end, std::string::npos);
  const std::size_t body = begin + kBegin.size();
  if (updates_golden()) {
    document.replace(body, end - body, key_reference());
    std::ofstream(kReferenceFile) << document;
    return;
  }
  EXPECT_EQ(document.substr(body, end - body), key_reference());
}

}  // namespace
}  // namespace dmsim
