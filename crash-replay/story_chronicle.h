// Chronicle: what a crash file's run did, put together from its trace: which request was sent on behalf
// of which, when its data moved and what they were, what became of it. The common ground of the story,
// the timeline and the tables; it says nothing in sentences and draws nothing.
//
// It has a *focus*: the page, the region and the disks that the broken promise is about. Contents are
// followed for that page only, by version; all requests are listed, those in focus are marked.
//
// Contents of legs are followed through the trace: a transfer brings a version, recovery brings what the
// other leg had, a power cut leaves what the trace says survived on top of what had been durable. Not
// followed: content that a lying, rotten or misdirecting disk has changed; the tables show what the
// simulated disks really hold, and the last column of each is taken from them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "crash-replay/crash_file.h"
#include "crash-replay/story_events.h"

namespace dmsim {

// What stands in the page in focus, on one disk or in memory.
struct StoryContent {
  enum class Kind : std::uint8_t {
    kUnknown,
    kInitial,  // what the disk named in `disk` held at first power on
    kVersion,  // `version`, as the trace counts
    kMixture,  // `version` in some sectors, something else in others
    kDiscarded,  // what the disk has where it was told to discard
  };
  Kind kind = Kind::kUnknown;
  std::string disk;
  std::uint64_t version = 0;
  static StoryContent initial_of(std::string disk) { return {Kind::kInitial, std::move(disk), 0}; }
  static StoryContent of_version(std::uint64_t v) { return {Kind::kVersion, {}, v}; }
  friend bool operator==(const StoryContent&, const StoryContent&) = default;
};

// One request to one disk.
struct DiskStory {
  std::string disk;
  std::string op;  // "write"
  bool fua = false;
  SectorRange range;
  std::uint32_t life = 0;
  std::size_t submit = 0;  // indices into Chronicle::events
  std::optional<std::size_t> transfer;
  std::optional<std::size_t> complete;  // none: the power cut or the end came first
  std::optional<std::size_t> user;      // index into Chronicle::users: on whose behalf
  bool recovery = false;                // the mirror synchronises its legs
  bool in_focus = false;  // touches the page in focus, or the focused region's log or legs
  bool touches_page = false;
  StoryContent content;  // of the page in focus; reads: what was delivered
  std::string status;    // "ok", "EIO"; empty: none
  std::string fault;     // that struck it; empty: none
};

// One request to the mapped device in focus, or to another.
struct UserStory {
  std::string device;
  std::string who;  // the task or daemon, as far as it is known; else the issuer
  bool by_cache = false;
  std::string op;
  bool fua = false;
  SectorRange range;
  std::uint32_t life = 0;
  std::size_t submit = 0;
  std::optional<std::size_t> complete;
  std::optional<std::size_t> writeback;  // the cache.writeback event before it
  std::vector<std::size_t> parts;        // indices into Chronicle::disk_requests
  bool touches_page = false;
  bool touches_region = false;
  StoryContent content;  // of the page in focus, when it was submitted
  std::string status;
};

struct StoryFocus {
  struct Leg {
    std::string disk;
    Sector page_begin = 0;  // sector of the leg where the page in focus lies
  };
  std::string device;      // empty: nothing is known
  std::uint64_t page = 0;  // of the device
  SectorRange page_range;  // of the device
  SectorRange sectors;     // that the promise is about; empty: none
  std::vector<Leg> legs;   // best first; one: no mirror
  struct Clone {
    std::string source, destination, metadata;  // devices
  };
  struct Snapshot {
    struct Merge {
      std::string device;
      std::uint64_t chunk_sectors = 1;
    };
    std::string device;                // its own name
    std::string origin, cow;           // devices
    bool merges = false;
    std::uint64_t chunk_sectors = 1;
    std::uint64_t chunk = 0;           // that the promise is about
    std::vector<std::string> users;    // mapped devices through which the origin is written
    std::vector<Merge> merge_devices;  // of the same origin
  };
  std::optional<std::uint64_t> region;
  SectorRange region_range;  // of the device; empty: no mirror, no clone
  std::string mirror;        // the mapped device whose region that is; empty: none
  std::optional<Clone> clone;  // it is a clone's region, not a mirror's
  struct Move {
    std::uint64_t extent;      // of the volume
  };
  std::optional<Move> move;    // an extent of LVM1 that was moved: legs are where it is and where it was
  // `device` is one, or merges one; of a run that hangs: the one that the oldest request waits for.
  std::optional<Snapshot> snapshot;
  std::string log_disk;      // or a clone's metadata; empty: none
  // Where that page is in memory: its cache, which may be one of a device further up, and its number there.
  std::string cache;  // actor; empty: no cache was used
  std::uint64_t cache_page = 0;
  bool has_page() const { return !page_range.empty(); }
};

// One leg at the end, against the log.
struct LegState {
  std::string disk;
  StoryContent after_cut;  // when the last life began
  StoryContent at_end;
  std::string digest;  // of the sector the promise is about, at the end: what is really there
};

struct Chronicle {
  const Crash* crash = nullptr;  // outlives the chronicle
  Violation violation;           // the one the file is about, as seen in this replay
  std::vector<Violation> others;
  bool reproduced = false;
  std::uint32_t lives = 0;

  StoryFocus focus;
  std::vector<StoryEvent> events;
  std::vector<DiskStory> disk_requests;      // by submission
  std::vector<UserStory> users;              // by submission
  std::map<TraceId, std::size_t> by_submit;  // disk_requests by event id
  std::vector<LegState> legs;                // parallel to focus.legs
  // What the log on disk says of the region in focus; none: no log, or it says nothing. Of a clone's region:
  // the metadata on disk say that it is on the destination.
  std::optional<bool> clean_after_cut;
  std::optional<bool> clean_at_end;
  std::vector<Sector>
      differing;  // sectors of the page in focus that differ between legs at the end

  const StoryEvent& event(std::size_t index) const { return events[index]; }
  std::optional<std::size_t> index_of(TraceId id) const {
    if (id == 0 || id > events.size()) return std::nullopt;
    return static_cast<std::size_t>(id - 1);
  }
  bool is_leg(std::string_view disk) const;
  // The event is about the page in focus, in memory.
  bool about_cached_page(const StoryEvent& event) const;
  // The event says something about the region in focus.
  bool about_region(const StoryEvent& event) const;
};

// `replay` was made with Trace::Keep::kAll. It is used up to here only; `crash` is kept by reference.
// Contents that the trace cannot tell are looked up by replaying up to the instant in question.
Chronicle make_chronicle(const Crash& crash, const ReplayResult& replay, Workshop& workshop);

}  // namespace dmsim
