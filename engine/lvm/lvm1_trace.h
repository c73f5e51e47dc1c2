// What LVM1 and its pvmove write into the trace, beside what every mapped device does (engine/dm_trace.h). The actor
// is the process that moves, but for lvm1.hold and lvm1.late, where it is the volume.
#pragma once

#include "engine/dm_trace.h"

namespace dmsim::lvm1 {

inline constexpr TraceArg kVolumeArg{"device", ArgForm::kActor};
inline constexpr TraceArg kDiskArg{"disk", ArgForm::kActor};

// fsync_dev on the volume begins.
inline constexpr TraceKind kFsyncDev{"lvm1.fsync_dev", {{kVolumeArg}}};
// Logical extent `extent`, which is physical extent `at` of the disk, is locked: new I/O to it is held.
inline constexpr TraceKind kLock{"lvm1.lock", {{kVolumeArg, {"extent"}, kDiskArg, {"at"}}}};
// What was on its way to the locked extent is through; tracked = 0: nobody has counted, and this is only what
// fsync_dev makes of it.
inline constexpr TraceKind kDrained{"lvm1.drained", {{kVolumeArg, {"tracked"}, {"waited_for"}}}};
// A request to a locked extent waits until it is unlocked.
inline constexpr TraceKind kHold{"lvm1.hold", {{kOpArg, {"sector"}, {"count"}}}};
// Sectors of a disk are copied, past every buffer cache.
inline constexpr TraceKind kCopy{
    "lvm1.copy", {{kDiskArg, {"sector"}, {"to", ArgForm::kActor}, {"to_sector"}, {"count"}}}};
// Sectors of a disk are copied through the disks' own buffer caches.
inline constexpr TraceKind kCopyBuffered{
    "lvm1.copy_buffered", {{kDiskArg, {"sector"}, {"to", ArgForm::kActor}, {"to_sector"}, {"count"}}}};
// The copy asks for page frames while the extent is locked.
inline constexpr TraceKind kNeedsMemory{"lvm1.needs_memory", {{{"frames"}}}};
// That version of the map is durable on every disk of the group.
inline constexpr TraceKind kCommit{"lvm1.commit", {{{"sequence"}}}};
// From now on the logical extent is that physical extent.
inline constexpr TraceKind kRemap{"lvm1.remap", {{kVolumeArg, {"extent"}, kDiskArg, {"at"}}}};
// The lock is gone; `released`: requests that had waited.
inline constexpr TraceKind kUnlock{"lvm1.unlock", {{kVolumeArg, {"extent"}, {"released"}}}};
// A request ends on an extent that was moved away while it was on its way.
inline constexpr TraceKind kLate{"lvm1.late", {{kOpArg, {"sector"}, {"count"}, kDiskArg}}};
// The kernel knows no locked copy: from now on the old way.
inline constexpr TraceKind kFallback{"lvm1.fallback", {}};

}  // namespace dmsim::lvm1
