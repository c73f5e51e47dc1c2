// LVM2's commands, as far as dmsim has them: activation, the creation of a snapshot, the repair and the
// resynchronisation of a mirror.
//
// Each is the sequence of steps that lvm2 takes, one ioctl or one I/O after the other; what stands in the
// way of one stops the command right there. They return what went wrong, in words; empty: nothing.
#pragma once

#include <string>

#include "engine/lvm/group_changes.h"
#include "engine/lvm/metadata_change.h"
#include "engine/lvm/session.h"
#include "engine/lvm/tree_update.h"

namespace dmsim::lvm {

struct CommandResult {
  std::string failure;  // empty: done
  DmError error;        // of the ioctl that failed, if one did
  bool locked = false;  // something else is being done to what it needs: it may be tried again
  bool ok() const { return failure.empty(); }
};

// What every command does to devices: the steps of `update`, with the metadata of `change`, which are precommitted,
// committed in between. `devices`: what a scan in the middle would read.
struct ApplyOptions {
  bool commit_before_resume = true;
};
CommandResult apply_change(Session& session, MetadataChange& change, DeviceUpdate& update,
                           const std::vector<std::string>& devices, ApplyOptions options);
std::vector<std::string> names_of(const std::vector<DeviceNode>& tree);
TreeOptions tree_options(Session& session);

// vgchange -ay: reads the metadata and brings up every visible volume.
CommandResult activate_group(Session& session, std::string_view group);

struct SnapshotRequest {
  std::string group;
  std::string origin;
  std::string name;
  std::string store;           // physical volume of its store
  Extents extents = 0;         // of the store
  std::uint32_t chunk_sectors = 8;
};
// lvcreate --snapshot.
CommandResult create_snapshot(Session& session, const SnapshotRequest& request);

// lvconvert --repair: takes out of the mirror what its status calls failed. `device`: the mapped device of
// the mirror.
struct RepairRequest {
  std::string group;
  std::string volume;
  std::string device;
};
CommandResult repair_mirror(Session& session, const RepairRequest& request);

// lvchange --resync: takes a mirror down, wipes its log and brings it up again, so that all of it is copied
// from its first leg. Nobody may use it meanwhile.
struct ResyncRequest {
  std::string group;
  std::string volume;
};
CommandResult resync_mirror(Session& session, const ResyncRequest& request);

}  // namespace dmsim::lvm
