// Image: the durable content of a disk, copy-on-write.
//
// A radix tree of fan-out 64 over page indices whose leaves hold PageRefs; a page that was never
// written is absent and pristine. Copying an image shares the whole tree (O(1)); changing a page of a
// shared tree copies the path to it and nothing else. Reference counts are not atomic: one thread.
//
// The fingerprint is a sum over the pages that differ from pristine, so it does not depend on history
// and it is kept up to date in the nodes: a write takes what it hides out of the sums along its path,
// asking for the fingerprint adds what is new. Pages are digested once per content. Two images
// of one disk are equal exactly if their fingerprints are, short of a collision in 64 bits.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "block/page.h"
#include "models/disk/pool.h"
#include "models/disk/pristine.h"

namespace dmsim {

inline constexpr std::uint32_t kImageFanOut = 64;

struct ImageNode {
  std::uint32_t references;  // >= 1 while in use
  std::uint64_t present;     // bit: the slot holds something
  std::uint64_t stale;       // bit: the slot is not counted in `sum`
  std::uint64_t sum;         // of the counted slots' contributions to the fingerprint
};
struct ImageLeaf : ImageNode {
  std::array<PageRef, kImageFanOut> pages;
  ImageLeaf* next = nullptr;
};
struct ImageBranch : ImageNode {
  std::array<ImageNode*, kImageFanOut> children;  // of absent slots: null
  ImageBranch* next = nullptr;
};

// Memory for the nodes of images. Outlives every image drawn from it; the page pool outlives it.
struct ImagePool {
  Slabs<ImageLeaf> leaves;
  Slabs<ImageBranch> branches;
};

class Image {
 public:
  // All pristine. Both outlive every copy of the image.
  Image(const Pristine& pristine, ImagePool& pool);
  Image(const Image& other)
      : pristine_(other.pristine_), pool_(other.pool_), root_(other.root_), levels_(other.levels_) {
    if (root_ != nullptr) ++root_->references;
  }
  Image(Image&& other) noexcept
      : pristine_(other.pristine_),
        pool_(other.pool_),
        root_(std::exchange(other.root_, nullptr)),
        levels_(other.levels_) {}  // `other` is pristine now
  Image& operator=(Image other) noexcept {
    std::swap(pristine_, other.pristine_);
    std::swap(pool_, other.pool_);
    std::swap(root_, other.root_);
    std::swap(levels_, other.levels_);
    return *this;
  }
  ~Image() {
    if (root_ != nullptr) drop(root_, levels_ - 1);
  }

  std::uint64_t pages() const { return pristine_->pages(); }
  std::uint64_t sectors() const { return pages() * kPageSectors; }
  const Pristine& pristine() const { return *pristine_; }

  // Index < pages(). The reference stays valid until this image changes or dies.
  const PageRef& page(std::uint64_t index) const {
    const PageRef* written = find(index);
    return written != nullptr ? *written : pristine_->page(index);
  }
  // Something was stored there; its bytes may nevertheless equal the pristine ones.
  bool written(std::uint64_t index) const { return find(index) != nullptr; }

  // Stores by reference. `page` is not null.
  void set_page(std::uint64_t index, PageRef page);
  // Stores those sectors of page `index` whose bit is set in `sector_mask`, taken from the same
  // sectors of `from`. By reference if all are; else into a page that `space` makes.
  void set_sectors(PageSpace& space, std::uint64_t index, std::uint8_t sector_mask,
                   const PageRef& from);
  // Stores plain bytes; sizes are multiples of 512. Any alignment to pages.
  void write_sectors(PageSpace& space, Sector sector, std::span<const std::byte> bytes);

  // Copies sectors out; out.size() == range.count() * 512.
  void read(SectorRange range, std::span<std::byte> out) const;

  // Of the whole content; 1 to 2 microseconds after a small change.
  std::uint64_t fingerprint() const;

  // The first sector of `range` that differs from its counterpart in `other`, of which `other_begin`
  // is the first; none: equal. By pointer, then by digest; also where the two lie differently
  // within their pages.
  std::optional<Sector> first_difference(SectorRange range, const Image& other,
                                         Sector other_begin) const;
  bool equal(SectorRange range, const Image& other, Sector other_begin) const {
    return !first_difference(range, other, other_begin).has_value();
  }

  // Calls visit(index, page) for every page that was stored, in order of index; those whose bytes
  // equal the pristine ones are left out.
  template <typename Visit>
  void for_each_changed(Visit visit) const {
    for (auto index = next_written(0); index; index = next_written(*index + 1)) {
      const PageRef& now = *find(*index);
      if (!equal_bytes(now, pristine_->page(*index))) visit(*index, now);
    }
  }
  // Calls visit(index) for every page that is stored differently in `other`, an image of the same disk,
  // in order of index; what the two share is passed over. Their bytes may be equal all the same.
  template <typename Visit>
  void for_each_difference(const Image& other, Visit visit) const {
    CHECK(pristine_ == other.pristine_);
    visit_differences(root_, other.root_, levels_ - 1, 0, visit);
  }
  // The first stored page at or after `index`; none: no more.
  std::optional<std::uint64_t> next_written(std::uint64_t index) const;

 private:
  class Cursor;
  const ImageLeaf* find_leaf(std::uint64_t index) const {
    CHECK(index < pages(), index, pages());
    const ImageNode* node = root_;
    for (std::uint32_t level = levels_ - 1; level > 0 && node != nullptr; --level) {
      node = static_cast<const ImageBranch*>(node)->children[slot_of(index, level)];
    }
    return static_cast<const ImageLeaf*>(node);
  }
  // Null: never written.
  const PageRef* find(std::uint64_t index) const {
    const ImageLeaf* leaf = find_leaf(index);
    if (leaf == nullptr) return nullptr;
    const PageRef& page = leaf->pages[slot_of(index, 0)];
    return page ? &page : nullptr;
  }
  static std::uint32_t slot_of(std::uint64_t index, std::uint32_t level) {
    return static_cast<std::uint32_t>(index >> (6 * level)) % kImageFanOut;
  }
  template <typename Visit>
  static void visit_differences(const ImageNode* a, const ImageNode* b, std::uint32_t level,
                                std::uint64_t first_index, Visit& visit) {
    if (a == b) return;
    const std::uint64_t present = (a == nullptr ? 0 : a->present) | (b == nullptr ? 0 : b->present);
    for (std::uint64_t rest = present; rest != 0; rest &= rest - 1) {
      const auto slot = static_cast<std::uint32_t>(std::countr_zero(rest));
      if (level == 0) {
        const PageContent* mine =
            a == nullptr ? nullptr : static_cast<const ImageLeaf*>(a)->pages[slot].get();
        const PageContent* others =
            b == nullptr ? nullptr : static_cast<const ImageLeaf*>(b)->pages[slot].get();
        if (mine != others) visit(first_index + slot);
      } else {
        visit_differences(
            a == nullptr ? nullptr : static_cast<const ImageBranch*>(a)->children[slot],
            b == nullptr ? nullptr : static_cast<const ImageBranch*>(b)->children[slot], level - 1,
            first_index + (static_cast<std::uint64_t>(slot) << (6 * level)), visit);
      }
    }
  }
  void drop(ImageNode* node, std::uint32_t level);
  // The node in *place, alone there: made if there is none, copied if it is shared.
  ImageLeaf* own_leaf(ImageNode** place);
  ImageBranch* own_branch(ImageNode** place);
  std::uint64_t contribution(std::uint64_t index, const PageRef& page) const;
  std::uint64_t sum_of(ImageNode* node, std::uint32_t level, std::uint64_t first_index) const;
  std::optional<std::uint64_t> next_written_below(const ImageNode* node, std::uint32_t level,
                                                  std::uint64_t index) const;
  std::optional<Sector> first_difference_shifted(SectorRange range, const Image& other,
                                                 Sector other_begin) const;

  const Pristine* pristine_;
  ImagePool* pool_;
  ImageNode* root_ = nullptr;  // null: all pristine
  std::uint32_t levels_;       // 1: the root is a leaf
};

}  // namespace dmsim
