// dmsim: parses the command line and hands over to the commands.
#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <array>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/nearest.h"
#include "cli/check_log_command.h"
#include "cli/commands.h"
#include "cli/compare_command.h"
#include "cli/exit_codes.h"
#include "cli/explain_command.h"
#include "harness/generate.h"

namespace {

using dmsim::kExitBadInput;

// What the user could have meant by a word that nothing understood.
std::string suggestion(const CLI::App& app, const std::string& word) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands(nullptr)) names.push_back(command->get_name());
  const auto parsed = app.get_subcommands();
  for (const CLI::App* command : parsed) {
    for (const CLI::Option* option : command->get_options()) names.push_back(option->get_name());
  }
  const std::vector<std::string_view> views(names.begin(), names.end());
  return dmsim::did_you_mean(word, views);
}

int complain(const CLI::App& app, const CLI::ParseError& error, int argc, char** argv) {
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
    return app.exit(error);
  }
  const auto parsed = app.get_subcommands();
  const std::string caller = parsed.empty() ? "dmsim" : "dmsim " + parsed.front()->get_name();
  std::string word;
  for (int i = 1; i < argc; ++i) {
    const std::string argument(argv[i]);
    const std::string name = argument.substr(0, argument.find('='));
    bool known = false;
    for (const CLI::App* command : app.get_subcommands(nullptr)) {
      known = known || command->get_name() == name;
    }
    for (const CLI::App* command : app.get_subcommands()) {
      known = known || command->get_option_no_throw(name) != nullptr;
    }
    const bool option = argument.rfind("--", 0) == 0;
    if (!known && (option || (i == 1 && app.get_subcommands().empty()))) {
      word = name;
      break;
    }
  }
  if (!word.empty()) {
    std::fprintf(stderr, "dmsim: '%s' is not known here%s\n", word.c_str(),
                 suggestion(app, word).c_str());
  } else {
    std::fprintf(stderr, "%s: %s\n", caller.c_str(), error.what());
  }
  std::fprintf(stderr, "Try '%s --help'.\n", caller.c_str());
  return kExitBadInput;
}

// CLI11 takes -1, and what is too large, for the largest number there is.
void hold_numbers_to_their_range(CLI::App& app) {
  const auto whole_number = [](const std::string& text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc() && end == text.data() + text.size()) return std::string();
    return fmt::format("found '{}', expected a whole number up to {}", text, ~std::uint64_t{0});
  };
  for (CLI::App* command : app.get_subcommands(nullptr)) {
    for (CLI::Option* option : command->get_options()) {
      if (option->get_type_name().rfind("UINT", 0) == 0) option->check(whole_number);
    }
  }
}

// "all" or a number.
bool parse_cuts(const std::string& text, std::optional<std::uint64_t>* cuts) {
  if (text == "all" || text.empty()) return true;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return false;
  *cuts = value;
  return true;
}

CLI::App* add_check_log(CLI::App& app, dmsim::CheckLogCommand* command) {
  CLI::App* sub = app.add_subcommand("check-log", "a dm-log-writes log as a source of crash states");
  sub->add_option("file", command->file, "the log, raw or zstd-compressed")->required();
  sub->add_option("--table", command->table, "the recorded mirror's, in dmsetup's syntax");
  sub->add_option("--legs", command->legs, "where its legs lie: 0s..6MiB,6MiB..12MiB");
  sub->add_option("--log", command->log, "where its dirty log lies: 12MiB..13MiB");
  sub->add_flag("--e2fsck", command->e2fsck, "it is a file system's: hold states against e2fsck");
  sub->add_option("--sample", command->sample, "states that e2fsck looks at (500)")
      ->check(CLI::PositiveNumber);
  sub->add_option("--max-states", command->max_states, "stop after so many distinct states");
  sub->add_option("--device", command->device, "size of the recorded device (as far as the log goes)");
  sub->add_option("--from", command->from_mark, "states from this mark on (with --e2fsck: mkfs)");
  sub->add_option("--atomic", command->atomic_bytes, "a write tears into 512 or 4096 bytes (512; e2fsck: 4096)");
  sub->add_option("--exhaustive", command->exhaustive, "take all combinations up to so many (256)");
  sub->add_option("--random", command->random_subsets, "random subsets of a moment (16)");
  sub->add_option("--seed", command->seed, "of random subsets and samples (1)");
  sub->add_flag("--one-cache", command->one_cache, "legs and log share one disk's cache");
  sub->add_flag("--stale", command->stale, "log and later legs begin as 0xFF bytes, not zeroes");
  sub->add_option("--export-state", command->export_state, "write the image of state ENTRY.NUMBER");
  sub->add_option("--out", command->out, "where that goes");
  sub->add_option("--json", command->json_file, "write the results there");
  sub->add_option("--jobs", command->jobs, "worker processes of --e2fsck (one per processor)");
  return sub;
}

// --engine NAME, and --kernel-tree DIR, which is short for an engine called linux:DIR.
void add_engine(CLI::App* sub, std::string* engine) {
  CLI::Option* named = sub->add_option("--engine", *engine, "instead of the plan's own: see dmsim list engines");
  sub->add_option_function<std::string>(
         "--kernel-tree",
         [engine](const std::string& tree) {
           *engine = "linux:" + std::filesystem::absolute(tree).lexically_normal().string();
         },
         "the engine is made from this kernel tree (6.1 or 6.12)")
      ->excludes(named);
}

std::string plan_words() { return fmt::format("{} or all", fmt::join(dmsim::plan_subject_names(), ", ")); }

CLI::App* add_fuzz(CLI::App& app, dmsim::FuzzCommand* command) {
  CLI::App* sub = app.add_subcommand("fuzz", "search for broken promises in generated plans, or in scenarios");
  sub->add_option("paths", command->paths, "scenario files or folders (none: plans are generated)");
  sub->add_option("--variant", command->variant, "of the scenarios: only this one");
  sub->add_option("--switch", command->switches, "NAME=VALUE: a planted bug, in every plan");
  sub->add_option("--plans", command->plans, "what generated plans are about (mirror): " + plan_words());
  add_engine(sub, &command->engine);
  sub->add_option("--seed", command->seed, "of the first run (1)");
  sub->add_option("--runs", command->runs, "of the whole campaign (no limit)");
  sub->add_option("--seconds", command->seconds, "of this session (no limit)");
  sub->add_option("--cuts", command->cuts, "power cuts explored in each run (40)");
  sub->add_option("--jobs", command->jobs, "worker processes (one per processor)");
  sub->add_option("--time-limit", command->seconds_per_run, "seconds of processor time that a run may take (20)");
  sub->add_option("--minimise", command->minimise_tries, "tries for each finding; 0: leave it (20000)");
  sub->add_flag("--coverage", command->coverage, "measure what of a kernel's source is reached, and be guided by it");
  sub->add_flag("--until-found", command->until_found, "stop at the first finding");
  sub->add_option("--db", command->database, "where the campaign is kept (fuzz.sqlite)");
  sub->add_option("--junit", command->junit_file, "write the findings there, for a CI system");
  sub->add_option("--crashes", command->crash_folder, "where crash files go (crashes)");
  return sub;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("dmsim: a deterministic simulator and fault-injection harness for device-mapper");
  app.require_subcommand(1);

  dmsim::RunCommand run;
  std::string cuts;
  std::uint64_t runs = 0;
  std::uint64_t most_runs = 0;
  CLI::App* run_app = app.add_subcommand("run", "run scenario files, or all below a folder");
  run_app->add_option("paths", run.paths, "scenario files or folders")->required();
  run_app->add_option("--variant", run.variant, "only this variant");
  add_engine(run_app, &run.engine);
  run_app->add_option("--seed", run.seed, "of the first run (1)");
  CLI::Option* runs_option =
      run_app->add_option("--runs", runs, "instead of the scenario's")->check(CLI::PositiveNumber);
  CLI::Option* most_runs_option =
      run_app->add_option("--most-runs", most_runs, "the scenario's, but at most so many")
          ->check(CLI::PositiveNumber);
  run_app->add_option("--cuts", cuts, "power cuts explored in each run: a number, or all (all)");
  run_app->add_option("--strategy", run.strategy,
                      "random, pct:DEPTH, exhaustive:VALUES or coverage (random)");
  run_app->add_flag("--check-twice", run.check_twice, "run everything twice and compare");
  run_app->add_flag("--stats", run.stats, "counts and speed under each row");
  run_app->add_option("--json", run.json_file, "write the results there");
  run_app->add_option("--trace", run.trace_file, "write the trace of the violation, or of one run");
  run_app->add_option("--reached", run.reached_file, "write which marked states were reached");
  run_app->add_option("--crashes", run.crash_folder, "where crash files go (crashes)");
  run_app->add_option("--jobs", run.jobs, "worker processes (one per processor)");
  run_app->add_option("--time-limit", run.seconds_per_variant, "seconds a variant may take (600)");

  dmsim::ReplayCommand replay;
  CLI::App* replay_app = app.add_subcommand("replay", "run a crash file again");
  replay_app->add_option("file", replay.file, "crash file")->required();
  replay_app->add_option("--trace", replay.trace_file, "write the trace there");
  add_engine(replay_app, &replay.engine);
  replay_app->add_option("--until", replay.until, "stop after this trace event");
  replay_app->add_option("--break", replay.break_at, "stop in the debugger at this trace event");

  dmsim::ListCommand list;
  CLI::App* list_app = app.add_subcommand("list", "scenarios, switches, oracles, engines, faults or tasks");
  list_app->add_option("what", list.what, "what to list")->required();
  list_app->add_option("paths", list.paths, "of scenarios (scenarios)");

  dmsim::ShowCommand show;
  CLI::App* show_app = app.add_subcommand("show", "a scenario or crash file, resolved");
  show_app->add_option("file", show.file, "scenario or crash file")->required();
  show_app->add_option("--variant", show.variant, "only this variant");

  dmsim::ExportCommand exports;
  CLI::App* export_app = app.add_subcommand("export", "disk images of a crash state, or of a run's end");
  export_app->add_option("file", exports.file, "crash file or scenario")->required();
  export_app->add_option("--out", exports.folder, "folder for the images")->required();
  export_app->add_option("--variant", exports.variant, "of a scenario");
  export_app->add_option("--seed", exports.seed, "of a scenario's run (1)");
  export_app->add_flag("--after-recovery", exports.at_end, "instead of what the power cut left");

  dmsim::ExplainCommand explain;
  CLI::App* explain_app = app.add_subcommand("explain", "a crash file as a story");
  explain_app->add_option("file", explain.file, "crash file")->required();
  explain_app->add_option("--html", explain.html_file, "write a page with a timeline there");
  explain_app->add_option("--perfetto", explain.perfetto_file, "write Chrome-trace JSON there");

  dmsim::CompareCommand compare;
  CLI::App* compare_app = app.add_subcommand("compare", "run scenarios on two engines: can they be told apart?");
  compare_app->add_option("paths", compare.paths, "scenario files or folders")->required();
  compare_app->add_option("--with", compare.right, "the other engine: see dmsim list engines")->required();
  compare_app->add_option("--engine", compare.left, "the one engine (native)");
  compare_app->add_option("--variant", compare.variant, "only this one");
  compare_app->add_option("--seed", compare.seed, "of the first run (1)");
  compare_app->add_option("--runs", compare.runs, "on each engine (10)")->check(CLI::PositiveNumber);
  compare_app->add_option("--jobs", compare.jobs, "worker processes (one per processor)");

  dmsim::DiffCommand diff;
  CLI::App* diff_app = app.add_subcommand("diff", "where two traces part");
  diff_app->add_option("first", diff.first, "trace, or crash file to be replayed")->required();
  diff_app->add_option("second", diff.second, "trace, or crash file to be replayed")->required();

  dmsim::MinimiseCommand minimise;
  CLI::App* minimise_app = app.add_subcommand("minimise", "make a crash file as small as it goes");
  minimise_app->add_option("file", minimise.file, "crash file")->required();
  minimise_app->add_option("--out", minimise.out, "where the smaller one goes (FILE with .min.yaml)");
  minimise_app->add_option("--seconds", minimise.seconds, "give up after (60)");
  minimise_app->add_option("--tries", minimise.tries, "give up after so many runs (5000000)");

  dmsim::CheckLogCommand check_log;
  CLI::App* check_log_app = add_check_log(app, &check_log);

  dmsim::FuzzCommand fuzz;
  CLI::App* fuzz_app = add_fuzz(app, &fuzz);
  hold_numbers_to_their_range(app);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return complain(app, error, argc, argv);
  }
  if (!parse_cuts(cuts, &run.cuts)) {
    std::fprintf(stderr, "dmsim run: --cuts wants a number or 'all', found '%s'\n", cuts.c_str());
    return kExitBadInput;
  }
  if (runs_option->count() > 0) run.runs = runs;
  if (most_runs_option->count() > 0) run.most_runs = most_runs;
  if (run_app->parsed()) return dmsim::run_command(run);
  if (replay_app->parsed()) return dmsim::replay_command(replay);
  if (list_app->parsed()) return dmsim::list_command(list);
  if (show_app->parsed()) return dmsim::show_command(show);
  if (explain_app->parsed()) return dmsim::explain_command(explain);
  if (compare_app->parsed()) return dmsim::compare_command(compare);
  if (diff_app->parsed()) return dmsim::diff_command(diff);
  if (minimise_app->parsed()) return dmsim::minimise_command(minimise);
  if (check_log_app->parsed()) return dmsim::check_log_command(check_log);
  if (fuzz_app->parsed()) return dmsim::fuzz_command(fuzz);
  return dmsim::export_command(exports);
}
