#include "sim/wait.h"

namespace dmsim {

WaitQueue::~WaitQueue() {
  // A world is torn down in any order: whoever still waits here will be unwound by the scheduler.
  for (Fiber* fiber = first_; fiber != nullptr; fiber = fiber->next) {
    fiber->queue = nullptr;
    fiber->waits_for = nullptr;
  }
}

bool WaitQueue::wait_as(bool idle, bool interruptible) {
  Fiber& fiber = scheduler_.current();
  if (interruptible && fiber.signalled) {
    fiber.signalled = false;
    return false;
  }
  fiber.idle = idle;
  fiber.interruptible = interruptible;
  fiber.queue = this;
  fiber.next = nullptr;
  if (last_ == nullptr) {
    first_ = &fiber;
  } else {
    last_->next = &fiber;
  }
  last_ = &fiber;
  // Unwinding throws out of park(): the queue may be gone by then, so nothing of it is touched.
  scheduler_.park(this);
  fiber.idle = false;
  fiber.interruptible = false;
  // A signal that comes after a wake, and before the fiber has run, is left for the next wait: else
  // the wake would be lost, and with it the lock that it stood for.
  if (fiber.interrupted) {
    fiber.interrupted = false;
    fiber.signalled = false;
    return false;
  }
  return true;
}

void WaitQueue::remove(Fiber& fiber) {
  Fiber* before = nullptr;
  for (Fiber* at = first_; at != nullptr; before = at, at = at->next) {
    if (at != &fiber) continue;
    (before == nullptr ? first_ : before->next) = at->next;
    if (last_ == at) last_ = before;
    at->queue = nullptr;
    at->next = nullptr;
    return;
  }
  CHECK(false, "fiber is not in this queue");
}

void WaitQueue::wake_one() {
  if (first_ == nullptr) return;
  Fiber& fiber = *first_;
  remove(fiber);
  scheduler_.unpark(fiber);
}

void WaitQueue::wake_all() {
  while (first_ != nullptr) wake_one();
}

void Mutex::take() { owner_ = scheduler().current().actor; }

void Mutex::lock() {
  scheduler().preempt_point();
  wait_until(*this, [this] { return owner_ == Actor::kNobody; });
  take();
}

bool Mutex::lock_interruptible() {
  if (!wait_until_interruptible(*this, [this] { return owner_ == Actor::kNobody; })) return false;
  take();
  return true;
}

bool Mutex::try_lock() {
  if (owner_ != Actor::kNobody) return false;
  take();
  return true;
}

void Mutex::unlock() {
  CHECK(owner_ != Actor::kNobody);
  owner_ = Actor::kNobody;
  wake_one();
}

void SpinLock::lock() {
  Fiber& self = scheduler().current();
  while (holder_ != nullptr) {
    CHECK(holder_ != &self, "a fiber spins for a lock that it holds");
    holder_->spun_for = &lost_cpu_;
    wait();
  }
  holder_ = &self;
  if (!empty()) self.spun_for = &lost_cpu_;
}

void SpinLock::unlock() {
  CHECK(holder_ == &scheduler().current());
  holder_->spun_for = nullptr;
  holder_ = nullptr;
  wake_one();
}

Timer::Timer(Scheduler& scheduler, std::function<void()> expired)
    : scheduler_(scheduler), core_(scheduler.take_timer_core()) {
  core_->expired = std::move(expired);
}

Timer::~Timer() {
  cancel();
  core_->expired = nullptr;
  ++core_->tenant;
  scheduler_.give_back_timer_core(core_);
}

void Timer::arm(Duration delay) {
  core_->armed = true;
  scheduler_.after(delay, &Timer::fire, core_, ++core_->generation);
}

void Timer::cancel() {
  core_->armed = false;
  ++core_->generation;
}

void Timer::fire(void* context, std::uint64_t generation) {
  auto* core = static_cast<TimerCore*>(context);
  if (!core->armed || core->generation != generation) return;
  core->armed = false;
  // The callback may destroy its own timer, and the core may have another tenant by then.
  const std::uint64_t tenant = core->tenant;
  std::function<void()> expired = std::move(core->expired);
  expired();
  if (core->tenant == tenant) core->expired = std::move(expired);
}

}  // namespace dmsim
