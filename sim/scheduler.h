// Scheduler: the one virtual CPU of a world, and the only thing that moves its time.
//
// It promises: a run is a function of the plan and the choices. Events are totally ordered by
// (instant, order of scheduling). Among runnable fibers the next is a choice. Each slice of a fiber
// costs `slice_cost` of virtual time, so events fall between the slices of busy fibers and a loop that
// never blocks still moves the clock. Events run to their end on the scheduler's stack, as interrupts
// do: blocking in one is a bug of ours.
//
// step() runs one slice or one event; that is the grain at which power can be cut: what a slice
// submits in one go may or may not have reached a disk anyway.
//
// It does not model more than one CPU: true data races inside an engine are out of its reach.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "sim/choice.h"
#include "sim/event_queue.h"
#include "sim/fiber.h"
#include "sim/time.h"
#include "sim/trace.h"

namespace dmsim {

inline constexpr ChoicePoint kNextFiber{"sched.next"};
inline constexpr ChoicePoint kPreempt{"sched.preempt"};

struct SchedulerOptions {
  Duration slice_cost = Duration::nanoseconds(500);  // virtual CPU time of one slice
  Ratio preemption{0, 1};  // probability that a preemption point yields
};

// One fiber that cannot go on, for the report of a stuck run.
struct StuckFiber {
  Actor actor;
  std::string waits_for;  // in words
  Actor held_by;          // kNobody: unknown
  bool is_task = false;
};

// What an event in the queue knows of a timer. Recycled by the scheduler; `generation` only grows.
struct TimerCore {
  std::uint64_t generation = 0;
  std::uint64_t tenant = 0;  // grows with every timer that gives it back
  bool armed = false;
  std::function<void()> expired;
};

class Scheduler {
 public:
  // All three outlive the scheduler.
  Scheduler(StackPool& stacks, ChoiceSource& choices, Trace& trace, SchedulerOptions options = {});
  ~Scheduler();  // shuts down first, if nobody has
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // Unwinds every fiber that has not ended: its destructors run, its blocking call throws; one that says
  // that it is bare is dropped where it waits. Whoever owns what fibers use (engines, models) calls this
  // before destroying it. Nothing runs afterwards.
  void shut_down();

  Instant now() const { return now_; }
  // Starts the clock later than zero (a reboot). Requires that nothing has run yet.
  void start_at(Instant now);
  ChoiceSource& choices() { return choices_; }
  Trace& trace() { return trace_; }

  // Starts a fiber; `body` runs when it is first chosen.
  Fiber& spawn(Actor actor, FiberRole role, std::function<void()> body);

  // Runs `function(context, argument)` at `when` (or as soon as possible if that has passed), in
  // interrupt context. There is no cancelling: use Timer (sim/wait.h), which knows stale from fresh.
  void at(Instant when, EventFunction function, void* context, std::uint64_t argument = 0);
  void after(Duration delay, EventFunction function, void* context, std::uint64_t argument = 0) {
    at(now_ + delay, function, context, argument);
  }

  // Runs one slice or one event. False: nothing is runnable and nothing is due.
  bool step();
  // Runs slices and events until pause() is called, `most` have run, or nothing is left to run
  // (false then). Between two slices it switches from fiber to fiber directly.
  bool run(std::uint64_t most);
  // Makes run() return after the current slice or event. Anywhere.
  void pause() { budget_ = 0; }

  // Inside a fiber only.
  Fiber& current();
  Actor current_actor() const { return running_ != nullptr ? running_->actor : Actor::kNobody; }
  bool in_fiber() const { return running_ != nullptr; }
  void park(const WaitReason* reason);  // until unpark(); throws FiberUnwound at teardown
  void yield();                         // stays runnable
  void sleep(Duration duration);
  // Where an engine could be preempted: yields if chance says so. Does nothing in interrupt context.
  void preempt_point();

  // Makes a parked fiber runnable. Anywhere.
  void unpark(Fiber& fiber);
  // Delivers a signal: ends an interruptible wait now, or the next one at once. Anywhere.
  void signal(Fiber& fiber);

  // Tasks that have not ended.
  std::size_t live_tasks() const { return live_tasks_; }
  // The instant at which a task last ran a slice: how long nothing but daemons and timers has run.
  Instant last_task_slice() const { return last_task_slice_; }
  // Slices of daemons since a task last ran one, or came.
  std::uint64_t slices_since_task() const { return slices_run_ - slices_at_task_; }
  // Fibers that wait for something other than work, tasks first.
  std::vector<StuckFiber> stuck() const;

  std::uint64_t events_run() const { return events_run_; }
  std::uint64_t slices_run() const { return slices_run_; }
  std::size_t pending_events() const { return events_.size(); }

 private:
  static void enter(boost::context::detail::transfer_t transfer);
  friend class Timer;
  bool event_due() const { return events_.next_ns() <= now_.ns(); }
  void run_event();
  void resume(Fiber& fiber);      // main context -> fiber, returns when somebody switches back
  void switch_out(bool ending);   // running fiber -> next fiber or main context
  std::size_t pick_ranked();
  Fiber& pick();                  // takes the next fiber out of runnable_ and makes it running
  void charge_slice();
  void landed(boost::context::detail::transfer_t transfer, void* sanitizer_stack);
  TimerCore* take_timer_core();
  void give_back_timer_core(TimerCore* core);

  StackPool& stacks_;
  ChoiceSource& choices_;
  Trace& trace_;
  SchedulerOptions options_;
  Instant now_;
  EventQueue events_;
  std::vector<Actor> candidates_;  // scratch of pick_ranked()
  std::vector<Fiber*> runnable_;  // in order of becoming runnable
  std::vector<std::unique_ptr<Fiber>> fibers_;  // all ever spawned; ended ones are used again
  std::vector<Fiber*> ended_;
  std::vector<std::unique_ptr<TimerCore>> timer_cores_;  // all
  std::vector<TimerCore*> free_timer_cores_;
  Fiber* running_ = nullptr;  // null: the main context, interrupt context
  std::uint64_t budget_ = 0;  // slices and events that run() may still run
  boost::context::detail::fcontext_t main_context_ = nullptr;
  void* main_sanitizer_stack_ = nullptr;
  const void* main_stack_bottom_ = nullptr;
  std::size_t main_stack_size_ = 0;
  std::size_t live_tasks_ = 0;
  Instant last_task_slice_;
  std::uint64_t events_run_ = 0;
  std::uint64_t slices_run_ = 0;
  std::uint64_t slices_at_task_ = 0;  // slices_run_ when a task last ran a slice, or came
};

}  // namespace dmsim
