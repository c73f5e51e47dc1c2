#include "models/memory/swap.h"

#include <cstring>

#include "base/check.h"
#include "base/reached.h"

namespace dmsim {

struct SwapSpace::Slot {
  enum class State : std::uint8_t { kNew, kResident, kWriting, kOut, kReading };
  SwapSpace* space = nullptr;
  std::uint64_t number = 0;
  State state = State::kNew;
  std::uint64_t touched = 0;  // by the space's count
  Frame frame;
  Segment segment;
  Bio bio;
};

SwapSpace::SwapSpace(Scheduler& scheduler, Memory& memory, PageSpace& pages, BlockDevice& device, std::uint64_t count)
    : scheduler_(scheduler),
      memory_(memory),
      pages_(pages),
      device_(device),
      device_actor_(scheduler.trace().actors().intern(device.name())),
      wait_(scheduler, "the end of a swap request of " + device.name()) {
  CHECK(count * kPageSectors <= device.sectors(), count, device.sectors());
  for (std::uint64_t i = 0; i < count; ++i) {
    slots_.push_back(std::make_unique<Slot>());
    slots_.back()->space = this;
    slots_.back()->number = i;
  }
  memory_.add_reclaimer(*this);
}

SwapSpace::~SwapSpace() { memory_.remove_reclaimer(*this); }

bool SwapSpace::touch(std::uint64_t page, std::span<const std::byte> bytes) {
  CHECK(bytes.size() == kPageBytes, bytes.size());
  Slot& slot = *slots_.at(page);
  while (slot.state != Slot::State::kResident) {
    if (slot.state == Slot::State::kWriting || slot.state == Slot::State::kReading) {
      wait_.wait();
      continue;
    }
    memory_.allocate();
    // The frame may have been long in coming, and somebody else may have brought the page back.
    if (slot.state == Slot::State::kNew) {
      slot.state = Slot::State::kResident;
    } else if (slot.state == Slot::State::kOut) {
      scheduler_.trace().emit(kSwapIn, scheduler_.current_actor(), static_cast<std::uint64_t>(device_actor_), page);
      start(slot, Op::kRead, scheduler_.current_actor());
      wait_until(wait_, [&slot] { return slot.state != Slot::State::kReading; });
      if (slot.state == Slot::State::kOut) return false;
    } else {
      memory_.free();
    }
  }
  std::byte* content = nullptr;
  PageRef fresh = pages_.make(&content);
  std::memcpy(content, bytes.data(), kPageBytes);
  slot.frame.set(std::move(fresh));
  slot.touched = ++touches_;
  memory_.note_reclaimable();
  return true;
}

SwapSpace::Slot* SwapSpace::oldest() {
  Slot* best = nullptr;
  for (const auto& slot : slots_) {
    if (slot->state != Slot::State::kResident || slot->frame.empty()) continue;
    if (best == nullptr || slot->touched < best->touched) best = slot.get();
  }
  return best;
}

std::uint64_t SwapSpace::reclaim(std::uint64_t wanted, bool may_write) {
  if (!may_write) return 0;
  const std::uint64_t before = ended_;
  const std::uint64_t free_before = memory_.free_pages();
  for (std::uint64_t i = 0; i < wanted; ++i) {
    Slot* const slot = oldest();
    if (slot == nullptr) break;
    const Actor self = scheduler_.current_actor();
    scheduler_.trace().emit(kSwapOut, self, static_cast<std::uint64_t>(device_actor_), slot->number,
                            slot->frame.page().version());
    start(*slot, Op::kWrite, self);
  }
  wait_until(wait_, [this, before] { return under_way_ == 0 || ended_ != before; });
  // What others have taken meanwhile was given back all the same.
  return memory_.free_pages() > free_before ? memory_.free_pages() - free_before : ended_ - before;
}

void SwapSpace::start(Slot& slot, Op op, Actor actor) {
  slot.state = op == Op::kWrite ? Slot::State::kWriting : Slot::State::kReading;
  slot.segment = {&slot.frame, nullptr, 0, kPageBytes};
  slot.bio = Bio();
  slot.bio.op = op;
  slot.bio.sector = slot.number * kPageSectors;
  slot.bio.sectors = kPageSectors;
  slot.bio.segments = &slot.segment;
  slot.bio.segment_count = 1;
  slot.bio.issuer = static_cast<std::uint32_t>(actor);
  slot.bio.context = &slot;
  slot.bio.end_io = &SwapSpace::ended;
  ++under_way_;
  device_.submit(slot.bio);
}

void SwapSpace::ended(Bio& bio) {
  Slot& slot = *static_cast<Slot*>(bio.context);
  SwapSpace& space = *slot.space;
  const bool ok = bio.status.ok();
  if (slot.state == Slot::State::kWriting) {
    // What cannot be written stays in memory.
    if (!ok) REACHED("a page of memory cannot be paged out");
    slot.state = ok ? Slot::State::kOut : Slot::State::kResident;
  } else {
    slot.state = ok ? Slot::State::kResident : Slot::State::kOut;
  }
  if (slot.state == Slot::State::kOut) {
    slot.frame.set(PageRef());
    slot.frame.observer = nullptr;
    space.memory_.free();
  }
  --space.under_way_;
  ++space.ended_;
  space.wait_.wake_all();
}

}  // namespace dmsim
