// Wait primitives: what simulated code blocks on. All are FIFO; who runs first among several woken
// fibers is the scheduler's choice. None may be used in interrupt context to block, all may be
// used there to wake.
#pragma once

#include <functional>
#include <string>

#include "sim/scheduler.h"

namespace dmsim {

// A list of parked fibers. The base of everything below.
class WaitQueue : public WaitReason {
 public:
  WaitQueue(Scheduler& scheduler, std::string what) : scheduler_(scheduler), what_(std::move(what)) {}
  virtual ~WaitQueue();
  WaitQueue(const WaitQueue&) = delete;
  WaitQueue& operator=(const WaitQueue&) = delete;

  // Parks the current fiber until it is woken.
  void wait() { wait_as(false, false); }
  // The same for a daemon that has nothing to do: such a wait is never part of a deadlock.
  void wait_idle() { wait_as(true, false); }
  // The same, but a signal ends it: false then (EINTR), and the signal is consumed.
  bool wait_interruptible() { return wait_as(false, true); }

  bool empty() const { return first_ == nullptr; }
  void wake_one();
  void wake_all();

  std::string describe_wait() const override { return what_; }
  Scheduler& scheduler() { return scheduler_; }

 private:
  friend class Scheduler;
  bool wait_as(bool idle, bool interruptible);
  void remove(Fiber& fiber);

  Scheduler& scheduler_;
  std::string what_;  // in words, for the wait-for graph
  Fiber* first_ = nullptr;
  Fiber* last_ = nullptr;
};

// Waits until `condition()` holds; re-checked each time the queue is woken.
template <typename Condition>
void wait_until(WaitQueue& queue, Condition condition) {
  while (!condition()) queue.wait();
}
// The same; false when a signal came first.
template <typename Condition>
bool wait_until_interruptible(WaitQueue& queue, Condition condition) {
  while (!condition()) {
    if (!queue.wait_interruptible()) return false;
  }
  return true;
}

// One-shot or reset event: Linux's completion.
class Completion {
 public:
  Completion(Scheduler& scheduler, std::string what) : queue_(scheduler, std::move(what)) {}
  void complete() {
    done_ = true;
    queue_.wake_all();
  }
  bool done() const { return done_; }
  void reset() { done_ = false; }
  void wait() {
    wait_until(queue_, [this] { return done_; });
  }

 private:
  WaitQueue queue_;
  bool done_ = false;
};

// A sleeping lock with an owner. unlock() hands over to nobody: the woken fibers compete.
class Mutex final : public WaitQueue {
 public:
  Mutex(Scheduler& scheduler, std::string what) : WaitQueue(scheduler, std::move(what)) {}
  void lock();
  // False: a signal came first.
  bool lock_interruptible();
  bool try_lock();
  void unlock();
  bool locked() const { return owner_ != Actor::kNobody; }
  Actor held_by() const override { return owner_; }

 private:
  void take();
  Actor owner_ = Actor::kNobody;
};

// A lock under which nobody may sleep. Preemption points stand for other CPUs: a holder that was merely preempted
// runs on, and who finds the lock taken waits the moment that it takes. A holder that sleeps is woken as usual if
// nobody has wanted the lock meanwhile; who did spins on the CPU, and the holder never runs again.
class SpinLock final : public WaitQueue {
 public:
  SpinLock(Scheduler& scheduler, const std::string& what)
      : WaitQueue(scheduler, what), lost_cpu_("the CPU, on which others spin for " + what + ", which it holds") {}
  void lock();
  void unlock();
  Actor held_by() const override { return holder_ != nullptr ? holder_->actor : Actor::kNobody; }

 private:
  class LostCpu final : public WaitReason {
   public:
    explicit LostCpu(std::string what) : what_(std::move(what)) {}
    std::string describe_wait() const override { return what_; }

   private:
    std::string what_;
  };
  LostCpu lost_cpu_;
  Fiber* holder_ = nullptr;
};

// std::lock_guard's twin: unlocks in the destructor, also when the fiber is unwound.
template <typename Lock>
class LockGuard {
 public:
  explicit LockGuard(Lock& lock) : lock_(lock) { lock_.lock(); }
  ~LockGuard() { lock_.unlock(); }
  LockGuard(const LockGuard&) = delete;
  LockGuard& operator=(const LockGuard&) = delete;

 private:
  Lock& lock_;
};
using MutexGuard = LockGuard<Mutex>;
using SpinGuard = LockGuard<SpinLock>;

class Semaphore {
 public:
  Semaphore(Scheduler& scheduler, std::string what, std::uint64_t count)
      : queue_(scheduler, std::move(what)), count_(count) {}
  void down() {
    wait_until(queue_, [this] { return count_ > 0; });
    --count_;
  }
  bool try_down() {
    if (count_ == 0) return false;
    --count_;
    return true;
  }
  void up() {
    ++count_;
    queue_.wake_one();
  }
  std::uint64_t count() const { return count_; }

 private:
  WaitQueue queue_;
  std::uint64_t count_;
};

// A reserve of elements that really runs out: take() blocks until somebody gives one back. It counts
// elements and leaves their memory to the caller.
class Mempool {
 public:
  Mempool(Scheduler& scheduler, std::string what, std::uint64_t reserve)
      : semaphore_(scheduler, "an element of mempool " + what, reserve), reserve_(reserve) {}
  void take() { semaphore_.down(); }
  bool try_take() { return semaphore_.try_down(); }
  void give_back() {
    CHECK(semaphore_.count() < reserve_);
    semaphore_.up();
  }
  std::uint64_t reserve() const { return reserve_; }
  std::uint64_t in_use() const { return reserve_ - semaphore_.count(); }

 private:
  Semaphore semaphore_;
  std::uint64_t reserve_;
};

// A timer that can be moved and cancelled. Its state lives in a core that the scheduler owns, so
// that an event already queued for a cancelled or destroyed timer finds itself stale and does nothing.
class Timer {
 public:
  // `expired` runs in interrupt context.
  Timer(Scheduler& scheduler, std::function<void()> expired);
  ~Timer();  // before the scheduler's
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  void arm(Duration delay);  // replaces an earlier arming
  void cancel();
  bool armed() const { return core_->armed; }

 private:
  static void fire(void* core, std::uint64_t generation);
  Scheduler& scheduler_;
  TimerCore* core_;
};

}  // namespace dmsim
