// Pauses, intervals and the administrator's waits: none, or an eighth, or half. When tasks start costs
// nothing, but may make the run simpler: later, when the machine has come to rest and synchronisation is
// no part of the story, or earlier.
#include "crash-replay/minimise/passes.h"
#include "crash-replay/minimise/plan_parts.h"

namespace dmsim::shrink_pass {
namespace {

struct Wait {
  Duration* duration;
  Duration floor;
};

void add(std::vector<Wait>& out, DurationRange& range) {
  out.push_back({&range.least, Duration()});
  out.push_back({&range.most, range.least});
}

std::vector<Wait> waits_of(Plan& plan) {
  std::vector<Wait> out;
  for (TaskPlan& task : plan.tasks) {
    if (Pace* pace = pace_of(task.body)) add(out, pace->every);
    if (auto* files = std::get_if<Ext2Task>(&task.body)) add(out, files->every);
    auto* admin = std::get_if<DmsetupTask>(&task.body);
    if (admin == nullptr) continue;
    for (DmsetupStep& step : admin->steps) {
      out.push_back({&step.duration, Duration()});
      if (step.interrupted_after) out.push_back({&*step.interrupted_after, Duration()});
    }
  }
  out.push_back({&plan.power_cut.from, Duration()});  // which cut it is, the choices say
  // A daemon that wakes more often than this keeps the simulator busy for nothing.
  const Duration least = Duration::microseconds(100);
  if (plan.machine.pdflush) {
    out.push_back({&plan.machine.pdflush->interval, least});
    out.push_back({&plan.machine.pdflush->expire, least});
  }
  return out;
}

void shorten(Shrink& shrink, std::size_t index) {
  for (bool again = true; again && !shrink.over();) {
    again = false;
    for (const std::int64_t part : {std::int64_t{0}, std::int64_t{8}, std::int64_t{2}}) {
      Plan plan = shrink.best().plan;
      const std::vector<Wait> waits = waits_of(plan);
      if (index >= waits.size()) return;
      const auto& [duration, floor] = waits[index];
      const std::int64_t ns = duration->count_ns();
      const Duration shorter =
          part == 0 ? floor : std::max(floor, Duration::nanoseconds(ns / part / 1000 * 1000));
      if (shorter >= *duration) continue;
      *duration = shorter;
      if (!shrink.try_plan(plan)) continue;
      again = true;
      break;
    }
  }
}

void start_all(Shrink& shrink, const std::function<Duration(Duration)>& when) {
  Plan plan = shrink.best().plan;
  move_starts(plan, when);
  shrink.try_plan(plan);
}

}  // namespace

void shorten_waits(Shrink& shrink) {
  Plan plan = shrink.best().plan;
  const std::size_t count = waits_of(plan).size();
  for (std::size_t i = 0; i < count && !shrink.over(); ++i) shorten(shrink, i);
  for (const std::int64_t by_ms : {5, 50}) {
    start_all(shrink, [by_ms](Duration start) { return start + Duration::milliseconds(by_ms); });
  }
  for (const std::int64_t part : {2, 4}) {
    start_all(shrink, [part](Duration start) { return Duration::nanoseconds(start.count_ns() / part / 1000 * 1000); });
  }
}

}  // namespace dmsim::shrink_pass
