// Planted bugs of LVM2's commands, for the tests that show what each oracle catches.
#pragma once

#include <vector>

#include "harness/plan.h"

namespace dmsim::test {

// A mirror in a volume group, a file system on it that is at work, and a snapshot made meanwhile.
inline Plan snapshot_of_mirror_plan() {
  Plan plan;
  plan.scenario = "snapshot-of-mirror";
  for (const char* name : {"pv0", "pv1", "pv2"}) plan.disks.push_back({.name = name, .sectors = 4096});
  plan.volume_groups.push_back({"vg", {"pv0", "pv1", "pv2"}, 128, {{"lv", {"pv0", "pv1"}, "pv2", 16, 64}}, ""});
  JournalFsTask files;
  files.device = "vg-lv";
  files.start = Duration::milliseconds(2900);
  files.files = 60;
  files.every = {Duration::milliseconds(1), Duration::milliseconds(6)};
  plan.tasks.push_back({"files", files});
  plan.tasks.push_back({"dmeventd", DmeventdTask{"vg", Duration()}});
  CreateSnapshotTask create{"vg", "lv", "snap", "pv2", 8, 8, Duration::seconds(3), true};
  plan.tasks.push_back({"lvcreate", create});
  plan.checks = {"one-suspender-at-a-time", "frozen-image-consistent", "liveness"};
  plan.runs = 60;
  return plan;
}

// A volume of LVM1 that is moved while somebody writes past the page cache.
inline Plan pvmove_lvm1_plan() {
  Plan plan;
  plan.scenario = "pvmove-lvm1";
  for (const char* name : {"pv0", "pv1"}) {
    plan.disks.push_back({.name = name, .sectors = 256});
    plan.disks.back().write = {Duration::microseconds(20), Duration::milliseconds(2)};
  }
  plan.volume_groups.push_back({"vg", {"pv0", "pv1"}, 32, {{"lv", {"pv0"}, "", 4, 64}}, "", GroupFormat::kLvm1});
  WriteTask raw;
  raw.device = "vg-lv";
  raw.pace = {Duration::milliseconds(5), {Duration(), Duration::microseconds(200)}, 60};
  raw.in_flight = 4;
  plan.tasks = {{"raw", raw}, {"pvmove", Lvm1PvmoveTask{"vg", "pv0", "pv1", Duration::milliseconds(6), false, false}}};
  plan.checks = {"moved-equals-model", "liveness", "no-leak", "administrator-answers"};
  plan.runs = 20;
  return plan;
}

}  // namespace dmsim::test
