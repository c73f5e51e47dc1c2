// The trace kinds of snapshots: the material of their stories. The actor is the snapshot's device, or its
// worker ("kcopyd NAME").
#pragma once

#include "sim/trace.h"

namespace dmsim::native {

enum class ExceptionCause : std::uint8_t { kOriginWrite, kSnapshotWrite, kMerge };
inline constexpr std::string_view kExceptionCauses[] = {"origin write", "snapshot write", "merge"};

// A chunk gets a place of its own in the store: its old content will be copied there (whole: a write of
// the whole chunk goes there instead).
inline constexpr TraceKind kTraceException{
    "snapshot.exception",
    {{{"chunk"}, {"place"}, {"cause", ArgForm::kEnum, kExceptionCauses}, {"whole"}, {}}}};
// The copy has ended.
inline constexpr TraceKind kTraceCopied{"snapshot.copied", {{{"chunk"}, {"place"}, {"failed"}, {}, {}}}};
// Records of an area are written; `records` in it now.
inline constexpr TraceKind kTraceArea{"snapshot.area",
                                      {{{"area"}, {"records"}, {"preflush"}, {"fua"}, {}}}};
// The write of an area has ended.
inline constexpr TraceKind kTraceAreaWritten{"snapshot.area_written", {{{"area"}, {"ok"}, {}, {}, {}}}};
// From now on the chunk is read from its place, and whoever waited for that goes on.
inline constexpr TraceKind kTraceRemapped{"snapshot.remapped", {{{"chunk"}, {"place"}, {}, {}, {}}}};
// A write to the origin waits until the chunk has been saved.
inline constexpr TraceKind kTraceOriginWaits{"snapshot.origin_waits", {{{"chunk"}, {"sector"}, {}, {}, {}}}};
// The snapshot is invalid from now on.
inline constexpr TraceKind kTraceInvalid{"snapshot.invalid", {{{"why", ArgForm::kText}, {}, {}, {}, {}}}};
// The header of the store is written; valid = 0: it calls the snapshot invalid.
inline constexpr TraceKind kTraceHeader{"snapshot.header", {{{"valid"}, {"fua"}, {"ok"}, {}, {}}}};
// The store is full.
inline constexpr TraceKind kTraceOverflow{"snapshot.overflow", {}};
// The store goes from one table of the snapshot to another.
inline constexpr TraceKind kTraceHandover{"snapshot.handover", {{{"exceptions"}, {"pending"}, {}, {}, {}}}};
// Origin writes are answered for by the snapshot from now on.
inline constexpr TraceKind kTraceActive{"snapshot.active", {{{"exceptions"}, {"chunk_sectors"}, {}, {}, {}}}};
// Chunks are merged into the origin: a phase of it.
inline constexpr TraceKind kTraceMerge{
    "snapshot.merge", {{{"chunk"}, {"count"}, {"phase", ArgForm::kText}, {}, {}}}};

}  // namespace dmsim::native
