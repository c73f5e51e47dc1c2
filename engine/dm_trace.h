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

// A mapped device is made, without a table.
inline constexpr TraceKind kDmCreate{"dm.create", {{kDeviceArg}}};
// A table goes into the inactive slot, or is refused.
inline constexpr TraceKind kDmLoad{
    "dm.load", {{kDeviceArg, {"table", ArgForm::kText}, kErrnoArg}}};
// A suspend begins.
inline constexpr TraceKind kDmSuspend{"dm.suspend", {{kDeviceArg, {"noflush"}, {"skip_lockfs"}}}};
// A suspend has ended.
inline constexpr TraceKind kDmSuspended{"dm.suspended", {{kDeviceArg, kErrnoArg}}};
// A resume begins; new_table = 1: the inactive table becomes the live one.
inline constexpr TraceKind kDmResume{"dm.resume", {{kDeviceArg, {"new_table"}}}};
// A resume has ended.
inline constexpr TraceKind kDmResumed{"dm.resumed", {{kDeviceArg, kErrnoArg}}};
// A mapped device goes, or is refused to go.
inline constexpr TraceKind kDmRemove{"dm.remove", {{kDeviceArg, kErrnoArg}}};
// A message goes to the target at the sector.
inline constexpr TraceKind kDmMessage{
    "dm.message", {{kDeviceArg, {"sector"}, {"text", ArgForm::kText}}}};

// A user's bio arrives at the mapped device.
inline constexpr TraceKind kDmSubmit{
    "dm.submit", {{kOpArg, {"sector"}, {"count"}, {"fua"}, {"issuer", ArgForm::kActor}}}};
// A target passes a bio, or a part of one, to a lower device.
inline constexpr TraceKind kDmMap{
    "dm.map", {{{"lower", ArgForm::kActor}, kOpArg, {"sector"}, {"count"}, {"fua"}}}};
// A user's bio is answered by the mapped device; `cause` is its dm.submit.
inline constexpr TraceKind kDmComplete{
    "dm.complete", {{{"status", ArgForm::kEnum, kStatusNames}, {"injected"}}}};
// A bio is put off until the device is resumed.
inline constexpr TraceKind kDmDefer{"dm.defer", {{kOpArg, {"sector"}, {"count"}}}};
// A bio that a target gave back is put off, to be issued again.
inline constexpr TraceKind kDmRequeue{"dm.requeue", {{kOpArg, {"sector"}, {"count"}}}};
// The device has an event for whoever waits; `number` counts them.
inline constexpr TraceKind kDmEvent{"dm.event", {{{"number"}}}};

// Whoever asked the device whether it is congested has a table in hand that has been replaced meanwhile, and
// destroys it.
inline constexpr TraceKind kDmLastUser{"dm.last_user", {{kDeviceArg}}};

}  // namespace dmsim
