// SPDX-License-Identifier: GPL-2.0-only
// LinuxMirrorView: what a mirror target inside the kernel claims, for oracles. Every question goes to the
// image, at the moment it is asked; only what a table lays down for good is kept.
#pragma once

#include <string>
#include <vector>

#include "engine/linux/host/machine.h"

namespace dmsim::kernel {

class LinuxMirrorView final : public MirrorView {
 public:
  LinuxMirrorView(Machine& machine, std::string device, abi_u32 target);

  Sector begin() const override { return fixed_.begin; }
  std::uint64_t sectors() const override { return fixed_.sectors; }
  std::uint32_t region_sectors() const override { return fixed_.region_sectors; }
  std::uint64_t region_count() const override { return fixed_.region_count; }
  const std::vector<Leg>& legs() const override;
  std::string log_device() const override { return fixed_.log_device; }
  MirrorRegion region(std::uint64_t index) const override;
  std::uint64_t tracked_regions() const override;
  std::uint64_t held_bios() const override;
  std::uint64_t claim_generation() const override;

 private:
  Machine& machine_;
  std::string device_;
  abi_u32 target_;
  abi_mirror fixed_{};
  mutable std::vector<Leg> legs_;
};

}  // namespace dmsim::kernel
