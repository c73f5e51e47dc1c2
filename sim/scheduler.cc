#include "sim/scheduler.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "sim/wait.h"

#if defined(__SANITIZE_ADDRESS__)
#define DMSIM_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define DMSIM_ADDRESS_SANITIZER 1
#endif
#endif
#if defined(DMSIM_ADDRESS_SANITIZER)
#include <sanitizer/common_interface_defs.h>
#endif

namespace dmsim {
namespace {

using boost::context::detail::jump_fcontext;
using boost::context::detail::make_fcontext;
using boost::context::detail::transfer_t;

// What travels with a switch: who leaves (null: the main context) and whose scheduler it is.
struct Handover {
  Scheduler* scheduler;
  Fiber* from;
};

void announce_switch([[maybe_unused]] void** save, [[maybe_unused]] const void* bottom,
                     [[maybe_unused]] std::size_t size) {
#if defined(DMSIM_ADDRESS_SANITIZER)
  __sanitizer_start_switch_fiber(save, bottom, size);
#endif
}

void finish_switch([[maybe_unused]] void* saved, [[maybe_unused]] const void** bottom,
                   [[maybe_unused]] std::size_t* size) {
#if defined(DMSIM_ADDRESS_SANITIZER)
  __sanitizer_finish_switch_fiber(saved, bottom, size);
#endif
}

}  // namespace

Scheduler::Scheduler(StackPool& stacks, ChoiceSource& choices, Trace& trace,
                     SchedulerOptions options)
    : stacks_(stacks), choices_(choices), trace_(trace), options_(options) {
  trace_.set_now(now_);
}

Scheduler::~Scheduler() { shut_down(); }

void Scheduler::shut_down() {
  CHECK(running_ == nullptr);
  // By index: unwinding must not spawn, but it may unpark.
  for (std::size_t i = 0; i < fibers_.size(); ++i) {
    Fiber& fiber = *fibers_[i];
    if (fiber.state != Fiber::State::kEnded && fiber.started) {
      fiber.unwinding = true;
      fiber.state = Fiber::State::kRunning;
      running_ = &fiber;
      budget_ = 0;
      resume(fiber);
      CHECK(fiber.state == Fiber::State::kEnded);
    }
    if (fiber.stack != nullptr) stacks_.give_back(std::exchange(fiber.stack, nullptr));
    fiber.state = Fiber::State::kEnded;
  }
  runnable_.clear();
  events_.clear();
}

void Scheduler::start_at(Instant now) {
  CHECK(events_run_ == 0);
  CHECK(slices_run_ == 0);
  CHECK(events_.empty());
  now_ = now;
  last_task_slice_ = now;
  trace_.set_now(now_);
}

Fiber& Scheduler::spawn(Actor actor, FiberRole role, std::function<void()> body) {
  Fiber* fiber = nullptr;
  if (!ended_.empty()) {
    fiber = ended_.back();
    ended_.pop_back();
  } else {
    fibers_.push_back(std::make_unique<Fiber>());
    fiber = fibers_.back().get();
    fiber->stack = stacks_.take();
  }
  std::byte* const stack = fiber->stack;
  *fiber = Fiber{};
  fiber->stack = stack;
  fiber->context = make_fcontext(stack + StackPool::kStackSize, StackPool::kStackSize, &enter);
  fiber->body = std::move(body);
  fiber->actor = actor;
  fiber->role = role;
  fiber->state = Fiber::State::kRunnable;
  fiber->cause = trace_.cause();
  if (role == FiberRole::kTask) ++live_tasks_;
  runnable_.push_back(fiber);
  return *fiber;
}

void Scheduler::at(Instant when, EventFunction function, void* context, std::uint64_t argument) {
  const std::int64_t at_ns = std::max(when, now_).ns();
  events_.push({at_ns, function, context, argument, trace_.cause()});
}

bool Scheduler::step() { return run(1); }

bool Scheduler::run(std::uint64_t most) {
  CHECK(running_ == nullptr);
  pause_ = false;
  budget_ = most;
  while (budget_ > 0 && !pause_) {
    if (event_due() || runnable_.empty()) {
      if (events_.empty()) return false;
      --budget_;
      run_event();
    } else {
      Fiber& fiber = pick();
      resume(fiber);
    }
  }
  return true;
}

void Scheduler::run_event() {
  const Event event = events_.pop();
  if (event.at_ns > now_.ns()) {
    now_ = Instant::at_ns(event.at_ns);
    trace_.set_now(now_);
  }
  ++events_run_;
  trace_.set_cause(event.cause);
  event.function(event.context, event.argument);
}

Fiber& Scheduler::pick() {
  const std::size_t index =
      static_cast<std::size_t>(choices_.draw(kNextFiber, Actor::kNobody, runnable_.size()));
  Fiber& fiber = *runnable_[index];
  runnable_.erase(runnable_.begin() + static_cast<std::ptrdiff_t>(index));
  --budget_;
  ++slices_run_;
  fiber.state = Fiber::State::kRunning;
  running_ = &fiber;
  trace_.set_cause(fiber.cause);
  trace_.note_slice(fiber.actor);
  return fiber;
}

void Scheduler::charge_slice() {
  if (running_->role == FiberRole::kTask) last_task_slice_ = now_;
  now_ = now_ + options_.slice_cost;
  trace_.set_now(now_);
}

void Scheduler::resume(Fiber& fiber) {
  Handover handover{this, nullptr};
  announce_switch(&main_sanitizer_stack_, fiber.stack, StackPool::kStackSize);
  const transfer_t back = jump_fcontext(fiber.context, &handover);
  finish_switch(main_sanitizer_stack_, nullptr, nullptr);
  landed(back);
  running_ = nullptr;
}

// Runs on the new side of every switch: remembers where the old side can be continued.
void Scheduler::landed(transfer_t transfer) {
  const auto* handover = static_cast<const Handover*>(transfer.data);
  if (handover->from == nullptr) {
    main_context_ = transfer.fctx;
  } else {
    handover->from->context = transfer.fctx;
  }
}

void Scheduler::enter(transfer_t transfer) {
  Scheduler& self = *static_cast<const Handover*>(transfer.data)->scheduler;
  const bool from_main = static_cast<const Handover*>(transfer.data)->from == nullptr;
  finish_switch(nullptr, from_main ? &self.main_stack_bottom_ : nullptr,
                from_main ? &self.main_stack_size_ : nullptr);
  self.landed(transfer);
  Fiber& fiber = *self.running_;
  fiber.started = true;
  try {
    fiber.body();
  } catch (const FiberUnwound&) {
    CHECK(fiber.unwinding);
  }
  fiber.body = nullptr;
  self.switch_out(true);
  CHECK(false);  // an ended fiber is never resumed
}

void Scheduler::switch_out(bool ending) {
  Fiber& fiber = *running_;
  charge_slice();
  Handover handover{this, &fiber};
  if (ending) {
    fiber.state = Fiber::State::kEnded;
    if (fiber.role == FiberRole::kTask) --live_tasks_;
    ended_.push_back(&fiber);
  } else if (budget_ > 0 && !pause_ && !runnable_.empty() && !event_due()) {
    Fiber& next = pick();
    if (&next == &fiber) return;
    announce_switch(&fiber.sanitizer_stack, next.stack, StackPool::kStackSize);
    const transfer_t back = jump_fcontext(next.context, &handover);
    finish_switch(fiber.sanitizer_stack, nullptr, nullptr);
    landed(back);
    return;
  }
  announce_switch(ending ? nullptr : &fiber.sanitizer_stack, main_stack_bottom_, main_stack_size_);
  const transfer_t back = jump_fcontext(main_context_, &handover);
  finish_switch(fiber.sanitizer_stack, nullptr, nullptr);
  landed(back);
}

Fiber& Scheduler::current() {
  CHECK(running_ != nullptr, "not in a fiber");
  return *running_;
}

void Scheduler::park(const WaitReason* reason) {
  CHECK(running_ != nullptr, "blocking in interrupt context");
  Fiber& fiber = *running_;
  if (!fiber.unwinding) {
    fiber.state = Fiber::State::kParked;
    fiber.waits_for = reason;
    switch_out(false);
    fiber.waits_for = nullptr;
  }
  if (fiber.unwinding) {
    CHECK(std::uncaught_exceptions() == 0, "blocking while a fiber is unwound");
    throw FiberUnwound{};
  }
}

void Scheduler::yield() {
  Fiber& fiber = current();
  if (!fiber.unwinding) {
    fiber.state = Fiber::State::kRunnable;
    fiber.cause = trace_.cause();
    runnable_.push_back(&fiber);
    switch_out(false);
  }
  if (fiber.unwinding && std::uncaught_exceptions() == 0) throw FiberUnwound{};
}

void Scheduler::sleep(Duration duration) {
  Fiber& fiber = current();
  after(duration, [](void* context, std::uint64_t scheduler) {
    reinterpret_cast<Scheduler*>(scheduler)->unpark(*static_cast<Fiber*>(context));
  }, &fiber, reinterpret_cast<std::uint64_t>(this));
  park(nullptr);
}

void Scheduler::preempt_point() {
  if (running_ == nullptr || options_.preemption.numerator == 0) return;
  if (choices_.chance(kPreempt, running_->actor, options_.preemption)) yield();
}

void Scheduler::unpark(Fiber& fiber) {
  CHECK(fiber.state == Fiber::State::kParked, static_cast<int>(fiber.state));
  fiber.state = Fiber::State::kRunnable;
  fiber.cause = trace_.cause();
  runnable_.push_back(&fiber);
}

void Scheduler::signal(Fiber& fiber) {
  if (fiber.state == Fiber::State::kEnded) return;
  fiber.signalled = true;
  if (fiber.state == Fiber::State::kParked && fiber.interruptible) {
    fiber.queue->remove(fiber);
    unpark(fiber);
  }
}

std::vector<StuckFiber> Scheduler::stuck() const {
  std::vector<StuckFiber> out;
  for (const FiberRole role : {FiberRole::kTask, FiberRole::kDaemon}) {
    for (const auto& fiber : fibers_) {
      if (fiber->role != role || fiber->state != Fiber::State::kParked) continue;
      if (fiber->idle || fiber->waits_for == nullptr) continue;
      out.push_back({fiber->actor, fiber->waits_for->describe_wait(), fiber->waits_for->held_by()});
    }
  }
  return out;
}

TimerCore* Scheduler::take_timer_core() {
  if (free_timer_cores_.empty()) {
    timer_cores_.push_back(std::make_unique<TimerCore>());
    return timer_cores_.back().get();
  }
  TimerCore* core = free_timer_cores_.back();
  free_timer_cores_.pop_back();
  return core;
}

void Scheduler::give_back_timer_core(TimerCore* core) { free_timer_cores_.push_back(core); }

}  // namespace dmsim
