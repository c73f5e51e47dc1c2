#include "cli/result_json.h"

#include <algorithm>

namespace dmsim {
namespace {

using Json = nlohmann::ordered_json;

std::string join_or(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : " or ") + name;
  return out;
}

Json statistics_to_json(const RunStatistics& s) {
  return {{"runs", s.runs},
          {"power_cuts", s.power_cuts},
          {"crash_states", s.crash_states},
          {"duplicate_states", s.duplicate_states},
          {"exhaustive_cuts", s.exhaustive_cuts},
          {"events", s.events},
          {"slices", s.slices},
          {"trace_events", s.trace_events},
          {"user_bios", s.user_bios},
          {"disk_reads", s.disk_reads},
          {"disk_writes", s.disk_writes},
          {"disk_flushes", s.disk_flushes},
          {"log_writes", s.log_writes},
          {"sectors_written", s.sectors_written},
          {"bytes_copied", s.bytes_copied},
          {"redirtied", s.redirtied},
          {"excused", s.excused},
          {"hangs", s.hangs},
          {"in_flight_most", s.in_flight_most},
          {"tracked", s.tracked},
          {"tracked_most", s.tracked_most},
          {"writers_waited_ns", s.writers_waited.count_ns()},
          {"virtual_time_ns", s.virtual_time.count_ns()}};
}

RunStatistics statistics_from_json(const Json& json) {
  RunStatistics s;
  s.runs = json.at("runs");
  s.power_cuts = json.at("power_cuts");
  s.crash_states = json.at("crash_states");
  s.duplicate_states = json.at("duplicate_states");
  s.exhaustive_cuts = json.at("exhaustive_cuts");
  s.events = json.at("events");
  s.slices = json.at("slices");
  s.trace_events = json.at("trace_events");
  s.user_bios = json.at("user_bios");
  s.disk_reads = json.at("disk_reads");
  s.disk_writes = json.at("disk_writes");
  s.disk_flushes = json.at("disk_flushes");
  s.log_writes = json.at("log_writes");
  s.sectors_written = json.at("sectors_written");
  s.bytes_copied = json.at("bytes_copied");
  s.redirtied = json.at("redirtied");
  s.excused = json.at("excused");
  s.hangs = json.at("hangs");
  s.in_flight_most = json.at("in_flight_most");
  s.tracked = json.at("tracked");
  s.tracked_most = json.at("tracked_most");
  s.writers_waited = Duration::nanoseconds(json.at("writers_waited_ns"));
  s.virtual_time = Duration::nanoseconds(json.at("virtual_time_ns"));
  return s;
}

Json violation_to_json(const Violation& v) {
  return {{"oracle", v.oracle},     {"blame", blame_name(v.blame)}, {"device", v.device}, {"state", v.state},
          {"begin", v.sectors.begin}, {"end", v.sectors.end},       {"sentence", v.sentence},
          {"details", v.details},   {"at_ns", v.at.ns()},           {"event", v.event},
          {"life", v.life}};
}

Violation violation_from_json(const Json& json) {
  Violation v;
  v.oracle = json.at("oracle");
  const std::string blame = json.at("blame");
  for (const Blame candidate : {Blame::kEngine, Blame::kApplication, Blame::kDisk}) {
    if (blame == blame_name(candidate)) v.blame = candidate;
  }
  v.device = json.at("device");
  v.state = json.at("state");
  v.sectors = {json.at("begin"), json.at("end")};
  v.sentence = json.at("sentence");
  v.details = json.at("details").get<std::vector<std::string>>();
  v.at = Instant::at_ns(json.at("at_ns"));
  v.event = json.at("event");
  v.life = json.at("life");
  return v;
}

}  // namespace

Json to_json(const VariantReport& r) {
  Json violations = Json::array();
  for (const Violation& violation : r.violations) violations.push_back(violation_to_json(violation));
  Json json = {{"scenario", r.scenario},
               {"variant", r.variant},
               {"expected", r.expected},
               {"got", r.got},
               {"as_expected", r.as_expected},
               {"nondeterministic", r.nondeterministic},
               {"bad_input", r.bad_input},
               {"unwritten", r.unwritten},
               {"worker_failed", r.worker_failed},
               {"stopped", r.stopped},
               {"fingerprint", r.fingerprint},
               {"crash_file", r.crash_file},
               {"search", r.search},
               {"violations", violations},
               {"statistics", statistics_to_json(r.statistics)},
               {"seconds", r.seconds}};
  if (!r.run_fingerprints.empty()) json["run_fingerprints"] = r.run_fingerprints;
  if (!r.kept_trace.empty()) json["kept_trace"] = r.kept_trace;
  return json;
}

VariantReport report_from_json(const Json& json) {
  VariantReport r;
  r.scenario = json.at("scenario");
  r.variant = json.at("variant");
  r.expected = json.at("expected");
  r.got = json.at("got");
  r.as_expected = json.at("as_expected");
  r.nondeterministic = json.at("nondeterministic");
  r.bad_input = json.at("bad_input");
  r.unwritten = json.at("unwritten");
  r.worker_failed = json.at("worker_failed");
  r.stopped = json.at("stopped");
  r.fingerprint = json.at("fingerprint");
  r.crash_file = json.at("crash_file");
  r.search = json.at("search");
  for (const Json& violation : json.at("violations")) {
    r.violations.push_back(violation_from_json(violation));
  }
  r.statistics = statistics_from_json(json.at("statistics"));
  r.seconds = json.at("seconds");
  r.run_fingerprints = json.value("run_fingerprints", std::vector<std::uint64_t>());
  r.kept_trace = json.value("kept_trace", std::vector<std::string>());
  return r;
}

std::string expectation_words(const Expectation& expectation) {
  if (expectation.verdict == Expectation::Verdict::kHolds) return "holds";
  std::string out = "violates " + join_or(expectation.oracles);
  if (expectation.blame != Blame::kEngine) out += fmt::format(" by {}", blame_name(expectation.blame));
  return out;
}

std::string verdict_words(const Verdict& verdict) {
  if (verdict.violations.empty()) return "holds";
  std::vector<std::string> names;
  for (const Violation& violation : verdict.violations) {
    if (std::find(names.begin(), names.end(), violation.oracle) == names.end()) {
      names.push_back(violation.oracle);
    }
  }
  std::string out = "violates ";
  for (std::size_t i = 0; i < names.size(); ++i) out += (i == 0 ? "" : ", ") + names[i];
  const Blame blame = verdict.violations.front().blame;
  if (blame != Blame::kEngine) out += fmt::format(" by {}", blame_name(blame));
  return out;
}

}  // namespace dmsim
