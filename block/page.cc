#include "block/page.h"

#include <new>

namespace dmsim {
namespace {
constexpr std::size_t kSlabPages = 64;
}

PagePool::PagePool() = default;

PagePool::~PagePool() {
  CHECK(live_ == 0, live_);
  for (PageContent* slab : slabs_) {
    ::operator delete[](slab, std::align_val_t{alignof(PageContent)});
  }
}

void PagePool::grow() {
  void* memory = ::operator new[](sizeof(PageContent) * kSlabPages,
                                  std::align_val_t{alignof(PageContent)});
  auto* slab = static_cast<PageContent*>(memory);
  slabs_.push_back(slab);
  for (std::size_t i = 0; i < kSlabPages; ++i) {
    slab[i].pool = this;
    slab[i].next_free = free_;
    free_ = &slab[i];
  }
}

void PageRef::compute_digests() const {
  std::uint64_t all = 0;
  for (std::uint32_t sector = 0; sector < kPageSectors; ++sector) {
    const std::uint64_t digest = digest_bytes(sector_bytes(sector), kSectorBytes);
    content_->sector_digests[sector] = digest;
    all = mix_words(all, digest);
  }
  content_->page_digest = all;
  content_->digests_valid = true;
}

}  // namespace dmsim
