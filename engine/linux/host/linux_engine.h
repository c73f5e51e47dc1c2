// SPDX-License-Identifier: GPL-2.0-only
// LinuxEngine: the DeviceMapper seam over a kernel image.
//
// The verbs are the kernel's own; what is done here is translation: scenario names for major:minor
// numbers, errno values, the trace kinds that every engine shares. A device counts as open while a bio of
// a user is under way, as it does for whoever opened its block device.
//
// Where a verb cannot be asked of the kernel, because nobody may block there, table() answers from what the
// scenario has loaded.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/linux/host/kernel_image.h"
#include "engine/linux/host/machine.h"
#include "engine/linux/host/mapped_device.h"
#include "engine/switches.h"

namespace dmsim::kernel {

class LinuxEngine final : public DeviceMapper, private MachineListener {
 public:
  // Boots a machine. The image outlives the engine.
  LinuxEngine(KernelImage& image, const EngineEnvironment& environment, MachineOptions options);
  // The scheduler has been shut down by then: no fiber is inside.
  ~LinuxEngine() override = default;

  DmResult<> create(std::string_view device) override;
  DmResult<> load(std::string_view device, std::string_view table) override;
  DmResult<> suspend(std::string_view device, SuspendOptions options) override;
  DmResult<> resume(std::string_view device) override;
  DmResult<> remove(std::string_view device) override;
  DmResult<std::string> status(std::string_view device) override;
  DmResult<std::string> table(std::string_view device, TableSlot slot) override;
  DmResult<std::string> message(std::string_view device, Sector sector, std::string_view text) override;
  DmResult<std::uint32_t> wait_event(std::string_view device, std::uint32_t seen) override;
  DmResult<std::uint32_t> event_number(std::string_view device) override;
  BlockDevice* find(std::string_view device) override;
  void set_freezer(std::string_view device, Freezer* freezer) override;
  std::uint64_t table_generation() const override { return table_generation_; }
  std::vector<const MirrorView*> mirrors(std::string_view device) override;
  std::vector<const CloneView*> clones(std::string_view device) override;
  const std::vector<EngineTrouble>& troubles() const override { return machine_.troubles(); }
  std::uint64_t bios_in_flight() const override { return bios_in_flight_; }
  std::vector<std::string> leaks() override;

  Machine& machine() { return machine_; }

 private:
  struct Number {
    abi_u32 major;
    abi_u32 minor;
    std::string name;
  };

  LinuxMappedDevice* find_mapped(std::string_view name);
  TraceId emit(const TraceKind& kind, const LinuxMappedDevice& device, std::uint64_t a = 0,
               std::uint64_t b = 0);
  void learn_number(const std::string& name);
  void introduce_disks(std::string_view table);
  // "254:0" where a word is just that: the name of whom it belongs to.
  std::string with_names(std::string_view lines) const;
  DmResult<std::string> ask_status(LinuxMappedDevice& device, bool inactive, bool as_table);

  // MachineListener.
  int freeze(std::string_view device) override;
  void thaw(std::string_view device) override;
  void on_event(std::string_view device) override;
  void on_table_changed(std::string_view device) override;
  void on_done(void* request_cookie, abi_status status) override;

  std::vector<std::unique_ptr<LinuxMappedDevice>> devices_;  // in order of creation
  std::vector<std::unique_ptr<LinuxMappedDevice>> removed_;  // views of theirs may still be held
  std::vector<Number> numbers_;
  std::uint64_t table_generation_ = 0;
  std::uint64_t bios_in_flight_ = 0;
  Machine machine_;
  RecordPool<UserBio> bios_;
};

// What a plan may say of the machine that a kernel runs on, in the form of switches: none of them is a fault of
// the kernel, each is something that it must bear.
std::span<const SwitchInfo> linux_switches();
MachineOptions machine_options(const SwitchValues& switches);

}  // namespace dmsim::kernel
