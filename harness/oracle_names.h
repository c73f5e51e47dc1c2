// The oracles: the promises that a run is held to, one line each (CATALOGUE of properties).
#pragma once

#include <span>
#include <string_view>

namespace dmsim {

struct OracleInfo {
  std::string_view name;
  std::string_view promise;  // one sentence
  std::string_view planted;  // a switch value that it is shown to catch, "name=value"
};

namespace oracle {
inline constexpr std::string_view kLegsIdentical = "legs-identical-where-clean";
inline constexpr std::string_view kNoFalseSync = "no-false-sync";
inline constexpr std::string_view kReadYourWrites = "read-your-writes";
inline constexpr std::string_view kStableRead = "stable-read";
inline constexpr std::string_view kDurability = "durability";
inline constexpr std::string_view kUntouched = "untouched-sectors";
inline constexpr std::string_view kNoFalseError = "no-false-error";
inline constexpr std::string_view kNoFalseSuccess = "no-false-success";
inline constexpr std::string_view kLiveness = "liveness";
inline constexpr std::string_view kNoLeak = "no-leak";
inline constexpr std::string_view kAnswers = "administrator-answers";
inline constexpr std::string_view kCommittedDurable = "committed-points-at-durable";
inline constexpr std::string_view kSnapshotEquals = "snapshot-equals-origin-at-creation";
inline constexpr std::string_view kOriginModel = "origin-equals-model";
inline constexpr std::string_view kVersion = "no-torn-content";
inline constexpr std::string_view kNoEngineBug = "no-engine-bug";
inline constexpr std::string_view kFrozenImage = "frozen-image-consistent";
inline constexpr std::string_view kOneSuspender = "one-suspender-at-a-time";
inline constexpr std::string_view kMovedEqualsModel = "moved-equals-model";
inline constexpr std::string_view kCanary = "canary";
}  // namespace oracle

std::span<const OracleInfo> oracle_table();

}  // namespace dmsim
