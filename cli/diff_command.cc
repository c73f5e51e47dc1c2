// dmsim diff: where two traces part. A crash file stands for the trace of its replay.
#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <sstream>
#include <vector>

#include "cli/exit_codes.h"
#include "cli/explain_command.h"
#include "cli/vocabulary.h"
#include "crash-replay/crash_file.h"
#include "crash-replay/story_events.h"
#include "crash-replay/trace_diff.h"

namespace dmsim {
namespace {

using Lines = std::vector<std::string>;

// The lines of a trace file; an error names the first line that is none.
Result<Lines> trace_lines(const std::string& path, const std::string& text) {
  Lines lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (!parse_trace_line(line)) {
      return Failure{InputError{
          path, static_cast<int>(lines.size()) + 1, 1,
          "expected a trace event or a crash file, found '" + line.substr(0, 40) + "'", -1}};
    }
    lines.push_back(std::move(line));
  }
  if (lines.empty())
    return Failure{InputError{path, 0, 0, "is empty: expected a trace or a crash file", -1}};
  return lines;
}

Result<Lines> lines_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  if (!file) return Failure{InputError{path, 0, 0, "cannot be read", -1}};
  const std::string content = text.str();
  const bool crash_file =
      content.rfind("dmsim-crash:", 0) == 0 || content.find("\ndmsim-crash:") != std::string::npos;
  if (!crash_file) return trace_lines(path, content);
  auto crash = read_crash(path, program_vocabulary());
  if (!crash.ok()) return Failure{crash.error()};
  if (auto error = why_not_runnable(crash->plan)) return Failure{std::move(*error)};
  Workshop workshop;
  const ReplayResult replay = replay_crash(*crash, workshop);
  const Trace& trace = replay.run.lives.back()->trace();
  Lines lines;
  for (const TraceEvent& event : trace.kept()) lines.push_back(trace.render(event));
  return lines;
}

}  // namespace

int diff_command(const DiffCommand& command) {
  Lines lines[2];
  const std::string* paths[2] = {&command.first, &command.second};
  for (int i = 0; i < 2; ++i) {
    auto read = lines_of(*paths[i]);
    if (!read.ok()) {
      std::fprintf(stderr, "%s\n", read.error().to_string().c_str());
      return kExitBadInput;
    }
    lines[i] = std::move(*read);
  }
  const TraceDifference difference =
      compare_traces(lines[0], lines[1], command.first, command.second);
  fmt::print("{}", difference.report);
  return difference.same ? kExitHeld : kExitViolation;
}

}  // namespace dmsim
