#include "engine/native/snapshot/origin_target.h"

#include <cerrno>

namespace dmsim::native {

MapResult SnapshotOrigin::map(TargetBio& bio) {
  bio.device = &origin_;
  if (bio.bio.op != Op::kWrite) return MapResult::kRemapped;
  if (!host_.environment().scheduler.in_fiber()) {
    origins_.defer(bio);
    return MapResult::kSubmitted;
  }
  return origins_.write(origin_, bio, true);
}

void SnapshotOrigin::resume() {
  {
    const ReadGuard guard(origins_.lock());
    write_boundary_ = origins_.smallest_chunk(origin_);
  }
  const WriteGuard guard(origins_.lock());
  origins_.insert(*this);
}

void SnapshotOrigin::postsuspend() {
  const WriteGuard guard(origins_.lock());
  origins_.erase(*this);
}

DmResult<std::unique_ptr<Target>> construct_snapshot_origin(const TargetArguments& arguments) {
  if (arguments.words.size() != 1) {
    return Failure{DmError{EINVAL, "origin: incorrect number of arguments"}};
  }
  if (arguments.begin != 0) UNMODELLED("a snapshot-origin that is not the first row");
  BlockDevice* const device = arguments.host.open(arguments.words[0]);
  if (device == nullptr) return Failure{DmError{ENODEV, "Cannot get target device"}};
  return std::unique_ptr<Target>(std::make_unique<SnapshotOrigin>(arguments, *device));
}

}  // namespace dmsim::native
