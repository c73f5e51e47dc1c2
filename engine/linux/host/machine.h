// SPDX-License-Identifier: GPL-2.0-only
// Machine: one life of a kernel image on a scheduler: everything that the image asks of the simulator.
//
// It answers abi_host: memory from an arena, fibers and events from the scheduler, chance from its
// choices, requests on simulated disks. And it is the one door into the image: who calls a function of
// abi_kernel goes through enter() or interrupt(), which put this life's segment in place and say who calls.
//
// Trouble. A WARN is written down and the kernel goes on. After anything worse the fiber that met it
// never runs again, and stays to be seen by who asks what a run is stuck on; an interrupt ends where it
// stands (InterruptEnded). What the shim does not know aborts: it is no fault of the kernel.
//
// When the scheduler shuts down, blocked fibers are unwound by FiberUnwound straight through the kernel's C
// frames, of which none does anything about it; no function of the image is called any more.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/device_mapper.h"
#include "engine/linux/abi.h"
#include "engine/linux/host/arena.h"
#include "engine/linux/host/frames.h"
#include "engine/linux/host/kernel_image.h"
#include "sim/scheduler.h"
#include "sim/wait.h"

namespace dmsim::kernel {

// A line of the kernel's log; level 4 is a warning.
inline constexpr TraceKind kKernelLog{"kernel.log", {{{"level"}, {"line", ArgForm::kText}}}};
// A BUG, a WARN, memory misused, a sleep where none may be; fatal = 1: the kernel cannot go on.
inline constexpr TraceKind kKernelTrouble{
    "kernel.trouble",
    {{{"kind", ArgForm::kText}, {"where", ArgForm::kText}, {"what", ArgForm::kText}, {"fatal"}}}};

inline constexpr ChoicePoint kAllocFails{"linux.alloc_fails"};
inline constexpr ChoicePoint kRandom{"linux.random"};
inline constexpr ChoicePoint kWakeOrder{"linux.wake_order"};
inline constexpr ChoicePoint kShrink{"linux.shrink"};

// Where a task of the kernel may be preempted, if the scheduler's chance says so. Each includes those before it.
enum class Preemption : std::uint8_t { kOffered, kAtLocks, kAtAtomics };
// How allocations go that the kernel says may fail.
enum class Allocations : std::uint8_t { kSucceed, kFailByChoice, kFail };

// How a machine treats the kernel on it.
struct MachineOptions {
  Preemption preemption = Preemption::kAtLocks;
  bool preempts_rcu_readers = false;  // otherwise a read section is passed in one go, unless it blocks
  Allocations allocations = Allocations::kSucceed;
  bool shrinks = false;           // memory pressure comes by choice
};

// Who hears what only the engine above can make sense of. Kernel context: may not block, but for freeze.
class MachineListener {
 public:
  virtual int freeze(std::string_view device) = 0;  // 0 or a negative errno; may block
  virtual void thaw(std::string_view device) = 0;
  virtual void on_event(std::string_view device) = 0;
  virtual void on_table_changed(std::string_view device) = 0;
  virtual void on_done(void* request_cookie, abi_status status) = 0;

 protected:
  ~MachineListener() = default;
};

BlockStatus::Code code_of(abi_status status);
abi_status status_of(BlockStatus::Code code);

class Machine {
 public:
  // Boots. Everything outlives the machine, and the scheduler has been shut down when it dies.
  Machine(KernelImage& image, const EngineEnvironment& environment, MachineListener& listener,
          MachineOptions options);
  ~Machine() = default;
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  // The current fiber calls the image: call(kernel) may block.
  template <typename Call>
  auto enter(Call call) {
    enter_fiber();
    struct Leave {
      Machine& machine;
      ~Leave() { machine.settle_lent(); }
    } leave{*this};
    return call(kernel_);
  }
  // An interrupt calls the image; or whoever is inside it already, by way of the host.
  template <typename Call>
  void interrupt(Call call) {
    if (depth_ > 0) return call(kernel_);  // the context is the same
    if (scheduler_.in_fiber()) return enter(call);
    image_.make_resident(tenant_);
    kernel_.enter(nullptr, nullptr);
    try {
      call(kernel_);
    } catch (const InterruptEnded&) {
    }
    settle_lent();
  }
  // An oracle looks, from anywhere, without side effects.
  template <typename Look>
  auto peek(Look look) {
    image_.make_resident(tenant_);
    if (depth_ == 0) kernel_.enter(nullptr, nullptr);
    return look(kernel_);
  }
  // A request is being ended or started by the image right now: nothing may block.
  bool inside() const { return depth_ > 0; }

  // The number by which the image knows that disk; it is told of it now if it was not before. Null: there
  // is no such disk.
  BlockDevice* introduce_disk(std::string_view name);
  struct KnownDisk {
    BlockDevice* device;
    Actor actor;
  };
  const std::vector<KnownDisk>& disks() const { return disks_; }

  void note_trouble(abi_trouble kind, std::string where, std::string what);
  const std::vector<EngineTrouble>& troubles() const { return troubles_; }
  // Errors that faults made and that the kernel has seen.
  std::uint64_t injected_errors() const { return injected_errors_; }
  void check_freed_memory() {
    arena_.check_freed();
    frames_.check_freed();
  }
  Arena& arena() { return arena_; }
  Scheduler& scheduler() { return scheduler_; }
  const EngineEnvironment& environment() const { return environment_; }
  SlabPool& slabs() { return image_.slabs(); }
  std::string_view actor_name(Actor actor) { return scheduler_.trace().actors().name(actor); }

 private:
  struct InterruptEnded {};  // thrown out of an interrupt by fatal trouble
  struct SpawnRecord {
    Machine* machine;
    void (*function)(void*);
    void* argument;
  };
  struct EventRecord {
    Machine* machine;
    void (*function)(void*, abi_u64);
    void* argument;
    abi_u64 cookie;
  };
  struct DiskBio {
    static constexpr std::uint32_t kInline = 16;
    Bio bio;
    Machine* machine;
    void* cookie;
    Segment* segments;  // own[], or from the arena
    Segment own[kInline];
  };
  // Bytes of a frame that the image looks at or changes, until it next returns, parks or ends a request.
  struct Lent {
    Frame* frame;
    std::array<std::byte, kPageBytes> bytes;
  };
  // Marks a stretch in which the image waits for the host's answer and the host may call others.
  class Inside {
   public:
    explicit Inside(Machine& machine) : machine_(machine) { ++machine_.depth_; }
    ~Inside() { --machine_.depth_; }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

   private:
    Machine& machine_;
  };

  void fill_host();
  static void memory_fault(void* self, const MemoryFault& fault);
  abi_u64 draw(abi_choice choice, abi_u64 bound);
  void enter_fiber();
  void introduce_fiber(Fiber& fiber);
  void run_fiber(SpawnRecord record);
  bool spins();
  void back_inside();  // the fiber goes on in the image after others may have run
  void settle_lent();
  static void run_event(void* record, std::uint64_t);
  static void disk_bio_ended(Bio& bio);
  void submit_to_disk(abi_u32 disk, const abi_request& request);
  void fill_segments(DiskBio& record, const abi_request& request);
  void fill_zeroes(DiskBio& record, const abi_request& request);
  void take_segments(DiskBio& record, std::uint32_t count);
  void end_disk_bio(DiskBio& record);
  void trouble(abi_trouble kind, std::string where, std::string what);
  [[noreturn]] void stop_here(std::string_view what);
  int park(const char* why, Fiber* holder, bool idle, bool interruptible);
  void* lend(void* page);
  static Machine& of(void* self) { return *static_cast<Machine*>(self); }

  KernelImage& image_;
  KernelImage::Tenant tenant_;
  const abi_kernel& kernel_;
  EngineEnvironment environment_;
  Scheduler& scheduler_;
  MachineListener& listener_;
  MachineOptions options_;
  abi_host host_{};
  Arena arena_;
  FrameStore frames_;
  RecordPool<SpawnRecord> spawns_;
  RecordPool<EventRecord> events_;
  RecordPool<DiskBio> disk_bios_;
  int depth_ = 0;  // how often the image waits for the host within the current context
  std::vector<KnownDisk> disks_;  // by the image's number
  // Fibers that the image has been told of, and the actor they were then: fibers are used again.
  std::unordered_map<const Fiber*, Actor> known_fibers_;
  const Fiber* spinner_ = nullptr;  // who passed the last points_ points of preemption; null: nobody since a park
  std::uint32_t points_ = 0;
  const Fiber* last_fiber_ = nullptr;
  Actor last_actor_ = Actor::kNobody;
  std::vector<std::unique_ptr<Lent>> lent_;
  std::size_t lent_count_ = 0;
  std::vector<EngineTrouble> troubles_;
  std::uint64_t injected_errors_ = 0;
};

}  // namespace dmsim::kernel
