// Pvmove: the tool of LVM1 that moves every extent off a disk, one after the other, while the volumes are in use.
//
// It tries the locked-copy ioctl. Where the kernel has none it remembers that, does not try again, and does what it
// did before there was one: lock, read and write through the buffer caches of the disks like any process, write the
// map, change the map, unlock.
#pragma once

#include <string>
#include <vector>

#include "engine/lvm/lvm1_driver.h"

namespace dmsim::lvm1 {

class Pvmove {
 public:
  explicit Pvmove(Driver& driver) : driver_(driver) {}

  // In a fiber. What went wrong, in words; empty: nothing of the group is left on `from`.
  std::string run(const std::string& group, const std::string& from, const std::string& to);
  std::uint64_t moved() const { return moved_; }
  // How often the ioctl was tried.
  std::uint64_t tried() const { return tried_; }

 private:
  DmResult<> move_extent(const Move& move);
  DmResult<> move_the_old_way(const Move& move);
  bool copy_buffered(const Group& group, Place from, Place to);

  Driver& driver_;
  bool no_ioctl_ = false;
  std::uint64_t moved_ = 0;
  std::uint64_t tried_ = 0;
  std::vector<std::byte> buffer_;
};

}  // namespace dmsim::lvm1
