// Mapper: the upper seam over an engine and LVM1 beside it. Volumes of LVM1 are found and looked at like mapped
// devices, with linear tables for maps; the verbs are the engine's, for LVM1 has none of them.
#pragma once

#include <memory>

#include "engine/lvm/lvm1_volume.h"

namespace dmsim::lvm1 {

class Mapper final : public DeviceMapper {
 public:
  Mapper(std::unique_ptr<DeviceMapper> engine, const EngineEnvironment& environment, Lvm1Switches switches)
      : engine_(std::move(engine)), driver_(environment, switches) {}

  Driver& driver() { return driver_; }

  DmResult<> create(std::string_view device) override { return engine_->create(device); }
  DmResult<> load(std::string_view device, std::string_view table) override { return engine_->load(device, table); }
  DmResult<> suspend(std::string_view device, SuspendOptions options) override {
    return engine_->suspend(device, options);
  }
  DmResult<> resume(std::string_view device) override { return engine_->resume(device); }
  DmResult<> remove(std::string_view device) override { return engine_->remove(device); }
  DmResult<std::string> status(std::string_view device) override { return engine_->status(device); }
  DmResult<std::string> table(std::string_view device, TableSlot slot) override;
  DmResult<std::string> message(std::string_view device, Sector sector, std::string_view text) override {
    return engine_->message(device, sector, text);
  }
  DmResult<std::uint32_t> wait_event(std::string_view device, std::uint32_t seen) override {
    return engine_->wait_event(device, seen);
  }
  DmResult<std::uint32_t> event_number(std::string_view device) override { return engine_->event_number(device); }
  BlockDevice* find(std::string_view device) override;
  void set_freezer(std::string_view device, Freezer* freezer) override;
  std::uint64_t table_generation() const override { return engine_->table_generation() + driver_.map_generation(); }
  std::vector<const MirrorView*> mirrors(std::string_view device) override;
  std::vector<const CloneView*> clones(std::string_view device) override;
  const std::vector<EngineTrouble>& troubles() const override { return engine_->troubles(); }
  std::uint64_t bios_in_flight() const override { return engine_->bios_in_flight() + driver_.bios_in_flight(); }
  std::vector<std::string> leaks() override;

 private:
  std::unique_ptr<DeviceMapper> engine_;
  Driver driver_;
};

}  // namespace dmsim::lvm1
