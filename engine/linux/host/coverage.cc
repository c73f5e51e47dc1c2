// SPDX-License-Identifier: GPL-2.0-only
#include "engine/linux/host/coverage.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/check.h"

namespace dmsim::kernel {

std::unique_ptr<KernelCoverage> KernelCoverage::open(const std::string& path, abi_u64 bytes) {
  std::ifstream list(std::filesystem::path(path).parent_path() / "places.txt");
  auto coverage = std::make_unique<KernelCoverage>();
  Place place;
  while (list >> place.offset >> place.file >> place.line) {
    CHECK(place.offset < bytes, path, place.offset, bytes);
    coverage->places_.push_back(place);
  }
  if (coverage->places_.empty()) return nullptr;
  coverage->table_.resize(bytes);
  return coverage;
}

void KernelCoverage::clear() { std::fill(table_.begin(), table_.end(), abi_u8{0}); }

}  // namespace dmsim::kernel
