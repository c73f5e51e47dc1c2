#include "engine/lvm/lvm1_switches.h"

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
  const ChosenValues chosen(kTable, values);
  chosen.flag("lvm1.locked_copy", &out.locked_copy);
  chosen.flag("lvm1.drain", &out.tracked);
  chosen.flag("lvm1.copy", &out.direct_copy);
  chosen.flag("lvm1.copy_memory", &out.memory_reserved);
  chosen.flag("lvm1.map_commit", &out.commit_before_unlock);
  return out;
}

}  // namespace dmsim::lvm1
