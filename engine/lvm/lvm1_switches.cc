#include "engine/lvm/lvm1_switches.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "base/check.h"

namespace dmsim::lvm1 {
namespace {

constexpr std::string_view kPresent[] = {"present", "absent"};
constexpr std::string_view kDrain[] = {"tracked", "fsync-dev"};
constexpr std::string_view kCopy[] = {"direct", "buffered"};
constexpr std::string_view kMemory[] = {"reserved", "allocated"};
constexpr std::string_view kCommit[] = {"before-unlock", "after-unlock"};

constexpr SwitchInfo kTable[] = {
    {"lvm1.locked_copy", kPresent,
     "absent: the kernel has no ioctl that locks, copies and maps in one; pvmove falls back to the old way, with all "
     "three of its faults",
     "lvm1-pvmove-fallback"},
    {"lvm1.drain", kDrain,
     "fsync-dev: a lock on an extent waits for what the volume's buffer cache knows of, and for no other I/O that is "
     "on its way",
     "lvm1-pvmove-fsync-dev"},
    {"lvm1.copy", kCopy,
     "buffered: an extent is read through the buffer cache of its disk, which hears nothing of writes to the volume",
     "lvm1-pvmove-incoherent-cache"},
    {"lvm1.copy_memory", kMemory,
     "allocated: the memory for the copy is asked for while the extent is locked, as any process asks",
     "lvm1-pvmove-vm-deadlock"},
    {"lvm1.map_commit", kCommit,
     "after-unlock: writes to a moved extent are answered before the map that says where it is now is on disk",
     "lvm1-map-after-unlock"},
};

}  // namespace

std::span<const SwitchInfo> lvm1_switches() { return kTable; }

Lvm1Switches Lvm1Switches::of(const SwitchValues& values) {
  Lvm1Switches out;
  const std::array<bool*, 5> flags{&out.locked_copy, &out.tracked, &out.direct_copy, &out.memory_reserved,
                                   &out.commit_before_unlock};  // in the order of the table
  static_assert(std::size(kTable) == flags.size());
  for (std::size_t i = 0; i < flags.size(); ++i) {
    const auto found = values.find(kTable[i].name);
    if (found == values.end()) continue;
    CHECK(found->second == kTable[i].values[0] || found->second == kTable[i].values[1], found->second);
    *flags[i] = found->second == kTable[i].values[0];
  }
  return out;
}

}  // namespace dmsim::lvm1
