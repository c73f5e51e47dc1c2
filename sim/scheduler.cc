#include "sim/scheduler.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "base/sanitizer.h"
#include "sim/wait.h"

#if defined(DMSIM_ADDRESS_SANITIZER)
#include <sanitizer/common_interface_defs.h>
#endif

namespace dmsim {
namespace {

using boost::context::detail::fcontext_t;
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

// jump_fcontext, entered by a jump instead of a call. It leaves by a jump too, so a call would put one
// address too many on the CPU's stack of predicted returns, and every return on the new side up to the
// fiber's own code would be mispredicted: three quarters of the cost of a switch. The return address
// is pushed by hand, below the red zone.
[[gnu::always_inline]] inline transfer_t jump_to(fcontext_t to, void* data) {
#if defined(__x86_64__) && defined(__ELF__)
  transfer_t back;
  asm volatile(
      "leaq -128(%%rsp), %%rsp\n\t"
      "leaq 1f(%%rip), %%r8\n\t"
      "pushq %%r8\n\t"
      "jmp *jump_fcontext@GOTPCREL(%%rip)\n"
      "1:\n\t"
      "leaq 128(%%rsp), %%rsp"
      : "=a"(back.fctx), "=d"(back.data), "+D"(to), "+S"(data)
      :
      : "rcx", "r8", "r9", "r10", "r11", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",
        "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "cc",
        "memory");
  return back;
#else
  return jump_fcontext(to, data);
#endif
}

}  // namespace

Scheduler::Scheduler(StackPool& stacks, ChoiceSource& choices, Trace& trace,
                     SchedulerOptions options)
    : stacks_(stacks), choices_(choices), trace_(trace), options_(options) {
  trace_.set_now(now_);
}

Scheduler::~Scheduler() { shut_down(); }

Fiber& Scheduler::current() {
  CHECK(running_ != nullptr, "not in a fiber");
  return *running_;
}

inline void Scheduler::charge_slice() {
  if (running_->role == FiberRole::kTask) {
    last_task_slice_ = now_;
    slices_at_task_ = slices_run_;
  }
  now_ = now_ + options_.slice_cost;
  trace_.set_now(now_);
}

// Runs on the new side of every switch: remembers where the old side can be continued. The main
// context may be another one each time (a world that is run from inside another world's fiber).
inline void Scheduler::landed(transfer_t transfer, [[maybe_unused]] void* sanitizer_stack) {
  const auto* handover = static_cast<const Handover*>(transfer.data);
  const bool from_main = handover->from == nullptr;
  finish_switch(sanitizer_stack, from_main ? &main_stack_bottom_ : nullptr,
                from_main ? &main_stack_size_ : nullptr);
  if (from_main) {
    main_context_ = transfer.fctx;
  } else {
    handover->from->context = transfer.fctx;
  }
}

// Inlined where it is used: a slice can cost as little as a dozen nanoseconds.
std::size_t Scheduler::pick_ranked() {
  candidates_.clear();
  for (const Fiber* fiber : runnable_) candidates_.push_back(fiber->actor);
  return static_cast<std::size_t>(choices_.draw_among(kNextFiber, candidates_));
}

[[gnu::always_inline]] inline Fiber& Scheduler::pick() {
  const std::size_t count = runnable_.size();
  const std::size_t index =
      count == 1 ? 0
      : choices_.ranks_actors()
          ? pick_ranked()
          : static_cast<std::size_t>(choices_.draw(kNextFiber, Actor::kNobody, count));
  Fiber** const place = runnable_.data() + index;
  Fiber& fiber = **place;
  if (index + 2 == count) {
    place[0] = place[1];
  } else if (index + 2 < count) {
    std::copy(place + 1, runnable_.data() + count, place);
  }
  runnable_.pop_back();
  --budget_;
  ++slices_run_;
  fiber.state = Fiber::State::kRunning;
  running_ = &fiber;
  trace_.set_cause(fiber.cause);
  trace_.note_slice(fiber.actor);
  return fiber;
}

[[gnu::always_inline]] inline void Scheduler::switch_out(bool ending) {
  Fiber& fiber = *running_;
  charge_slice();
  Handover handover{this, &fiber};
  if (ending) {
    fiber.state = Fiber::State::kEnded;
    if (fiber.role == FiberRole::kTask) --live_tasks_;
    ended_.push_back(&fiber);
  } else if (budget_ > 0 && !runnable_.empty() && !event_due()) {
    Fiber& next = pick();
    if (&next == &fiber) return;
    announce_switch(&fiber.sanitizer_stack, next.stack, StackPool::kStackSize);
    const transfer_t back = jump_to(next.context, &handover);
      landed(back, fiber.sanitizer_stack);
    return;
  }
  announce_switch(ending ? nullptr : &fiber.sanitizer_stack, main_stack_bottom_, main_stack_size_);
  const transfer_t back = jump_to(main_context_, &handover);
  landed(back, fiber.sanitizer_stack);
}

void Scheduler::shut_down() {
  CHECK(running_ == nullptr);
  // By index: unwinding must not spawn, but it may unpark.
  for (std::size_t i = 0; i < fibers_.size(); ++i) {
    Fiber& fiber = *fibers_[i];
    // Its queue may die before it or after it: neither may find the other.
    if (fiber.queue != nullptr) fiber.queue->remove(fiber);
    const bool dropped = fiber.bare && fiber.sanitizer_stack == nullptr;  // else that would be lost
    if (dropped) fiber.waits_for = nullptr;
    if (fiber.state != Fiber::State::kEnded && fiber.started && !dropped) {
      fiber.unwinding = true;
      fiber.state = Fiber::State::kRunning;
      running_ = &fiber;
      budget_ = 0;
      resume(fiber);
      CHECK(fiber.state == Fiber::State::kEnded);
    }
    fiber.body = nullptr;  // of a fiber that never ran
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
    StackPool::forget_frames(fiber->stack);
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
  if (role == FiberRole::kTask) {
    ++live_tasks_;
    slices_at_task_ = slices_run_;
  }
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
  budget_ = most;
  while (budget_ > 0) {
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

void Scheduler::resume(Fiber& fiber) {
  Handover handover{this, nullptr};
  announce_switch(&main_sanitizer_stack_, fiber.stack, StackPool::kStackSize);
  const transfer_t back = jump_to(fiber.context, &handover);
  landed(back, main_sanitizer_stack_);
  running_ = nullptr;
}

void Scheduler::enter(transfer_t transfer) {
  Scheduler& self = *static_cast<const Handover*>(transfer.data)->scheduler;
  self.landed(transfer, nullptr);
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

void Scheduler::park(const WaitReason* reason) {
  CHECK(running_ != nullptr, "blocking in interrupt context");
  Fiber& fiber = *running_;
  if (!fiber.unwinding) {
    fiber.state = Fiber::State::kParked;
    fiber.waits_for = reason;
    switch_out(false);
    fiber.waits_for = nullptr;
  }
  if (fiber.unwinding) [[unlikely]] {
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
  if (fiber.spun_for != nullptr) [[unlikely]] {
    fiber.waits_for = fiber.spun_for;
    fiber.interruptible = false;  // it is in no queue any more
    return;
  }
  fiber.state = Fiber::State::kRunnable;
  fiber.cause = trace_.cause();
  runnable_.push_back(&fiber);
}

void Scheduler::signal(Fiber& fiber) {
  if (fiber.state == Fiber::State::kEnded) return;
  fiber.signalled = true;
  if (fiber.state == Fiber::State::kParked && fiber.interruptible) {
    fiber.queue->remove(fiber);
    fiber.interrupted = true;
    unpark(fiber);
  }
}

std::vector<StuckFiber> Scheduler::stuck() const {
  std::vector<StuckFiber> out;
  for (const FiberRole role : {FiberRole::kTask, FiberRole::kDaemon}) {
    for (const auto& fiber : fibers_) {
      if (fiber->role != role || fiber->state != Fiber::State::kParked) continue;
      if (fiber->idle || fiber->waits_for == nullptr) continue;
      out.push_back({fiber->actor, fiber->waits_for->describe_wait(), fiber->waits_for->held_by(),
                     role == FiberRole::kTask});
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
