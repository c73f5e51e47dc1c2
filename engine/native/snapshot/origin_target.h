// snapshot-origin: a device of which there may be snapshots. Reads go straight on; writes first see to it
// that no snapshot loses what it still reads from here. "snapshot-origin DEVICE".
#pragma once

#include "engine/native/snapshot/origins.h"
#include "engine/native/snapshot/snapshot_base.h"

namespace dmsim::native {

class SnapshotOrigin final : public SnapshotBase {
 public:
  SnapshotOrigin(const TargetArguments& arguments, BlockDevice& device)
      : SnapshotBase(arguments, device), origins_(Origins::of(arguments.host)) {}
  ~SnapshotOrigin() override { origins_.erase(*this); }

  std::string_view type() const override { return "snapshot-origin"; }
  MapResult map(TargetBio& bio) override;
  std::uint32_t discard_bios() const override { return 0; }
  bool split_varies() const override { return true; }
  // A write must lie within one chunk of every snapshot, as they were when the origin was resumed.
  std::uint32_t split_sectors_for(Op op) const override {
    return op == Op::kWrite ? write_boundary_ : 0;
  }
  std::vector<TargetDevice> data_devices() const override { return {{&origin_, 0, length()}}; }
  void resume() override;
  void postsuspend() override;
  std::string status(StatusKind kind) override {
    return kind == StatusKind::kInfo ? std::string() : origin_.name();
  }

 private:
  Origins& origins_;
  std::uint32_t write_boundary_ = 0;
};

DmResult<std::unique_ptr<Target>> construct_snapshot_origin(const TargetArguments& arguments);

}  // namespace dmsim::native
