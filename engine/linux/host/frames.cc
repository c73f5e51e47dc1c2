// SPDX-License-Identifier: GPL-2.0-only
#include "engine/linux/host/frames.h"

#include <cstring>
#include <new>
#include <utility>

namespace dmsim::kernel {

FrameStore::~FrameStore() {
  for (std::size_t i = 0; i < slabs_.size(); ++i) {
    const std::size_t used = i + 1 == slabs_.size() ? used_in_last_ : kFramesInSlab;
    for (std::size_t at = 0; at < used; ++at) slabs_[i][at].~KernelFrame();
    slabs_pool_.give_back(reinterpret_cast<std::byte*>(slabs_[i]), 1);
  }
}

// One that was never in use.
FrameStore::KernelFrame* FrameStore::fresh() {
  if (!poison_) {
    std::byte* bytes = nullptr;
    poison_ = pages_.make(&bytes);
    std::memset(bytes, std::to_integer<int>(kPoison), kPageBytes);
  }
  if (slabs_.empty() || used_in_last_ == kFramesInSlab) {
    slabs_.push_back(reinterpret_cast<KernelFrame*>(slabs_pool_.take(1)));
    used_in_last_ = 0;
  }
  auto* const frame = new (&slabs_.back()[used_in_last_++]) KernelFrame;
  frame->set(poison_);
  return frame;
}

Frame* FrameStore::allocate() {
  KernelFrame* frame = first_;
  if (frame == nullptr) {
    frame = fresh();
  } else {
    first_ = frame->next;
    if (first_ == nullptr) last_ = nullptr;
    check_poison(*frame);
  }
  frame->next = nullptr;
  frame->freed_by = kLive;
  ++live_;
  return frame;
}

// Null: it is not of this store.
FrameStore::KernelFrame* FrameStore::ours(Frame* frame) const {
  const auto address = reinterpret_cast<std::uintptr_t>(frame);
  for (std::size_t i = 0; i < slabs_.size(); ++i) {
    const auto begin = reinterpret_cast<std::uintptr_t>(slabs_[i]);
    const std::size_t used = i + 1 == slabs_.size() ? used_in_last_ : kFramesInSlab;
    if (address < begin || address >= begin + used * sizeof(KernelFrame)) continue;
    return (address - begin) % sizeof(KernelFrame) == 0 ? static_cast<KernelFrame*>(frame) : nullptr;
  }
  return nullptr;
}

void FrameStore::free(Frame* pointer, std::uint32_t by) {
  KernelFrame* const frame = ours(pointer);
  MemoryFault fault{MemoryFault::Kind::kNotAllocated};
  if (frame == nullptr) return on_fault_(context_, fault);
  if (frame->freed_by != kLive) {
    fault = {MemoryFault::Kind::kFreedTwice, kPageBytes, 0, frame->freed_by};
    return on_fault_(context_, fault);
  }
  frame->set(poison_);
  frame->freed_by = by;
  (last_ == nullptr ? first_ : last_->next) = frame;
  last_ = frame;
  --live_;
}

void FrameStore::check_poison(KernelFrame& frame) {
  if (frame.page().same_content(poison_)) return;
  std::uint64_t at = 0;
  while (at + 1 < kPageBytes && frame.page().bytes()[at] == kPoison) ++at;
  on_fault_(context_, {MemoryFault::Kind::kWrittenAfterFree, kPageBytes, at, frame.freed_by});
  frame.set(poison_);  // told once
}

void FrameStore::check_freed() {
  for (KernelFrame* frame = first_; frame != nullptr; frame = frame->next) check_poison(*frame);
}

}  // namespace dmsim::kernel
