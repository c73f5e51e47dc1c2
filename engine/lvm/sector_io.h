// SectorIo: how a command of user space reads and writes devices: O_DIRECT, one request at a time, waiting.
//
// A request to a suspended device waits until it is resumed, like anybody's. Longer runs than the device
// takes in one piece go out one after the other. Nothing is flushed unless asked for. Data travel through
// memory aligned to a page, as O_DIRECT asks for: where a kernel splits memory at pages must not depend on
// where an allocator put it.
#pragma once

#include <cstddef>
#include <span>

#include "block/device.h"
#include "sim/scheduler.h"

namespace dmsim::lvm {

class SectorIo {
 public:
  explicit SectorIo(Scheduler& scheduler) : scheduler_(scheduler) {}

  // Sizes are multiples of 512, ranges lie within the device. False: the device answered with an error.
  bool read(BlockDevice& device, Sector first, std::span<std::byte> out);
  bool write(BlockDevice& device, Sector first, std::span<const std::byte> bytes);
  bool flush(BlockDevice& device);

 private:
  bool transfer(BlockDevice& device, Op op, Sector first, std::byte* bytes, std::size_t count);
  Scheduler& scheduler_;
};

}  // namespace dmsim::lvm
