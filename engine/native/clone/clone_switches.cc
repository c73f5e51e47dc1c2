#include "engine/native/clone/clone_switches.h"

#include <array>

namespace dmsim {
namespace {

constexpr std::array<std::string_view, 2> kOnOff{"on", "off"};
constexpr std::string_view kFlushDest[] = {"before", "off", "after"};
constexpr std::string_view kPhase[] = {"two", "one"};
constexpr std::string_view kTrack[] = {"bit", "word"};
constexpr std::string_view kOverwriteFua[] = {"commit", "ack", "forgotten-below"};
constexpr std::string_view kSetBitTime[] = {"completion", "start"};
constexpr std::string_view kMetadataLoad[] = {"resume", "load"};
constexpr std::string_view kPartialDiscard[] = {"skip", "wrong-range"};

constexpr SwitchInfo kTable[] = {
    {"clone.flush_dest", kFlushDest,
     "off: the metadata call regions valid whose data may still be in the destination's volatile cache; "
     "after: the destination is flushed when the metadata are committed already",
     "clone-commit-before-flush"},
    {"clone.phase", kPhase,
     "one: what a commit contains is fixed only after the destination was flushed, so it contains regions "
     "that came in meanwhile",
     "clone-commit-newer-bits"},
    {"clone.track", kTrack,
     "word: a commit writes whole words of the bitmap as they are then, with newer bits of other regions",
     "clone-commit-newer-bits"},
    {"clone.overwrite_fua", kOverwriteFua,
     "ack: a FUA write of a whole region is acknowledged before the metadata know of the region; forgotten-below: "
     "so it is if the destination has no volatile cache",
     "clone-overwrite-fua", "forgotten-below"},
    {"clone.set_bit_time", kSetBitTime,
     "start: the metadata may call a region valid from the moment its copy begins",
     "clone-bit-before-copy"},
    {"clone.flush_commits", kOnOff,
     "off: a flush is passed down without a commit, so regions written before it are read from the source "
     "after a power cut",
     "clone-flush-without-commit"},
    {"clone.discard_waits", kOnOff,
     "off: a discard does not wait for copies of its regions under way, which then overwrite what is written "
     "after the discard (Linux 6.1 and 6.12)",
     "clone-discard-races-copy", "off"},
    {"clone.metadata_load", kMetadataLoad,
     "load: a table knows the metadata as they were when it was loaded, not when it was resumed (Linux 6.1 "
     "and 6.12)",
     "clone-reload-stale-metadata", "load"},
    {"clone.partial_discard", kPartialDiscard,
     "wrong-range: a discard within one region is passed down with another region's begin and a length below "
     "zero (before Linux 5.7)",
     "clone-partial-discard"},
};

}  // namespace

std::span<const SwitchInfo> clone_switches() { return kTable; }

namespace native {

CloneSwitches parse_clone_switches(const SwitchValues& values) {
  CloneSwitches s;
  const ChosenValues chosen(kTable, values);
  chosen.choice("clone.flush_dest", &s.flush_dest);
  chosen.choice("clone.phase", &s.phase);
  chosen.choice("clone.track", &s.track);
  chosen.choice("clone.overwrite_fua", &s.overwrite_fua);
  chosen.choice("clone.set_bit_time", &s.set_bit_time);
  chosen.flag("clone.flush_commits", &s.flush_commits);
  chosen.flag("clone.discard_waits", &s.discard_waits);
  chosen.choice("clone.metadata_load", &s.metadata_load);
  chosen.choice("clone.partial_discard", &s.partial_discard);
  return s;
}

}  // namespace native
}  // namespace dmsim
