#include "crash-replay/minimise/passes.h"
#include "crash-replay/minimise/plan_parts.h"

namespace dmsim::shrink_pass {
namespace {

std::uint64_t* rounds_of(TaskBody& body) {
  if (Pace* pace = pace_of(body)) return &pace->count;
  if (auto* files = std::get_if<Ext2Task>(&body)) return &files->files;
  if (auto* files = std::get_if<JournalFsTask>(&body)) return &files->files;
  if (auto* log = std::get_if<LogWritesTask>(&body)) return log->entries == 0 ? nullptr : &log->entries;
  return nullptr;
}

// Half as many rounds in the same time, or in more.
void stretch(Shrink& shrink, std::size_t task, std::int64_t factor) {
  for (bool again = true; again && !shrink.over();) {
    Plan plan = shrink.best().plan;
    Pace* pace = task < plan.tasks.size() ? pace_of(plan.tasks[task].body) : nullptr;
    if (pace == nullptr || pace->count < 3 || pace->every.most == Duration()) return;
    pace->count = (pace->count + 1) / 2;
    pace->every.most = pace->every.most * factor;
    again = shrink.try_plan(plan);
  }
}

}  // namespace

void drop_rounds(Shrink& shrink) {
  for (std::size_t i = 0; i < shrink.best().plan.tasks.size() && !shrink.over(); ++i) {
    lower(shrink, 1, [i](Plan& plan) {
      return i < plan.tasks.size() ? rounds_of(plan.tasks[i].body) : nullptr;
    });
    for (const std::int64_t factor : {2, 4, 8}) stretch(shrink, i, factor);
  }
}

}  // namespace dmsim::shrink_pass
