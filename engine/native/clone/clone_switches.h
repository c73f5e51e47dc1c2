// The planted bugs of the clone. The first value of each is the fixed behaviour; a target parses the table
// of names once into CloneSwitches, and asks enums from then on.
//
// The fault of 2019 as it was found is flush_dest=off, phase=one, track=word. Its fix came in three patches,
// each of which can be left out alone.
#pragma once

#include <cstdint>
#include <span>

#include "engine/switches.h"

namespace dmsim {

std::span<const SwitchInfo> clone_switches();

namespace native {

enum class FlushDest : std::uint8_t { kBefore, kOff, kAfter };
enum class CommitPhase : std::uint8_t { kTwo, kOne };
enum class Track : std::uint8_t { kBit, kWord };
enum class OverwriteFua : std::uint8_t { kCommit, kAck, kForgottenBelow };
enum class SetBitTime : std::uint8_t { kCompletion, kStart };
enum class MetadataLoad : std::uint8_t { kResume, kTable };
enum class PartialDiscard : std::uint8_t { kSkip, kWrongRange };

// One field per switch, at its fixed value.
struct CloneSwitches {
  FlushDest flush_dest = FlushDest::kBefore;
  CommitPhase phase = CommitPhase::kTwo;
  Track track = Track::kBit;
  OverwriteFua overwrite_fua = OverwriteFua::kCommit;
  SetBitTime set_bit_time = SetBitTime::kCompletion;
  bool flush_commits = true;
  bool discard_waits = true;
  MetadataLoad metadata_load = MetadataLoad::kResume;
  PartialDiscard partial_discard = PartialDiscard::kSkip;
};

// Requires values of the table: whoever read the plan has judged them. Other rooms' names are ignored.
CloneSwitches parse_clone_switches(const SwitchValues& values);

}  // namespace native
}  // namespace dmsim
