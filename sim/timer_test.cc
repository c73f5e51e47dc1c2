// Timer, of sim/wait.h.
#include "sim/wait_test_rig.h"

namespace dmsim {
namespace {

class TimerTest : public WaitTest {
 protected:
  std::function<void()> note() {
    return [this] { log_ += std::to_string(scheduler_.now().ns()) + " "; };
  }
};

TEST_F(TimerTest, one_fires_once_at_its_instant) {
  Timer timer(scheduler_, note());
  timer.arm(Duration::nanoseconds(100));
  EXPECT_TRUE(timer.armed());
  run();
  EXPECT_EQ(log_, "100 ");
  EXPECT_FALSE(timer.armed());
}

TEST_F(TimerTest, one_that_is_cancelled_stays_silent) {
  Timer timer(scheduler_, note());
  timer.arm(Duration::nanoseconds(100));
  timer.cancel();
  EXPECT_FALSE(timer.armed());
  run();
  EXPECT_EQ(log_, "");
}

TEST_F(TimerTest, arming_again_replaces_the_instant_whether_earlier_or_later) {
  Timer earlier(scheduler_, note()), later(scheduler_, note());
  earlier.arm(Duration::nanoseconds(100));
  earlier.arm(Duration::nanoseconds(40));
  later.arm(Duration::nanoseconds(50));
  later.arm(Duration::nanoseconds(200));
  run();
  EXPECT_EQ(log_, "40 200 ");
}

TEST_F(TimerTest, one_that_arms_itself_goes_on) {
  std::unique_ptr<Timer> timer;
  int fired = 0;
  timer = std::make_unique<Timer>(scheduler_, [&] {
    if (++fired < 5) timer->arm(Duration::nanoseconds(10));
  });
  timer->arm(Duration::nanoseconds(10));
  run();
  EXPECT_EQ(fired, 5);
  EXPECT_EQ(scheduler_.now().ns(), 50);
}

TEST_F(TimerTest, the_event_of_a_destroyed_timer_finds_nothing_not_even_its_successor) {
  {
    Timer gone(scheduler_, note());
    gone.arm(Duration::nanoseconds(100));
  }
  Timer successor(scheduler_, note());  // has the core of the one that is gone
  successor.arm(Duration::nanoseconds(300));
  run();
  EXPECT_EQ(log_, "300 ");
}

TEST_F(TimerTest, one_may_be_destroyed_by_what_it_calls) {
  std::unique_ptr<Timer> timer;
  const auto witness = std::make_shared<std::string>("still here");
  timer = std::make_unique<Timer>(scheduler_, [this, &timer, witness] {
    timer.reset();
    log_ += *witness;
  });
  timer->arm(Duration::nanoseconds(5));
  run();
  EXPECT_EQ(log_, "still here");
  EXPECT_EQ(witness.use_count(), 1);
}

}  // namespace
}  // namespace dmsim
