#include "engine/lvm/lvm1_pvmove.h"

#include <cerrno>

#include <fmt/format.h>

#include "base/reached.h"
#include "engine/lvm/lvm1_trace.h"

namespace dmsim::lvm1 {

std::string Pvmove::run(const std::string& group_name, const std::string& from, const std::string& to) {
  const Group* const group = driver_.group(group_name);
  if (group == nullptr) return fmt::format("there is no volume group {}", group_name);
  const auto source = group->find_disk(from);
  const auto target = group->find_disk(to);
  if (!source || !target) return fmt::format("{} or {} is no physical volume of {}", from, to, group_name);
  for (std::size_t v = 0; v < group->volumes.size(); ++v) {
    for (std::uint32_t extent = 0; extent < group->volumes[v].map.size(); ++extent) {
      if (group->volumes[v].map[extent].disk != *source) continue;
      const auto place = group->free_extent(*target);
      if (!place) return fmt::format("{} has no free extent", to);
      const DmResult<> result = move_extent({group_name, group->volumes[v].name, extent, *place});
      if (!result) {
        return fmt::format("extent {} of {} stays where it is: {}", extent, group->volumes[v].name,
                           result.error().reason);
      }
      ++moved_;
    }
  }
  return {};
}

DmResult<> Pvmove::move_extent(const Move& move) {
  if (!no_ioctl_) {
    ++tried_;
    DmResult<> result = driver_.locked_copy(move);
    if (result.ok() || result.error().errno_value != EOPNOTSUPP) return result;
    no_ioctl_ = true;
    driver_.scheduler().trace().emit(kFallback, driver_.scheduler().current_actor());
  }
  return move_the_old_way(move);
}

DmResult<> Pvmove::move_the_old_way(const Move& move) {
  const Group* const group = driver_.group(move.group);
  if (auto locked = driver_.lock(move); !locked) return locked;
  const Place from = driver_.locked()->place;
  if (!copy_buffered(*group, from, move.to) || !driver_.write_map(move)) {
    REACHED("a move in the old way fails and leaves the extent where it was");
    driver_.unlock();
    return Failure{DmError{EIO, "the extent could not be copied, or its map not be written"}};
  }
  driver_.remap(move);
  driver_.unlock();
  return Done{};
}

// read() and write(), a page at a time, and fsync() at the end: the data must be there before the map says so.
bool Pvmove::copy_buffered(const Group& group, Place from, Place to) {
  const std::string& source = group.disks[from.disk].name;
  const std::string& target = group.disks[to.disk].name;
  Scheduler& scheduler = driver_.scheduler();
  const Actor source_actor = scheduler.trace().actors().intern(source);
  const Actor target_actor = scheduler.trace().actors().intern(target);
  scheduler.trace().emit(kCopyBuffered, scheduler.current_actor(), static_cast<std::uint64_t>(source_actor),
                         group.sector_of(from), static_cast<std::uint64_t>(target_actor), group.sector_of(to),
                         group.extent_sectors);
  buffer_.resize(kPageBytes);
  for (Sector done = 0; done < group.extent_sectors; done += kPageSectors) {
    if (!driver_.surroundings().read_buffered(source, group.sector_of(from) + done, buffer_)) return false;
    if (!driver_.surroundings().write_buffered(target, group.sector_of(to) + done, buffer_)) return false;
  }
  return driver_.surroundings().sync_buffered(target);
}

}  // namespace dmsim::lvm1
