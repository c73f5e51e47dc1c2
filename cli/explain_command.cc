// dmsim explain: a crash file as a story, as a page, as a timeline for Perfetto.
#include "cli/explain_command.h"

#include <fmt/format.h>

#include <cstdio>
#include <fstream>

#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/vocabulary.h"
#include "crash-replay/crash_file.h"
#include "crash-replay/perfetto.h"
#include "crash-replay/story.h"
#include "crash-replay/timeline.h"

namespace dmsim {
namespace {

int complain(const InputError& error) {
  std::fprintf(stderr, "%s\n", error.to_string().c_str());
  return kExitBadInput;
}

bool write_file(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text;
  return static_cast<bool>(out.flush());
}

}  // namespace

int explain_command(const ExplainCommand& command) {
  auto crash = read_crash(command.file, program_vocabulary());
  if (!crash.ok()) return complain(crash.error());
  if (const auto error = why_not_runnable(crash->plan)) return complain(*error);
  Workshop workshop;
  const ReplayResult replay = replay_crash(*crash, workshop);
  if (!replay.run.refused.empty()) return complain({command.file, 0, 0, replay.run.refused, -1});
  const Chronicle chronicle = make_chronicle(*crash, replay, workshop);
  if (!chronicle.reproduced) {
    std::fprintf(
        stderr,
        "%s: the recorded violation (%s) does not occur any more: there is nothing to explain; "
        "see dmsim replay\n",
        command.file.c_str(), crash->violations.front().oracle.c_str());
    return kExitViolation;
  }
  Story story = tell_story(chronicle, command.file);
  fmt::print("{}", story_text(chronicle, story));
  if (!command.html_file.empty() &&
      !write_file(command.html_file, timeline_page(chronicle, story))) {
    return complain({command.html_file, 0, 0, "cannot be written", -1});
  }
  if (!command.perfetto_file.empty() &&
      !write_file(command.perfetto_file, perfetto_json(chronicle.events))) {
    return complain({command.perfetto_file, 0, 0, "cannot be written", -1});
  }
  return kExitHeld;
}

}  // namespace dmsim
