// SPDX-License-Identifier: GPL-2.0-only
#include "engine/linux/host/mirror_view.h"

#include <utility>

namespace dmsim::kernel {

LinuxMirrorView::LinuxMirrorView(Machine& machine, std::string device, abi_u32 target)
    : machine_(machine), device_(std::move(device)), target_(target) {
  const int error = machine_.peek(
      [this](const abi_kernel& kernel) { return kernel.mirror(device_.c_str(), target_, &fixed_); });
  CHECK(error == 0, device_, target_, error);
  CHECK(fixed_.leg_count <= std::size(fixed_.legs), fixed_.leg_count);
  for (abi_u32 i = 0; i < fixed_.leg_count; ++i) {
    const abi_mirror_leg& leg = fixed_.legs[i];
    legs_.push_back({leg.device, leg.offset, leg.failed != 0});
  }
}

// Which legs have failed changes without any region's claim changing.
const std::vector<MirrorView::Leg>& LinuxMirrorView::legs() const {
  abi_mirror now;
  const int error = machine_.peek(
      [&](const abi_kernel& kernel) { return kernel.mirror(device_.c_str(), target_, &now); });
  if (error == 0 && now.leg_count == legs_.size()) {
    for (std::size_t i = 0; i < legs_.size(); ++i) legs_[i].failed = now.legs[i].failed != 0;
  }
  return legs_;
}

MirrorRegion LinuxMirrorView::region(std::uint64_t index) const {
  CHECK(index < fixed_.region_count, index, fixed_.region_count);
  abi_mirror_region state{};
  const int error = machine_.peek([&](const abi_kernel& kernel) {
    return kernel.mirror_region(device_.c_str(), target_, index, &state);
  });
  CHECK(error == 0, device_, index, error);
  MirrorRegion out;
  out.in_sync = state.in_sync != 0;
  out.clean = state.clean != 0;
  out.recovering = state.recovering != 0;
  out.pending = state.pending;
  out.tracked = state.tracked != 0;
  return out;
}

std::uint64_t LinuxMirrorView::tracked_regions() const {
  return machine_.peek(
      [this](const abi_kernel& kernel) { return kernel.mirror_tracked(device_.c_str(), target_); });
}

std::uint64_t LinuxMirrorView::held_bios() const {
  return machine_.peek(
      [this](const abi_kernel& kernel) { return kernel.mirror_held(device_.c_str(), target_); });
}

std::uint64_t LinuxMirrorView::claim_generation() const {
  return machine_.peek([](const abi_kernel& kernel) { return kernel.claim_generation(); });
}

}  // namespace dmsim::kernel
