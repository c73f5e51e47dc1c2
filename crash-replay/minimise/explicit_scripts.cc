// What a task happened to ask for, as an `io` script: each request in turn, waited for unless others were
// under way beside it. The pauses are lost, and with them the draws for pauses and blocks.
#include "crash-replay/minimise/passes.h"
#include "models/workload/notation.h"
#include "sim/trace.h"

namespace dmsim::shrink_pass {
namespace {

struct Generator {
  std::string device;
  Duration start;
  bool waits = true;  // for each request before the next
};

std::optional<Generator> generator(const TaskBody& body) {
  if (const auto* task = std::get_if<WriteTask>(&body)) {
    if (task->path == Path::kBuffered || task->scribble) return std::nullopt;
    return Generator{task->device, task->pace.start, task->in_flight == 1};
  }
  if (const auto* task = std::get_if<ReadTask>(&body)) {
    if (task->path == Path::kBuffered) return std::nullopt;
    return Generator{task->device, task->pace.start, task->in_flight == 1};
  }
  if (const auto* task = std::get_if<DiscardTask>(&body)) {
    return Generator{task->device, task->pace.start};
  }
  if (const auto* task = std::get_if<FlushTask>(&body)) {
    if (task->path == Path::kBuffered) return std::nullopt;
    return Generator{task->device, task->pace.start};
  }
  return std::nullopt;
}

// The text of an argument of an event; empty: it has none of that name.
std::string argument(const Trace& trace, const TraceEvent& event, std::string_view name) {
  const std::string line = trace.render(event);
  const std::size_t at = line.find(" " + std::string(name) + "=");
  if (at == std::string::npos) return {};
  const std::size_t begin = at + name.size() + 2;
  std::string text = line.substr(begin, line.find(' ', begin) - begin);
  std::erase(text, '"');
  return text;
}

std::string word_for(const Trace& trace, const TraceEvent& event) {
  const std::string op = argument(trace, event, "op");
  if (op == "flush") return "F";
  const std::string extent = argument(trace, event, "sector") + "+" + argument(trace, event, "count");
  if (op == "write") return "W" + extent + (argument(trace, event, "fua") == "1" ? "!" : "");
  if (op == "read") return "R" + extent;
  return op == "discard" ? "D" + extent : "";
}

std::string script_of(const World& world, const std::string& task, bool waits) {
  const Trace& trace = world.trace();
  std::string script;
  for (const TraceEvent& event : trace.kept()) {
    if (event.kind->name != "dm.submit") continue;
    const std::string line = trace.render(event);
    if (!line.ends_with(" issuer=" + task)) continue;
    const std::string word = word_for(trace, event);
    if (word.empty()) return {};
    script += (script.empty() ? "" : " ") + word;
    if (waits) script += " c(" + word + ")";
  }
  return script;
}

}  // namespace

void explicit_scripts(Shrink& shrink) {
  for (std::size_t i = 0; i < shrink.best().plan.tasks.size() && !shrink.over(); ++i) {
    const auto from = generator(shrink.best().plan.tasks[i].body);
    if (!from) continue;
    std::string script;
    shrink.look_at_run([&](const World& world) {
      script = script_of(world, shrink.best().plan.tasks[i].name, from->waits);
    });
    if (script.empty()) continue;
    Plan plan = shrink.best().plan;
    plan.tasks[i].body = IoTask{from->device, from->start, script};
    shrink.try_plan(plan);
  }
}

}  // namespace dmsim::shrink_pass
