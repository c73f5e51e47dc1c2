// PageReader: reads a device past all watching, as the checker of a world does, in a fiber.
#pragma once

#include <algorithm>
#include <vector>

#include "harness/world.h"
#include "models/memory/direct_io.h"

namespace dmsim {

// Reads ranges of a device past all watching and hands each page to a function.
class PageReader {
 public:
  static constexpr std::uint64_t kReadPages = 64;  // longest read

  PageReader(World& world, BlockDevice& device)
      : device_(device),
        io_(world.scheduler(), world.pages(), device, world.trace().actors().intern("checker")) {}

  // visit(page number, content) for every page of `pages` (ascending); false: a read failed.
  template <typename Visit>
  bool read(const std::vector<std::uint64_t>& pages, Visit visit) {
    for (std::size_t i = 0; i < pages.size();) {
      std::size_t end = i + 1;
      while (end < pages.size() && pages[end] == pages[end - 1] + 1 && end - i < kReadPages) ++end;
      const SectorRange range{pages[i] * kPageSectors,
                              std::min((pages[end - 1] + 1) * kPageSectors, device_.sectors())};
      DirectRequest& request = io_.read(range);
      const bool ok = io_.wait(request).ok();
      for (std::size_t at = i; ok && at < end; ++at) visit(pages[at], request.page(at - i));
      io_.release(request);
      if (!ok) return false;
      i = end;
    }
    return true;
  }

 private:
  BlockDevice& device_;
  DirectIo io_;
};

}  // namespace dmsim
