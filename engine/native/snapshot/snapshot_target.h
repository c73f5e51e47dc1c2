// The three targets of this room:
//
//   snapshot-origin ORIGIN
//   snapshot        ORIGIN COW P|PO|N CHUNK_SECTORS [#features discard_zeroes_cow discard_passdown_origin]
//   snapshot-merge  the same
//
// Its parts: origins (who is a snapshot of what, and what an origin's write waits for), snapshot (chunks
// and their exceptions), exception_store with its two kinds, chunk_copier (the copies).
#pragma once

#include "engine/native/snapshot/snapshot_switches.h"
#include "engine/native/target.h"

namespace dmsim::native {

// Errors carry dm's own words; what the kernel would only print goes after them in parentheses.
DmResult<std::unique_ptr<Target>> construct_snapshot_origin(const TargetArguments& arguments);
DmResult<std::unique_ptr<Target>> construct_snapshot(const TargetArguments& arguments);
DmResult<std::unique_ptr<Target>> construct_snapshot_merge(const TargetArguments& arguments);

inline constexpr TargetType kSnapshotOriginType{"snapshot-origin", construct_snapshot_origin};
inline constexpr TargetType kSnapshotType{"snapshot", construct_snapshot};
inline constexpr TargetType kSnapshotMergeType{"snapshot-merge", construct_snapshot_merge};

}  // namespace dmsim::native
