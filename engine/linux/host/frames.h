// SPDX-License-Identifier: GPL-2.0-only
// FrameStore: the pages of a kernel that have no address: high memory, as far as device-mapper uses it.
//
// Kernel code that asks for a page of high memory promises to touch its bytes only where it maps them. So such a
// page is a frame of the simulator: what a disk reads into it and another disk writes from it travels by
// reference, nothing is copied, and the copy on the other disk is known for the same content. A copy of a
// region by dm-kcopyd costs no more than its requests.
//
// As in the Arena, a frame that was freed holds poison, whoever fills it after that is found out when it is used again
// or when the store is asked, and frames are used again in the order in which they were freed.
#pragma once

#include <cstdint>
#include <vector>

#include "block/page.h"
#include "engine/linux/abi.h"
#include "engine/linux/host/arena.h"

namespace dmsim::kernel {

// A frame as the image names it.
inline void* tagged(const Frame* frame) {
  return reinterpret_cast<void*>(reinterpret_cast<std::uintptr_t>(frame) | ABI_FRAME_TAG);
}
inline bool is_frame(const void* page) { return (reinterpret_cast<std::uintptr_t>(page) & ABI_FRAME_TAG) != 0; }
inline Frame* frame_of(const void* page) {
  return reinterpret_cast<Frame*>(reinterpret_cast<std::uintptr_t>(page) & ~ABI_FRAME_TAG);
}

class FrameStore {
 public:
  FrameStore(SlabPool& slabs, PageSpace& pages, Arena::OnFault on_fault, void* context)
      : slabs_pool_(slabs), pages_(pages), on_fault_(on_fault), context_(context) {}
  ~FrameStore();
  FrameStore(const FrameStore&) = delete;
  FrameStore& operator=(const FrameStore&) = delete;

  // Filled with poison: nobody knows what a fresh page holds.
  Frame* allocate();
  // `by`: the actor, for reports. A frame that is not in use, or not of this store, is a fault.
  void free(Frame* frame, std::uint32_t by);
  // Looks at every frame that was freed, and reports those that were filled after that.
  void check_freed();
  std::uint64_t live() const { return live_; }

 private:
  struct KernelFrame : Frame {
    KernelFrame* next = nullptr;  // of those freed
    std::uint32_t freed_by = 0;   // kLive: it is in use
  };
  static constexpr std::uint32_t kLive = 0xffffffff;
  static constexpr std::size_t kFramesInSlab = kSlabBytes / sizeof(KernelFrame);

  KernelFrame* fresh();
  KernelFrame* ours(Frame* frame) const;
  void check_poison(KernelFrame& frame);

  SlabPool& slabs_pool_;
  PageSpace& pages_;
  Arena::OnFault on_fault_;
  void* context_;
  PageRef poison_;
  std::vector<KernelFrame*> slabs_;
  std::size_t used_in_last_ = 0;  // frames of the last slab that were ever in use
  KernelFrame* first_ = nullptr;  // freed, oldest first
  KernelFrame* last_ = nullptr;
  std::uint64_t live_ = 0;
};

}  // namespace dmsim::kernel
