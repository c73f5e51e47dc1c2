// SwapSpace: memory of processes, and the device that it pages out to.
//
// A page of memory is touched (changed) by its process. Under pressure the ones touched longest ago are written to
// their place on the device, straight from memory and past every buffer cache, and their frames are given back; a touch
// of one that is out reads it back first. A page that is being written or read makes whoever touches it wait.
//
// Not modelled: pages shared by processes, swap clusters, a swap cache that keeps a page after it was written.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "block/device.h"
#include "models/memory/memory.h"
#include "sim/trace.h"
#include "sim/wait.h"

namespace dmsim {

// A page goes out to the swap device; the actor is whoever needs the memory.
inline constexpr TraceKind kSwapOut{"swap.out", {{{"device", ArgForm::kActor}, {"page"}, {"version"}}}};
// A page is read back from the swap device, for whoever touches it.
inline constexpr TraceKind kSwapIn{"swap.in", {{{"device", ArgForm::kActor}, {"page"}}}};

class SwapSpace final : public Reclaimer {
 public:
  // Everything outlives the space. Requires a device of so many pages.
  SwapSpace(Scheduler& scheduler, Memory& memory, PageSpace& pages, BlockDevice& device, std::uint64_t count);
  ~SwapSpace();
  SwapSpace(const SwapSpace&) = delete;
  SwapSpace& operator=(const SwapSpace&) = delete;

  // The process gives the page this content, in a fiber; what it held before comes back from the device if need
  // be. False: it cannot be read.
  bool touch(std::uint64_t page, std::span<const std::byte> bytes);
  std::uint64_t count() const { return slots_.size(); }

  std::uint64_t reclaim(std::uint64_t wanted, bool may_write) override;

 private:
  struct Slot;
  void start(Slot& slot, Op op, Actor actor);
  static void ended(Bio& bio);
  Slot* oldest();

  Scheduler& scheduler_;
  Memory& memory_;
  PageSpace& pages_;
  BlockDevice& device_;
  Actor device_actor_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::uint64_t touches_ = 0;
  std::uint64_t under_way_ = 0;  // bios
  std::uint64_t ended_ = 0;      // bios, ever
  WaitQueue wait_;
};

}  // namespace dmsim
