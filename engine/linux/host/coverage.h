// SPDX-License-Identifier: GPL-2.0-only
// KernelCoverage: which places of the kernel's own files have been reached, for an image that was built to tell.
//
// A place is the begin of a basic block, as the compiler made them (with -O1); the builder has listed those in
// the kernel's C files, each with its source line. The image writes into the table whatever else happens:
// the table belongs to no life. Who wants to know of one run clears it before.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/linux/abi.h"

namespace dmsim::kernel {

class KernelCoverage {
 public:
  struct Place {
    std::uint64_t offset;  // in the table
    std::string file;      // "drivers/md/dm-raid1.c"
    std::uint32_t line;
  };

  // Of the image at `path`, whose table has so many bytes. Null: the list of places beside it is missing.
  static std::unique_ptr<KernelCoverage> open(const std::string& path, abi_u64 bytes);

  abi_u8* table() { return table_.data(); }
  const std::vector<Place>& places() const { return places_; }
  bool reached(std::size_t place) const { return table_[places_[place].offset] != 0; }
  void clear();

 private:
  std::vector<abi_u8> table_;
  std::vector<Place> places_;  // in order of offsets
};

}  // namespace dmsim::kernel
