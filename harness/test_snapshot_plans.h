// Small plans about snapshots for tests, built in C++, with the planted bugs that break their promises.
#pragma once

#include "harness/oracle_names.h"
#include "harness/plan.h"

namespace dmsim::test {

// snap: a snapshot of lv, both on real, 64 KiB, chunks of 8 KiB in cow0. `user` is written to, with flushes.
inline Plan snapshot_plan(const std::string& user) {
  Plan plan;
  plan.scenario = "test";
  plan.disks.resize(2);
  plan.disks[0].name = "real";
  plan.disks[0].sectors = 128;
  plan.disks[1].name = "cow0";
  plan.disks[1].sectors = 512;
  plan.disks[1].content = DiskContent::kZero;
  plan.devices = {{"snap", "0 128 snapshot real cow0 P 16", true}, {"lv", "0 128 snapshot-origin real", true}};
  plan.machine.memory.pages = 64;
  plan.machine.patience = Duration::seconds(20);
  WriteTask writer;
  writer.device = user;
  writer.pace.count = 12;
  writer.flush_every = 3;
  plan.tasks = {{"writer", writer}};
  plan.power_cut.when = PowerCutPlan::When::kAny;
  plan.power_cut.tables = TablesAfterCut::kLast;
  plan.runs = 6;
  return plan;
}

inline Plan snapshot_merge_plan() {
  Plan plan = snapshot_plan("snap");
  using Verb = DmsetupStep::Verb;
  DmsetupTask admin;
  const auto add = [&](Verb verb, std::string device, std::string text = {}) {
    admin.steps.emplace_back();
    admin.steps.back().verb = verb;
    admin.steps.back().device = std::move(device);
    admin.steps.back().text = std::move(text);
  };
  add(Verb::kWaitTask, "", "writer");
  add(Verb::kLoad, "lv", "0 128 snapshot-merge real cow0 P 16");
  add(Verb::kSuspend, "lv");
  add(Verb::kSuspend, "snap");
  add(Verb::kResume, "lv");
  add(Verb::kSleep, "");  // the merge is nobody's request: the machine would be at rest
  admin.steps.back().duration = Duration::milliseconds(50);
  plan.tasks.push_back({"admin", admin});
  return plan;
}

}  // namespace dmsim::test
