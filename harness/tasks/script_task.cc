// The task that issues exactly the requests its script says (models/workload/notation.h).
#include <map>

#include "harness/oracle_names.h"
#include "harness/tasks/task_body.h"
#include "models/memory/direct_io.h"
#include "models/workload/notation.h"

namespace dmsim::tasks {
namespace {

DirectRequest& start(Self& self, DirectIo& io, const IoRequest& request) {
  const SectorRange range{request.sector, request.sector + request.sectors};
  switch (request.op) {
    case Op::kRead: return io.read(range);
    case Op::kFlush: return io.flush();
    case Op::kDiscard: return io.discard(range);
    case Op::kWrite: {
      Stamper stamper(self.next_stamp(range.begin));
      return io.write(range, {.fua = request.fua, .preflush = false},
                      [&](std::byte* out, Sector) { stamper.next(out); });
    }
  }
  UNMODELLED("operation in a script");
}

void compare(Self& self, const IoTask& task, const IoStep& step, BlockStatus status) {
  const BlockStatus::Code expected =
      step.kind == IoStep::Kind::kSucceeds ? BlockStatus::Code::kOk : step.error;
  if (status.code == expected) return;
  Violation violation;
  violation.oracle = oracle::kAnswers;
  violation.device = task.device;
  violation.state = fmt::format("{} ends with {}", op_name(step.request.op), status_name(status.code));
  violation.sectors = {step.request.sector, step.request.sector + step.request.sectors};
  violation.sentence = fmt::format("{} of the script ended with {}, expected {}",
                                   notation(step.request), status_name(status.code),
                                   status_name(expected));
  self.host.report(std::move(violation));
}

}  // namespace

void run(Self& self, const IoTask& task) {
  const auto script = parse_notation(task.script);
  CHECK(script.ok(), "the loader has checked the script");
  self.host.scheduler().sleep(task.start);
  DirectIo io(self.host.scheduler(), self.host.pages(), self.host.device(task.device), self.actor);
  std::map<std::size_t, DirectRequest*> under_way;  // by the index of the step that started it
  for (std::size_t i = 0; i < script->steps.size(); ++i) {
    const IoStep& step = script->steps[i];
    switch (step.kind) {
      case IoStep::Kind::kStart: under_way[i] = &start(self, io, step.request); break;
      case IoStep::Kind::kSucceeds:
      case IoStep::Kind::kFails: {
        DirectRequest& request = *under_way.at(step.started_by);
        compare(self, task, step, io.wait(request));
        io.release(request);
        under_way.erase(step.started_by);
        break;
      }
      case IoStep::Kind::kCutPower:
        self.host.request_power_cut();
        self.host.scheduler().yield();
        break;
    }
  }
  for (const auto& [step, request] : under_way) {
    io.wait(*request);
    io.release(*request);
  }
}

}  // namespace dmsim::tasks
