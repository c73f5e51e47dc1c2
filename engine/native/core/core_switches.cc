#include "engine/native/core/core_switches.h"

#include <algorithm>

#include "base/check.h"

namespace dmsim::native {
namespace {

constexpr std::string_view kRequeueValues[] = {"unless-noflush", "requeue-always"};
constexpr std::string_view kPreflushValues[] = {"kept", "forgotten"};
constexpr std::string_view kFlushValues[] = {"forwarded", "ordered", "linear-only", "refused"};
constexpr std::string_view kResizeValues[] = {"lockless", "refused", "inode-lock"};

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
};

// The index of a switch's value among those that it has.
std::size_t chosen(const SwitchInfo& info, const SwitchValues& values) {
  const auto found = values.find(info.name);
  if (found == values.end()) return 0;
  const auto at = std::find(info.values.begin(), info.values.end(), found->second);
  CHECK(at != info.values.end(), info.name, found->second);
  return static_cast<std::size_t>(at - info.values.begin());
}

}  // namespace

std::span<const SwitchInfo> core_switches() { return kSwitches; }

CoreSwitches CoreSwitches::of(const SwitchValues& values) {
  CoreSwitches out;
  out.requeue_to_eio = chosen(kSwitches[0], values) == 0;
  out.preflush_error_kept = chosen(kSwitches[1], values) == 0;
  out.flush = static_cast<FlushWay>(chosen(kSwitches[2], values));
  out.resize = static_cast<ResizeWay>(chosen(kSwitches[3], values));
  return out;
}

}  // namespace dmsim::native
