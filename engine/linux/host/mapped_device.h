// SPDX-License-Identifier: GPL-2.0-only
// LinuxMappedDevice: one mapped device of a kernel, from above: a BlockDevice whose bios become requests
// of the image, page by page by reference, and come back when the image says so.
//
// The kernel does not know which errors were made by faults. An error counts as injected if a fault's
// error has reached this kernel since it booted: legs that failed stay failed, so an old one may explain
// a new one. Whether the error had to be is for the harness to judge, which knows the disks.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/linux/host/clone_view.h"
#include "engine/linux/host/machine.h"
#include "engine/linux/host/mirror_view.h"

namespace dmsim::kernel {

class LinuxMappedDevice;

// A bio on its way through the image.
struct UserBio {
  static constexpr std::uint32_t kInline = 16;
  abi_request request{};
  Bio* bio = nullptr;
  LinuxMappedDevice* device = nullptr;  // null: the record is not in use
  abi_vec own[kInline];
};

// What all devices of a machine share.
struct DeviceContext {
  Machine& machine;
  RecordPool<UserBio>& bios;
  std::uint64_t& bios_in_flight;
};

class LinuxMappedDevice final : public BlockDevice {
 public:
  LinuxMappedDevice(DeviceContext context, std::string name);

  const std::string& name() const override { return name_; }
  std::uint64_t sectors() const override { return shape().sectors; }
  BlockLimits limits() const override { return shape().limits; }
  void submit(Bio& bio) override;
  void end(UserBio& record, abi_status status);

  Actor actor() const { return actor_; }
  std::uint64_t bios() const { return bios_; }
  void set_freezer(Freezer* freezer);
  Freezer* freezer() const { return freezer_; }
  bool freeze();
  void thaw();

  // What the scenario has loaded, for whoever asks where the kernel cannot be asked.
  const std::string& live_text() const { return live_text_; }
  const std::string& inactive_text() const { return inactive_text_; }
  bool has_inactive() const { return has_inactive_; }
  void set_inactive(std::string text);
  void clear_inactive();
  // The live table has been swapped or dropped.
  void on_table_changed();
  // Raises the event number; returns it.
  std::uint32_t on_event() { return ++events_; }

  const std::vector<const MirrorView*>& mirrors();
  const std::vector<const CloneView*>& clones();

 private:
  struct Shape {
    std::uint64_t sectors = 0;
    BlockLimits limits;
  };
  const Shape& shape() const;
  void fill_vecs(UserBio& record, const Bio& bio);
  void find_views();

  Machine& machine_;
  RecordPool<UserBio>& records_;
  std::uint64_t& bios_in_flight_;
  std::string name_;
  Actor actor_;
  void* mapped_ = nullptr;  // the image's name of it
  std::uint64_t bios_ = 0;
  Freezer* freezer_ = nullptr;
  Freezer* frozen_ = nullptr;  // by a suspend
  std::string live_text_;
  std::string inactive_text_;
  bool has_inactive_ = false;
  std::uint32_t events_ = 0;
  mutable bool shape_known_ = false;
  mutable Shape shape_;
  bool views_known_ = false;
  std::vector<const MirrorView*> mirrors_;
  std::vector<const CloneView*> clones_;
  // All views that ever were: somebody may still hold one of a table that is gone.
  std::vector<std::unique_ptr<LinuxMirrorView>> all_mirrors_;
  std::vector<std::unique_ptr<LinuxCloneView>> all_clones_;
};

}  // namespace dmsim::kernel
