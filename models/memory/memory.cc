#include "models/memory/memory.h"

#include <algorithm>

#include "base/check.h"
#include "base/reached.h"

namespace dmsim {
namespace {

// Frames that one reclaim asks for, as Linux's SWAP_CLUSTER_MAX.
constexpr std::uint64_t kReclaimBatch = 32;

MemoryOptions resolve(MemoryOptions options) {
  CHECK(options.pages >= 8, options.pages);
  if (options.low_pages == 0) options.low_pages = options.pages / 8;
  if (options.high_pages == 0) {
    options.high_pages = std::min(options.pages, std::max(options.pages / 4, options.low_pages));
  }
  CHECK(options.low_pages <= options.high_pages, options.low_pages, options.high_pages);
  CHECK(options.high_pages <= options.pages, options.high_pages, options.pages);
  return options;
}

}  // namespace

Memory::Memory(Scheduler& scheduler, MemoryOptions options)
    : scheduler_(scheduler),
      options_(resolve(options)),
      free_(options_.pages),
      allocators_(scheduler, std::string(kWaitsForFrame)),
      kswapd_(scheduler, "memory pressure") {}

bool Memory::try_allocate() {
  if (free_ == 0) return false;
  --free_;
  ++stats_.allocated;
  if (free_ < options_.low_pages) wake_kswapd();
  return true;
}

void Memory::allocate() {
  if (try_allocate()) return;
  const Instant began = scheduler_.now();
  while (!try_allocate()) {
    wake_kswapd();
    const std::uint64_t progress_before = progress_;
    const std::uint64_t freed = reclaim(kReclaimBatch, true);
    ++stats_.direct_reclaims;
    stats_.direct_freed += freed;
    scheduler_.trace().emit(kDirectReclaim, scheduler_.current_actor(), freed);
    // Reclaim may have blocked: what happened meanwhile wakes nobody who does not wait yet.
    if (free_ > 0 || progress_ != progress_before) continue;
    REACHED("an allocation waits since nothing can be reclaimed");
    scheduler_.trace().emit(kMemoryWait, scheduler_.current_actor());
    allocators_.wait();
  }
  stats_.allocators_waited = stats_.allocators_waited + (scheduler_.now() - began);
}

void Memory::free() {
  ++free_;
  CHECK(free_ <= options_.pages, free_, options_.pages);
  ++progress_;
  allocators_.wake_one();
}

void Memory::note_reclaimable() {
  ++progress_;
  allocators_.wake_one();
  if (free_ < options_.low_pages) wake_kswapd();
}

void Memory::add_reclaimer(Reclaimer& reclaimer) { reclaimers_.push_back(&reclaimer); }

void Memory::remove_reclaimer(Reclaimer& reclaimer) {
  const auto at = std::find(reclaimers_.begin(), reclaimers_.end(), &reclaimer);
  CHECK(at != reclaimers_.end());
  reclaimers_.erase(at);
}

std::uint64_t Memory::reclaim(std::uint64_t wanted, bool may_write) {
  const Actor self = scheduler_.current_actor();
  reclaiming_.push_back(self);
  const std::uint64_t freed = ask_reclaimers(wanted, may_write);
  reclaiming_.erase(std::find(reclaiming_.begin(), reclaiming_.end(), self));
  return freed;
}

std::uint64_t Memory::ask_reclaimers(std::uint64_t wanted, bool may_write) {
  if (reclaimers_.empty()) return 0;
  const std::size_t start = first_reclaimer_++ % reclaimers_.size();
  std::uint64_t freed = 0;
  // A reclaimer may block, and the list change meanwhile: indices are folded each time.
  for (std::size_t i = 0; i < reclaimers_.size() && freed < wanted; ++i) {
    freed += reclaimers_[(start + i) % reclaimers_.size()]->reclaim(wanted - freed, may_write);
  }
  return freed;
}

void Memory::wake_kswapd() {
  if (kswapd_woken_) return;
  kswapd_woken_ = true;
  if (kswapd_.empty()) return;  // at work, or there is none
  ++stats_.kswapd_wakes;
  scheduler_.trace().emit(kKswapdWoken, scheduler_.current_actor(), free_, options_.low_pages);
  kswapd_.wake_all();
}

void Memory::balance() {
  while (free_ < options_.high_pages) {
    const std::uint64_t progress_before = progress_;
    const std::uint64_t freed =
        reclaim(std::min(kReclaimBatch, options_.high_pages - free_), true);
    stats_.kswapd_freed += freed;
    if (freed == 0 && progress_ == progress_before) {
      REACHED("kswapd gives up for now since nothing can be reclaimed");
      return;
    }
  }
}

void Memory::run_kswapd() {
  for (;;) {
    while (!kswapd_woken_) kswapd_.wait_idle();
    kswapd_woken_ = false;
    balance();
    // A fiber that found kswapd at work left a wish behind: obsolete if the high mark is reached.
    if (free_ >= options_.high_pages) kswapd_woken_ = false;
  }
}

}  // namespace dmsim
