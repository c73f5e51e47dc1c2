// Fiber: a stackful thread of control of the simulated machine (Boost.Context underneath).
//
// Straight-line code blocks by parking its fiber. StackPool keeps stacks across worlds, so that a
// reboot costs no mmap. Each stack has a guard page below it. Under AddressSanitizer every switch is
// announced, so that its shadow stacks follow.
#pragma once

#include <boost/context/detail/fcontext.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sim/actor.h"
#include "sim/trace.h"

namespace dmsim {

// Stacks for fibers, kept for reuse. Outlives every scheduler that draws from it.
class StackPool {
 public:
  static constexpr std::size_t kStackSize = 256 * 1024;

  StackPool() = default;
  ~StackPool();
  StackPool(const StackPool&) = delete;
  StackPool& operator=(const StackPool&) = delete;

  // The low end of a stack of kStackSize bytes.
  std::byte* take();
  void give_back(std::byte* stack);
  // Before a stack is used by another fiber: the last one left it in the middle of a call, and
  // AddressSanitizer still guards the variables of those frames.
  static void forget_frames(std::byte* stack);

 private:
  std::vector<std::byte*> free_;
};

class WaitQueue;

// What a fiber waits for, in words: the material of the wait-for graph. Only read when a run got
// stuck, so wording it may be slow.
class WaitReason {
 public:
  // "mutex 'vg lock'", "completion of a write to lv".
  virtual std::string describe_wait() const = 0;
  // Who would have to act; kNobody when unknown.
  virtual Actor held_by() const { return Actor::kNobody; }

 protected:
  ~WaitReason() = default;
};

enum class FiberRole : std::uint8_t {
  kTask,    // has work of its own: a run is not over before it has ended
  kDaemon,  // serves others, for ever: it waits for work when the run ends
};

// One fiber. Owned by its scheduler; pointers stay valid until it has ended.
struct Fiber {
  enum class State : std::uint8_t { kRunnable, kRunning, kParked, kEnded };

  boost::context::detail::fcontext_t context = nullptr;
  std::byte* stack = nullptr;
  std::function<void()> body;     // runs once
  bool started = false;           // the body has begun: its stack holds something to unwind
  bool foreign = false;           // its body is code without destructors, but for what that calls of ours
  bool bare = false;              // it waits with nothing else on its stack: at teardown it is dropped as it is
  Actor actor = Actor::kNobody;
  FiberRole role = FiberRole::kTask;
  State state = State::kEnded;
  bool idle = false;              // parked with nothing to do: never part of a deadlock
  bool unwinding = false;         // the world is being torn down: parking throws FiberUnwound
  bool signalled = false;         // an interruptible wait returns early (EINTR)
  bool interrupted = false;       // a signal, not a wake, has ended the wait
  bool interruptible = false;     // parked in a wait that a signal may end
  TraceId cause = 0;              // what made it runnable
  const WaitReason* waits_for = nullptr;  // while parked; null when it merely sleeps
  const WaitReason* spun_for = nullptr;   // others spin for a spinlock that it holds: once parked, it stays so
  WaitQueue* queue = nullptr;     // the queue it is parked in; null: none
  Fiber* next = nullptr;          // in that queue
  void* sanitizer_stack = nullptr;  // AddressSanitizer's fake stack while switched out
};

// Thrown out of a blocking call when the fiber's world is torn down. Only the scheduler catches it.
struct FiberUnwound {};

}  // namespace dmsim
