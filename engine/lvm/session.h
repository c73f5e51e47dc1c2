// Session: one process of user space that drives device-mapper, as libdevmapper does. Every ioctl is an
// event of its own: before each, somebody else may run. Administration hears of each.
#pragma once

#include <string_view>
#include <vector>

#include "engine/device_mapper.h"
#include "engine/lvm/administration.h"
#include "engine/lvm/lvm_switches.h"
#include "engine/lvm/metadata_steps.h"
#include "engine/lvm/pvmove_switches.h"
#include "engine/lvm/sector_io.h"

namespace dmsim::lvm {

// What a process needs beside device-mapper. Both may block.
class UserSpace {
 public:
  // Some memory, given back when the command ends.
  virtual void allocate_memory() = 0;
  // The copy of the metadata in a file of the root file system.
  virtual void write_backup(std::string_view group) = 0;

 protected:
  ~UserSpace() = default;
};

// Everything outlives the session.
struct LvmEnvironment {
  Scheduler& scheduler;
  DeviceMapper& mapper;
  DeviceLookup& disks;
  std::vector<std::string> disk_names;  // all of the machine: what a scan looks at
  Administration& administration;
  UserSpace& user_space;
  LvmSwitches switches;
  PvmoveSwitches moves = {};
};

class Session {
 public:
  explicit Session(LvmEnvironment& environment) : env_(environment), io_(environment.scheduler) {}

  DmResult<> create(std::string_view device);
  DmResult<> load(std::string_view device, std::string_view table);
  DmResult<> suspend(std::string_view device, SuspendOptions options);
  DmResult<> resume(std::string_view device);
  DmResult<> remove(std::string_view device);
  DmResult<std::string> status(std::string_view device);

  // Reads the label of every disk, and the first sector of each of `devices` that may be a physical volume
  // for all a scan knows. Devices that are suspended are passed over, unless the switch says otherwise.
  void scan(const std::vector<std::string>& devices);
  // The metadata of the group, wherever it is.
  MetadataSteps metadata(std::string_view group);

  LvmEnvironment& environment() { return env_; }
  SectorIo& io() { return io_; }

 private:
  LvmEnvironment& env_;
  SectorIo io_;
};

}  // namespace dmsim::lvm
