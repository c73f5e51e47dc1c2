// Small plans for tests, built in C++: a two-legged mirror, its users, and for each oracle a planted bug
// that breaks its promise, with the twin that keeps it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "harness/test_lvm_plans.h"
#include "harness/test_snapshot_plans.h"
#include "harness/oracle_names.h"
#include "harness/plan.h"

namespace dmsim::test {

inline std::vector<std::string> every_check_but(const std::vector<std::string_view>& left_out) {
  std::vector<std::string> out;
  for (const OracleInfo& info : oracle_table()) {
    // Where contents are held to moved-equals-model, durability has nothing left to say.
    bool keep = info.name != oracle::kCanary && info.name != oracle::kMovedEqualsModel;
    for (const std::string_view name : left_out) keep = keep && info.name != name;
    if (keep) out.emplace_back(info.name);
  }
  return out;
}

inline DiskOptions disk(std::string name, std::uint64_t sectors) {
  DiskOptions out;
  out.name = std::move(name);
  out.sectors = sectors;
  return out;
}

// lv: legs leg0 and leg1 of 512 KiB, regions of 64 KiB, log on log0; nobody uses it.
inline Plan mirror_plan(const std::string& features = "1 handle_errors") {
  Plan plan;
  plan.scenario = "test";
  plan.disks = {disk("leg0", 1024), disk("leg1", 1024), disk("log0", 64)};
  plan.disks[2].content = DiskContent::kZero;
  plan.devices = {{"lv", "0 1024 mirror disk 2 log0 128 2 leg0 0 leg1 0 " + features, true}};
  plan.machine.memory.pages = 64;
  plan.machine.patience = Duration::seconds(20);
  plan.machine.settle = Duration::seconds(60);
  plan.checks = every_check_but({oracle::kVersion});
  plan.runs = 6;
  return plan;
}

// lv: a clone of src on dest, 16 regions of 4 KiB, metadata on meta; nobody uses it.
inline Plan clone_plan(const std::string& features = "") {
  Plan plan;
  plan.scenario = "test";
  plan.disks = {disk("src", 128), disk("dest", 128), disk("meta", 64)};
  plan.disks[2].content = DiskContent::kZero;
  plan.devices = {{"lv", "0 128 clone meta dest src 8" + features, true}};
  plan.machine.memory.pages = 64;
  plan.machine.patience = Duration::seconds(20);
  plan.machine.settle = Duration::seconds(60);
  plan.checks = every_check_but({oracle::kVersion});
  plan.runs = 6;
  return plan;
}

// Starts late enough for the first synchronisation of mirror_plan() to be over.
inline Duration after_sync() { return Duration::milliseconds(40); }

inline TaskPlan writer(std::uint64_t count, Duration start = after_sync(),
                       std::uint64_t flush_every = 0) {
  WriteTask task;
  task.device = "lv";
  task.pace = {start, {Duration::microseconds(50), Duration::milliseconds(1)}, count};
  task.flush_every = flush_every;
  return {"writer", task};
}
inline TaskPlan reader(std::uint64_t count, Duration start = after_sync()) {
  ReadTask task;
  task.device = "lv";
  task.pace = {start, {Duration::microseconds(50), Duration::milliseconds(1)}, count};
  return {"reader", task};
}
inline TaskPlan script(std::string text, Duration start = after_sync()) {
  return {"script", IoTask{"lv", start, std::move(text)}};
}
inline TaskPlan store(std::uint32_t store_bytes, DurationRange every, std::uint64_t count) {
  MmapStoreTask task;
  task.device = "lv";
  task.range = {24, 32};
  task.store_bytes = store_bytes;
  task.pace = {after_sync(), every, count};
  return {"database", task};
}

inline FaultOptions fault(std::string disk_name, FaultKind kind) {
  FaultOptions out;
  out.disk = std::move(disk_name);
  out.kind = kind;
  out.from = Duration::milliseconds(20);
  return out;
}

// The daemons write dirty pages a thousand times as eagerly as Linux does.
inline Plan unstable_page_plan() {
  Plan plan = mirror_plan();
  plan.machine.pdflush = PdflushOptions{Duration::milliseconds(5), Duration::milliseconds(30)};
  plan.tasks = {store(512, {Duration::microseconds(50), Duration::milliseconds(1)}, 150)};
  plan.power_cut.when = PowerCutPlan::When::kAny;
  plan.power_cut.states_per_cut = 3;
  plan.checks = {std::string(oracle::kLegsIdentical), std::string(oracle::kLiveness)};
  return plan;
}

inline Plan with(Plan plan, const SwitchValues& switches) {
  for (const auto& [name, value] : switches) plan.switches[name] = value;
  return plan;
}

// For one oracle: a plan whose switches break its promise, and the values that mend it.
struct PlantedBug {
  std::string name;
  std::string_view oracle;
  SwitchValues faulty;
  SwitchValues fixed;
  Plan plan;  // without either
};

inline void cut_anywhere(Plan& plan) {
  plan.power_cut.when = PowerCutPlan::When::kAny;
  plan.power_cut.states_per_cut = 3;
}

inline PlantedBug legs_bug(std::string name, SwitchValues faulty) {
  Plan plan = mirror_plan();
  plan.tasks = {writer(40)};
  cut_anywhere(plan);
  plan.checks = {std::string(oracle::kLegsIdentical)};
  return {std::move(name), oracle::kLegsIdentical, std::move(faulty), {}, std::move(plan)};
}

// Bugs that need no fault and no cut.
inline std::vector<PlantedBug> bugs_of_a_plain_life() {
  std::vector<PlantedBug> out;
  Plan plan = mirror_plan();
  DmsetupTask admin;
  admin.start = Duration::milliseconds(4);
  DmsetupStep step;
  step.device = "lv";
  step.verb = DmsetupStep::Verb::kSuspend;
  admin.steps.push_back(step);
  step.verb = DmsetupStep::Verb::kResume;
  admin.steps.push_back(step);
  plan.tasks = {writer(30, Duration()), {"admin", admin}};
  plan.checks = {std::string(oracle::kNoFalseSync)};
  out.push_back({"nosync-promoted", oracle::kNoFalseSync, {{"mirror.dec_promotes_nosync", "on"}}, {}, plan});

  plan.tasks.push_back(reader(200, Duration::milliseconds(10)));
  plan.checks = {std::string(oracle::kUntouched)};
  out.push_back({"nosync-promoted-read", oracle::kUntouched,
                 {{"mirror.dec_promotes_nosync", "on"}, {"mirror.read_balance", "chosen"}},
                 {{"mirror.read_balance", "chosen"}}, plan});

  plan.tasks = {writer(30, Duration())};
  plan.checks = {std::string(oracle::kNoLeak)};
  out.push_back({"entry-never-reclaimed", oracle::kNoLeak, {{"mirror.nosync_entry", "never-reclaim"}}, {},
                 plan});

  plan = clone_plan();
  plan.checks = {std::string(oracle::kCommittedDurable)};
  out.push_back({"committed-before-flush", oracle::kCommittedDurable, {{"clone.flush_dest", "off"}}, {}, plan});

  plan = mirror_plan();
  plan.disks.push_back(disk("tiny", 8));
  admin.steps.clear();
  step.verb = DmsetupStep::Verb::kCreate;
  step.device = "wide";
  admin.steps.push_back(step);
  step.verb = DmsetupStep::Verb::kLoad;
  // 32768 regions of 8 sectors want 4 KiB of bits behind the header's sector.
  step.text = "0 262144 mirror disk 2 tiny 8 2 big0 0 big1 0 1 handle_errors";
  step.answer = "EINVAL";
  admin.steps.push_back(step);
  plan.disks.push_back(disk("big0", 262144));
  plan.disks.push_back(disk("big1", 262144));
  plan.devices.push_back({"wide", step.text, false});
  plan.tasks = {{"admin", admin}};
  plan.checks = {std::string(oracle::kAnswers)};
  out.push_back({"log-too-small", oracle::kAnswers, {{"mirror.log_size_check", "off"}}, {}, plan});
  return out;
}

// Bugs that show when a disk refuses something.
inline std::vector<PlantedBug> bugs_under_faults() {
  std::vector<PlantedBug> out;
  Plan plan = mirror_plan("0");
  FaultOptions once = fault("leg0", FaultKind::kWriteError);
  once.count = 1;
  plan.faults = {once};
  plan.tasks = {script("W0+8 c(W0+8) R0+8 c(R0+8) W0+8 c(W0+8) R0+8")};
  plan.checks = {std::string(oracle::kReadYourWrites), std::string(oracle::kLiveness)};
  plan.faults[0].from = after_sync();
  out.push_back({"failed-leg-read", oracle::kReadYourWrites, {{"mirror.partial_write", "ignore"}},
                 {{"mirror.partial_write", "ack"}}, plan});

  plan = mirror_plan();
  plan.faults = {fault("leg0", FaultKind::kReadError)};
  plan.faults[0].from = after_sync();
  plan.tasks = {reader(5)};
  plan.checks = {std::string(oracle::kNoFalseError)};
  out.push_back({"read-not-retried", oracle::kNoFalseError, {{"mirror.read_retry", "none"}}, {}, plan});

  plan = mirror_plan("0");
  plan.faults = {fault("log0", FaultKind::kWriteError)};
  plan.faults[0].from = after_sync();
  plan.tasks = {writer(10)};
  plan.checks = {std::string(oracle::kNoFalseSuccess)};
  out.push_back({"fake-success", oracle::kNoFalseSuccess,
                 {{"mirror.issue_on_log_fail_without_he", "off"}}, {}, plan});

  plan = mirror_plan();
  plan.faults = {fault("leg0", FaultKind::kDies), fault("leg1", FaultKind::kDies)};
  plan.faults[0].from = plan.faults[1].from = after_sync();
  plan.tasks = {writer(3)};
  plan.checks = {std::string(oracle::kLiveness)};
  out.push_back({"held-for-ever", oracle::kLiveness, {{"mirror.no_valid_leg", "hold"}}, {}, plan});
  return out;
}

// Bugs that show after a power cut.
inline std::vector<PlantedBug> bugs_after_a_cut() {
  std::vector<PlantedBug> out;
  out.push_back({"unstable-page", oracle::kLegsIdentical, {{"mirror.buffer", "shared"}},
                 {{"mirror.buffer", "stable"}}, unstable_page_plan()});
  out.push_back(legs_bug("no-dirty-mark", {{"mirror.mark_dirty", "off"}}));
  out.push_back(legs_bug("clean-before-leg-flush", {{"mirror.leg_flush_before_clean", "off"}}));
  out.push_back(legs_bug("dirty-mark-not-flushed", {{"mirror.log_flush_on_dirty", "off"}}));

  Plan plan = mirror_plan();
  plan.tasks = {writer(30, after_sync(), 3)};
  cut_anywhere(plan);
  plan.checks = {std::string(oracle::kDurability)};
  out.push_back({"flush-not-forwarded", oracle::kDurability, {{"mirror.forward_flush", "off"}}, {}, plan});

  plan.tasks = {writer(40)};
  plan.power_cut.devices_fail_over = true;
  plan.checks = {std::string(oracle::kStableRead)};
  out.push_back({"differs-once-a-leg-is-lost", oracle::kStableRead,
                 {{"mirror.leg_flush_before_clean", "off"}}, {}, plan});

  plan = mirror_plan();
  plan.machine.pdflush = PdflushOptions{Duration::milliseconds(1), Duration::milliseconds(1)};
  plan.tasks = {store(4096, {Duration::microseconds(1), Duration::microseconds(20)}, 1500)};
  plan.checks = {std::string(oracle::kVersion)};
  out.push_back({"torn-bounce-copy", oracle::kVersion, {{"mirror.buffer", "bounce"}},
                 {{"mirror.buffer", "stable"}}, plan});
  return out;
}

inline std::vector<PlantedBug> bugs_of_user_space() {
  // The leg is repaired when lvcreate suspends.
  Plan unlocked = snapshot_of_mirror_plan();
  unlocked.faults.push_back({.disk = "pv0", .kind = FaultKind::kDies, .from = Duration::milliseconds(3020)});
  const SwitchValues cure{{"lvm.passthrough", "on"}, {"lvm.lock", "device"}};
  return {{"two-suspenders", oracle::kOneSuspender, {{"lvm.lock", "none"}}, cure, unlocked},
          {"no-lockfs", oracle::kFrozenImage, {{"lvm.snapshot_lockfs", "off"}}, {}, snapshot_of_mirror_plan()},
          {"write-to-moved", oracle::kMovedEqualsModel, {{"lvm1.drain", "fsync-dev"}}, {}, pvmove_lvm1_plan()}};
}

inline std::vector<PlantedBug> bugs_of_snapshots() {
  Plan plan = snapshot_plan("lv");
  plan.checks = {std::string(oracle::kSnapshotEquals)};
  Plan merge = snapshot_merge_plan();
  merge.checks = {std::string(oracle::kOriginModel)};
  return {{"record-before-chunk", oracle::kSnapshotEquals, {{"snapshot.area_preflush", "off"}}, {}, plan},
          {"merged-and-forgotten", oracle::kOriginModel, {{"snapshot.merge_flush", "off"}}, {}, merge}};
}

inline std::vector<PlantedBug> planted_bugs() {
  std::vector<PlantedBug> out;
  for (auto make : {bugs_of_a_plain_life, bugs_under_faults, bugs_after_a_cut, bugs_of_user_space,
                     bugs_of_snapshots}) {
    for (PlantedBug& bug : make()) out.push_back(std::move(bug));
  }
  return out;
}

}  // namespace dmsim::test
