// The administrator: verbs of the DeviceMapper seam, one after the other, each held to its answer.
#include <cerrno>
#include <map>
#include <string>

#include "harness/lvm_room.h"
#include "harness/oracle_names.h"
#include "harness/tasks/task_body.h"

namespace dmsim {

std::string errno_name(int value) {
  switch (value) {
    case EINTR: return "EINTR";
    case EIO: return "EIO";
    case ENXIO: return "ENXIO";
    case ENOMEM: return "ENOMEM";
    case EBUSY: return "EBUSY";
    case EEXIST: return "EEXIST";
    case ENODEV: return "ENODEV";
    case EINVAL: return "EINVAL";
    case ENOSPC: return "ENOSPC";
    case EOPNOTSUPP: return "EOPNOTSUPP";
    case EPERM: return "EPERM";
    case EILSEQ: return "EILSEQ";
    default: return std::to_string(value);
  }
}

namespace tasks {
namespace {

// A file system that is busy, or meets an error, when it is asked to freeze.
class FailingFreezer final : public Freezer {
 public:
  bool freeze() override { return false; }
  void thaw() override {}
};

struct Administrator {
  Self& self;
  std::map<std::string, std::uint32_t> events_seen;  // by device
};

const char* verb_name(DmsetupStep::Verb verb) {
  switch (verb) {
    case DmsetupStep::Verb::kCreate: return "create";
    case DmsetupStep::Verb::kLoad: return "load";
    case DmsetupStep::Verb::kSuspend: return "suspend";
    case DmsetupStep::Verb::kResume: return "resume";
    case DmsetupStep::Verb::kRemove: return "remove";
    case DmsetupStep::Verb::kStatus: return "status";
    case DmsetupStep::Verb::kTable: return "table";
    case DmsetupStep::Verb::kMessage: return "message";
    case DmsetupStep::Verb::kWaitEvent: return "wait-event";
    case DmsetupStep::Verb::kSleep: return "sleep";
    case DmsetupStep::Verb::kWaitStatus: return "wait-status";
    case DmsetupStep::Verb::kWaitTask: return "wait-task";
  }
  UNMODELLED("dmsetup verb");
}

template <typename Value>
DmResult<> without_value(const DmResult<Value>& result) {
  if (!result.ok()) return Failure{result.error()};
  return Done{};
}

// Who polls always has something to do, so no watch over idle tasks notices that he waits in vain.
void report_status_never_came(Administrator& admin, const DmsetupStep& step,
                              const std::string& status) {
  Violation violation;
  violation.oracle = oracle::kLiveness;
  violation.device = step.device;
  violation.state = "a status that never comes";
  violation.sentence =
      fmt::format("the status of {} has not come to contain \"{}\" for {} s: {}", step.device,
                  step.text, admin.self.host.patience().count_ns() / 1'000'000'000, status);
  admin.self.host.report(std::move(violation));
}

DmResult<> wait_for_status(Administrator& admin, const DmsetupStep& step) {
  Scheduler& scheduler = admin.self.host.scheduler();
  const Instant begun = scheduler.now();
  while (true) {
    const auto status = admin.self.host.mapper().status(step.device);
    if (!status.ok()) return Failure{status.error()};
    if (status->find(step.text) != std::string::npos) return Done{};
    if (scheduler.now() - begun > admin.self.host.patience()) {
      report_status_never_came(admin, step, *status);
      return Done{};
    }
    scheduler.sleep(step.duration > Duration() ? step.duration : Duration::milliseconds(1));
  }
}

DmResult<> execute(Administrator& admin, const DmsetupStep& step) {
  TaskHost& host = admin.self.host;
  DeviceMapper& mapper = host.mapper();
  switch (step.verb) {
    case DmsetupStep::Verb::kCreate: return mapper.create(step.device);
    case DmsetupStep::Verb::kLoad:
      host.lvm().administration().begin_load(step.device);
      return mapper.load(step.device, step.text);
    case DmsetupStep::Verb::kSuspend: {
      host.lvm().administration().begin_suspend(step.device);
      DmResult<> result = mapper.suspend(step.device, step.suspend);
      host.lvm().administration().end_suspend(step.device, result.ok());
      return result;
    }
    case DmsetupStep::Verb::kResume: {
      host.lvm().administration().begin_resume(step.device);
      DmResult<> result = mapper.resume(step.device);
      host.lvm().administration().end_resume(step.device, result.ok());
      return result;
    }
    case DmsetupStep::Verb::kRemove: return mapper.remove(step.device);
    case DmsetupStep::Verb::kStatus: return without_value(mapper.status(step.device));
    case DmsetupStep::Verb::kTable:
      return without_value(mapper.table(step.device, TableSlot::kLive));
    case DmsetupStep::Verb::kMessage:
      return without_value(mapper.message(step.device, step.sector, step.text));
    case DmsetupStep::Verb::kWaitEvent: {
      std::uint32_t& seen = admin.events_seen[step.device];
      const auto number = mapper.wait_event(step.device, seen);
      if (number.ok()) seen = *number;
      return without_value(number);
    }
    case DmsetupStep::Verb::kSleep: host.scheduler().sleep(step.duration); return Done{};
    case DmsetupStep::Verb::kWaitStatus: return wait_for_status(admin, step);
    case DmsetupStep::Verb::kWaitTask:
      wait_until(host.task_ends(), [&] { return host.task_ended(step.text); });
      return Done{};
  }
  UNMODELLED("dmsetup verb");
}

void judge(Administrator& admin, const DmsetupStep& step, const DmResult<>& result) {
  const std::string answer = result.ok() ? "" : errno_name(result.error().errno_value);
  if (step.answer == "any" || answer == step.answer) return;
  Violation violation;
  violation.oracle = oracle::kAnswers;
  violation.device = step.device;
  violation.state = fmt::format("{} answers {}", verb_name(step.verb), answer);
  violation.sentence = fmt::format(
      "dmsetup {} {} answered {}, expected {}", verb_name(step.verb), step.device,
      answer.empty() ? "success" : answer, step.answer.empty() ? "success" : step.answer);
  if (!result.ok() && !result.error().reason.empty()) {
    violation.details.push_back("the engine says: " + result.error().reason);
  }
  admin.self.host.report(std::move(violation));
}

}  // namespace

void run(Self& self, const DmsetupTask& task) {
  TaskHost& host = self.host;
  Scheduler& scheduler = host.scheduler();
  Administrator admin{self, {}};
  scheduler.sleep(task.start);
  FailingFreezer failing;
  for (const DmsetupStep& step : task.steps) {
    scheduler.preempt_point();
    if (step.freeze_fails) host.set_freezer(step.device, &failing);
    Fiber& fiber = scheduler.current();
    Timer interrupt(scheduler, [&] { scheduler.signal(fiber); });
    if (step.interrupted_after) interrupt.arm(*step.interrupted_after);
    const DmResult<> result = execute(admin, step);
    interrupt.cancel();
    host.note_tables_changed();
    fiber.signalled = false;
    if (step.freeze_fails) host.set_freezer(step.device, nullptr);
    judge(admin, step, result);
  }
}

}  // namespace tasks

std::function<void()> task_body(TaskHost& host, const TaskPlan& plan, std::uint32_t number) {
  return [&host, &plan, number] {
    tasks::Self self{host, host.scheduler().current_actor(), number};
    std::visit([&](const auto& body) { tasks::run(self, body); }, plan.body);
  };
}

}  // namespace dmsim
