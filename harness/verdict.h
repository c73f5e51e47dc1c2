// Verdict: what came out of a run: which promises were broken, and by whom; counts; the fingerprint.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/fingerprint.h"
#include "block/sector.h"
#include "harness/plan.h"
#include "sim/choice.h"
#include "sim/time.h"
#include "sim/trace.h"

namespace dmsim {

// One broken promise.
struct Violation {
  std::string oracle;      // "legs-identical-where-clean"
  Blame blame = Blame::kEngine;
  std::string device;      // mapped device; may be empty
  std::string state;       // the engine state involved, in a few words that do not depend on numbers
  SectorRange sectors;     // of that device; empty: not about sectors
  std::string sentence;    // what was promised and what was found, without a full stop
  std::vector<std::string> details;  // further lines: who waits for whom, versions
  Instant at;
  TraceId event = 0;       // the last event before it was seen
  std::uint32_t life = 0;  // 0: before any power cut, 1: after the first
};

std::string_view blame_name(Blame blame);  // "engine", "application", "disk"

// "durability/engine/stale content".
std::string signature(const Violation& violation);
// The same, with the features of the mirrors involved: what a mirror promises depends on them. Two crashes with one
// signature are taken for one finding: "durability/engine/stale content/handle_errors".
std::string signature(const Violation& violation, const Plan& plan);

struct RunStatistics {
  std::uint64_t runs = 0;
  std::uint64_t power_cuts = 0;        // instants at which power was cut
  std::uint64_t crash_states = 0;      // rebooted and checked
  std::uint64_t duplicate_states = 0;  // equal to one already checked, not rebooted again
  std::uint64_t exhaustive_cuts = 0;   // cuts of which every possible set of survivors was tried
  std::uint64_t events = 0;
  std::uint64_t slices = 0;
  std::uint64_t trace_events = 0;
  std::uint64_t user_bios = 0;
  std::uint64_t disk_reads = 0;
  std::uint64_t disk_writes = 0;
  std::uint64_t disk_flushes = 0;
  std::uint64_t log_writes = 0;        // writes to disks that only hold a dirty log
  std::uint64_t sectors_written = 0;
  std::uint64_t bytes_copied = 0;      // memory copies made on the way of data, bounce copies included
  std::uint64_t redirtied = 0;         // stores to pages under writeback
  std::uint64_t excused = 0;           // breaches charged to an application or disk, not expected there
  std::uint64_t hangs = 0;             // lives that could not go on where liveness is not checked
  std::uint64_t in_flight_most = 0;    // bios of users on volumes of LVM1 at once; the most of all lives
  std::uint64_t tracked = 0;           // objects that LVM1 pushed onto bios to know what is in transit
  std::uint64_t tracked_most = 0;      // and at once; the most of all lives
  Duration writers_waited;             // for writeback to end
  Duration virtual_time;

  void add(const RunStatistics& other);
};

struct Verdict {
  std::vector<Violation> violations;  // empty: everything that was checked held
  RunStatistics statistics;
  Fingerprint fingerprint;
};

// Whether a verdict is what the plan expects: holds, or violates one of the named oracles with the
// blame where the plan puts it, and nothing else.
bool meets(const Expectation& expectation, const Verdict& verdict);

}  // namespace dmsim
