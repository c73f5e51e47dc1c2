#include "models/disk/image.h"

#include <bit>
#include <cstring>

namespace dmsim {
namespace {

constexpr std::uint64_t bit_of(std::uint64_t slot) { return std::uint64_t{1} << slot; }

std::uint32_t levels_for(std::uint64_t pages) {
  std::uint32_t levels = 1;
  for (std::uint64_t covered = kImageFanOut; covered < pages; covered *= kImageFanOut) ++levels;
  return levels;
}

std::uint64_t sector_digest(const Image& image, Sector sector) {
  return image.page(sector / kPageSectors)
      .sector_digest(static_cast<std::uint32_t>(sector % kPageSectors));
}

// The first sector in [from, to) in which two pages differ, or kPageSectors.
std::uint32_t first_differing_sector(const PageRef& a, const PageRef& b, std::uint32_t from,
                                     std::uint32_t to) {
  if (a.same_content(b)) return kPageSectors;
  for (std::uint32_t sector = from; sector < to; ++sector) {
    if (a.sector_digest(sector) != b.sector_digest(sector)) return sector;
  }
  return kPageSectors;
}

}  // namespace

Image::Image(const Pristine& pristine, ImagePool& pool)
    : pristine_(&pristine), pool_(&pool), levels_(levels_for(pristine.pages())) {}

void Image::drop(ImageNode* node, std::uint32_t level) {
  CHECK(node->references > 0);
  if (--node->references > 0) return;
  if (level == 0) {
    auto* leaf = static_cast<ImageLeaf*>(node);
    for (std::uint64_t rest = leaf->present; rest != 0; rest &= rest - 1) {
      leaf->pages[static_cast<std::size_t>(std::countr_zero(rest))] = PageRef();
    }
    pool_->leaves.give_back(leaf);
    return;
  }
  auto* branch = static_cast<ImageBranch*>(node);
  for (std::uint64_t rest = branch->present; rest != 0; rest &= rest - 1) {
    ImageNode*& child = branch->children[static_cast<std::size_t>(std::countr_zero(rest))];
    drop(std::exchange(child, nullptr), level - 1);
  }
  pool_->branches.give_back(branch);
}

ImageLeaf* Image::own_leaf(ImageNode** place) {
  auto* old = static_cast<ImageLeaf*>(*place);
  if (old != nullptr && old->references == 1) return old;
  ImageLeaf* leaf = pool_->leaves.take();
  static_cast<ImageNode&>(*leaf) = old != nullptr ? static_cast<ImageNode&>(*old) : ImageNode{};
  leaf->references = 1;
  for (std::uint64_t rest = leaf->present; rest != 0; rest &= rest - 1) {
    const auto slot = static_cast<std::size_t>(std::countr_zero(rest));
    leaf->pages[slot] = old->pages[slot];
  }
  if (old != nullptr) --old->references;
  *place = leaf;
  return leaf;
}

ImageBranch* Image::own_branch(ImageNode** place) {
  auto* old = static_cast<ImageBranch*>(*place);
  if (old != nullptr && old->references == 1) return old;
  ImageBranch* branch = pool_->branches.take();
  static_cast<ImageNode&>(*branch) = old != nullptr ? static_cast<ImageNode&>(*old) : ImageNode{};
  branch->references = 1;
  for (std::uint64_t rest = branch->present; rest != 0; rest &= rest - 1) {
    const auto slot = static_cast<std::size_t>(std::countr_zero(rest));
    branch->children[slot] = old->children[slot];
    ++branch->children[slot]->references;
  }
  if (old != nullptr) --old->references;
  *place = branch;
  return branch;
}

// Whatever the write hides leaves the sums along its path; the slots it went through are stale until
// somebody asks for the fingerprint.
void Image::set_page(std::uint64_t index, PageRef page) {
  CHECK(index < pages(), index, pages());
  CHECK(page);
  ImageNode** place = &root_;
  for (std::uint32_t level = levels_ - 1; level > 0; --level) {
    ImageBranch* branch = own_branch(place);
    const std::uint32_t slot = slot_of(index, level);
    if ((branch->present & ~branch->stale & bit_of(slot)) != 0) {
      CHECK(branch->children[slot]->stale == 0);
      branch->sum -= branch->children[slot]->sum;
    }
    branch->present |= bit_of(slot);
    branch->stale |= bit_of(slot);
    place = &branch->children[slot];
  }
  ImageLeaf* leaf = own_leaf(place);
  const std::uint32_t slot = slot_of(index, 0);
  if ((leaf->present & ~leaf->stale & bit_of(slot)) != 0) {
    leaf->sum -= contribution(index, leaf->pages[slot]);
  }
  leaf->present |= bit_of(slot);
  leaf->stale |= bit_of(slot);
  leaf->pages[slot] = std::move(page);
}

void Image::set_sectors(PageSpace& space, std::uint64_t index, std::uint8_t sector_mask,
                        const PageRef& from) {
  if (sector_mask == 0) return;
  if (sector_mask == 0xFF) return set_page(index, from);
  PageRef merged = page(index);
  std::byte* bytes = space.change(merged);
  for (std::uint32_t sector = 0; sector < kPageSectors; ++sector) {
    if ((sector_mask >> sector & 1) == 0) continue;
    std::memcpy(bytes + sector * kSectorBytes, from.sector_bytes(sector), kSectorBytes);
  }
  set_page(index, std::move(merged));
}

void Image::write_sectors(PageSpace& space, Sector sector, std::span<const std::byte> bytes) {
  CHECK(bytes.size() % kSectorBytes == 0, bytes.size());
  CHECK(sector + bytes.size() / kSectorBytes <= sectors(), sector, bytes.size(), sectors());
  while (!bytes.empty()) {
    const auto offset = static_cast<std::uint32_t>(sector % kPageSectors) * kSectorBytes;
    const std::size_t size = std::min<std::size_t>(bytes.size(), kPageBytes - offset);
    PageRef changed;
    std::byte* to = nullptr;
    if (size == kPageBytes) {
      changed = space.make(&to);
    } else {
      changed = page(sector / kPageSectors);
      to = space.change(changed) + offset;
    }
    std::memcpy(to, bytes.data(), size);
    set_page(sector / kPageSectors, std::move(changed));
    bytes = bytes.subspan(size);
    sector += size / kSectorBytes;
  }
}

void Image::read(SectorRange range, std::span<std::byte> out) const {
  CHECK(range.begin <= range.end, range.begin, range.end);
  CHECK(range.end <= sectors(), range.end, sectors());
  CHECK(out.size() == range.count() * kSectorBytes, out.size(), range.count());
  for (Sector sector = range.begin; sector < range.end;) {
    const auto first = static_cast<std::uint32_t>(sector % kPageSectors);
    const std::uint64_t count = std::min<std::uint64_t>(kPageSectors - first, range.end - sector);
    std::memcpy(out.data() + (sector - range.begin) * kSectorBytes,
                page(sector / kPageSectors).sector_bytes(first), count * kSectorBytes);
    sector += count;
  }
}

// What a page adds to the sum: nothing if its bytes are the pristine ones, written or not.
std::uint64_t Image::contribution(std::uint64_t index, const PageRef& page) const {
  const PageRef& before = pristine_->page(index);
  if (equal_bytes(before, page)) return 0;
  return mix_words(page.digest(), index);
}

std::uint64_t Image::sum_of(ImageNode* node, std::uint32_t level, std::uint64_t first_index) const {
  for (std::uint64_t rest = node->stale; rest != 0; rest &= rest - 1) {
    const auto slot = static_cast<std::size_t>(std::countr_zero(rest));
    const std::uint64_t index = first_index + (std::uint64_t{slot} << (6 * level));
    node->sum += level == 0 ? contribution(index, static_cast<ImageLeaf*>(node)->pages[slot])
                            : sum_of(static_cast<ImageBranch*>(node)->children[slot], level - 1, index);
  }
  node->stale = 0;
  return node->sum;
}

std::uint64_t Image::fingerprint() const {
  const std::uint64_t base =
      mix_words(pages(), pristine_->content() == DiskContent::kOwn ? pristine_->seed() : 0);
  return mix_words(base, root_ != nullptr ? sum_of(root_, levels_ - 1, 0) : 0);
}

// Looks pages up in order; climbs the tree once for each leaf.
class Image::Cursor {
 public:
  explicit Cursor(const Image& image) : image_(image) {}
  // Null: pristine.
  const PageRef* find(std::uint64_t index) {
    if (index / kImageFanOut != block_) {
      block_ = index / kImageFanOut;
      leaf_ = image_.find_leaf(index);
    }
    if (leaf_ == nullptr) return nullptr;
    const PageRef& page = leaf_->pages[slot_of(index, 0)];
    return page ? &page : nullptr;
  }

 private:
  const Image& image_;
  std::uint64_t block_ = ~std::uint64_t{0};
  const ImageLeaf* leaf_ = nullptr;  // of the pages [block_ * 64, block_ * 64 + 64); null: all pristine
};

std::optional<Sector> Image::first_difference(SectorRange range, const Image& other,
                                              Sector other_begin) const {
  CHECK(range.begin <= range.end, range.begin, range.end);
  CHECK(range.end <= sectors(), range.end, sectors());
  CHECK(other_begin + range.count() <= other.sectors(), other_begin, other.sectors());
  if (range.begin % kPageSectors != other_begin % kPageSectors) {
    return first_difference_shifted(range, other, other_begin);
  }
  const bool one_disk = pristine_ == other.pristine_ && range.begin == other_begin;
  Cursor my_pages(*this), other_pages(other);
  for (Sector sector = range.begin; sector < range.end;) {
    const auto first = static_cast<std::uint32_t>(sector % kPageSectors);
    const auto end = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(kPageSectors, first + (range.end - sector)));
    const std::uint64_t index = sector / kPageSectors;
    const std::uint64_t other_index = (other_begin + (sector - range.begin)) / kPageSectors;
    const PageRef* mine = my_pages.find(index);
    const PageRef* others = other_pages.find(other_index);
    if (mine != nullptr || others != nullptr || !one_disk) {
      if (mine == nullptr) mine = &pristine_->page(index);
      if (others == nullptr) others = &other.pristine_->page(other_index);
      const std::uint32_t differs = first_differing_sector(*mine, *others, first, end);
      if (differs != kPageSectors) return sector - first + differs;
    }
    sector += end - first;
  }
  return std::nullopt;
}

std::optional<Sector> Image::first_difference_shifted(SectorRange range, const Image& other,
                                                      Sector other_begin) const {
  for (Sector sector = range.begin; sector < range.end; ++sector) {
    const Sector other_sector = other_begin + (sector - range.begin);
    if (sector_digest(*this, sector) != sector_digest(other, other_sector)) return sector;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> Image::next_written(std::uint64_t index) const {
  if (root_ == nullptr || index >= pages()) return std::nullopt;
  return next_written_below(root_, levels_ - 1, index);
}

// Among what `node` covers; bits of `index` above the node's level pick the node, and stay.
std::optional<std::uint64_t> Image::next_written_below(const ImageNode* node, std::uint32_t level,
                                                       std::uint64_t index) const {
  const std::uint32_t from = slot_of(index, level);
  const std::uint64_t below = 6 * level;
  const std::uint64_t first_index = (index >> below >> 6) << 6 << below;
  for (std::uint64_t rest = node->present >> from << from; rest != 0; rest &= rest - 1) {
    const auto slot = static_cast<std::uint64_t>(std::countr_zero(rest));
    const std::uint64_t start = std::max(index, first_index + (slot << below));
    if (level == 0) return start;
    const auto* branch = static_cast<const ImageBranch*>(node);
    if (auto found = next_written_below(branch->children[slot], level - 1, start)) return found;
  }
  return std::nullopt;
}

}  // namespace dmsim
