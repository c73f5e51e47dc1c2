// What a page cache writes into the trace. `cache` is the cache's own actor; the event's actor is the
// fiber that did it. "The task stores version 2 of page 3" is one cache.store.
#pragma once

#include "sim/trace.h"

namespace dmsim {

// A store through a shared mapping changed a page. `offset` and `bytes` within the page.
inline constexpr TraceKind kCacheStore{
    "cache.store",
    {{{"cache", ArgForm::kActor}, {"page"}, {"offset"}, {"bytes"}, {"version"}}}};
// The same by write(2); a write over several pages is several events.
inline constexpr TraceKind kCacheWrite{
    "cache.write",
    {{{"cache", ArgForm::kActor}, {"page"}, {"offset"}, {"bytes"}, {"version"}}}};
// A clean page became dirty; again = 1: while it was under writeback.
inline constexpr TraceKind kCacheDirty{
    "cache.dirty", {{{"cache", ArgForm::kActor}, {"page"}, {"version"}, {"again"}}}};
// A writer begins to wait for the end of the page's writeback (stable pages).
inline constexpr TraceKind kCacheStableWait{
    "cache.stable_wait", {{{"cache", ArgForm::kActor}, {"page"}, {"version"}}}};
// A page's dirty bit is cleared, its bio is submitted next; the version may still change in flight.
inline constexpr TraceKind kCacheWriteback{
    "cache.writeback", {{{"cache", ArgForm::kActor}, {"page"}, {"version"}}}};
// The file system itself writes a dirty page, and has taken its dirty mark off: nobody who asks the cache sees it.
inline constexpr TraceKind kCacheUnlisted{
    "cache.unlisted", {{{"cache", ArgForm::kActor}, {"page"}, {"version"}}}};
// Its writeback ended; `version` is what the page holds now; error: BlockStatus::Code, 0 is ok.
inline constexpr TraceKind kCacheWritten{
    "cache.written", {{{"cache", ArgForm::kActor}, {"page"}, {"version"}, {"error"}}}};
// A missing page was read from the device.
inline constexpr TraceKind kCacheRead{
    "cache.read", {{{"cache", ArgForm::kActor}, {"page"}, {"version"}, {"error"}}}};
// fsync begins; `dirty`: pages that it will write.
inline constexpr TraceKind kCacheFsync{"cache.fsync", {{{"cache", ArgForm::kActor}, {"dirty"}}}};
// fsync has ended.
inline constexpr TraceKind kCacheFsynced{"cache.fsynced", {{{"cache", ArgForm::kActor}, {"error"}}}};
// pdflush asks whether the cache's device is congested; if so it passes it by.
inline constexpr TraceKind kCacheAsked{
    "cache.asked", {{{"cache", ArgForm::kActor}, {"congested"}}}};
// A clean page left the cache under memory pressure.
inline constexpr TraceKind kCacheReclaimed{
    "cache.reclaimed", {{{"cache", ArgForm::kActor}, {"page"}}}};

}  // namespace dmsim
