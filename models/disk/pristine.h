// Pristine: what a disk holds before anybody has written to it.
//
// With DiskContent::kOwn every sector starts with a stamp a person can read in a hex dump
// ("pristine leg0 sector 24\n"), followed by bytes that follow from the disk's name and the sector:
// no two sectors of any two disks are equal, so that data that came from the wrong place shows. With
// DiskContent::kZero all is zero.
//
// A page is made when somebody first looks at it, once per disk, and then shared by every image and
// every world: pages of one Pristine are equal exactly if their contents are.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "block/page.h"
#include "models/options.h"

namespace dmsim {

class Pristine {
 public:
  // `pool` outlives the Pristine; the Pristine outlives every image that starts from it.
  Pristine(PagePool& pool, const DiskOptions& options);

  const std::string& disk_name() const { return name_; }
  std::uint64_t pages() const { return pages_; }
  std::uint64_t seed() const { return seed_; }
  DiskContent content() const { return content_; }

  // Requires index < pages(). The reference stays valid as long as the Pristine.
  const PageRef& page(std::uint64_t index) const {
    CHECK(index < pages_, index, pages_);
    const auto& block = blocks_[index / kBlockPages];
    if (block != nullptr && (*block)[index % kBlockPages]) return (*block)[index % kBlockPages];
    return materialise(index);
  }

 private:
  static constexpr std::uint64_t kBlockPages = 64;
  using Block = std::array<PageRef, kBlockPages>;
  const PageRef& materialise(std::uint64_t index) const;

  PagePool& pool_;
  std::string name_;
  DiskContent content_;
  std::uint64_t pages_;
  std::uint64_t seed_;
  // Made on demand; what a page holds does not depend on when.
  mutable std::vector<std::unique_ptr<Block>> blocks_;
  mutable PageRef zero_;
};

}  // namespace dmsim
