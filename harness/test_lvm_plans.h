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

}  // namespace dmsim::test
