// BlockDevice: the lower seam. Simulated disks are block devices, mapped devices are too.
#pragma once

#include <cstdint>
#include <string>

#include "block/bio.h"

namespace dmsim {

struct BlockLimits {
  std::uint32_t logical_block_sectors = 1;  // 1 or 8: alignment and least size of every bio
  bool discard = true;                      // discards are understood
  bool volatile_cache = false;              // a flush means something (Linux: QUEUE_FLAG_WC)
  bool stable_writes = false;               // pages must not change while being written
  std::uint32_t max_sectors = 2560;         // longest bio that the device takes in one piece
};

class BlockDevice {
 public:
  virtual ~BlockDevice() = default;

  virtual const std::string& name() const = 0;
  virtual std::uint64_t sectors() const = 0;
  virtual BlockLimits limits() const = 0;

  // Starts `bio`; bio.end_io runs later, or before this returns if it fails at once. May block in a
  // fiber (a suspended mapped device never does: it defers). Requires a range within the device.
  virtual void submit(Bio& bio) = 0;

  // So much is under way, or held back, that a writer who does not want to wait had better come again later. Never
  // sleeps. Linux has not asked since 5.18.
  virtual bool congested() { return false; }
};

// What a file system, or whatever else sits on a device, does when the device is to be quiesced.
class Freezer {
 public:
  // Brings everything to the device and stops writing. Blocks. False: it failed, nothing is frozen.
  virtual bool freeze() = 0;
  virtual void thaw() = 0;

 protected:
  ~Freezer() = default;
};

}  // namespace dmsim
