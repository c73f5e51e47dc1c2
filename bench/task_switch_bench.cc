// A task switch against the raw context switch that it stands on. Every row counts single switches:
// a jump there and back is two.
#include <benchmark/benchmark.h>

#include <boost/context/detail/fcontext.hpp>
#include <memory>

#include "sim/scheduler.h"

namespace dmsim {
namespace {

using boost::context::detail::jump_fcontext;
using boost::context::detail::make_fcontext;
using boost::context::detail::transfer_t;

void bounce(transfer_t transfer) {
  for (;;) transfer = jump_fcontext(transfer.fctx, nullptr);
}

void BM_switch_raw_fcontext(benchmark::State& state) {
  StackPool stacks;
  std::byte* stack = stacks.take();
  auto context = make_fcontext(stack + StackPool::kStackSize, StackPool::kStackSize, &bounce);
  while (state.KeepRunningBatch(2)) context = jump_fcontext(context, nullptr).fctx;
  state.SetItemsProcessed(state.iterations());
  stacks.give_back(stack);
}
BENCHMARK(BM_switch_raw_fcontext);

void measure_switches(benchmark::State& state, ChoiceSource& choices, Scheduler& scheduler) {
  constexpr std::int64_t kBatch = 10'000;
  while (state.KeepRunningBatch(kBatch)) {
    scheduler.run(kBatch);
    choices.forget_record();
  }
  state.SetItemsProcessed(state.iterations());
}

// Two fibers that stay runnable: each switch draws and records who is next.
void BM_switch_between_yielding_fibers(benchmark::State& state) {
  StackPool stacks;
  PlainChoices choices;
  Trace trace;
  Scheduler scheduler(stacks, choices, trace, {});
  for (const char* name : {"ping", "pong"}) {
    scheduler.spawn(trace.actors().intern(name), FiberRole::kTask, [&scheduler] {
      for (;;) scheduler.yield();
    });
  }
  measure_switches(state, choices, scheduler);
}
BENCHMARK(BM_switch_between_yielding_fibers);

// Two fibers that wake each other and wait: one is runnable at a time, nothing is drawn.
void BM_switch_between_waking_fibers(benchmark::State& state) {
  StackPool stacks;
  PlainChoices choices;
  Trace trace;
  Scheduler scheduler(stacks, choices, trace, {});
  Fiber* fibers[2] = {nullptr, nullptr};
  for (std::size_t i = 0; i < 2; ++i) {
    fibers[i] = &scheduler.spawn(trace.actors().intern(i == 0 ? "ping" : "pong"), FiberRole::kTask,
                                 [&scheduler, &fibers, i] {
                                   for (;;) {
                                     Fiber& other = *fibers[1 - i];
                                     if (other.state == Fiber::State::kParked) {
                                       scheduler.unpark(other);
                                     }
                                     scheduler.park(nullptr);
                                   }
                                 });
  }
  measure_switches(state, choices, scheduler);
}
BENCHMARK(BM_switch_between_waking_fibers);

}  // namespace
}  // namespace dmsim
