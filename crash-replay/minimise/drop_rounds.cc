#include "crash-replay/minimise/passes.h"
#include "crash-replay/minimise/plan_parts.h"

namespace dmsim::shrink_pass {
namespace {

std::uint64_t* rounds_of(TaskBody& body) {
  if (Pace* pace = pace_of(body)) return &pace->count;
  if (auto* files = std::get_if<Ext2Task>(&body)) return &files->files;
  if (auto* log = std::get_if<LogWritesTask>(&body)) return log->entries == 0 ? nullptr : &log->entries;
  return nullptr;
}

}  // namespace

void drop_rounds(Shrink& shrink) {
  for (std::size_t i = 0; i < shrink.best().plan.tasks.size() && !shrink.over(); ++i) {
    lower(shrink, 1, [i](Plan& plan) {
      return i < plan.tasks.size() ? rounds_of(plan.tasks[i].body) : nullptr;
    });
  }
}

}  // namespace dmsim::shrink_pass
