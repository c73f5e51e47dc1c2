// The keys of the scenario language, each said once: the loader accepts exactly these, the JSON schema
// and the reference in docs/SCENARIOS.md are made from them, and a plan is written with their words.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "harness/plan.h"

namespace dmsim {

// What stands after a key.
enum class Shape : std::uint8_t {
  kText,
  kCount,          // whole number, no unit
  kSize,
  kDuration,
  kDurationRange,  // 100us or 20us..200us
  kRange,          // 8s..16s
  kRatio,
  kFlag,           // true or false
  kWord,           // one of KeyInfo::words
  kTable,          // dmsetup's table: a text or a list of lines
  kTexts,          // list of texts
  kTextMap,        // map of name to text
  kMap,            // one map with the keys of KeyInfo::table
  kMapOrWord,      // the same, or one of KeyInfo::words
  kRangeOrMap,     // 8s..16s, or the same
  kTableOrMap,     // kTable, or the same
  kMapOfMaps,      // map of name to such a map
  kMapOfTables,    // map of name to kTableOrMap
  kListOfMaps,
  kTasks,          // list of tasks
  kSteps,          // list of an administrator's verbs
};

struct KeyTable;

struct KeyInfo {
  std::string_view name;
  Shape shape;
  std::string_view fallback;  // its default as written; "": must be given; "-": absent means absent
  std::string_view about;
  std::span<const std::string_view> words = {};
  const KeyTable* table = nullptr;
};

struct KeyTable {
  std::string_view name;   // as errors and docs say it: "a disk"
  std::string_view id;     // of its definition in the schema: "disk"
  std::span<const KeyInfo> keys;
};

// Tasks and verbs: the single key of their map, and what stands after it.
struct TaskKind {
  std::string_view name;   // of the alternative of TaskBody, in its order
  const KeyTable* table;
  std::string_view about;
};
struct VerbInfo {
  std::string_view name;   // in the order of DmsetupStep::Verb
  const KeyTable* table;   // null: a duration (sleep) or a task's name (wait-task)
  std::string_view about;
};

// Enums as written, in the order of their enumerators.
extern const std::span<const std::string_view> kCacheWords;       // CacheMode
extern const std::span<const std::string_view> kContentWords;     // DiskContent
extern const std::span<const std::string_view> kAtomicWords;      // 1 and 8 sectors
extern const std::span<const std::string_view> kFaultWords;       // FaultKind
extern const std::span<const std::string_view> kPathWords;        // Path
extern const std::span<const std::string_view> kGroupFormatWords; // GroupFormat
extern const std::span<const std::string_view> kSurvivorWords;    // SurvivorPolicy
extern const std::span<const std::string_view> kTablesAfterCutWords;  // TablesAfterCut
extern const std::span<const std::string_view> kBlameWords;       // Blame
extern const std::span<const std::string_view> kExt2BlockWords;   // 1024, 2048, 4096 bytes
extern const std::span<const std::string_view> kAnswerWords;      // [0] is success: "" in a step

extern const KeyTable kScenarioKeys;
extern const KeyTable kVariantKeys;     // of one variant: what it may lay over the scenario
extern const KeyTable kPlanKeys;        // of a resolved plan
extern const KeyTable kDiskKeys;
extern const KeyTable kFaultKeys;
extern const KeyTable kFaultRangeKeys;
extern const KeyTable kDeviceKeys;
extern const KeyTable kVolumeGroupKeys;
extern const KeyTable kVolumeKeys;
extern const KeyTable kMemoryKeys;
extern const KeyTable kPdflushKeys;
extern const KeyTable kSchedulerKeys;
extern const KeyTable kPowerCutKeys;

extern const std::span<const TaskKind> kTaskKinds;
extern const std::span<const VerbInfo> kVerbs;

// Every table above and those of tasks and verbs, each once.
std::span<const KeyTable* const> all_key_tables();

}  // namespace dmsim
