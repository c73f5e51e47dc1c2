// SPDX-License-Identifier: GPL-2.0-only
// LinuxCloneView: what a clone target inside the kernel claims, for oracles; and, from the bytes of its
// metadata device, what the next activation will believe (clone_metadata.h).
#pragma once

#include <string>
#include <vector>

#include "engine/linux/host/machine.h"

namespace dmsim::kernel {

class LinuxCloneView final : public CloneView {
 public:
  LinuxCloneView(Machine& machine, std::string device, abi_u32 target);

  Sector begin() const override { return fixed_.begin; }
  std::uint64_t sectors() const override { return fixed_.sectors; }
  std::uint32_t region_sectors() const override { return fixed_.region_sectors; }
  std::uint64_t region_count() const override { return fixed_.region_count; }
  std::string metadata_device() const override { return fixed_.metadata_device; }
  std::string destination_device() const override { return fixed_.destination_device; }
  std::string source_device() const override { return fixed_.source_device; }
  bool hydrated(std::uint64_t region) const override;
  std::uint64_t claim_generation() const override;
  Result<std::vector<bool>, std::string> hydrated_by(const ReadMetadata& metadata) const override;
  bool settled() const override;

 private:
  Machine& machine_;
  std::string device_;
  abi_u32 target_;
  abi_clone fixed_{};
};

}  // namespace dmsim::kernel
