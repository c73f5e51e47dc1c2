// DeviceInode: the inode of a block device, as far as device-mapper was ever concerned with it: its lock. What
// freezes a device may be one as well.
#pragma once

namespace dmsim {

class DeviceInode {
 public:
  virtual void lock_inode() = 0;  // blocks
  virtual void unlock_inode() = 0;

 protected:
  ~DeviceInode() = default;
};

}  // namespace dmsim
