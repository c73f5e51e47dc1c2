#include "sim/wait.h"

#include "sim/wait_test_rig.h"

namespace dmsim {
namespace {

TEST_F(WaitTest, a_queue_wakes_in_the_order_of_waiting) {
  WaitQueue queue(scheduler_, "queue");
  for (const char* name : {"a", "b", "c"}) {
    task(name, [&, name] {
      queue.wait();
      log_ += name;
    });
  }
  task("waker", [&] {
    queue.wake_one();
    scheduler_.yield();
    scheduler_.yield();
    log_ += "|";
    queue.wake_all();
    EXPECT_TRUE(queue.empty());
    queue.wake_one();  // nobody: nothing
  });
  run();
  EXPECT_EQ(log_, "a|bc");
}

TEST_F(WaitTest, a_mutex_has_one_owner_at_a_time_and_names_it) {
  Mutex mutex(scheduler_, "mutex");
  int inside = 0;
  for (const char* name : {"a", "b", "c"}) {
    task(name, [&, name] {
      for (int i = 0; i < 5; ++i) {
        MutexGuard guard(mutex);
        EXPECT_EQ(++inside, 1);
        EXPECT_EQ(trace_.actors().name(mutex.held_by()), name);
        EXPECT_FALSE(mutex.try_lock());
        scheduler_.sleep(Duration::microseconds(1));
        --inside;
        log_ += name;
      }
    });
  }
  run();
  EXPECT_FALSE(mutex.locked());
  // Nobody starves in the plainest schedule: everybody gets it again before somebody is through.
  EXPECT_EQ(log_.size(), 15u);
  EXPECT_EQ(scheduler_.live_tasks(), 0u);
}

TEST_F(WaitTest, whoever_waited_first_gets_the_mutex_first) {
  Mutex mutex(scheduler_, "mutex");
  for (const char* name : {"a", "b", "c", "d"}) {
    task(name, [&, name] {
      MutexGuard guard(mutex);
      scheduler_.sleep(Duration::microseconds(1));
      log_ += name;
    });
  }
  run();
  EXPECT_EQ(log_, "abcd");
}

TEST_F(WaitTest, a_free_mutex_is_had_by_trying) {
  Mutex mutex(scheduler_, "mutex");
  task("a", [&] {
    EXPECT_TRUE(mutex.try_lock());
    EXPECT_TRUE(mutex.locked());
    mutex.unlock();
  });
  run();
  EXPECT_FALSE(mutex.locked());
}

TEST_F(WaitTest, unlocking_what_nobody_holds_is_our_bug) {
  Mutex mutex(scheduler_, "mutex");
  EXPECT_DEATH(mutex.unlock(), "CHECK failed");
}

TEST_F(WaitTest, a_spinlock_is_waited_for_while_its_holder_is_merely_preempted) {
  SpinLock lock(scheduler_, "lock");
  for (const char* name : {"a", "b", "c"}) {
    task(name, [&, name] {
      const SpinGuard guard(lock);
      log_ += name;
      scheduler_.yield();
      scheduler_.yield();
      log_ += name;
    });
  }
  run();
  EXPECT_EQ(log_, "aabbcc");
  EXPECT_EQ(scheduler_.live_tasks(), 0u);
  EXPECT_EQ(lock.held_by(), Actor::kNobody);
}

TEST_F(WaitTest, who_sleeps_with_a_spinlock_goes_on_if_nobody_has_wanted_it) {
  SpinLock lock(scheduler_, "lock");
  task("sleeper", [&] {
    const SpinGuard guard(lock);
    scheduler_.sleep(Duration::seconds(1));
    log_ += "s";
  });
  run();
  EXPECT_EQ(log_, "s");
}

TEST_F(WaitTest, who_sleeps_with_a_spinlock_that_others_spin_for_never_runs_again) {
  SpinLock lock(scheduler_, "lock");
  WaitQueue queue(scheduler_, "queue");
  Fiber& sleeper = task("sleeper", [&] {
    const SpinGuard guard(lock);
    queue.wait_interruptible();
    log_ += "s";
  });
  task("spinner", [&] {
    scheduler_.sleep(Duration::seconds(1));
    const SpinGuard guard(lock);
    log_ += "l";
  });
  task("other", [&] {
    scheduler_.sleep(Duration::seconds(2));
    queue.wake_all();
    scheduler_.signal(sleeper);
    log_ += "o";
  });
  run();
  EXPECT_EQ(log_, "o");
  const std::vector<StuckFiber> stuck = scheduler_.stuck();
  ASSERT_EQ(stuck.size(), 2u);
  EXPECT_EQ(stuck[0].waits_for, "the CPU, on which others spin for lock, which it holds");
  EXPECT_EQ(stuck[1].waits_for, "lock");
  EXPECT_EQ(stuck[1].held_by, sleeper.actor);
  scheduler_.shut_down();
}

TEST_F(WaitTest, who_sleeps_with_a_spinlock_is_lost_when_others_came_before_it_slept) {
  SpinLock lock(scheduler_, "lock");
  for (const char* name : {"first", "second", "third"}) {
    task(name, [&, name] {
      const SpinGuard guard(lock);
      scheduler_.yield();
      if (name == std::string("second")) scheduler_.sleep(Duration::seconds(1));
      log_ += name;
    });
  }
  run();
  EXPECT_EQ(log_, "first");
  EXPECT_EQ(scheduler_.live_tasks(), 2u);
  scheduler_.shut_down();
}

TEST_F(WaitTest, a_semaphore_lets_as_many_in_as_it_counts) {
  Semaphore semaphore(scheduler_, "semaphore", 2);
  int inside = 0, most = 0, done = 0;
  for (int i = 0; i < 6; ++i) {
    task("user", [&] {
      semaphore.down();
      most = std::max(most, ++inside);
      scheduler_.sleep(Duration::microseconds(1));
      --inside;
      ++done;
      semaphore.up();
    });
  }
  run();
  EXPECT_EQ(most, 2);
  EXPECT_EQ(done, 6);
  EXPECT_EQ(semaphore.count(), 2u);
  EXPECT_TRUE(semaphore.try_down());
  EXPECT_TRUE(semaphore.try_down());
  EXPECT_FALSE(semaphore.try_down());
}

TEST_F(WaitTest, a_mempool_that_has_run_out_makes_the_next_wait) {
  Mempool pool(scheduler_, "bios", 2);
  EXPECT_TRUE(pool.try_take());
  EXPECT_TRUE(pool.try_take());
  EXPECT_FALSE(pool.try_take());
  EXPECT_EQ(pool.in_use(), 2u);
  task("taker", [&] {
    pool.take();
    log_ += "taken";
  });
  run();
  EXPECT_EQ(log_, "");
  ASSERT_EQ(scheduler_.stuck().size(), 1u);
  EXPECT_EQ(scheduler_.stuck()[0].waits_for, "an element of mempool bios");
  pool.give_back();
  run();
  EXPECT_EQ(log_, "taken");
  EXPECT_EQ(pool.in_use(), 2u);
  pool.give_back();
  pool.give_back();
  EXPECT_EQ(pool.in_use(), 0u);
  EXPECT_DEATH(pool.give_back(), "CHECK failed");
}

TEST_F(WaitTest, a_completion_wakes_all_who_wait_and_holds_up_none_who_come_late) {
  Completion completion(scheduler_, "completion");
  for (const char* name : {"a", "b"}) {
    task(name, [&, name] {
      completion.wait();
      log_ += name;
    });
  }
  run();
  EXPECT_EQ(log_, "");
  completion.complete();
  run();
  EXPECT_EQ(log_, "ab");
  EXPECT_TRUE(completion.done());
  task("late", [&] {
    completion.wait();
    log_ += "late";
  });
  run();
  EXPECT_EQ(log_, "ablate");
  completion.reset();
  EXPECT_FALSE(completion.done());
}

TEST_F(WaitTest, a_signal_ends_an_interruptible_wait_and_is_used_up) {
  WaitQueue queue(scheduler_, "queue");
  Fiber& fiber = task("waiter", [&] {
    log_ += queue.wait_interruptible() ? "woken " : "signalled ";
    log_ += queue.wait_interruptible() ? "woken" : "signalled";
  });
  run();
  scheduler_.signal(fiber);
  EXPECT_TRUE(queue.empty());
  run();
  EXPECT_EQ(log_, "signalled ");
  queue.wake_one();
  run();
  EXPECT_EQ(log_, "signalled woken");
}

TEST_F(WaitTest, a_signal_before_the_wait_ends_it_at_once) {
  WaitQueue queue(scheduler_, "queue");
  Fiber& fiber = task("waiter", [&] { log_ += queue.wait_interruptible() ? "woken" : "signalled"; });
  scheduler_.signal(fiber);
  run();
  EXPECT_EQ(log_, "signalled");
}

TEST_F(WaitTest, a_signal_leaves_an_uninterruptible_wait_alone) {
  WaitQueue queue(scheduler_, "queue");
  Fiber& fiber = task("waiter", [&] {
    queue.wait();
    log_ += "woken";
  });
  run();
  scheduler_.signal(fiber);
  run();
  EXPECT_EQ(log_, "");
  queue.wake_all();
  run();
  EXPECT_EQ(log_, "woken");
}

TEST_F(WaitTest, a_signal_in_the_middle_of_a_queue_takes_out_that_fiber_only) {
  WaitQueue queue(scheduler_, "queue");
  Fiber* fibers[3] = {};
  for (int i = 0; i < 3; ++i) {
    fibers[i] = &task(std::string(1, static_cast<char>('a' + i)), [&, i] {
      log_ += queue.wait_interruptible() ? "w" : "s";
      log_ += std::to_string(i);
    });
  }
  run();
  scheduler_.signal(*fibers[1]);
  run();
  scheduler_.signal(*fibers[2]);
  run();
  queue.wake_all();
  run();
  EXPECT_EQ(log_, "s1s2w0");
}

TEST_F(WaitTest, an_interrupted_lock_is_not_held) {
  Mutex mutex(scheduler_, "mutex");
  task("holder", [&] {
    mutex.lock();
    scheduler_.sleep(Duration::milliseconds(1));
    mutex.unlock();
  });
  Fiber& second = task("second", [&] { log_ += mutex.lock_interruptible() ? "locked" : "EINTR"; });
  scheduler_.run(2);
  scheduler_.signal(second);
  run();
  EXPECT_EQ(log_, "EINTR");
  EXPECT_FALSE(mutex.locked());
}

TEST_F(WaitTest, a_wake_that_meets_a_signal_is_not_lost_for_the_others) {
  Mutex mutex(scheduler_, "mutex");
  task("holder", [&] {
    mutex.lock();
    scheduler_.yield();
    scheduler_.yield();
    mutex.unlock();
  });
  Fiber& second = task("second", [&] {
    if (mutex.lock_interruptible()) {
      log_ += "second ";
      mutex.unlock();
    } else {
      log_ += "EINTR ";
    }
  });
  task("third", [&] {
    MutexGuard guard(mutex);
    log_ += "third";
  });
  // Signalled in the same instant in which the unlock has woken it.
  while (mutex.locked() || scheduler_.slices_run() == 0) scheduler_.step();
  scheduler_.signal(second);
  run();
  EXPECT_NE(log_.find("third"), std::string::npos) << log_;
  EXPECT_EQ(scheduler_.live_tasks(), 0u);
}

}  // namespace
}  // namespace dmsim
