#include "models/disk/pristine.h"

#include <cstring>

namespace dmsim {
namespace {

void fill_sector(std::byte* out, const std::string& disk, std::uint64_t seed, Sector sector) {
  for (std::uint32_t word = 0; word < kSectorBytes / sizeof(std::uint64_t); ++word) {
    const std::uint64_t value = mix_words(seed + sector, word + 1);
    std::memcpy(out + word * sizeof value, &value, sizeof value);
  }
  const std::string stamp = fmt::format("pristine {:.40} sector {}\n", disk, sector);
  std::memcpy(out, stamp.data(), stamp.size());
}

}  // namespace

Pristine::Pristine(PagePool& pool, const DiskOptions& options)
    : pool_(pool),
      name_(options.name),
      content_(options.content),
      pages_(options.sectors / kPageSectors),
      // Two disks of different names share no sector, whatever their sizes.
      seed_(mix_words(digest_bytes(options.name.data(), options.name.size()), 0)),
      blocks_((pages_ + kBlockPages - 1) / kBlockPages) {
  CHECK(options.sectors > 0);
  CHECK(options.sectors % kPageSectors == 0, options.sectors);
}

const PageRef& Pristine::materialise(std::uint64_t index) const {
  if (content_ == DiskContent::kZero) {
    if (!zero_) {
      PageContent* content = pool_.allocate();
      content->bytes.fill(std::byte{0});
      zero_ = PageRef(content);
    }
    return zero_;
  }
  auto& block = blocks_[index / kBlockPages];
  if (block == nullptr) block = std::make_unique<Block>();
  PageContent* content = pool_.allocate();
  for (std::uint32_t sector = 0; sector < kPageSectors; ++sector) {
    fill_sector(content->bytes.data() + sector * kSectorBytes, name_, seed_,
                index * kPageSectors + sector);
  }
  return (*block)[index % kBlockPages] = PageRef(content);
}

}  // namespace dmsim
