#include <gtest/gtest.h>

#include "sim/scheduler.h"
#include "sim/wait.h"

namespace dmsim {
namespace {

TEST(Scheduler, a_sleeping_fiber_wakes_at_its_instant) {
  StackPool stacks;
  PlainChoices choices;
  Trace trace;
  Scheduler scheduler(stacks, choices, trace, {});
  Instant woke;
  scheduler.spawn(trace.actors().intern("task"), FiberRole::kTask, [&] {
    scheduler.sleep(Duration::milliseconds(5));
    woke = scheduler.now();
  });
  while (scheduler.step()) {
  }
  EXPECT_GE(woke.ns(), 5'000'000);
  EXPECT_EQ(scheduler.live_tasks(), 0u);
}

}  // namespace
}  // namespace dmsim
