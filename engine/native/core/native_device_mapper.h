// NativeDeviceMapper: the DeviceMapper seam over MappedDevices; the part of Linux's dm-ioctl.c that
// is about names, slots and which verb may do what when.
//
// dm's own complaints go into DmError::reason in dm's words, without the device's and the target's
// name in front.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/device_mapper.h"
#include "engine/native/core/io.h"
#include "engine/native/core/mapped_device.h"
#include "engine/native/core/table.h"
#include "engine/native/target.h"

namespace dmsim::native {

class NativeDeviceMapper final : public DeviceMapper, private LowerDevices {
 public:
  // `types` come on top of linear, error, zero and delay, and must not repeat them.
  NativeDeviceMapper(const EngineEnvironment& environment, SwitchValues switches,
                     std::span<const TargetType> types);
  // The scheduler has been shut down by then: no fiber is inside.
  ~NativeDeviceMapper() override;

  DmResult<> create(std::string_view device) override;
  DmResult<> load(std::string_view device, std::string_view table) override;
  DmResult<> suspend(std::string_view device, SuspendOptions options) override;
  DmResult<> resume(std::string_view device) override;
  DmResult<> remove(std::string_view device) override;
  DmResult<std::string> status(std::string_view device) override;
  DmResult<std::string> table(std::string_view device, TableSlot slot) override;
  DmResult<std::string> message(std::string_view device, Sector sector,
                                std::string_view text) override;
  DmResult<std::uint32_t> wait_event(std::string_view device, std::uint32_t seen) override;
  DmResult<std::uint32_t> event_number(std::string_view device) override;
  BlockDevice* find(std::string_view device) override;
  void set_freezer(std::string_view device, Freezer* freezer) override;
  std::uint64_t table_generation() const override { return context_.table_generation; }
  std::vector<const MirrorView*> mirrors(std::string_view device) override;
  std::vector<const CloneView*> clones(std::string_view device) override;
  std::uint64_t bios_in_flight() const override { return context_.bios_in_flight; }
  std::vector<std::string> leaks() override;

 private:
  MappedDevice* find_mapped(std::string_view name) override;
  DmResult<> do_load(MappedDevice& device, std::string_view text);
  DmResult<> do_suspend(MappedDevice& device, SuspendOptions options);
  DmResult<> do_resume(MappedDevice& device, std::unique_ptr<Table> table);
  DmResult<std::string> do_message(MappedDevice& device, Sector sector, std::string_view text);
  // Drops a table that nobody may reach any more.
  void retire(MappedDevice& device, std::unique_ptr<Table> table);
  void retire(MappedDevice& device, Table* kept);
  TraceId emit(const TraceKind& kind, const MappedDevice& device, std::uint64_t a = 0,
               std::uint64_t b = 0);

  CoreContext context_;
  SwitchValues switches_;
  std::vector<TargetType> types_;
  std::vector<std::unique_ptr<MappedDevice>> devices_;  // in order of creation
};

}  // namespace dmsim::native
