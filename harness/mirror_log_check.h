// Where a recorded dirty log calls a region clean, the recorded legs must be equal: the promise
// `legs-identical-where-clean`, held against crash states of a real recording (harness/log_states.h).
//
// Legs and dirty log are slices of one recorded device. Per state only that is looked at which can have
// changed: the regions in which something is free, and those that differ in what is durable, which are
// kept from moment to moment. A state costs what its own free writes cost, not what the legs cost.
// check_all() is the slow obvious rule; tests hold the two together.
//
// What the log claims is read as a resume reads it: no valid header, no claim; regions beyond the
// header's count are not clean. `sync` and `nosync` in the table speak of a new log and change nothing
// that a recorded one says.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "harness/log_states.h"
#include "harness/recorded_mirror.h"

namespace dmsim {

struct LegDifference {
  std::uint64_t region = 0;
  std::size_t leg = 0;     // differs from leg 0
  Sector sector = 0;       // of the mirror: the first that differs
  friend bool operator==(const LegDifference&, const LegDifference&) = default;
};

class MirrorLogCheck {
 public:
  explicit MirrorLogCheck(const RecordedMirror& mirror) : mirror_(mirror) {}

  // Call once for each moment of the walk, from the first on.
  void begin_moment(const LogStates& states);
  // The first clean region with legs that differ; none: the state keeps the promise.
  std::optional<LegDifference> check(const Image& state) const;
  // The same by looking at everything.
  std::optional<LegDifference> check_all(const Image& state) const;

 private:
  struct Touched {
    std::uint64_t region;
    SectorRange range;  // of the mirror, within the region
  };
  bool clean(const Image& state, std::uint64_t region) const;
  std::uint64_t claimed_regions(const Image& state) const;
  std::optional<LegDifference> compare(const Image& state, std::uint64_t region,
                                       SectorRange range) const;
  // Calls visit(range of the mirror) for the part of a device range that lies on each leg.
  template <typename Visit>
  void on_mirror(SectorRange device, Visit visit) const;
  void note_touched(SectorRange range);

  const RecordedMirror& mirror_;
  std::vector<std::uint64_t> differing_;  // regions whose legs differ in what is durable, ascending
  std::vector<Touched> touched_;          // by region and sector, disjoint
};

struct MirrorLogFinding {
  std::size_t entry = 0;
  std::uint64_t number = 0;   // the state is "ENTRY.NUMBER"
  LegDifference difference;
  std::string sentence;
  std::vector<std::string> details;
};

struct MirrorLogReport {
  std::uint64_t moments = 0;            // that had states
  std::uint64_t exhausted_moments = 0;  // of which all combinations were taken
  std::uint64_t states = 0;             // distinct, all checked
  std::uint64_t duplicates = 0;
  std::uint64_t violations = 0;         // distinct states that break the promise
  bool cut = false;                     // at max_states
  std::size_t last_entry = 0;
  std::vector<MirrorLogFinding> findings;  // the first of an entry, at most kMostFindings
};
inline constexpr std::size_t kMostFindings = 8;

struct MirrorLogOptions {
  LogStateOptions states{};
  std::uint64_t max_states = std::numeric_limits<std::uint64_t>::max();
  std::function<bool()> stop{};  // asked at every moment; empty: never
};

// The whole walk. Requires that check_slices() found nothing.
MirrorLogReport check_mirror_log(const WriteLog& log, const RecordedMirror& mirror,
                                 const MirrorLogOptions& options);

}  // namespace dmsim
