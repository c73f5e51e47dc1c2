// SPDX-License-Identifier: GPL-2.0-only
// Life, fibers, memory and trouble of a Machine; machine_disks.cc has the requests on disks.
#include "engine/linux/host/machine.h"

#include <fmt/format.h>

#include <cstring>
#include <typeinfo>
#include <utility>

#include "base/reached.h"

namespace dmsim::kernel {
namespace {

// What a fiber waits for inside the kernel. It lives on the waiting fiber's stack.
class KernelWait final : public WaitQueue {
 public:
  KernelWait(Scheduler& scheduler, const char* why, const Fiber* holder)
      : WaitQueue(scheduler, std::string()), why_(why), holder_(holder) {}
  std::string describe_wait() const override { return why_; }
  Actor held_by() const override { return holder_ == nullptr ? Actor::kNobody : holder_->actor; }

 private:
  const char* why_;
  const Fiber* holder_;
};

const char* kind_name(abi_trouble kind) {
  switch (kind) {
    case ABI_WARN: return "WARN";
    case ABI_BUG: return "BUG";
    case ABI_ATOMIC_SLEEP: return "sleep in atomic context";
    case ABI_DOUBLE_COMPLETION: return "double completion";
    case ABI_USE_AFTER_FREE: return "use after free";
    case ABI_LOCK_MISUSE: return "misuse of a lock";
    case ABI_LEAK: return "leak";
    case ABI_UNMODELLED: return "not modelled";
  }
  UNMODELLED("kind of trouble");
}

// How custom/mempool.c says what it waits for.
constexpr std::string_view kWaitsForReserve = "an element of the mempool";

// A fiber that passes so many points at which it could be preempted, and no other fiber of the kernel any, has
// used so much time.
constexpr std::uint32_t kPointsOfASpin = 256;
constexpr Duration kSpin = Duration::microseconds(100);

bool goes_on(abi_trouble kind) { return kind == ABI_WARN || kind == ABI_LEAK; }

Fiber* fiber_of(void* name) { return static_cast<Fiber*>(name); }

}  // namespace

Machine::Machine(KernelImage& image, const EngineEnvironment& environment, MachineListener& listener,
                 MachineOptions options)
    : image_(image),
      tenant_(image),
      kernel_(image.kernel()),
      environment_(environment),
      scheduler_(environment.scheduler),
      listener_(listener),
      options_(options),
      arena_(image.slabs(), &memory_fault, this),
      frames_(image.slabs(), environment.pages, &memory_fault, this),
      spawns_(image.slabs()),
      events_(image.slabs()),
      disk_bios_(image.slabs()) {
  fill_host();
  image_.make_resident(tenant_);
  try {
    kernel_.boot(&host_);
    kernel_.configure(options_.preemption >= Preemption::kAtLocks, options_.preemption == Preemption::kAtAtomics,
                      options_.preempts_rcu_readers, options_.allocations != Allocations::kSucceed);
  } catch (const InterruptEnded&) {
  }
}

void Machine::memory_fault(void* self, const MemoryFault& fault) {
  Machine& machine = of(self);
  const std::string who(machine.actor_name(static_cast<Actor>(fault.freed_by)));
  machine.note_trouble(ABI_USE_AFTER_FREE, "", fault.describe(who));
}

void Machine::fill_host() {
  host_.self = this;
  host_.alloc = [](void* self, abi_u64 bytes, abi_u64 align, int zeroed) {
    return of(self).arena_.allocate(bytes, align, zeroed != 0);
  };
  host_.free = [](void* self, const void* memory) {
    Machine& machine = of(self);
    const auto by = static_cast<std::uint32_t>(machine.scheduler_.current_actor());
    if (is_frame(memory)) return machine.frames_.free(frame_of(memory), by);
    machine.arena_.free(memory, by);
  };
  host_.alloc_frame = [](void* self) { return tagged(of(self).frames_.allocate()); };
  host_.size_of = [](void* self, const void* memory) -> abi_u64 { return of(self).arena_.size_of(memory); };
  host_.frame_bytes = [](void* self, void* page) { return of(self).lend(page); };
  host_.now_ns = [](void* self) { return static_cast<abi_u64>(of(self).scheduler_.now().ns()); };
  host_.at = [](void* self, abi_u64 when_ns, void (*function)(void*, abi_u64), void* argument, abi_u64 cookie) {
    Machine& machine = of(self);
    EventRecord* const record = machine.events_.take();
    *record = {&machine, function, argument, cookie};
    machine.scheduler_.at(Instant::at_ns(static_cast<std::int64_t>(when_ns)), &run_event, record);
  };
  host_.spawn = [](void* self, const char* name, int daemon, void (*function)(void*),
                   void* argument) -> void* {
    Machine& machine = of(self);
    Scheduler& scheduler = machine.scheduler_;
    SpawnRecord* const record = machine.spawns_.take();
    *record = {&machine, function, argument};
    Fiber& fiber = scheduler.spawn(scheduler.trace().actors().intern(name),
                                   daemon != 0 ? FiberRole::kDaemon : FiberRole::kTask, [record] {
                                     const SpawnRecord copy = *record;
                                     copy.machine->spawns_.give_back(record);
                                     copy.machine->run_fiber(copy);
                                   });
    machine.introduce_fiber(fiber);
    return &fiber;
  };
  host_.park = [](void* self, const char* why, void* holder, int idle, int interruptible) {
    return of(self).park(why, fiber_of(holder), idle != 0, interruptible != 0);
  };
  host_.unpark = [](void*, void* fiber) {
    const Fiber* const parked = fiber_of(fiber);
    if (parked->state != Fiber::State::kParked || parked->queue == nullptr) return;
    // It may have left the kernel and wait for something of its own.
    const WaitQueue& queue = *parked->queue;
    if (typeid(queue) == typeid(KernelWait)) parked->queue->wake_one();
  };
  host_.yield = [](void* self) {
    of(self).settle_lent();
    of(self).scheduler_.yield();
    of(self).back_inside();
  };
  host_.preempt_point = [](void* self) {
    Machine& machine = of(self);
    if (machine.depth_ > 0 || !machine.scheduler_.in_fiber()) return 0;
    machine.settle_lent();
    const std::uint64_t slices = machine.scheduler_.slices_run();
    if (machine.spins()) {
      REACHED("a kernel's fiber goes round and round until time has passed");
      machine.scheduler_.sleep(kSpin);
    } else {
      machine.scheduler_.preempt_point();
    }
    if (slices == machine.scheduler_.slices_run()) return 0;
    machine.back_inside();
    return 1;
  };
  host_.signal_pending = [](void* self, void* fiber) -> int {
    const Fiber* const asked = fiber != nullptr ? fiber_of(fiber) : &of(self).scheduler_.current();
    return asked->signalled;
  };
  host_.draw = [](void* self, abi_choice choice, abi_u64 bound) -> abi_u64 {
    return of(self).draw(choice, bound);
  };
  host_.submit = [](void* self, abi_u32 disk, const abi_request* request) {
    of(self).submit_to_disk(disk, *request);
  };
  host_.done = [](void* self, void* request_cookie, abi_status status) {
    Machine& machine = of(self);
    machine.settle_lent();
    const Inside inside(machine);
    machine.listener_.on_done(request_cookie, status);
  };
  host_.log = [](void* self, int level, const char* line) {
    Scheduler& scheduler = of(self).scheduler_;
    const std::uint64_t text = scheduler.trace().text(line);
    scheduler.trace().emit(kKernelLog, scheduler.current_actor(), static_cast<std::uint64_t>(level), text);
  };
  host_.trouble = [](void* self, abi_trouble kind, const char* file, int line, const char* what) {
    of(self).trouble(kind, file == nullptr ? std::string() : fmt::format("{}:{}", file, line), what);
  };
  host_.freeze = [](void* self, const char* device) {
    const int result = of(self).listener_.freeze(device);
    of(self).enter_fiber();
    return result;
  };
  host_.thaw = [](void* self, const char* device) {
    of(self).listener_.thaw(device);
    of(self).enter_fiber();
  };
  host_.device_event = [](void* self, const char* device) { of(self).listener_.on_event(device); };
  host_.table_changed = [](void* self, const char* device) { of(self).listener_.on_table_changed(device); };
}

// The last value of ABI_CHOICE_ALLOC_FAILS is the failure.
abi_u64 Machine::draw(abi_choice choice, abi_u64 bound) {
  ChoiceSource& choices = scheduler_.choices();
  const Actor actor = scheduler_.current_actor();
  switch (choice) {
    case ABI_CHOICE_ALLOC_FAILS:
      if (options_.allocations == Allocations::kSucceed) return 0;
      if (options_.allocations == Allocations::kFail) return bound - 1;
      return choices.draw(kAllocFails, actor, bound);
    case ABI_CHOICE_RANDOM: return choices.draw(kRandom, actor, bound);
    case ABI_CHOICE_WAKE_ORDER: return choices.draw(kWakeOrder, actor, bound);
    case ABI_CHOICE_SHRINK: return options_.shrinks ? choices.draw(kShrink, actor, bound) : 0;
    case ABI_CHOICE_COUNT: break;
  }
  UNMODELLED("a choice of the kernel image");
}

void Machine::enter_fiber() {
  Fiber& fiber = scheduler_.current();
  image_.make_resident(tenant_);
  if (&fiber != last_fiber_ || fiber.actor != last_actor_) introduce_fiber(fiber);
  kernel_.enter(&fiber, scheduler_.trace().actors().name(fiber.actor).c_str());
}

// Fibers are used again under other names: then the image forgets what it kept for the old one.
void Machine::introduce_fiber(Fiber& fiber) {
  const auto [known, fresh] = known_fibers_.try_emplace(&fiber, fiber.actor);
  if (!fresh && known->second != fiber.actor) {
    kernel_.fiber_ended(&fiber);
    known->second = fiber.actor;
  }
  last_fiber_ = &fiber;
  last_actor_ = fiber.actor;
}

// The whole life of a fiber that the image has asked for.
void Machine::run_fiber(SpawnRecord record) {
  Fiber& fiber = scheduler_.current();
  fiber.foreign = true;
  enter_fiber();
  record.function(record.argument);
  settle_lent();
  kernel_.fiber_ended(&fiber);
  known_fibers_.erase(&fiber);
  last_fiber_ = nullptr;
}

void Machine::run_event(void* context, std::uint64_t) {
  auto* const record = static_cast<EventRecord*>(context);
  const EventRecord event = *record;
  event.machine->events_.give_back(record);
  event.machine->interrupt([&event](const abi_kernel&) { event.function(event.argument, event.cookie); });
}

// Whether the current fiber seems to wait for time to pass without ever blocking, as 6.12's dm-delay does: time
// would stand still for it.
bool Machine::spins() {
  const Fiber* const fiber = &scheduler_.current();
  if (fiber != spinner_) points_ = 0;
  spinner_ = fiber;
  if (++points_ < kPointsOfASpin) return false;
  points_ = 0;
  return true;
}

void Machine::back_inside() { image_.make_resident(tenant_); }

int Machine::park(const char* why, Fiber* holder, bool idle, bool interruptible) {
  settle_lent();
  spinner_ = nullptr;
  CHECK(scheduler_.in_fiber(), "the image blocks in interrupt context", why);
  CHECK(depth_ == 0, "the image blocks while it ends or starts a request", why);
  if (std::string_view(why).starts_with(kWaitsForReserve)) {
    REACHED("a kernel waits until something comes back to a reserve that is empty");
  }
  Fiber& fiber = scheduler_.current();
  fiber.bare = fiber.foreign;
  KernelWait wait(scheduler_, why, holder);
  bool woken = true;
  if (idle) {
    wait.wait_idle();
  } else if (interruptible) {
    woken = wait.wait_interruptible();
    // A signal stays pending until its task has left the kernel.
    if (!woken) fiber.signalled = true;
  } else {
    wait.wait();
  }
  fiber.bare = false;
  back_inside();
  return woken ? 0 : 1;
}

void Machine::note_trouble(abi_trouble kind, std::string where, std::string what) {
  Trace& trace = scheduler_.trace();
  const bool fatal = !goes_on(kind);
  const std::uint64_t kind_text = trace.text(kind_name(kind));
  const std::uint64_t where_text = trace.text(where);
  const std::uint64_t what_text = trace.text(what);
  trace.emit(kKernelTrouble, scheduler_.current_actor(), kind_text, where_text, what_text, fatal);
  troubles_.push_back({kind_name(kind), std::move(where), std::move(what), fatal});
}

// Called by the image. Returns for what it goes on after.
void Machine::trouble(abi_trouble kind, std::string where, std::string what) {
  if (kind == ABI_UNMODELLED) {
    // Not the kernel's fault, so no finding: the simulator has come to its own end.
    check_failed(__FILE__, __LINE__, "the shim does not model this part of the kernel", where + ": " + what);
  }
  note_trouble(kind, std::move(where), std::move(what));
  if (!goes_on(kind)) stop_here(troubles_.back().what);
}

void Machine::stop_here(std::string_view what) {
  if (!scheduler_.in_fiber()) {
    REACHED("a kernel meets fatal trouble in interrupt context");
    throw InterruptEnded{};
  }
  REACHED("a kernel meets fatal trouble in a fiber");
  depth_ = 0;
  const std::string why = fmt::format("nothing: it was stopped ({})", what);
  KernelWait wait(scheduler_, why.c_str(), nullptr);
  while (true) wait.wait();
}

void* Machine::lend(void* page) {
  Frame* const frame = frame_of(page);
  for (std::size_t i = 0; i < lent_count_; ++i) {
    if (lent_[i]->frame == frame) return lent_[i]->bytes.data();
  }
  if (lent_count_ == lent_.size()) lent_.push_back(std::make_unique<Lent>());
  Lent& lent = *lent_[lent_count_++];
  lent.frame = frame;
  if (frame->empty()) {
    lent.bytes.fill(std::byte{0});
  } else {
    std::memcpy(lent.bytes.data(), frame->page().bytes(), kPageBytes);
  }
  return lent.bytes.data();
}

// What the image has changed goes back into the frames; what it has only looked at stays untouched, with
// its version: nobody shall take a look for a store.
void Machine::settle_lent() {
  for (std::size_t i = 0; i < lent_count_; ++i) {
    Lent& lent = *lent_[i];
    if (!lent.frame->empty() &&
        std::memcmp(lent.frame->page().bytes(), lent.bytes.data(), kPageBytes) == 0) {
      continue;
    }
    std::byte* bytes = nullptr;
    PageRef page = environment_.pages.make(&bytes);
    std::memcpy(bytes, lent.bytes.data(), kPageBytes);
    lent.frame->set(std::move(page));
  }
  lent_count_ = 0;
}

BlockDevice* Machine::introduce_disk(std::string_view name) {
  for (const KnownDisk& disk : disks_) {
    if (disk.device->name() == name) return disk.device;
  }
  BlockDevice* const device = environment_.devices.find_disk(name);
  if (device == nullptr) return nullptr;
  const BlockLimits limits = device->limits();
  abi_disk_limits told{};
  told.sectors = device->sectors();
  told.logical_block_bytes = limits.logical_block_sectors * kSectorBytes;
  told.max_sectors = limits.max_sectors;
  told.discard = limits.discard;
  told.volatile_cache = limits.volatile_cache;
  told.fua = limits.volatile_cache;
  told.stable_writes = limits.stable_writes;
  const auto number = static_cast<abi_u32>(disks_.size());
  disks_.push_back({device, scheduler_.trace().actors().intern(name)});
  interrupt([&](const abi_kernel& kernel) { kernel.add_disk(number, device->name().c_str(), &told); });
  return device;
}

}  // namespace dmsim::kernel
