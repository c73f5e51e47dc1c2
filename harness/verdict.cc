#include "harness/verdict.h"

#include <algorithm>

namespace dmsim {

std::string_view blame_name(Blame blame) {
  switch (blame) {
    case Blame::kEngine: return "engine";
    case Blame::kApplication: return "application";
    case Blame::kDisk: return "disk";
  }
  UNMODELLED("blame");
}

std::string signature(const Violation& violation) {
  return fmt::format("{}/{}/{}", violation.oracle, blame_name(violation.blame), violation.state);
}

std::string signature(const Violation& violation, const Plan& plan) {
  std::string out = signature(violation);
  for (const std::string_view feature : {"handle_errors", "keep_log", "block_on_error"}) {
    const bool used = std::any_of(plan.devices.begin(), plan.devices.end(), [&](const DevicePlan& device) {
      return device.boot && device.table.find(feature) != std::string::npos;
    });
    if (used) out += fmt::format("{}{}", out.ends_with("handle_errors") ? " " : "/", feature);
  }
  return out;
}

void RunStatistics::add(const RunStatistics& other) {
  runs += other.runs;
  power_cuts += other.power_cuts;
  crash_states += other.crash_states;
  duplicate_states += other.duplicate_states;
  exhaustive_cuts += other.exhaustive_cuts;
  events += other.events;
  slices += other.slices;
  trace_events += other.trace_events;
  user_bios += other.user_bios;
  disk_reads += other.disk_reads;
  disk_writes += other.disk_writes;
  disk_flushes += other.disk_flushes;
  log_writes += other.log_writes;
  sectors_written += other.sectors_written;
  bytes_copied += other.bytes_copied;
  redirtied += other.redirtied;
  excused += other.excused;
  hangs += other.hangs;
  in_flight_most = std::max(in_flight_most, other.in_flight_most);
  tracked += other.tracked;
  tracked_most = std::max(tracked_most, other.tracked_most);
  writers_waited = writers_waited + other.writers_waited;
  virtual_time = virtual_time + other.virtual_time;
}

bool meets(const Expectation& expectation, const Verdict& verdict) {
  if (expectation.verdict == Expectation::Verdict::kHolds) return verdict.violations.empty();
  const auto expected = [&](const Violation& violation) {
    return violation.blame == expectation.blame &&
           std::find(expectation.oracles.begin(), expectation.oracles.end(), violation.oracle) !=
               expectation.oracles.end();
  };
  return !verdict.violations.empty() &&
         std::all_of(verdict.violations.begin(), verdict.violations.end(), expected);
}

}  // namespace dmsim
