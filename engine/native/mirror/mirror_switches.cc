#include "engine/native/mirror/mirror_switches.h"

#include <array>

namespace dmsim {
namespace {

using Names = std::array<std::string_view, 2>;
constexpr Names kOffOn{"off", "on"};
constexpr Names kOnOff{"on", "off"};
constexpr std::string_view kPartialWrite[] = {"hold", "ack", "ignore"};
constexpr std::string_view kRequeuePhase[] = {"presuspend", "postsuspend"};
constexpr std::string_view kNoValidLeg[] = {"eio", "hold"};
constexpr std::string_view kReadRetry[] = {"until-no-leg", "none", "once", "keep-status",
                                           "livelock"};
constexpr std::string_view kResumeReadFail[] = {"fail", "ignore"};
constexpr std::string_view kBitOrder[] = {"le", "native-swapped"};
constexpr std::string_view kBuffer[] = {"shared", "bounce", "stable", "delayed-clean"};
constexpr std::string_view kReadBalance[] = {"off", "round-robin", "chosen"};
constexpr std::string_view kLogCreate[] = {"bits-first", "at-once"};
constexpr std::string_view kFailedFlush[] = {"remembered", "forgiven"};
constexpr std::string_view kErrorInSuspend[] = {"eio", "push-back"};
constexpr std::string_view kUnheardFailure[] = {"remembered", "forgiven"};
constexpr std::string_view kUnreadLog[] = {"held", "ignored"};
constexpr std::string_view kRetryRegion[] = {"own", "shifted"};
constexpr std::string_view kNosyncEntry[] = {"keep", "free-early", "never-reclaim"};

constexpr SwitchInfo kTable[] = {
    {"mirror.dec_promotes_nosync", kOffOn,
     "on: the last write to an unsynchronised region makes it clean, so a resume takes it for "
     "synchronised",
     "mir-nosync-to-clean"},
    {"mirror.leg_flush_before_clean", kOnOff,
     "off: regions become clean in the log while their data may still be in a leg's volatile cache",
     "mir-clean-before-leg-flush"},
    {"mirror.log_flush_on_dirty", kOnOff,
     "off: the log device is not flushed after a region was marked dirty, so the mark can be lost",
     "mir-dirty-not-flushed"},
    {"mirror.forward_flush", kOnOff, "off: flushes are acknowledged without reaching any leg",
     "mir-flush-not-forwarded"},
    {"mirror.flush_error_sticky", kOnOff,
     "off: after a failed flush of a leg, regions become clean as if nothing had been lost",
     "mir-flush-error-forgotten"},
    {"mirror.partial_write", kPartialWrite,
     "ignore: a write that failed on one leg counts as done everywhere; ack: it is acknowledged "
     "before "
     "the failed leg is out of the mirror",
     "mir-ack-partial-write"},
    {"mirror.failed_recovery_is_synced", kOffOn,
     "on: a region whose resynchronisation failed becomes synchronised and clean",
     "mir-resync-error-marked-synced"},
    {"mirror.requeue_phase", kRequeuePhase,
     "postsuspend: held writes are given back only after the device was drained, for which they "
     "are waited",
     "mir-log-fail-eio"},
    {"mirror.issue_on_log_fail_without_he", kOnOff,
     "off: without handle_errors, writes that follow a failed log write are acknowledged and never "
     "issued",
     "mir-log-fail-fake-success"},
    {"mirror.no_valid_leg", kNoValidLeg,
     "hold: writes are held for repair although no leg is left that could be repaired",
     "mir-all-legs-dead-hold"},
    {"mirror.read_retry", kReadRetry,
     "none, once: a failed read gives up early; keep-status: a retry that succeeds reports the old "
     "error; "
     "livelock: without handle_errors, the same dead leg is retried for ever",
     "mir-read-error-not-retried"},
    {"mirror.discard_error_degrades", kOffOn,
     "on: a leg that refuses a discard is treated as a failed leg", "mir-discard-degrades"},
    {"mirror.resume_resets_cursor", kOnOff,
     "off: after a resume, the search for regions to recover goes on where it stopped",
     "mir-sync-search-not-reset"},
    {"mirror.resume_read_fail", kResumeReadFail,
     "ignore: when the log cannot be read at resume, regions count as synchronised",
     "log-resume-read-fails-uninit"},
    {"mirror.bit_order", kBitOrder,
     "native-swapped: the log's bits are in the native order of a big-endian machine",
     "log-bit-layout"},
    {"mirror.buffer", kBuffer,
     "what keeps legs equal when a page changes under a write; shared: nothing, as in Linux; "
     "bounce: each "
     "page is copied once; stable: writers to the page wait; delayed-clean: regions stay dirty for "
     "40s",
     "mir-unstable-page"},
    {"mirror.read_balance", kReadBalance,
     "which synchronised leg serves a read; off: the default leg; round-robin: in turn; chosen: "
     "any",
     "mir-nosync-to-clean"},
    {"mirror.recover_waits_for_pending", kOnOff,
     "off: recovery of a region starts while writes to it are under way",
     "md-recovery-skips-inflight"},
    {"mirror.nosync_entry", kNosyncEntry,
     "free-early: an unsynchronised region is forgotten while writes to it are under way; "
     "never-reclaim: "
     "its entry stays for ever after recovery",
     "mir-region-entry-leak-or-early-free"},
    {"mirror.log_size_check", kOnOff,
     "off: a log device that is too small for the bitmap is accepted", "log-too-small"},
    {"mirror.mark_dirty", kOnOff, "off: the log never hears that a region is being written to",
     "log-without-dirty-mark"},
    {"mirror.undo_presuspend", kOnOff,
     "off: an interrupted suspend leaves recovery stopped and the next suspend waits for ever",
     "mir-interrupted-suspend-hangs", "off"},
    {"mirror.flush_failure_ends_recovery", kOnOff,
     "off: a flush fails while a region waits for its writes before recovery: recovery never ends",
     "mir-flush-failure-strands-recovery", "off"},
    {"mirror.log_create", kLogCreate,
     "at-once: a new log's header and bits go out as one write, so a power cut can leave the header "
     "over bits of whatever the device held before",
     "log-create-torn", "at-once"},
    {"mirror.failed_flush", kFailedFlush,
     "forgiven: a flush that fails leaves all regions in sync for the log, so the next pass forgives the "
     "legs: writes go to one leg of regions that are called in sync, or are acknowledged by none",
     "mir-failed-flush-forgives-legs", "forgiven"},
    {"mirror.failure_in_suspend", kErrorInSuspend,
     "push-back: a write that fails while a suspend runs is given back to the core, whatever the suspend; the core, "
     "which may not take it back without noflush, ends it with EIO",
     "core-requeue-to-eio"},
    {"mirror.self_sufficient", kOffOn,
     "on: the mirror notes in its log which leg has failed, and goes on without user space, as the mail of 2010 "
     "proposes: no fault, a cure",
     "core-lock-deadlock"},
    {"mirror.unheard_failure", kUnheardFailure,
     "forgiven: a synchronisation that ends before the worker has heard of a failed write forgives the legs: "
     "the write is held for the repair of a leg that the status calls alive",
     "mir-sync-forgives-unheard-failure", "forgiven"},
    {"mirror.retry_region", kRetryRegion,
     "shifted: whether another leg may serve a read that failed is looked up by where the read is on the leg, "
     "not by where it is in the mirror: another region's answer, or none",
     "mir-retry-asks-another-region", "shifted"},
    {"mirror.unread_log", kUnreadLog,
     "ignored: while the log can be neither read nor written, writes go to one leg only; the log may call their "
     "regions clean, and is believed when it comes back (Linux 6.1 and 6.12)",
     "mir-log-comes-back", "ignored"},
};

}  // namespace

std::span<const SwitchInfo> mirror_switches() { return kTable; }

namespace native {

MirrorSwitches parse_mirror_switches(const SwitchValues& values) {
  MirrorSwitches s;
  const ChosenValues chosen(kTable, values);
  chosen.flag("mirror.dec_promotes_nosync", &s.dec_promotes_nosync);
  chosen.flag("mirror.leg_flush_before_clean", &s.leg_flush_before_clean);
  chosen.flag("mirror.log_flush_on_dirty", &s.log_flush_on_dirty);
  chosen.flag("mirror.forward_flush", &s.forward_flush);
  chosen.flag("mirror.flush_error_sticky", &s.flush_error_sticky);
  chosen.choice("mirror.partial_write", &s.partial_write);
  chosen.flag("mirror.failed_recovery_is_synced", &s.failed_recovery_is_synced);
  chosen.choice("mirror.requeue_phase", &s.requeue_phase);
  chosen.flag("mirror.issue_on_log_fail_without_he", &s.issue_on_log_fail_without_he);
  chosen.choice("mirror.no_valid_leg", &s.no_valid_leg);
  chosen.choice("mirror.read_retry", &s.read_retry);
  chosen.flag("mirror.discard_error_degrades", &s.discard_error_degrades);
  chosen.flag("mirror.resume_resets_cursor", &s.resume_resets_cursor);
  chosen.choice("mirror.resume_read_fail", &s.resume_read_fail);
  chosen.choice("mirror.bit_order", &s.bit_order);
  chosen.choice("mirror.buffer", &s.buffer);
  chosen.choice("mirror.read_balance", &s.read_balance);
  chosen.flag("mirror.recover_waits_for_pending", &s.recover_waits_for_pending);
  chosen.choice("mirror.nosync_entry", &s.nosync_entry);
  chosen.flag("mirror.log_size_check", &s.log_size_check);
  chosen.flag("mirror.mark_dirty", &s.mark_dirty);
  chosen.flag("mirror.undo_presuspend", &s.undo_presuspend);
  chosen.flag("mirror.flush_failure_ends_recovery", &s.flush_failure_ends_recovery);
  chosen.flag("mirror.log_create", &s.log_create_bits_first);
  chosen.flag("mirror.failed_flush", &s.failed_flush_remembered);
  chosen.flag("mirror.failure_in_suspend", &s.error_in_suspend);
  chosen.flag("mirror.self_sufficient", &s.self_sufficient);
  chosen.flag("mirror.unheard_failure", &s.unheard_failure_remembered);
  chosen.flag("mirror.retry_region", &s.retry_asks_own_region);
  chosen.flag("mirror.unread_log", &s.unread_log_holds);
  return s;
}

}  // namespace native
}  // namespace dmsim
