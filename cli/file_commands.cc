// dmsim replay, show and export: what can be done with one file.
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <utility>

#include "base/nearest.h"
#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/result_json.h"
#include "cli/vocabulary.h"
#include "crash-replay/crash_file.h"
#include "models/disk/image_file.h"
#include "scenarios/plan_yaml.h"
#include "scenarios/scenario_loader.h"

namespace dmsim {
namespace {

int complain(const InputError& error) {
  std::fprintf(stderr, "%s\n", error.to_string().c_str());
  return kExitBadInput;
}

// A file whose first key is a crash file's.
bool is_crash_file(const std::string& path) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    return line.rfind("dmsim-crash:", 0) == 0;
  }
  return false;
}

Result<Plan> plan_of(const std::string& path, const std::string& variant) {
  auto plans = load_scenario(path, program_vocabulary());
  if (!plans.ok()) return Failure{plans.error()};
  std::vector<std::string_view> names;
  for (Plan& plan : *plans) {
    names.push_back(plan.variant);
    if (plan.variant == variant || plans->size() == 1) return std::move(plan);
  }
  if (variant.empty()) {
    return Failure{InputError{path, 0, 0, "has several variants: name one with --variant", -1}};
  }
  return Failure{InputError{path, 0, 0,
                            "no variant '" + variant + "'" + did_you_mean(variant, names), -1}};
}

void print_violation(const Violation& violation) {
  fmt::print("  {}: {}\n", violation.oracle, violation.sentence);
  for (const std::string& detail : violation.details) fmt::print("    {}\n", detail);
}

bool under_debugger() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("TracerPid:", 0) == 0) return line.find_first_of("123456789") != std::string::npos;
  }
  return false;
}

// Where a debugger stops: up the stack is whoever emitted the event.
void stop_in_debugger() { std::raise(SIGTRAP); }

}  // namespace

int replay_command(const ReplayCommand& command) {
  if (command.break_at != 0 && !under_debugger()) {
    return complain({"", 0, 0,
                     fmt::format("dmsim replay --break wants a debugger: gdb --args build/release/cli/"
                                 "dmsim replay {} --break {}", command.file, command.break_at), -1});
  }
  auto crash = read_crash(command.file, program_vocabulary());
  if (!crash.ok()) return complain(crash.error());
  if (!command.engine.empty()) crash->plan.engine = command.engine;
  if (const auto error = why_not_runnable(crash->plan)) return complain(*error);
  Workshop workshop;
  LinearOptions options;
  options.until = command.until != 0 ? command.until : command.break_at;
  if (command.break_at != 0) options.at_until = &stop_in_debugger;
  const ReplayResult result = replay_crash(*crash, workshop, options);
  if (!command.trace_file.empty()) {
    std::ofstream out(command.trace_file);
    const Trace& trace = result.run.lives.back()->trace();
    for (const TraceEvent& event : trace.kept()) out << trace.render(event) << "\n";
    if (!out.flush()) return complain({command.trace_file, 0, 0, "cannot be written", -1});
  }
  if (options.until != 0) {
    fmt::print("stopped after event {}\n", result.run.lives.back()->trace().last_id());
    fmt::print("{}", result.run.lives.back()->trace().render_tail(12));
    return kExitHeld;
  }
  fmt::print("{}{}{}: {} lives, {} trace events\n", crash->plan.scenario,
             crash->plan.variant.empty() ? "" : "/", crash->plan.variant, result.run.lives.size(),
             result.run.lives.back()->trace().last_id());
  if (!result.run.refused.empty()) {
    return complain({command.file, 0, 0, result.run.refused, -1});
  }
  for (const Violation& violation : result.run.violations) print_violation(violation);
  if (result.departures > 0) {
    fmt::print("the run departed from the recorded choices {} times, first at {}; {} were not used\n",
               result.departures, result.first_departure, result.unused);
  }
  fmt::print("{}; fingerprint {:016x}, {}\n",
             result.reproduced ? "the recorded violation occurs"
                               : "the recorded violation does NOT occur",
             result.run.fingerprint,
             result.same_fingerprint ? "as recorded"
                                     : fmt::format("recorded was {:016x}", crash->fingerprint));
  if (!result.reproduced) return kExitHeld;
  return kExitViolation;
}

int show_command(const ShowCommand& command) {
  if (is_crash_file(command.file)) {
    auto crash = read_crash(command.file, program_vocabulary());
    if (!crash.ok()) return complain(crash.error());
    fmt::print("# crash file, format {}, found with seed {}, {} choices, fingerprint {:016x}\n",
               kCrashFormat, crash->seed, crash->choices.size(), crash->fingerprint);
    for (const Violation& violation : crash->violations) {
      fmt::print("# {} (by {}): {}\n", violation.oracle, blame_name(violation.blame),
                 violation.sentence);
    }
    fmt::print("{}", write_plan(crash->plan));
    return kExitHeld;
  }
  auto plans = load_scenario(command.file, program_vocabulary());
  if (!plans.ok()) return complain(plans.error());
  bool any = false;
  std::vector<std::string_view> names;
  for (const Plan& plan : *plans) {
    names.push_back(plan.variant);
    if (!command.variant.empty() && plan.variant != command.variant) continue;
    fmt::print("{}{}", any ? "---\n" : "", write_plan(plan));
    any = true;
  }
  if (!any) {
    return complain({command.file, 0, 0,
                     "no variant '" + command.variant + "'" + did_you_mean(command.variant, names),
                     -1});
  }
  return kExitHeld;
}

int export_command(const ExportCommand& command) {
  Workshop workshop;
  LinearRun run;
  if (is_crash_file(command.file)) {
    auto crash = read_crash(command.file, program_vocabulary());
    if (!crash.ok()) return complain(crash.error());
    if (const auto error = why_not_runnable(crash->plan)) return complain(*error);
    run = std::move(replay_crash(*crash, workshop).run);
  } else {
    auto plan = plan_of(command.file, command.variant);
    if (!plan.ok()) return complain(plan.error());
    if (const auto error = why_not_runnable(*plan)) return complain(*error);
    plan->power_cut.when = PowerCutPlan::When::kNever;
    RandomChoices choices(command.seed);
    run = run_linear(*plan, workshop, choices);
  }
  if (!run.refused.empty()) return complain({command.file, 0, 0, run.refused, -1});
  const World& last = *run.lives.back();
  const bool at_end = command.at_end || last.life() == 0;
  std::error_code error;
  std::filesystem::create_directories(command.folder, error);
  for (std::size_t i = 0; i < last.disks().size(); ++i) {
    const Disk& disk = *last.disks()[i];
    const std::string path = command.folder + "/" + disk.name() + ".img";
    const Image image = at_end ? disk.current_image() : last.first_media()[i];
    const Outcome<> written = export_raw(image, path);
    if (!written.ok()) return complain(written.error());
    fmt::print("{}  {} sectors, {}\n", path, disk.sectors(),
               at_end ? "at the end of the run" : "as the power cut left it");
  }
  return kExitHeld;
}

}  // namespace dmsim
