// The trace kinds of the clone: the material of its stories.
#pragma once

#include "sim/trace.h"

namespace dmsim::native {

enum class HydrationWay : std::uint8_t { kBackground, kForWrite, kOverwrite, kDiscard };
inline constexpr std::string_view kHydrationWayNames[] = {"background", "for a write", "overwrite",
                                                          "discard"};
enum class CommitStep : std::uint8_t {
  kBegins,
  kDestinationFlushed,
  kBitmapWritten,
  kBitmapFlushed,
  kDone,
  kFailed,
};
inline constexpr std::string_view kCommitStepNames[] = {"begins",         "destination flushed",
                                                        "bitmap written", "bitmap flushed",
                                                        "done",           "failed"};
inline constexpr std::string_view kCloneModeNames[] = {"read-write", "read-only", "fail"};

// A copy, or an overwriting write, of `count` regions from `region` on begins.
inline constexpr TraceKind kTraceHydrate{
    "clone.hydrate", {{{"region"}, {"count"}, {"way", ArgForm::kEnum, kHydrationWayNames}, {}, {}}}};
// The region is read from the destination from now on; ok=0: its hydration has failed.
inline constexpr TraceKind kTraceHydrated{"clone.hydrated", {{{"region"}, {"ok"}, {}, {}, {}}}};
// `sequence`: of the transaction; `regions`: that it adds.
inline constexpr TraceKind kTraceCommit{
    "clone.commit", {{{"step", ArgForm::kEnum, kCommitStepNames}, {"sequence"}, {"regions"}, {}, {}}}};
// The transaction that has just been committed adds this region.
inline constexpr TraceKind kTraceCommitted{"clone.committed", {{{"region"}, {"sequence"}, {}, {}, {}}}};
// The metadata have been read, or made.
inline constexpr TraceKind kTraceMetadataRead{"clone.metadata_read",
                                              {{{"sequence"}, {"hydrated"}, {"made"}, {}, {}}}};
// What the clone may still do once its metadata could not be written.
inline constexpr TraceKind kTraceCloneMode{
    "clone.mode", {{{"mode", ArgForm::kEnum, kCloneModeNames}, {}, {}, {}, {}}}};

}  // namespace dmsim::native
