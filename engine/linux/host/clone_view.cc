// SPDX-License-Identifier: GPL-2.0-only
#include "engine/linux/host/clone_view.h"

#include <utility>

#include "engine/linux/host/clone_metadata.h"

namespace dmsim::kernel {

LinuxCloneView::LinuxCloneView(Machine& machine, std::string device, abi_u32 target)
    : machine_(machine), device_(std::move(device)), target_(target) {
  const int error = machine_.peek(
      [this](const abi_kernel& kernel) { return kernel.clone(device_.c_str(), target_, &fixed_); });
  CHECK(error == 0, device_, target_, error);
}

bool LinuxCloneView::hydrated(std::uint64_t region) const {
  CHECK(region < fixed_.region_count, region, fixed_.region_count);
  return machine_.peek([&](const abi_kernel& kernel) {
    return kernel.clone_hydrated(device_.c_str(), target_, region);
  }) != 0;
}

std::uint64_t LinuxCloneView::claim_generation() const {
  return machine_.peek([](const abi_kernel& kernel) { return kernel.claim_generation(); });
}

bool LinuxCloneView::settled() const {
  abi_clone now{};
  const int error = machine_.peek(
      [&](const abi_kernel& kernel) { return kernel.clone(device_.c_str(), target_, &now); });
  if (error != 0 || now.mode != 0) return true;
  return now.hydrates == 0 && now.hydrating == 0 && now.commit_pending == 0;
}

Result<std::vector<bool>, std::string> LinuxCloneView::hydrated_by(const ReadMetadata& metadata) const {
  return clone_metadata::read_hydrated(metadata, fixed_.sectors, fixed_.region_sectors, fixed_.region_count);
}

}  // namespace dmsim::kernel
