// Those who administrate volume groups of LVM1.
#include "engine/lvm/lvm1_pvmove.h"
#include "harness/lvm_room.h"
#include "harness/oracle_names.h"
#include "harness/tasks/task_body.h"

namespace dmsim::tasks {

void run(Self& self, const Lvm1PvmoveTask& task) {
  self.host.scheduler().sleep(task.start);
  lvm1::Driver* const driver = self.host.lvm1();
  CHECK(driver != nullptr, "a plan without LVM1 has no pvmove of it");
  lvm1::Pvmove tool(*driver);
  std::string failure = tool.run(task.group, task.from, task.to);
  if (failure.empty() && task.back) failure = tool.run(task.group, task.to, task.from);
  self.host.note_tables_changed();
  if (failure.empty() || task.may_fail) return;
  Violation violation;
  violation.oracle = oracle::kAnswers;
  violation.device = task.group;
  violation.state = "pvmove fails";
  violation.sentence = fmt::format("pvmove from {} to {} fails: {}", task.from, task.to, failure);
  self.host.report(std::move(violation));
}

}  // namespace dmsim::tasks
