// The commands of dmsim. Each prints its stable result to stdout, progress and diagnostics to stderr,
// and returns an exit code (cli/exit_codes.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace dmsim {

struct RunCommand {
  std::vector<std::string> paths;
  std::string variant;                 // empty: all
  std::string engine;                  // empty: each plan's own
  std::uint64_t seed = 1;
  std::optional<std::uint64_t> runs;   // none: each plan's own
  std::optional<std::uint64_t> most_runs;  // of each plan's own; none: all
  std::optional<std::uint64_t> cuts;   // none: all opportunities
  std::string strategy = "random";     // see harness/strategies.h
  bool check_twice = false;
  bool stats = false;
  std::string json_file;
  std::string trace_file;
  std::string reached_file;
  std::string crash_folder = "crashes";
  unsigned jobs = 0;                   // 0: one per processor
  unsigned seconds_per_variant = 600;  // a worker that takes longer hangs
};
int run_command(const RunCommand& command);

struct ReplayCommand {
  std::string file;
  std::string engine;                  // empty: the one that the file names
  std::string trace_file;
  std::uint64_t until = 0;             // trace event to stop after; 0: none
  std::uint64_t break_at = 0;          // trace event to stop in a debugger at; 0: none
};
int replay_command(const ReplayCommand& command);

struct ListCommand {
  std::string what;                    // scenarios, switches, oracles, faults, tasks
  std::vector<std::string> paths;      // of scenarios; empty: "scenarios"
};
int list_command(const ListCommand& command);

struct ShowCommand {
  std::string file;
  std::string variant;                 // empty: all
};
int show_command(const ShowCommand& command);

struct ExportCommand {
  std::string file;                    // crash file or scenario
  std::string variant;                 // of a scenario
  std::uint64_t seed = 1;
  std::string folder;
  bool at_end = false;                 // of a crash file: after recovery instead of before
};
int export_command(const ExportCommand& command);

struct MinimiseCommand {
  std::string file;
  std::string out;                     // empty: beside `file`, with .min.yaml
  std::uint64_t seconds = 60;
  std::uint64_t tries = 5'000'000;     // runs and crash states
};
int minimise_command(const MinimiseCommand& command);

struct FuzzCommand {
  std::vector<std::string> paths;      // of scenarios; empty: generated plans
  std::string variant;                 // of scenarios: only this one, and whatever it violates is a finding
  std::vector<std::string> switches;   // "name=value", planted into every plan
  std::string plans;                   // what generated ones are about: "mirror", "all"; empty: as the switches say
  std::string engine;                  // empty: native, or each scenario's own
  std::uint64_t seed = 1;              // of the first run; the next run takes the next
  std::uint64_t runs = 0;              // of the whole campaign; 0: no limit
  unsigned seconds = 0;                // of this session; 0: no limit
  std::uint64_t cuts = 40;             // power cuts explored in each run
  unsigned jobs = 0;                   // 0: one per processor
  unsigned seconds_per_run = 20;       // a run that takes longer hangs
  std::uint64_t minimise_tries = 20'000;  // for each finding; 0: none is minimised
  bool until_found = false;
  bool coverage = false;               // of the kernel's source; `engine` is a kernel's
  std::string database = "fuzz.sqlite";
  std::string junit_file;
  std::string crash_folder = "crashes";
};
int fuzz_command(const FuzzCommand& command);

}  // namespace dmsim
