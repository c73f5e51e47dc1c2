#include "engine/native/snapshot/snapshot_switches.h"

#include <array>

namespace dmsim {
namespace {

constexpr std::array<std::string_view, 2> kOnOff{"on", "off"};
constexpr std::string_view kCreate[] = {"area-first", "header-first"};
constexpr std::string_view kOverflow[] = {"by-table", "invalidate"};
constexpr std::string_view kInvalidate[] = {"apart", "inline"};
constexpr std::string_view kRegistration[] = {"reserved", "allocates-first", "allocates-locked"};
constexpr std::string_view kThrottle[] = {"unlocked", "low", "locked"};

constexpr SwitchInfo kTable[] = {
    {"snapshot.sort_by_chunk", kOnOff,
     "off: an origin write waits for one snapshot's copy, to which those of the others are tied, and small "
     "chunks may tie it to the wrong one: it goes on before a larger chunk is saved (before 2009)",
     "snap-chunk-size-race"},
    {"snapshot.sibling_lock", kOnOff,
     "off: exceptions of several snapshots that one write waits for are counted down without a lock that they have "
     "in common: when two end at once, the write is forgotten",
     "snap-sibling-list"},
    {"snapshot.destroy_waits", kOnOff,
     "off: a snapshot goes while exceptions of it are pending, and writes of the origin that wait for one are lost",
     "snap-destroy-with-pending"},
    {"snapshot.registration", kRegistration,
     "allocates-first: a new snapshot needs memory before it joins the others of its origin (no fault); "
     "allocates-locked: the same, while it holds the lock of all origins for itself, and freeing some may take a "
     "write to an origin",
     "snap-register-alloc-deadlock"},
    {"snapshot.track_reads", kOnOff,
     "off: an origin write does not wait for reads of the snapshot that are still on their way to the origin",
     "snap-read-vs-copy"},
    {"snapshot.order_completion", kOnOff,
     "off: exceptions are recorded in the order in which copies end, so a power cut can leave chunks that are "
     "neither free nor recorded",
     "snap-space-leak"},
    {"snapshot.commit_on_copy_error", kOnOff,
     "off: a copy that fails is never taken off the count of those to be recorded, so nothing is ever "
     "recorded again",
     "snap-copy-error-hang"},
    {"snapshot.own_header_buffer", kOnOff,
     "off: the header that invalidates a snapshot is built in the buffer that a copy which ends puts its "
     "record into",
     "snap-header-area-shared"},
    {"snapshot.load_last_area", kOnOff,
     "off: after a restart the current area is not in memory, and the next record wipes out the others in it",
     "snap-area-uninitialised"},
    {"snapshot.area_preflush", kOnOff,
     "off: a record can become durable before the chunk that it points at", "snap-exception-no-barrier"},
    {"snapshot.area_fua", kOnOff,
     "off: an origin write goes on while the record of the old content is in a volatile cache",
     "snap-exception-no-barrier"},
    {"snapshot.header_fua", kOnOff,
     "off: an origin write goes on while the header that invalidates the snapshot is in a volatile cache "
     "(Linux 6.1 and 6.12)",
     "snap-invalid-header-lost", "off"},
    {"snapshot.create", kCreate,
     "header-first: a new store's header is written before its first area is empty, and neither is flushed "
     "(Linux 6.1 and 6.12)",
     "snap-create-torn", "header-first"},
    {"snapshot.overflow", kOverflow,
     "invalidate: a write to a snapshot that finds no space makes all of it invalid, also where user space "
     "has asked for an overflow that leaves reads alone",
     "snap-overflow-kills-snapshot"},
    {"snapshot.fail_reads_of_invalid", kOnOff,
     "off: a read that was on its way to the origin when the snapshot became invalid succeeds, with whatever the "
     "origin is by then (Linux 6.1 and 6.12)",
     "snap-invalid-read-succeeds", "off"},
    {"snapshot.invalidate", kInvalidate,
     "inline: a snapshot is made invalid from within the submission of a bio, which waits for a write that is "
     "only begun when it has returned",
     "snap-invalidate-in-make-request"},
    {"snapshot.throttle", kThrottle,
     "low: writers wait when more than 2 chunks are being copied (instead of 2048); locked: the same, and "
     "writers of the origin hold the lock of all origins meanwhile",
     "snap-cow-throttle-deadlock"},
    {"snapshot.suspend_on_handover", kOnOff,
     "off: a snapshot hands its store over to its new table while origin writes wait for copies into it",
     "snap-handover-pending"},
    {"snapshot.drain_on_handover", kOnOff,
     "off: an invalid snapshot hands its store over while copies for which nobody waits are under way; they come "
     "back to a store that was never set up, and nothing waits for the rest (Linux 6.1 and 6.12)",
     "snap-handover-invalid-pending", "off"},
    {"snapshot.active_before_origin", kOnOff,
     "off: the origin, or a merge into it, goes on after a handover before the table that now has the store "
     "counts, so what is overwritten in between is not saved (Linux 6.1 and 6.12)",
     "snap-handover-not-yet-active", "off"},
    {"snapshot.merge_flush", kOnOff,
     "off: exceptions are forgotten while what was merged may still be in the origin's volatile cache",
     "snap-merge-no-flush"},
    {"snapshot.merge_queue_writes", kOnOff,
     "off: a write to a chunk that is being merged goes to the store, and is forgotten with it",
     "snap-merge-loses-writes"},
    {"snapshot.merge_other_snaps", kOnOff,
     "off: merging overwrites the origin without saving its content for the other snapshots",
     "snap-merge-misses-other-snaps"},
};

}  // namespace

std::span<const SwitchInfo> snapshot_switches() { return kTable; }

namespace native {

SnapshotSwitches parse_snapshot_switches(const SwitchValues& values) {
  SnapshotSwitches s;
  const ChosenValues chosen(kTable, values);
  chosen.flag("snapshot.sort_by_chunk", &s.sort_by_chunk);
  chosen.flag("snapshot.sibling_lock", &s.sibling_lock);
  chosen.flag("snapshot.destroy_waits", &s.destroy_waits);
  chosen.choice("snapshot.registration", &s.registration);
  chosen.flag("snapshot.track_reads", &s.track_reads);
  chosen.flag("snapshot.order_completion", &s.order_completion);
  chosen.flag("snapshot.commit_on_copy_error", &s.commit_on_copy_error);
  chosen.flag("snapshot.own_header_buffer", &s.own_header_buffer);
  chosen.flag("snapshot.load_last_area", &s.load_last_area);
  chosen.flag("snapshot.area_preflush", &s.area_preflush);
  chosen.flag("snapshot.area_fua", &s.area_fua);
  chosen.flag("snapshot.header_fua", &s.header_fua);
  chosen.flag("snapshot.create", &s.create_area_first);
  chosen.flag("snapshot.overflow", &s.overflow_by_table);
  chosen.flag("snapshot.fail_reads_of_invalid", &s.fail_reads_of_invalid);
  chosen.flag("snapshot.invalidate", &s.invalidate_apart);
  chosen.choice("snapshot.throttle", &s.throttle);
  chosen.flag("snapshot.suspend_on_handover", &s.suspend_on_handover);
  chosen.flag("snapshot.drain_on_handover", &s.drain_on_handover);
  chosen.flag("snapshot.active_before_origin", &s.active_before_origin);
  chosen.flag("snapshot.merge_flush", &s.merge_flush);
  chosen.flag("snapshot.merge_queue_writes", &s.merge_queue_writes);
  chosen.flag("snapshot.merge_other_snaps", &s.merge_other_snaps);
  return s;
}

}  // namespace native
}  // namespace dmsim
