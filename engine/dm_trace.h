// The kinds of trace events that dm core emits, whichever engine it belongs to. The actor column is the
// mapped device, except for the verbs (dm.create .. dm.message), where it is whoever called and the
// device is the first argument.
#pragma once

#include "block/bio.h"
#include "sim/trace.h"

namespace dmsim {

inline constexpr TraceArg kDeviceArg{"device", ArgForm::kActor};
inline constexpr TraceArg kErrnoArg{"errno", ArgForm::kNumber};  // 0: success
inline constexpr TraceArg kOpArg{"op", ArgForm::kEnum, kOpNames};

inline constexpr TraceKind kDmCreate{"dm.create", {{kDeviceArg}}};
inline constexpr TraceKind kDmLoad{
    "dm.load", {{kDeviceArg, {"table", ArgForm::kText}, kErrnoArg}}};
// Emitted when a suspend begins; dm.suspended when it has ended.
inline constexpr TraceKind kDmSuspend{"dm.suspend", {{kDeviceArg, {"noflush"}, {"skip_lockfs"}}}};
inline constexpr TraceKind kDmSuspended{"dm.suspended", {{kDeviceArg, kErrnoArg}}};
// Emitted when a resume begins; dm.resumed when it has ended.
inline constexpr TraceKind kDmResume{"dm.resume", {{kDeviceArg, {"new_table"}}}};
inline constexpr TraceKind kDmResumed{"dm.resumed", {{kDeviceArg, kErrnoArg}}};
inline constexpr TraceKind kDmRemove{"dm.remove", {{kDeviceArg, kErrnoArg}}};
inline constexpr TraceKind kDmMessage{
    "dm.message", {{kDeviceArg, {"sector"}, {"text", ArgForm::kText}}}};

inline constexpr TraceKind kDmSubmit{
    "dm.submit", {{kOpArg, {"sector"}, {"count"}, {"fua"}, {"issuer", ArgForm::kActor}}}};
inline constexpr TraceKind kDmMap{
    "dm.map", {{{"lower", ArgForm::kActor}, kOpArg, {"sector"}, {"count"}, {"fua"}}}};
inline constexpr TraceKind kDmComplete{
    "dm.complete", {{{"status", ArgForm::kEnum, kStatusNames}, {"injected"}}}};
inline constexpr TraceKind kDmDefer{"dm.defer", {{kOpArg, {"sector"}, {"count"}}}};
inline constexpr TraceKind kDmRequeue{"dm.requeue", {{kOpArg, {"sector"}, {"count"}}}};
inline constexpr TraceKind kDmEvent{"dm.event", {{{"number"}}}};

}  // namespace dmsim
