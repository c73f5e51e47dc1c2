// What happens when a world ends in the middle of everything: power cuts do that thousands of times.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "sim/scheduler.h"
#include "sim/wait.h"

namespace dmsim {
namespace {

// Counts itself: a fiber that was not unwound leaves it behind.
class Counted {
 public:
  explicit Counted(int& alive) : alive_(alive) { ++alive_; }
  ~Counted() { --alive_; }
  Counted(const Counted&) = delete;

 private:
  int& alive_;
};

// A world with fibers blocked in every primitive there is, some runnable, some never started.
struct BusyWorld {
  explicit BusyWorld(StackPool& stacks, std::uint64_t seed, int& alive_count)
      : alive(alive_count), choices(seed), scheduler(stacks, choices, trace, {}) {
    spawn("holder", [this] {
      MutexGuard guard(mutex);
      never.wait();
    });
    for (int i = 0; i < 3; ++i) {
      spawn("locker", [this] {
        MutexGuard guard(mutex);
        never.wait();
      });
    }
    spawn("downer", [this] { semaphore.down(); });
    spawn("pool user", [this] {
      pool.take();
      pool.take();
    });
    spawn("sleeper", [this] { scheduler.sleep(Duration::seconds(100)); });
    spawn("interruptible", [this] { (void)queue.wait_interruptible(); });
    spawn("idle", [this] { queue.wait_idle(); });
    spawn("busy", [this] {
      for (;;) scheduler.yield();
    });
    spawn("waits on its own stack", [this] {
      Completion own(scheduler, "own completion");
      own.wait();
    });
    timer.arm(Duration::microseconds(2));
  }
  ~BusyWorld() { scheduler.shut_down(); }

  void spawn(const char* name, std::function<void()> body) {
    scheduler.spawn(trace.actors().intern(name), FiberRole::kTask,
                    [this, body = std::move(body)] {
                      const std::vector<char> on_heap(100);
                      Counted counted(alive);
                      body();
                    });
  }

  int& alive;
  RandomChoices choices;
  Trace trace;
  Scheduler scheduler;
  Mutex mutex{scheduler, "mutex"};
  Completion never{scheduler, "what never comes"};
  Semaphore semaphore{scheduler, "semaphore", 0};
  Mempool pool{scheduler, "pool", 1};
  WaitQueue queue{scheduler, "queue"};
  Timer timer{scheduler, [this] { timer.arm(Duration::microseconds(2)); }};
};

TEST(Teardown, every_started_fiber_is_unwound_and_its_destructors_run) {
  StackPool stacks;
  int alive = 0;
  {
    BusyWorld world(stacks, 1, alive);
    while (alive < 11 && world.scheduler.slices_run() < 10'000) world.scheduler.run(1);
    EXPECT_EQ(alive, 11);
  }
  EXPECT_EQ(alive, 0);
}

TEST(Teardown, a_thousand_worlds_end_at_any_point_and_leave_nothing) {
  StackPool stacks;
  int alive = 0;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    {
      BusyWorld world(stacks, seed, alive);
      // All have started by then; where each stands is up to the seed.
      while (alive < 11 && world.scheduler.slices_run() < 10'000) world.scheduler.run(1);
      world.scheduler.run(seed % 97);
    }
    ASSERT_EQ(alive, 0) << seed;
  }
}

// Its frames are of foreign code: what the destructor of such a frame would do is never done.
TEST(Teardown, a_bare_fiber_is_dropped_where_it_waits_and_its_stack_serves_again) {
  StackPool stacks;
  PlainChoices choices;
  int left = 0;
  auto held = std::make_shared<int>(1);
  for (int world = 0; world < 3; ++world) {
    Trace trace;
    Scheduler scheduler(stacks, choices, trace, {});
    WaitQueue queue(scheduler, "queue");
    for (const bool bare : {true, false}) {
      scheduler.spawn(Actor::kNobody, FiberRole::kDaemon, [&, held, bare] {
        Counted counted(left);
        scheduler.current().bare = bare;
        queue.wait();
      });
    }
    while (scheduler.step()) {
    }
    scheduler.shut_down();
    EXPECT_TRUE(queue.empty());
    EXPECT_EQ(held.use_count(), 1);
  }
  EXPECT_EQ(left, 3);  // one of two in each world
}

TEST(Teardown, a_fiber_that_never_ran_is_dropped_with_what_it_holds) {
  StackPool stacks;
  PlainChoices choices;
  Trace trace;
  auto held = std::make_shared<int>(1);
  Scheduler scheduler(stacks, choices, trace, {});
  scheduler.spawn(Actor::kNobody, FiberRole::kTask, [held] { FAIL(); });
  EXPECT_EQ(held.use_count(), 2);
  scheduler.shut_down();
  EXPECT_EQ(held.use_count(), 1);
}

TEST(Teardown, what_a_dying_fiber_unlocks_wakes_nobody_who_would_run) {
  StackPool stacks;
  PlainChoices choices;
  Trace trace;
  std::string log;
  Scheduler scheduler(stacks, choices, trace, {});
  Mutex mutex(scheduler, "mutex");
  scheduler.spawn(trace.actors().intern("a"), FiberRole::kTask, [&] {
    MutexGuard guard(mutex);
    log += "a";
    scheduler.park(nullptr);
    log += "never";
  });
  scheduler.spawn(trace.actors().intern("b"), FiberRole::kTask, [&] {
    MutexGuard guard(mutex);
    log += "never";
  });
  while (scheduler.step()) {
  }
  scheduler.shut_down();
  EXPECT_EQ(log, "a");
  EXPECT_FALSE(mutex.locked());
  EXPECT_TRUE(mutex.empty());
}

TEST(Teardown, blocking_in_a_destructor_is_our_bug) {
  struct Blocks {
    Scheduler& scheduler;
    ~Blocks() { scheduler.sleep(Duration::seconds(1)); }
  };
  const auto world_with_a_bad_destructor = [] {
    StackPool stacks;
    PlainChoices choices;
    Trace trace;
    Scheduler scheduler(stacks, choices, trace, {});
    scheduler.spawn(Actor::kNobody, FiberRole::kTask, [&] {
      Blocks blocks{scheduler};
      scheduler.park(nullptr);
    });
    scheduler.step();
  };
  EXPECT_DEATH(world_with_a_bad_destructor(), "blocking while a fiber is unwound");
}

TEST(Teardown, a_wait_queue_may_outlive_the_scheduler_and_may_die_before_it) {
  StackPool stacks;
  PlainChoices choices;
  Trace trace;
  auto scheduler = std::make_unique<Scheduler>(stacks, choices, trace);
  auto early = std::make_unique<WaitQueue>(*scheduler, "early");
  auto late = std::make_unique<WaitQueue>(*scheduler, "late");
  for (WaitQueue* queue : {early.get(), late.get()}) {
    scheduler->spawn(Actor::kNobody, FiberRole::kTask, [queue] { queue->wait(); });
  }
  while (scheduler->step()) {
  }
  early.reset();
  scheduler->shut_down();
  scheduler.reset();
  EXPECT_TRUE(late->empty());
}

TEST(Teardown, a_world_can_run_inside_a_fiber_of_another) {
  StackPool stacks;
  PlainChoices choices;
  Trace outer_trace;
  Scheduler outer(stacks, choices, outer_trace, {});
  int alive = 0;
  int inner_worlds = 0;
  for (const char* name : {"first", "second"}) {
    outer.spawn(outer_trace.actors().intern(name), FiberRole::kTask, [&] {
      for (std::uint64_t i = 0; i < 20; ++i) {
        {
          BusyWorld inner(stacks, i, alive);
          inner.scheduler.run(200);
        }
        EXPECT_EQ(alive, 0);
        ++inner_worlds;
        outer.yield();
      }
    });
  }
  while (outer.run(7)) {
  }
  EXPECT_EQ(inner_worlds, 40);
}

}  // namespace
}  // namespace dmsim
