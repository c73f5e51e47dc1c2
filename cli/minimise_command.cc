// dmsim minimise: a crash file as small as it goes, within a time and a number of tries.
//
// What there is so far is written after every pass that has found something, so that an interrupt, a
// crash of the engine under a proposal, or a machine that goes down, costs a few seconds of work at most.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>

#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/interrupt.h"
#include "cli/terminal.h"
#include "cli/vocabulary.h"
#include "crash-replay/crash_file.h"
#include "crash-replay/minimise.h"

namespace dmsim {
namespace {

using Clock = std::chrono::steady_clock;

int complain(const InputError& error) {
  std::fprintf(stderr, "%s\n", error.to_string().c_str());
  return kExitBadInput;
}

// "crashes/a.yaml" -> "crashes/a.min.yaml".
std::string beside(const std::string& file) {
  std::filesystem::path path(file);
  return path.replace_extension().string() + ".min.yaml";
}

double seconds_since(Clock::time_point begun) {
  return std::chrono::duration<double>(Clock::now() - begun).count();
}

std::string plural(std::uint64_t count, std::string_view thing) {
  return fmt::format("{} {}{}", count, thing, count == 1 ? "" : "s");
}

// One line that is overwritten on a terminal, and lines that stay where something was found.
class Progress {
 public:
  explicit Progress(Clock::time_point begun) : begun_(begun), terminal_(isatty(STDERR_FILENO) != 0) {}

  void show(const MinimiseProgress& progress) {
    if (!progress.smaller && !terminal_) return;
    const double seconds = seconds_since(begun_);
    show_progress(fmt::format("{:6.1f} s  {:8} tries  effort {}  {:22}  plan {:4}  {}", seconds, progress.tries,
                              progress.effort, progress.pass, progress.size.plan, size_words(progress.size)),
                  progress.smaller);
  }

 private:
  Clock::time_point begun_;
  bool terminal_;
};

void report(const MinimiseResult& result, double seconds, const std::string& out) {
  const CrashSize& before = result.before;
  const CrashSize& after = result.after;
  const Violation& violation = result.crash.violations.front();
  fmt::print("{}: {}\n", violation.oracle, violation.sentence);
  fmt::print("{} (of {}), {} -> {}, {} -> {} that are not plain, plan of {} -> {} points\n",
             plural(after.io_events, "I/O event"), before.io_events, plural(before.tasks, "task"),
             after.tasks, plural(before.choices, "choice"), after.not_plain, before.plan, after.plan);
  fmt::print("{}\n  ./dmsim replay {}\n",
             result.finished ? "nothing smaller is found any more" : "ended early: there may be smaller ones",
             out);
  fmt::print(stderr, "{:.1f} s, {} tries, {:.0f} a second, {} taken\n", seconds, result.tries,
             static_cast<double>(result.tries) / std::max(seconds, 1e-3), result.accepted);
}

}  // namespace

int minimise_command(const MinimiseCommand& command) {
  auto crash = read_crash(command.file, program_vocabulary());
  if (!crash.ok()) return complain(crash.error());
  if (const auto error = why_not_runnable(crash->plan)) return complain(*error);
  const std::string out = command.out.empty() ? beside(command.file) : command.out;
  install_interrupt_handler();
  const Clock::time_point begun = Clock::now();
  const Clock::time_point until = begun + std::chrono::seconds(command.seconds);
  Progress progress(begun);
  MinimiseOptions options;
  options.tries = command.tries;
  options.stop = [&] { return interrupted() || Clock::now() >= until; };
  options.progress = [&](const MinimiseProgress& now) {
    progress.show(now);
    if (now.smaller) (void)save_crash(*now.crash, out);
  };
  Workshop workshop;
  const MinimiseResult result = minimise(*crash, workshop, program_vocabulary(), options);
  if (!result.reproduced) {
    return complain({command.file, 0, 0, "its violation does not occur when it is replayed", -1});
  }
  const Outcome<> saved = save_crash(result.crash, out);
  if (!saved.ok()) return complain(saved.error());
  report(result, seconds_since(begun), out);
  if (result.unsteady == 0) return kExitHeld;
  std::fprintf(stderr, "%llu runs came out differently when they were repeated\n",
               static_cast<unsigned long long>(result.unsteady));
  return kExitNondeterminism;
}

}  // namespace dmsim
