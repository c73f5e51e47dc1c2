// What the tests of waiting and of timers share: a scheduler, tasks that write what they do into a log.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "sim/wait.h"

namespace dmsim {

class WaitTest : public testing::Test {
 protected:
  Fiber& task(const std::string& name, std::function<void()> body) {
    return scheduler_.spawn(trace_.actors().intern(name), FiberRole::kTask, std::move(body));
  }
  void run() {
    while (scheduler_.run(1'000'000)) {
    }
  }
  ~WaitTest() override { scheduler_.shut_down(); }

  StackPool stacks_;
  PlainChoices choices_;
  Trace trace_;
  Scheduler scheduler_{stacks_, choices_, trace_, {}};
  std::string log_;
};

}  // namespace dmsim
