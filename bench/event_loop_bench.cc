// The event loop, in the hold model: N events pend; each operation takes the earliest one and
// schedules one more. Three rungs of one ladder, with the same 40-byte payload and the same
// distribution of delays (uniform over 2 ms, at nanosecond grain):
//   - std::priority_queue, ordered by (instant, number): the yardstick;
//   - EventQueue alone;
//   - the scheduler's whole loop: pop, dispatch, one draw, one trace event, push.
// Only ratios between the rows of one run mean anything.
#include <benchmark/benchmark.h>

#include <queue>
#include <vector>

#include "sim/event_queue.h"
#include "sim/scheduler.h"

namespace dmsim {
namespace {

constexpr std::uint64_t kDelayRange = 2'000'000;  // nanoseconds
constexpr ChoicePoint kDelay{"bench.delay"};
constexpr TraceKind kHeld{"bench.held", {{{"pending", ArgForm::kNumber}}}};

// SplitMix64, as RandomChoices draws: every rung pays for the same randomness.
class Delays {
 public:
  std::int64_t next() {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ull);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    z ^= z >> 31;
    return static_cast<std::int64_t>((static_cast<unsigned __int128>(z) * kDelayRange) >> 64);
  }

 private:
  std::uint64_t state_ = 42;
};

struct Later {
  bool operator()(const Event& a, const Event& b) const {
    return a.at_ns != b.at_ns ? a.at_ns > b.at_ns : a.argument > b.argument;
  }
};

void BM_hold_std_priority_queue(benchmark::State& state) {
  std::priority_queue<Event, std::vector<Event>, Later> queue;
  Delays delays;
  std::uint64_t number = 0;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    queue.push({delays.next(), nullptr, nullptr, ++number, 0});
  }
  for (auto _ : state) {
    const Event event = queue.top();
    queue.pop();
    queue.push({event.at_ns + delays.next(), nullptr, nullptr, ++number, 0});
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_hold_std_priority_queue)->Arg(100)->Arg(10'000)->Arg(1'000'000);

void BM_hold_event_queue(benchmark::State& state) {
  EventQueue queue;
  Delays delays;
  std::uint64_t number = 0;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    queue.push({delays.next(), nullptr, nullptr, ++number, 0});
  }
  for (auto _ : state) {
    const Event event = queue.pop();
    queue.push({event.at_ns + delays.next(), nullptr, nullptr, ++number, 0});
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_hold_event_queue)->Arg(100)->Arg(10'000)->Arg(1'000'000);

struct Holder {
  Scheduler& scheduler;
  Actor actor;
  std::uint64_t count = 0;

  static void fire(void* context, std::uint64_t) {
    auto& self = *static_cast<Holder*>(context);
    Scheduler& scheduler = self.scheduler;
    // A run of a world records some thousands of choices; an endless record would measure page faults.
    if ((++self.count & 0xFFFF) == 0) scheduler.choices().forget_record();
    scheduler.trace().emit(kHeld, self.actor, scheduler.pending_events());
    const auto delay = static_cast<std::int64_t>(
        scheduler.choices().draw(kDelay, self.actor, kDelayRange));
    scheduler.after(Duration::nanoseconds(delay), &fire, context);
  }
};

void BM_hold_scheduler_with_dispatch_trace_and_choice(benchmark::State& state) {
  StackPool stacks;
  RandomChoices choices(42);
  Trace trace;
  Scheduler scheduler(stacks, choices, trace, {});
  Holder holder{scheduler, trace.actors().intern("holder")};
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    scheduler.after(Duration::nanoseconds(static_cast<std::int64_t>(
                        choices.draw(kDelay, holder.actor, kDelayRange))),
                    &Holder::fire, &holder);
  }
  choices.forget_record();
  constexpr std::int64_t kBatch = 1000;
  while (state.KeepRunningBatch(kBatch)) scheduler.run(kBatch);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_hold_scheduler_with_dispatch_trace_and_choice)->Arg(100)->Arg(10'000)->Arg(1'000'000);

}  // namespace
}  // namespace dmsim
