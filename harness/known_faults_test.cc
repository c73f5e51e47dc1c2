// What a kernel shows is held against what is known of Linux: which switch, or which of them together, explain it.
#include <gtest/gtest.h>

#include "harness/known_faults.h"
#include "harness/test_plans.h"

namespace dmsim {
namespace {

DmsetupStep step(DmsetupStep::Verb verb, std::string text = {}) {
  DmsetupStep out;
  out.verb = verb;
  out.device = "lv";
  out.text = std::move(text);
  return out;
}

// The same table is loaded before anything was written to the clone, and resumed at 5 ms.
TaskPlan early_load(const std::string& table) {
  DmsetupTask task;
  DmsetupStep sleep = step(DmsetupStep::Verb::kSleep);
  sleep.device.clear();
  sleep.duration = Duration::milliseconds(5);
  task.steps = {step(DmsetupStep::Verb::kLoad, table), sleep, step(DmsetupStep::Verb::kResume)};
  return {"admin", task};
}

Plan reloaded_clone() {
  Plan plan = test::clone_plan(" 1 no_hydration");
  plan.tasks = {early_load(plan.devices[0].table)};
  return plan;
}

Violation broken(std::string_view oracle) {
  Violation violation;
  violation.oracle = oracle;
  return violation;
}

TEST(KnownFault, is_looked_for_behind_what_it_breaks_earlier) {
  Plan plan = reloaded_clone();
  plan.tasks.push_back(test::script("W8+2 F W10+2 F", Duration::milliseconds(1)));
  plan.tasks.push_back(test::script("R8+8", Duration::milliseconds(6)));
  plan.tasks.back().name = "reader";
  // With this the new table commits what it believes of the other region, too.
  plan.tasks.push_back(test::script("W64+2 F", Duration::milliseconds(8)));
  plan.tasks.back().name = "other";
  test::cut_anywhere(plan);
  Workshop workshop;
  EXPECT_EQ(known_fault(plan, broken(oracle::kReadYourWrites), workshop), "clone.metadata_load=load");
  EXPECT_EQ(known_fault(plan, broken(oracle::kDurability), workshop), "clone.metadata_load=load");
  EXPECT_EQ(known_fault(plan, broken(oracle::kLiveness), workshop), "");
  // Then nothing has been written yet.
  plan.power_cut.when = PowerCutPlan::When::kAt;
  plan.power_cut.at = Duration::microseconds(500);
  EXPECT_EQ(known_fault(plan, broken(oracle::kDurability), workshop), "clone.metadata_load=load");
}

// The new table copies a region again that the old one has made valid, and only then is there a copy that the
// discard does not wait for.
TEST(KnownFault, is_two_of_them_when_it_takes_two) {
  Plan plan = reloaded_clone();
  plan.disks[0].read = {Duration::milliseconds(1), Duration::milliseconds(2)};
  plan.tasks.push_back(test::script("W8+1", Duration::milliseconds(1)));
  plan.tasks.push_back(test::script("W8+1 D8+8 c(D8+8) W12+2", Duration::milliseconds(20)));
  plan.tasks.back().name = "racer";
  plan.tasks.push_back(test::script("R12+2", Duration::milliseconds(40)));
  plan.tasks.back().name = "reader";
  Workshop workshop;
  EXPECT_EQ(known_fault(plan, broken(oracle::kReadYourWrites), workshop),
            "clone.discard_waits=off and clone.metadata_load=load");
  // Without the table there is nothing to copy again.
  plan.tasks.erase(plan.tasks.begin());
  EXPECT_EQ(known_fault(plan, broken(oracle::kReadYourWrites), workshop), "");
}

// The racer has to be there while the background copies, right after boot.
TEST(KnownFault, is_recognised_where_it_takes_tasks_that_begin_right_after_boot) {
  Plan plan = test::clone_plan(" 0 2 hydration_threshold 1");
  for (DiskOptions& disk : plan.disks) {
    disk.read = {Duration::microseconds(50), Duration::microseconds(200)};
    disk.write = disk.read;
    disk.discard_supported = false;
  }
  plan.tasks.push_back(test::script("W120+1 D120+8 c(D120+8) W124+2 c(W124+2) R124+2", Duration::microseconds(100)));
  Workshop workshop;
  EXPECT_EQ(known_fault(plan, broken(oracle::kReadYourWrites), workshop), "clone.discard_waits=off");
}

}  // namespace
}  // namespace dmsim
