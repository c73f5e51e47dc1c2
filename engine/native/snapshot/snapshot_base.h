// SnapshotBase: what snapshot-origin, snapshot and snapshot-merge have in common: writes of theirs may have
// to wait for exceptions of snapshots, and are passed on, or fail, long after map().
//
// Their addresses are those of the origin: like Linux's, these targets only work as the first row of a
// table.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "engine/native/core/io.h"
#include "engine/native/snapshot/snapshot_switches.h"
#include "engine/native/target.h"

namespace dmsim::native {

class SnapshotBase : public Target {
 public:
  BlockDevice& origin() const { return origin_; }
  TargetHost& host() const { return host_; }
  // Lets a bio that map() kept go to the device written into it, or ends it.
  void pass_on(TargetBio& bio) { host_.submit(bio); }
  void end(TargetBio& bio, BlockStatus status) { host_.finish(bio, status); }
  // The target whose clone this is: only such clones wait for exceptions.
  static SnapshotBase& of(TargetBio& bio) { return static_cast<SnapshotBase&>(*bio.target); }

 protected:
  SnapshotBase(const TargetArguments& arguments, BlockDevice& origin_device)
      : Target(arguments.begin, arguments.length), host_(arguments.host), origin_(origin_device) {}

  TargetHost& host_;
  BlockDevice& origin_;
};

}  // namespace dmsim::native
