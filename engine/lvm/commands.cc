#include "engine/lvm/commands.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/reached.h"
#include "engine/lvm/metadata_change.h"
#include "engine/lvm/pvmove_update.h"

namespace dmsim::lvm {
namespace {

CommandResult failed(std::string why, DmError error = {}) { return {std::move(why), std::move(error)}; }

// The store of a snapshot begins as a volume like any other, visible under the snapshot's name for as long
// as its first chunk is wiped.
std::string make_store(Session& session, const SnapshotRequest& request) {
  MetadataChange change(session, request.group);
  if (std::string why = change.begin(); !why.empty()) return why;
  if (change.group().logical(request.origin) == nullptr) {
    return fmt::format("there is no volume '{}'", request.origin);
  }
  if (change.group().logical(request.origin)->has_status("LOCKED")) {
    REACHED("a snapshot of a volume that is being moved is refused");
    return fmt::format("{} is locked", request.origin);
  }
  if (auto added = add_linear(change.group(), request.name, request.store, request.extents); !added) {
    return added.error();
  }
  if (std::string why = change.prepare("Created *after* executing 'lvcreate --snapshot', its store"); !why.empty()) {
    return why;
  }
  if (std::string why = change.commit(); !why.empty()) return why;
  const std::vector<DeviceNode> tree{{device_name(request.group, request.name),
                                      own_table(change.group(), request.name)}};
  if (std::string why = activate(session, tree); !why.empty()) return why;
  BlockDevice* const device = session.environment().mapper.find(tree[0].name);
  CHECK(device != nullptr, tree[0].name);
  const std::vector<std::byte> zeros(std::size_t{request.chunk_sectors} * kSectorBytes);
  if (!session.io().write(*device, 0, zeros) || !session.io().flush(*device)) {
    return fmt::format("the store of {} cannot be wiped", request.name);
  }
  if (auto removed = session.remove(tree[0].name); !removed) return fmt::format("{} is in use", tree[0].name);
  return {};
}

// A log whose header is gone knows of no region that is in sync.
std::string wipe_log(Session& session, const VolumeGroup& group, const std::string& log) {
  if (log.empty()) return {};
  const std::vector<DeviceNode> tree{{device_name(group.name, log), own_table(group, log)}};
  if (std::string why = activate(session, tree); !why.empty()) return why;
  BlockDevice* const device = session.environment().mapper.find(tree[0].name);
  CHECK(device != nullptr, tree[0].name);
  const std::vector<std::byte> zeros(kPageBytes);
  if (!session.io().write(*device, 0, zeros) || !session.io().flush(*device)) {
    return fmt::format("{} cannot be wiped", log);
  }
  return {};
}

// Of the volumes that a repair takes away, one that is being moved; empty: none is. The last leg is not taken away: the
// volume takes over its segments.
std::string moving_part(const VolumeGroup& old, const std::string& volume, const std::vector<std::string>& gone,
                        const VolumeGroup& next) {
  for (const std::string& name : gone) {
    const LogicalVolume& part = *old.logical(name);
    if (part.has_status("LOCKED") && part.segments != next.logical(volume)->segments) return name;
  }
  return {};
}

// A change that was committed and cannot be carried out is followed by one that takes it back, unless somebody else
// has changed the metadata since.
void take_back(Session& session, const std::string& group, std::uint64_t sequence, VolumeGroup old) {
  MetadataChange back(session, group);
  if (!back.begin().empty() || back.group().sequence != sequence) return;
  REACHED("a snapshot that cannot be made is taken out of the metadata again");
  old.sequence = sequence;
  back.group() = std::move(old);
  if (back.prepare("Created *after* 'lvcreate --snapshot' has failed").empty()) back.commit();
}

}  // namespace

TreeOptions tree_options(Session& session) {
  const LvmEnvironment& env = session.environment();
  return {env.switches.passthrough, env.moves.handle_errors};
}

std::vector<std::string> names_of(const std::vector<DeviceNode>& tree) {
  std::vector<std::string> out;
  for (const DeviceNode& node : tree) out.push_back(node.name);
  return out;
}

CommandResult apply_change(Session& session, MetadataChange& change, DeviceUpdate& update,
                           const std::vector<std::string>& devices, ApplyOptions options) {
  LvmEnvironment& env = session.environment();
  if (!update.preload() || !update.suspend()) {
    CommandResult result = failed(update.failure(), update.error());
    update.give_up();
    change.revert();
    return result;
  }
  if (!env.switches.memory_reserved) {
    REACHED("a command needs memory while it holds a device suspended");
    env.user_space.allocate_memory();
  }
  if (!env.switches.scan_skips_suspended) session.scan(devices);
  if (options.commit_before_resume) {
    if (std::string why = change.commit(); !why.empty()) {
      update.give_up();
      return failed(std::move(why));
    }
  }
  if (!env.switches.backup_before_suspend) {
    REACHED("a command writes its backup while it holds a device suspended");
    env.user_space.write_backup(change.group().name);
  }
  if (!update.resume()) return failed(update.failure(), update.error());
  if (!options.commit_before_resume) {
    REACHED("metadata is committed after the devices were resumed");
    if (std::string why = change.commit(); !why.empty()) return failed(std::move(why));
  }
  if (!update.clean()) return failed(update.failure(), update.error());
  return {};
}

CommandResult activate_group(Session& session, std::string_view group) {
  const Administration::Command busy(session.environment().administration);
  Result<VolumeGroup> read = session.metadata(group).read();
  if (!read) return failed(fmt::format("volume group {}: {}", group, read.error().to_string()));
  if (read->name != group) return failed(fmt::format("there is no volume group '{}'", group));
  const std::vector<DeviceNode> tree = device_tree(*read, tree_options(session));
  const bool lower_first = session.environment().moves.mirror_active_before_users;
  return failed(lower_first ? activate(session, tree) : activate_mirrors_last(session, tree));
}

CommandResult create_snapshot(Session& session, const SnapshotRequest& request) {
  LvmEnvironment& env = session.environment();
  const RunningCommand running(session, request.group, device_name(request.group, request.origin));
  env.user_space.allocate_memory();
  session.scan({device_name(request.group, request.origin)});
  if (std::string why = make_store(session, request); !why.empty()) return failed(std::move(why));

  MetadataChange change(session, request.group);
  if (std::string why = change.begin(); !why.empty()) return failed(std::move(why));
  for (const std::string* name : {&request.origin, &request.name}) {
    if (change.group().logical(*name) != nullptr) continue;
    REACHED("a command finds its own change of the metadata undone by another command");
    return failed(fmt::format("there is no volume '{}' any more", *name));
  }
  const std::vector<DeviceNode> before = device_tree(change.group(), request.origin, tree_options(session));
  const VolumeGroup old = change.group();
  add_snapshot(change.group(), request.origin, request.name, request.chunk_sectors);
  const std::vector<DeviceNode> after = device_tree(change.group(), request.origin, tree_options(session));
  if (std::string why = change.prepare("Created *after* executing 'lvcreate --snapshot'"); !why.empty()) {
    return failed(std::move(why));
  }
  if (env.switches.backup_before_suspend) env.user_space.write_backup(request.group);
  const std::string top = device_name(request.group, request.origin);
  TreeUpdate update(session, before, after,
                    {{.noflush = !env.switches.snapshot_flush, .skip_lockfs = !env.switches.snapshot_lockfs},
                     env.switches.origin_resumed_last ? "" : top, top});
  CommandResult result =
      apply_change(session, change, update, names_of(before), {env.switches.commit_before_resume});
  if (!result.ok() && env.switches.failure_taken_back && update.can_go_back()) {
    update.give_up();
    take_back(session, request.group, change.group().sequence, old);
  }
  // A mirror that has moved down is watched there from now on.
  if (result.ok() && env.administration.monitor != nullptr) {
    env.administration.monitor(own_device(change.group(), request.origin, tree_options(session)));
  }
  return result;
}

CommandResult repair_mirror(Session& session, const RepairRequest& request) {
  LvmEnvironment& env = session.environment();
  const RunningCommand running(session, request.group, request.device);
  env.user_space.allocate_memory();
  session.scan({request.device});
  MetadataChange change(session, request.group);
  if (std::string why = change.begin(); !why.empty()) return failed(std::move(why));
  // Somebody may have repaired it, or moved it, while this one waited for its lock.
  const auto status = session.status(request.device);
  if (!status) return failed(fmt::format("{} is gone", request.device), status.error());
  const MirrorHealth health = mirror_health(*status);
  if (!health.needs_repair()) {
    REACHED("a mirror needs no repair any more when its turn comes");
    return {};
  }
  if (change.group().logical(request.volume) == nullptr) {
    return failed(fmt::format("there is no volume '{}'", request.volume));
  }
  const std::vector<DeviceNode> before = device_tree(change.group(), request.volume, tree_options(session));
  const VolumeGroup old = change.group();
  const auto gone = reduce_mirror(change.group(), request.volume, health);
  if (!gone) return failed(gone.error());
  if (const std::string moving = moving_part(old, request.volume, *gone, change.group()); !moving.empty()) {
    REACHED("a repair would take away what is being moved, and is refused");
    CommandResult refused = failed(fmt::format("{} is locked", moving));
    refused.locked = true;
    return refused;
  }
  const std::vector<DeviceNode> after = device_tree(change.group(), request.volume, tree_options(session));
  if (std::string why = change.prepare("Created *after* executing 'lvconvert --repair'"); !why.empty()) {
    return failed(std::move(why));
  }
  if (env.switches.backup_before_suspend) env.user_space.write_backup(request.group);
  TreeUpdate update(session, before, after,
                    {{.noflush = env.switches.repair_noflush, .skip_lockfs = env.switches.repair_noflush},
                     "",
                     {},
                     env.switches.temporary_is_error ? "error" : "zero"});
  return apply_change(session, change, update, names_of(before), {env.switches.commit_before_resume});
}

CommandResult resync_mirror(Session& session, const ResyncRequest& request) {
  LvmEnvironment& env = session.environment();
  const std::string top = device_name(request.group, request.volume);
  const RunningCommand running(session, request.group, top);
  env.user_space.allocate_memory();
  MetadataChange change(session, request.group);
  if (std::string why = change.begin(); !why.empty()) return failed(std::move(why));
  const LogicalVolume* const volume = change.group().logical(request.volume);
  if (volume == nullptr || volume->segments[0].type != Segment::Type::kMirror) {
    return failed(fmt::format("{} is no mirror", request.volume));
  }
  const std::string log = volume->segments[0].log;
  const std::vector<DeviceNode> tree = device_tree(change.group(), request.volume, tree_options(session));
  const std::string watched = own_device(change.group(), request.volume, tree_options(session));
  if (std::string why = change.prepare("Created *after* executing 'lvchange --resync'"); !why.empty()) {
    return failed(std::move(why));
  }
  if (env.switches.resync_unmonitors && env.administration.unmonitor != nullptr) {
    env.administration.unmonitor(watched);
  }
  const auto begin_to_watch = [&] {
    if (env.administration.monitor != nullptr) env.administration.monitor(watched);
  };
  for (auto node = tree.rbegin(); node != tree.rend(); ++node) {
    if (session.remove(node->name)) continue;
    change.revert();
    begin_to_watch();
    return failed(fmt::format("{} is in use", node->name));
  }
  if (std::string why = change.commit(); !why.empty()) return failed(std::move(why));
  if (std::string why = wipe_log(session, change.group(), log); !why.empty()) return failed(std::move(why));
  if (std::string why = activate(session, tree); !why.empty()) return failed(std::move(why));
  begin_to_watch();
  return {};
}

}  // namespace dmsim::lvm
