#include "cli/check_log_command.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "cli/check_log_e2fsck.h"
#include "cli/exit_codes.h"
#include "cli/interrupt.h"
#include "harness/mirror_log_check.h"
#include "models/disk/image_file.h"
#include "scenarios/units.h"

namespace dmsim {
namespace {

using Json = nlohmann::ordered_json;

int complain(const InputError& error) {
  std::fprintf(stderr, "dmsim check-log: %s\n", error.to_string().c_str());
  return kExitBadInput;
}
int complain(std::string message) { return complain(InputError{{}, 0, 0, std::move(message), -1}); }

Failure<InputError> refuse(std::string message) {
  return Failure{InputError{{}, 0, 0, std::move(message), -1}};
}

bool parse_number(std::string_view text, std::uint64_t* value, std::string_view* rest) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
  if (error != std::errc()) return false;
  *rest = text.substr(static_cast<std::size_t>(end - text.data()));
  return true;
}

std::vector<std::string_view> split(std::string_view text, char by) {
  std::vector<std::string_view> parts;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(by, at), text.size());
    parts.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

class CheckLogSession {
 public:
  CheckLogSession(const CheckLogCommand& command, const WriteLog& log)
      : command_(command), log_(log) {}

  int run() {
    if (const int code = prepare(); code != kExitHeld) return code;
    if (!command_.export_state.empty()) return export_state();
    return command_.e2fsck ? run_e2fsck() : run_mirror();
  }

 private:
  int prepare() {
    if (!command_.device.empty()) {
      const auto size = parse_sectors(command_.device);
      if (!size.ok()) return complain("--device: " + size.error().message);
      if (*size < log_.device_sectors()) {
        return complain(fmt::format("--device: {} sectors, but the log writes up to sector {}", *size,
                                    log_.device_sectors()));
      }
      states_.device_sectors = *size;
    }
    // ext4 keeps its superblock in two sectors and writes it in place: it counts on blocks.
    atomic_bytes_ = command_.atomic_bytes;
    if (atomic_bytes_ == 0) atomic_bytes_ = command_.e2fsck ? kPageBytes : kSectorBytes;
    if (atomic_bytes_ != kSectorBytes && atomic_bytes_ != kPageBytes) {
      return complain(fmt::format("--atomic: found {}, expected 512 or 4096", atomic_bytes_));
    }
    states_.atomic_sectors = static_cast<std::uint32_t>(atomic_bytes_ / kSectorBytes);
    states_.exhaustive = command_.exhaustive;
    states_.random_subsets = command_.random_subsets;
    states_.seed = command_.seed;
    if (!prepare_from()) {
      return complain(fmt::format("--from: no mark '{}' in {}", command_.from_mark, command_.file));
    }
    if (log_.device_sectors() == 0) {
      return complain(InputError{command_.file, 0, 0, "the log writes nothing", -1});
    }
    return command_.table.empty() ? kExitHeld : prepare_mirror();
  }

  // A file system is one from the end of mkfs on, if the log says where that is.
  bool prepare_from() {
    from_mark_ = command_.from_mark;
    const bool guess = from_mark_.empty() && command_.e2fsck;
    if (guess) from_mark_ = "mkfs";
    if (from_mark_.empty()) return true;
    const std::size_t at = log_.find_mark(from_mark_);
    if (at != log_.entries().size()) {
      states_.first_entry = at;
      return true;
    }
    from_mark_.clear();
    return guess;
  }

  int prepare_mirror() {
    std::vector<SectorRange> legs;
    for (const std::string& several : command_.legs) {
      for (const std::string_view text : split(several, ',')) {
        const auto leg = parse_range(text);
        if (!leg.ok()) return complain("--legs: " + leg.error().message);
        legs.push_back(*leg);
      }
    }
    const auto dirty_log = parse_range(command_.log);
    if (!dirty_log.ok()) return complain("--log: " + dirty_log.error().message);
    auto mirror = parse_recorded_mirror(command_.table, legs, *dirty_log);
    if (!mirror.ok()) return complain(mirror.error());
    const Outcome<> sliced = check_slices(log_, command_.file, *mirror, states_.device_sectors);
    if (!sliced.ok()) return complain(sliced.error());
    mirror_ = std::move(*mirror);
    for (const SectorRange slice : mirror_.slices) {
      states_.device_sectors = std::max({states_.device_sectors, slice.end, log_.device_sectors()});
    }
    if (!command_.one_cache) states_.caches = mirror_.slices;
    if (command_.stale) states_.stale.assign(mirror_.slices.begin() + 1, mirror_.slices.end());
    return kExitHeld;
  }

  int run_mirror() {
    MirrorLogOptions options;
    options.states = states_;
    if (command_.max_states != 0) options.max_states = command_.max_states;
    options.stop = [] { return interrupted(); };
    const auto begun = std::chrono::steady_clock::now();
    const MirrorLogReport report = check_mirror_log(log_, mirror_, options);
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    print_mirror(report);
    const auto all = static_cast<double>(report.states + report.duplicates);
    std::fprintf(stderr, "%.2f s on one core: %.0f distinct states/s checked, %.0f with duplicates\n",
                 seconds, static_cast<double>(report.states) / seconds, all / seconds);
    if (!write_json(mirror_json(report, seconds))) return kExitBadInput;
    if (report.violations > 0) return kExitViolation;
    return interrupted() ? 130 : kExitHeld;
  }

  void print_mirror(const MirrorLogReport& report) const {
    fmt::print("{}: {} entries, {} regions of {} sectors, {} legs\n", command_.file,
               log_.entries().size(), mirror_.regions(), mirror_.region_sectors, mirror_.legs.size());
    fmt::print("{} crash states, {} duplicates; {} moments, {} with every combination, {} by policy\n",
               report.states, report.duplicates, report.moments, report.exhausted_moments,
               report.moments - report.exhausted_moments);
    fmt::print("{}\n", report.cut ? fmt::format("cut at bound: {} states, at entry {} of {}",
                                                report.states, report.last_entry,
                                                log_.entries().size())
                                  : "complete: the whole log was walked");
    fmt::print("legs-identical-where-clean: {}\n",
               report.violations == 0 ? "holds" : fmt::format("broken in {} states",
                                                              report.violations));
    for (const MirrorLogFinding& finding : report.findings) {
      const StateName name{finding.entry, finding.number};
      fmt::print("\nstate {}: {}\n", name.to_string(), finding.sentence);
      for (const std::string& detail : finding.details) fmt::print("  {}\n", detail);
    }
    if (report.findings.empty()) return;
    const StateName first{report.findings[0].entry, report.findings[0].number};
    fmt::print("\nWhere the recorded log calls a region clean, legs must be equal. To see the state:\n"
               "  ./dmsim {} --export-state {} --out state.img\n",
               command_line(), first.to_string());
  }

  // What numbers the states the same way again.
  std::string command_line() const {
    std::string line = fmt::format("check-log {}", command_.file);
    if (!command_.table.empty()) {
      line += fmt::format(" --table '{}' --legs ", command_.table);
      for (std::size_t i = 0; i < command_.legs.size(); ++i) {
        line += (i == 0 ? "" : ",") + command_.legs[i];
      }
      line += " --log " + command_.log;
    }
    const CheckLogCommand defaults;
    const auto add = [&](const char* option, const auto& value, const auto& usual) {
      if (value != usual) line += fmt::format(" {} {}", option, value);
    };
    add("--device", command_.device, defaults.device);
    add("--from", from_mark_, defaults.from_mark);
    add("--exhaustive", command_.exhaustive, defaults.exhaustive);
    add("--random", command_.random_subsets, defaults.random_subsets);
    add("--seed", command_.seed, defaults.seed);
    add("--atomic", atomic_bytes_, std::uint64_t{kSectorBytes});
    if (command_.one_cache) line += " --one-cache";
    if (command_.stale) line += " --stale";
    return line;
  }

  Json mirror_json(const MirrorLogReport& report, double seconds) const {
    Json findings = Json::array();
    for (const MirrorLogFinding& f : report.findings) {
      findings.push_back({{"state", StateName{f.entry, f.number}.to_string()},
                          {"region", f.difference.region},
                          {"leg", f.difference.leg},
                          {"sector", f.difference.sector},
                          {"sentence", f.sentence},
                          {"details", f.details}});
    }
    return {{"format", 1},
            {"file", command_.file},
            {"oracle", "legs-identical-where-clean"},
            {"entries", log_.entries().size()},
            {"states", report.states},
            {"duplicates", report.duplicates},
            {"moments", report.moments},
            {"exhausted_moments", report.exhausted_moments},
            {"complete", !report.cut && !interrupted()},
            {"violations", report.violations},
            {"findings", findings},
            {"seconds", seconds}};
  }

  int run_e2fsck() {
    E2fsckOptions options;
    options.states = states_;
    options.sample = command_.sample;
    options.seed = command_.seed;
    options.jobs = command_.jobs;
    const auto begun = std::chrono::steady_clock::now();
    const Result<E2fsckReport> report = check_with_e2fsck(log_, options);
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    if (!report.ok()) return complain(report.error());
    fmt::print("{}: {} entries, {} crash states behind entry {}, {} looked at, {} of them duplicates\n",
               command_.file, log_.entries().size(), report->all_states, states_.first_entry,
               report->checked + report->duplicates, report->duplicates);
    fmt::print("e2fsck after journal recovery: {}\n",
               report->failures.empty()
                   ? fmt::format("all {} are clean", report->checked)
                   : fmt::format("{} of {} are not", report->failures.size(), report->checked));
    for (std::size_t i = 0; i < std::min<std::size_t>(report->failures.size(), kMostFindings); ++i) {
      const E2fsckFailure& failure = report->failures[i];
      fmt::print("\nstate {}: {}\n", failure.state.to_string(), failure.sentence);
      for (const std::string& detail : failure.details) fmt::print("  {}\n", detail);
    }
    if (!report->failures.empty()) {
      fmt::print("\nA crash state must be sound once its journal is replayed. To see it:\n"
                 "  ./dmsim {} --export-state {} --out state.img\n",
                 command_line(), report->failures[0].state.to_string());
    }
    std::fprintf(stderr, "%.2f s: %.1f states/s\n", seconds,
                 static_cast<double>(report->checked) / seconds);
    if (!write_json(e2fsck_json(*report, seconds))) return kExitBadInput;
    if (report->workers_failed > 0) return kExitNoProgress;
    if (!report->failures.empty()) return kExitViolation;
    return interrupted() ? 130 : kExitHeld;
  }

  Json e2fsck_json(const E2fsckReport& report, double seconds) const {
    Json findings = Json::array();
    for (const E2fsckFailure& f : report.failures) {
      findings.push_back(
          {{"state", f.state.to_string()}, {"sentence", f.sentence}, {"details", f.details}});
    }
    return {{"format", 1},
            {"file", command_.file},
            {"oracle", "e2fsck"},
            {"entries", log_.entries().size()},
            {"all_states", report.all_states},
            {"states", report.checked},
            {"duplicates", report.duplicates},
            {"violations", report.failures.size()},
            {"findings", findings},
            {"seconds", seconds}};
  }

  int export_state() {
    const auto name = parse_state_name(command_.export_state);
    if (!name.ok()) return complain("--export-state: " + name.error().message);
    if (command_.out.empty()) return complain("--export-state needs --out FILE");
    LogStates states(log_, states_);
    while (states.next() && states.entry() < name->entry) {
    }
    if (states.entry() != name->entry || name->number >= states.count()) {
      return complain(fmt::format("--export-state: no state {}; {}", name->to_string(),
                                  name->entry >= log_.entries().size()
                                      ? fmt::format("the log has {} entries", log_.entries().size())
                                      : fmt::format("entry {} has {} states", name->entry,
                                                    states.count())));
    }
    const Outcome<> written = export_raw(states.state(name->number), command_.out);
    if (!written.ok()) return complain(written.error());
    fmt::print("{}: state {}, {}\n", command_.out, name->to_string(), states.policy(name->number));
    for (const std::string& line : states.survivors(name->number)) fmt::print("  {}\n", line);
    return kExitHeld;
  }

  bool write_json(const Json& json) const {
    if (command_.json_file.empty()) return true;
    std::ofstream out(command_.json_file);
    out << json.dump(2) << "\n";
    if (out.flush()) return true;
    complain(InputError{command_.json_file, 0, 0, "cannot be written", -1});
    return false;
  }

  const CheckLogCommand& command_;
  const WriteLog& log_;
  LogStateOptions states_;
  std::uint64_t atomic_bytes_ = kSectorBytes;
  std::string from_mark_;  // empty: from the log's beginning
  RecordedMirror mirror_;
};

}  // namespace

std::string StateName::to_string() const { return fmt::format("{}.{}", entry, number); }

Result<StateName> parse_state_name(std::string_view text) {
  std::uint64_t entry = 0;
  StateName name;
  std::string_view rest;
  if (parse_number(text, &entry, &rest) && !rest.empty() && rest[0] == '.' &&
      parse_number(rest.substr(1), &name.number, &rest) && rest.empty()) {
    name.entry = static_cast<std::size_t>(entry);
    return name;
  }
  return refuse(fmt::format("found '{}', expected ENTRY.NUMBER as a report prints it", text));
}

int check_log_command(const CheckLogCommand& command) {
  install_interrupt_handler();
  const bool mirror = !command.table.empty() || !command.legs.empty() || !command.log.empty();
  if (mirror && (command.table.empty() || command.legs.empty() || command.log.empty())) {
    return complain("--table, --legs and --log go together");
  }
  if (mirror && command.e2fsck) return complain("either --table or --e2fsck, not both");
  if (!mirror && !command.e2fsck && command.export_state.empty()) {
    return complain("what to check: --table, --legs and --log for a mirror, or --e2fsck");
  }
  if ((command.one_cache || command.stale) && !mirror) {
    return complain("--one-cache and --stale speak of a mirror: they need --table");
  }
  const auto log = WriteLog::read(command.file);
  if (!log.ok()) return complain(log.error());
  return CheckLogSession(command, *log).run();
}

}  // namespace dmsim
