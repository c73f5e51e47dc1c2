// What LVM1 finds around it in a world: the buffer caches of its volumes and, apart from them and ignorant of them,
// those of its disks; and memory.
#include "engine/lvm/lvm1_volume.h"
#include "harness/lvm_room.h"
#include "harness/world.h"

namespace dmsim {

std::string LvmRoom::activate_lvm1(const VolumeGroupPlan& group) {
  auto map = world_.lvm1()->read_map(group.name, group.disks);
  if (!map) return fmt::format("no disk of the volume group {} holds a whole map", group.name);
  world_.lvm1()->activate(std::move(*map));
  world_.note_tables_changed();
  return {};
}

void LvmRoom::fsync_dev(const std::string& device) {
  PageCache& cache = world_.cache(device);
  cache.write_and_wait({0, cache.device().sectors()});
}

bool LvmRoom::knows_of_writes_under_way(const std::string& device) {
  return world_.cache(device).writes_in_flight() > 0;
}

bool LvmRoom::read_buffered(const std::string& disk, Sector first, std::span<std::byte> out) {
  return world_.cache(disk).read(first * kSectorBytes, out).ok();
}

bool LvmRoom::write_buffered(const std::string& disk, Sector first, std::span<const std::byte> bytes) {
  return world_.cache(disk).write(first * kSectorBytes, bytes).ok();
}

bool LvmRoom::sync_buffered(const std::string& disk) { return world_.cache(disk).fsync().ok(); }

void LvmRoom::take_memory(std::uint64_t frames) {
  for (std::uint64_t i = 0; i < frames; ++i) world_.memory().allocate();
}

void LvmRoom::give_back_memory(std::uint64_t frames) {
  for (std::uint64_t i = 0; i < frames; ++i) world_.memory().free();
}

}  // namespace dmsim
