#include "engine/native/core/core_switches.h"

namespace dmsim::native {
namespace {

constexpr std::string_view kRequeueValues[] = {"unless-noflush", "requeue-always"};
constexpr std::string_view kPreflushValues[] = {"kept", "forgotten"};
constexpr std::string_view kFlushValues[] = {"forwarded", "ordered", "linear-only", "refused"};
constexpr std::string_view kResizeValues[] = {"lockless", "refused", "inode-lock"};

constexpr std::string_view kReferenceValues[] = {"waited-for", "counted"};

constexpr SwitchInfo kSwitches[] = {
    {"core.requeue_to_eio", kRequeueValues,
     "a bio that a target pushes back outside a noflush suspend is queued again for ever, where Linux "
     "ends it with EIO",
     "core-requeue-to-eio"},
    {"core.preflush_error", kPreflushValues,
     "the flush before a PREFLUSH write fails, and the write goes on as if it had not (as dm.c of Linux "
     "6.1 does)",
     "core-preflush-error-forgotten", "forgotten"},
    {"core.flush", kFlushValues,
     "refused: flushes and FUA writes are answered with EOPNOTSUPP (until 2009); linear-only: the same, except "
     "for a table of one linear target; ordered: they wait for what came before and hold back what comes after, "
     "but no cache is flushed",
     "core-barrier-unsupported"},
    {"core.resize", kResizeValues,
     "inode-lock: swapping in a table of another size takes the lock that an fsync of the device holds while it "
     "writes (before 2007); refused: the cure of 2007, a device suspended with noflush keeps its size",
     "core-noflush-resize-deadlock"},
    {"core.table_reference", kReferenceValues,
     "counted: whoever asks a device whether it is congested holds a reference to its table, and destroys the table "
     "where it stands if that is the last one (before 2.6.29)",
     "core-table-ref-upcall"},
};

}  // namespace

std::span<const SwitchInfo> core_switches() { return kSwitches; }

CoreSwitches CoreSwitches::of(const SwitchValues& values) {
  CoreSwitches out;
  const ChosenValues chosen(kSwitches, values);
  chosen.flag("core.requeue_to_eio", &out.requeue_to_eio);
  chosen.flag("core.preflush_error", &out.preflush_error_kept);
  chosen.choice("core.flush", &out.flush);
  chosen.choice("core.resize", &out.resize);
  chosen.choice("core.table_reference", &out.table_reference);
  return out;
}

}  // namespace dmsim::native
