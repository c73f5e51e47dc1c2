#include "engine/lvm/session.h"

#include <array>

#include "base/reached.h"

namespace dmsim::lvm {

DmResult<> Session::create(std::string_view device) {
  env_.scheduler.yield();
  return env_.mapper.create(device);
}

DmResult<> Session::load(std::string_view device, std::string_view table) {
  env_.scheduler.yield();
  env_.administration.begin_load(device);
  return env_.mapper.load(device, table);
}

DmResult<> Session::suspend(std::string_view device, SuspendOptions options) {
  env_.scheduler.yield();
  env_.administration.begin_suspend(device);
  DmResult<> result = env_.mapper.suspend(device, options);
  env_.administration.end_suspend(device, result.ok());
  return result;
}

DmResult<> Session::resume(std::string_view device) {
  env_.scheduler.yield();
  env_.administration.begin_resume(device);
  DmResult<> result = env_.mapper.resume(device);
  env_.administration.end_resume(device, result.ok());
  return result;
}

DmResult<> Session::remove(std::string_view device) {
  env_.scheduler.yield();
  DmResult<> result = env_.mapper.remove(device);
  if (result.ok()) env_.administration.removed(device);
  return result;
}

DmResult<std::string> Session::status(std::string_view device) {
  env_.scheduler.yield();
  return env_.mapper.status(device);
}

void Session::scan(const std::vector<std::string>& devices) {
  std::array<std::byte, kSectorBytes> sector;
  for (const std::string& name : env_.disk_names) {
    if (BlockDevice* disk = env_.disks.find_disk(name)) io_.read(*disk, kLabelSector, sector);
  }
  for (const std::string& name : devices) {
    BlockDevice* const device = env_.mapper.find(name);
    if (device == nullptr || device->sectors() <= kLabelSector) continue;
    if (env_.administration.is_suspended(name)) {
      if (env_.switches.scan_skips_suspended) continue;
      REACHED("a scan reads a device that its own command has suspended");
    }
    io_.read(*device, kLabelSector, sector);
  }
}

MetadataSteps Session::metadata(std::string_view group) {
  std::vector<BlockDevice*> disks;
  for (const std::string& name : env_.disk_names) {
    BlockDevice* const disk = env_.disks.find_disk(name);
    if (disk != nullptr && disk->sectors() > kLabelSector) disks.push_back(disk);
  }
  return MetadataSteps(io_, std::move(disks), group, env_.switches.metadata_flush);
}

}  // namespace dmsim::lvm
