// A file system writes thousands of sectors to show what stores to a single page show too, if the page
// is the one that the promise was broken for.
#include "crash-replay/minimise/passes.h"
#include "crash-replay/minimise/plan_parts.h"

namespace dmsim::shrink_pass {
namespace {

Duration start_of(TaskBody& body) {
  if (const Pace* pace = pace_of(body)) return pace->start;
  return std::visit([](const auto& task) {
    if constexpr (requires { task.start; }) return task.start;
    return Duration();
  }, body);
}

Pace pace_like(TaskBody& body) {
  const DurationRange every{Duration::microseconds(50), Duration::milliseconds(1)};
  return {start_of(body), every, 200};
}

bool is_heavy(const TaskBody& body) {
  return std::holds_alternative<Ext2Task>(body) || std::holds_alternative<FioIologTask>(body) ||
         std::holds_alternative<LogWritesTask>(body) || std::holds_alternative<JournalFsTask>(body);
}

}  // namespace

void plainer_tasks(Shrink& shrink) {
  for (std::size_t i = 0; i < shrink.best().plan.tasks.size() && !shrink.over(); ++i) {
    Plan plan = shrink.best().plan;
    TaskBody& body = plan.tasks[i].body;
    if (!is_heavy(body)) continue;
    const std::string device = *device_of(body);
    const Sector page = shrink.best().violations.front().sectors.begin / 8 * 8;
    MmapStoreTask store;
    store.device = device;
    store.range = {page, page + 8};
    store.pace = pace_like(body);
    WriteTask write;
    write.device = device;
    write.area.range = store.range;
    write.pace = store.pace;
    const TaskBody plainer[] = {store, write};
    for (const TaskBody& candidate : plainer) {
      body = candidate;
      if (shrink.try_plan(plan)) break;
    }
  }
}

}  // namespace dmsim::shrink_pass
