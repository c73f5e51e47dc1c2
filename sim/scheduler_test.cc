#include "sim/scheduler.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "sim/wait.h"

namespace dmsim {
namespace {

constexpr ChoicePoint kTestDelay{"test.delay"};
constexpr TraceKind kTestEvent{"test.event", {{{"number"}}}};

class SchedulerTest : public testing::Test {
 protected:
  Fiber& task(const std::string& name, std::function<void()> body,
              FiberRole role = FiberRole::kTask) {
    return scheduler_.spawn(trace_.actors().intern(name), role, std::move(body));
  }
  void run() {
    while (scheduler_.run(1'000'000)) {
    }
  }

  StackPool stacks_;
  PlainChoices choices_;
  Trace trace_;
  Scheduler scheduler_{stacks_, choices_, trace_, {}};
  std::vector<std::string> log_;
};

TEST_F(SchedulerTest, a_sleeping_fiber_wakes_at_its_instant) {
  Instant woke;
  task("task", [&] {
    scheduler_.sleep(Duration::milliseconds(5));
    woke = scheduler_.now();
  });
  run();
  EXPECT_EQ(woke.ns(), 5'000'000);
  EXPECT_EQ(scheduler_.live_tasks(), 0u);
}

TEST_F(SchedulerTest, the_plainest_schedule_is_first_come_first_served) {
  for (const char* name : {"a", "b", "c"}) {
    task(name, [this, name] {
      for (int i = 0; i < 2; ++i) {
        log_.push_back(name);
        scheduler_.yield();
      }
    });
  }
  run();
  EXPECT_EQ(log_, (std::vector<std::string>{"a", "b", "c", "a", "b", "c"}));
}

TEST_F(SchedulerTest, an_event_runs_between_the_slices_of_a_busy_fiber) {
  scheduler_.after(Duration::nanoseconds(700), [](void* log, std::uint64_t) {
    static_cast<std::vector<std::string>*>(log)->push_back("event");
  }, &log_);
  task("busy", [this] {
    for (int i = 0; i < 4; ++i) {
      log_.push_back("slice");
      scheduler_.yield();
    }
  });
  run();
  // Slices end at 500 and 1000 ns.
  EXPECT_EQ(log_, (std::vector<std::string>{"slice", "slice", "event", "slice", "slice"}));
}

TEST_F(SchedulerTest, events_of_one_instant_run_in_the_order_of_scheduling) {
  struct Entry {
    std::vector<std::uint64_t>* order;
    Scheduler* scheduler;
  };
  std::vector<std::uint64_t> order;
  Entry entry{&order, &scheduler_};
  for (std::uint64_t i = 0; i < 5; ++i) {
    scheduler_.at(Instant::at_ns(50), +[](void* context, std::uint64_t number) {
      auto* e = static_cast<Entry*>(context);
      e->order->push_back(number);
      if (number == 0) {
        e->scheduler->at(e->scheduler->now(), +[](void* c, std::uint64_t n) {
          static_cast<Entry*>(c)->order->push_back(n);
        }, e, 99);
      }
    }, &entry, i);
  }
  run();
  EXPECT_EQ(order, (std::vector<std::uint64_t>{0, 1, 2, 3, 4, 99}));
}

TEST_F(SchedulerTest, an_event_for_the_past_runs_now) {
  scheduler_.start_at(Instant::at_ns(1000));
  std::vector<std::int64_t> at;
  struct Context {
    Scheduler& scheduler;
    std::vector<std::int64_t>& at;
  } context{scheduler_, at};
  scheduler_.at(Instant::at_ns(10), [](void* c, std::uint64_t) {
    auto* self = static_cast<Context*>(c);
    self->at.push_back(self->scheduler.now().ns());
  }, &context);
  run();
  EXPECT_EQ(at, std::vector<std::int64_t>{1000});
}

TEST_F(SchedulerTest, a_parked_fiber_runs_again_when_it_is_unparked) {
  Fiber& waiter = task("waiter", [this] {
    scheduler_.park(nullptr);
    log_.push_back("woken");
  });
  task("waker", [this, &waiter] {
    log_.push_back("wakes");
    scheduler_.unpark(waiter);
  });
  run();
  EXPECT_EQ(log_, (std::vector<std::string>{"wakes", "woken"}));
}

TEST_F(SchedulerTest, unparking_a_fiber_that_is_not_parked_is_our_bug) {
  Fiber& fiber = task("fiber", [this] { scheduler_.yield(); });
  EXPECT_DEATH(scheduler_.unpark(fiber), "CHECK failed");
}

TEST_F(SchedulerTest, a_step_is_one_slice_or_one_event) {
  task("a", [this] {
    for (;;) scheduler_.yield();
  });
  scheduler_.after(Duration::nanoseconds(400), [](void*, std::uint64_t) {}, nullptr);
  EXPECT_TRUE(scheduler_.step());
  EXPECT_EQ(scheduler_.slices_run(), 1u);
  EXPECT_EQ(scheduler_.events_run(), 0u);
  EXPECT_TRUE(scheduler_.step());
  EXPECT_EQ(scheduler_.slices_run(), 1u);
  EXPECT_EQ(scheduler_.events_run(), 1u);
  EXPECT_TRUE(scheduler_.step());
  EXPECT_EQ(scheduler_.slices_run(), 2u);
}

TEST_F(SchedulerTest, a_run_counts_slices_switched_to_directly) {
  for (const char* name : {"a", "b"}) {
    task(name, [this] {
      for (;;) scheduler_.yield();
    });
  }
  EXPECT_TRUE(scheduler_.run(7));
  EXPECT_EQ(scheduler_.slices_run(), 7u);
  EXPECT_TRUE(scheduler_.run(1000));
  EXPECT_EQ(scheduler_.slices_run(), 1007u);
  EXPECT_EQ(scheduler_.now().ns(), 1007 * 500);
}

TEST_F(SchedulerTest, pause_ends_a_run_after_the_current_slice) {
  task("a", [this] {
    scheduler_.pause();
    log_.push_back("rest of the slice");
    scheduler_.yield();
    log_.push_back("later");
  });
  task("b", [this] { log_.push_back("b"); });
  EXPECT_TRUE(scheduler_.run(100));
  EXPECT_EQ(log_, std::vector<std::string>{"rest of the slice"});
  EXPECT_FALSE(scheduler_.run(100));
  EXPECT_EQ(log_.size(), 3u);
}

TEST_F(SchedulerTest, pause_in_an_event_ends_the_run_too) {
  for (int i = 0; i < 3; ++i) {
    scheduler_.after(Duration::nanoseconds(1), [](void* s, std::uint64_t) {
      static_cast<Scheduler*>(s)->pause();
    }, &scheduler_);
  }
  EXPECT_TRUE(scheduler_.run(100));
  EXPECT_EQ(scheduler_.events_run(), 1u);
  EXPECT_EQ(scheduler_.pending_events(), 2u);
}

TEST_F(SchedulerTest, runs_in_steps_and_runs_in_one_go_are_the_same_run) {
  std::vector<std::string> fingerprints;
  for (const std::uint64_t most : {1ull, 2ull, 13ull, 1'000'000ull}) {
    RandomChoices choices(4);
    Trace trace;
    Scheduler scheduler(stacks_, choices, trace, {});
    for (std::uint64_t f = 0; f < 4; ++f) {
      scheduler.spawn(trace.actors().intern(std::string(1, static_cast<char>('a' + f))),
                      FiberRole::kTask, [&, f] {
        for (std::uint64_t i = 0; i < 50; ++i) {
          trace.emit(kTestEvent, scheduler.current_actor(), f * 100 + i);
          if (i % 3 == 0) {
            scheduler.sleep(choices.duration(kTestDelay, scheduler.current_actor(),
                                             Duration::nanoseconds(0), Duration::microseconds(3)));
          } else {
            scheduler.yield();
          }
        }
      });
    }
    while (scheduler.run(most)) {
    }
    fingerprints.push_back(trace.fingerprint().to_string());
  }
  EXPECT_EQ(fingerprints, std::vector<std::string>(4, fingerprints[0]));
}

std::string fingerprint_of(std::uint64_t seed) {
  StackPool stacks;
  RandomChoices choices(seed);
  Trace trace;
  Scheduler scheduler(stacks, choices, trace, {Duration::nanoseconds(500), {1, 4}});
  Mutex mutex(scheduler, "mutex");
  for (const char* name : {"a", "b", "c"}) {
    scheduler.spawn(trace.actors().intern(name), FiberRole::kTask, [&] {
      for (std::uint64_t i = 0; i < 20; ++i) {
        MutexGuard guard(mutex);
        trace.emit(kTestEvent, scheduler.current_actor(), i);
        scheduler.preempt_point();
      }
    });
  }
  while (scheduler.run(100)) {
  }
  EXPECT_EQ(scheduler.live_tasks(), 0u);
  scheduler.shut_down();
  return trace.fingerprint().to_string();
}

TEST(Scheduler, one_seed_has_one_fingerprint_and_another_seed_another) {
  EXPECT_EQ(fingerprint_of(1), fingerprint_of(1));
  EXPECT_NE(fingerprint_of(1), fingerprint_of(2));
}

TEST_F(SchedulerTest, blocking_in_an_event_is_our_bug) {
  scheduler_.after(Duration::nanoseconds(1), [](void* s, std::uint64_t) {
    static_cast<Scheduler*>(s)->park(nullptr);
  }, &scheduler_);
  EXPECT_DEATH(run(), "blocking in interrupt context");
}

TEST_F(SchedulerTest, sleeping_outside_a_fiber_is_our_bug) {
  EXPECT_DEATH(scheduler_.sleep(Duration::nanoseconds(1)), "CHECK failed");
}

TEST_F(SchedulerTest, starting_the_clock_of_a_world_that_ran_is_our_bug) {
  task("a", [] {});
  run();
  EXPECT_DEATH(scheduler_.start_at(Instant::at_ns(1)), "CHECK failed");
}

TEST_F(SchedulerTest, a_preemption_point_yields_when_chance_says_so) {
  class Always final : public ChoiceSource {
    std::uint64_t choose(const ChoicePoint& point, Actor, std::uint64_t bound) override {
      return &point == &kPreempt ? bound - 1 : 0;
    }
  } always;
  for (const bool enabled : {false, true}) {
    Trace trace;
    Scheduler scheduler(stacks_, always, trace,
                        {Duration::nanoseconds(500), enabled ? Ratio{1, 2} : Ratio{0, 1}});
    std::string order;
    for (const char* name : {"a", "b"}) {
      scheduler.spawn(trace.actors().intern(name), FiberRole::kTask, [&, name] {
        order += name;
        scheduler.preempt_point();
        order += name;
      });
    }
    scheduler.preempt_point();  // in interrupt context: nothing
    while (scheduler.step()) {
    }
    EXPECT_EQ(order, enabled ? "abab" : "aabb");
  }
}

TEST_F(SchedulerTest, a_cause_travels_from_what_schedules_to_what_runs) {
  Fiber& sleeper = task("sleeper", [this] {
    scheduler_.park(nullptr);
    trace_.emit(kTestEvent, scheduler_.current_actor(), 2);
  });
  task("waker", [this, &sleeper] {
    trace_.set_cause(trace_.emit(kTestEvent, scheduler_.current_actor(), 1));
    scheduler_.unpark(sleeper);
    scheduler_.after(Duration::nanoseconds(1), [](void* trace, std::uint64_t) {
      static_cast<Trace*>(trace)->emit(kTestEvent, Actor::kNobody, 3);
    }, &trace_);
  });
  run();
  ASSERT_EQ(trace_.kept().size(), 3u);
  for (const TraceEvent& event : trace_.kept()) EXPECT_EQ(event.cause, event.args[0] == 1 ? 0u : 1u);
}

TEST_F(SchedulerTest, a_run_that_is_stuck_names_who_waits_for_whom) {
  Mutex first(scheduler_, "mutex 'first'"), second(scheduler_, "mutex 'second'");
  WaitQueue work(scheduler_, "work");
  task("daemon", [&] { work.wait_idle(); }, FiberRole::kDaemon);
  task("a", [&] {
    first.lock();
    scheduler_.yield();
    second.lock();
  });
  task("b", [&] {
    second.lock();
    scheduler_.yield();
    first.lock();
  });
  run();
  EXPECT_EQ(scheduler_.live_tasks(), 2u);
  const std::vector<StuckFiber> stuck = scheduler_.stuck();
  ASSERT_EQ(stuck.size(), 2u);
  EXPECT_EQ(trace_.actors().name(stuck[0].actor), "a");
  EXPECT_EQ(stuck[0].waits_for, "mutex 'second'");
  EXPECT_EQ(trace_.actors().name(stuck[0].held_by), "b");
  EXPECT_EQ(stuck[1].waits_for, "mutex 'first'");
  EXPECT_EQ(trace_.actors().name(stuck[1].held_by), "a");
  scheduler_.shut_down();
}

TEST_F(SchedulerTest, the_last_slice_of_a_task_is_known_while_daemons_go_on) {
  task("task", [this] { scheduler_.yield(); });
  task("daemon", [this] {
    for (int i = 0; i < 10; ++i) scheduler_.sleep(Duration::seconds(1));
  }, FiberRole::kDaemon);
  run();
  EXPECT_LT(scheduler_.last_task_slice().ns(), 5'000);
  EXPECT_GE(scheduler_.now().ns(), 10'000'000'000);
  EXPECT_EQ(scheduler_.live_tasks(), 0u);
  EXPECT_EQ(scheduler_.slices_since_task(), 10u);
  task("next", [] {});
  EXPECT_EQ(scheduler_.slices_since_task(), 0u);
}

TEST_F(SchedulerTest, an_ended_fiber_makes_room_for_the_next) {
  int ended = 0;
  for (int i = 0; i < 1000; ++i) {
    task("short", [this, &ended] {
      std::vector<int> on_heap(100, 1);
      volatile char on_stack[5000];
      on_stack[0] = static_cast<char>(on_heap[5]);
      scheduler_.yield();
      ended += on_stack[0];
    });
    run();
  }
  EXPECT_EQ(ended, 1000);
}

}  // namespace
}  // namespace dmsim
