// The trace kinds of the mirror, and the words they use: the material of its stories.
#pragma once

#include "sim/trace.h"

namespace dmsim::native {

// A region's state changed: clean, dirty, nosync, recovering, gone (the log alone speaks for it).
inline constexpr TraceKind kTraceRegion{
    "mirror.region",
    {{{"region"}, {"from", ArgForm::kText}, {"to", ArgForm::kText}, {"pending"}, {}}}};
// A leg is about to be written to. The sector is the leg device's own.
inline constexpr TraceKind kTraceWrite{"mirror.write", {{{"leg"}, {"sector"}, {"count"}, {}, {}}}};
// A leg is about to be read. The sector is the leg device's own.
inline constexpr TraceKind kTraceRead{"mirror.read", {{{"leg"}, {"sector"}, {"count"}, {}, {}}}};
// A page was copied to a bounce buffer; torn: it changed in mid-copy. Sectors are the mapped
// device's.
inline constexpr TraceKind kTraceBounce{"mirror.bounce",
                                        {{{"sector"}, {"count"}, {"version"}, {"torn"}, {}}}};
// A leg carries an error from now on; `health` is its status letter.
inline constexpr TraceKind kTraceLegFailed{
    "mirror.leg_failed", {{{"leg"}, {"health", ArgForm::kText}, {"default"}, {}, {}}}};
// The log is written: bits set (clean) and cleared (dirty) since the last time.
inline constexpr TraceKind kTraceLogWrite{"mirror.log_write", {{{"set"}, {"cleared"}, {}, {}, {}}}};
// The log device was flushed after a write of the log.
inline constexpr TraceKind kTraceLogFlush{"mirror.log_flush", {{{"ok"}, {}, {}, {}, {}}}};
// The log is given up; `what` failed.
inline constexpr TraceKind kTraceLogFailed{"mirror.log_failed",
                                           {{{"what", ArgForm::kText}, {}, {}, {}, {}}}};
// All legs were flushed so that regions may become clean.
inline constexpr TraceKind kTraceLegFlush{"mirror.leg_flush",
                                          {{{"failed_legs", ArgForm::kHex}, {}, {}, {}, {}}}};
// Recovery of a region: how far it is.
inline constexpr TraceKind kTraceRecover{"mirror.recover",
                                         {{{"region"}, {"phase", ArgForm::kText}, {}, {}, {}}}};
// A write is held until somebody has repaired the mirror.
inline constexpr TraceKind kTraceHold{"mirror.hold", {{{"sector"}, {"count"}, {}, {}, {}}}};
// A write is given back to the core, to be issued again.
inline constexpr TraceKind kTraceRequeue{"mirror.requeue", {{{"sector"}, {"count"}, {}, {}, {}}}};
// Every region is synchronised; leg errors are forgiven.
inline constexpr TraceKind kTraceSync{"mirror.sync", {{{"regions"}, {}, {}, {}, {}}}};

}  // namespace dmsim::native
