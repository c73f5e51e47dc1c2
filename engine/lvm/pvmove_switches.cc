#include "engine/lvm/pvmove_switches.h"

namespace dmsim::lvm {
namespace {

constexpr std::string_view kOnOff[] = {"on", "off"};
constexpr std::string_view kFlush[] = {"on", "off", "also-mirrors"};
constexpr std::string_view kMirrorResume[] = {"with-parents", "at-once"};
constexpr std::string_view kSuspendOrder[] = {"upper-first", "lower-first"};
constexpr std::string_view kSuspended[] = {"all", "first-tree"};
constexpr std::string_view kCommit[] = {"before-resume", "after-resume"};
constexpr std::string_view kCheckpoint[] = {"each-segment", "none"};
constexpr std::string_view kActivation[] = {"lower-first", "mirror-last"};
constexpr std::string_view kCreation[] = {"before-commit", "after-commit"};
constexpr std::string_view kFinish[] = {"lock-holders", "components"};
constexpr std::string_view kAbort[] = {"source", "next-image"};
constexpr std::string_view kPoll[] = {"health", "percent"};
constexpr std::string_view kErrors[] = {"handled", "ignored"};
constexpr std::string_view kRetreat[] = {"mirror-first", "none"};
constexpr std::string_view kReload[] = {"whole-tree", "what-differs"};

constexpr SwitchInfo kTable[] = {
    {"pvmove.mirror_resume", kMirrorResume,
     "at-once: the new mirror is resumed, and copies, while the volumes still write past it", "pvmove-early-resume"},
    {"pvmove.suspend_order", kSuspendOrder,
     "lower-first: the mirror is suspended before the volumes above it, which then wait for what it keeps",
     "pvmove-trapped-io"},
    {"pvmove.suspended", kSuspended,
     "first-tree: only the first volume's tree, by committed metadata, is suspended; at the beginning the others are "
     "not connected to it",
     "pvmove-precommitted-suspend"},
    {"pvmove.flush", kFlush,
     "off: all devices are suspended with noflush, and what a mirror pushes back is issued again on the next table; "
     "also-mirrors: none is, as in lvm2, and what a mirror above the move holds for its own repair becomes errors",
     "pvmove-noflush"},
    {"pvmove.commit", kCommit,
     "after-resume: volumes write to the new extents only, before the metadata say so", "pvmove-crash-points"},
    {"pvmove.checkpoint", kCheckpoint,
     "none: when a segment is done its device uses the new extents, but the metadata are not told",
     "pvmove-crash-points"},
    {"pvmove.restart", kOnOff, "off: after a power cut nobody goes on with what the metadata say is moving",
     "pvmove-crash-points"},
    {"pvmove.activation", kActivation,
     "mirror-last: at activation, too, the mirror is resumed last, and what stands on it is read before",
     "pvmove-reboot-hang"},
    {"pvmove.mirror_creation", kCreation,
     "after-commit: the mirror is made when the metadata that need it are committed, and if it cannot be made "
     "nothing is taken back",
     "pvmove-activation-fails-midway"},
    {"pvmove.finish_tree", kFinish,
     "components: in the end the new extents are loaded into devices named after the components, whatever layer "
     "holds their segments, and nothing above them is suspended",
     "pvmove-finish-wrong-tree"},
    {"pvmove.abort_image", kAbort, "next-image: --abort keeps the image behind the one that it should",
     "pvmove-abort-index"},
    {"pvmove.poll", kPoll,
     "percent: only how much is copied is looked at, as lvm2 does, not whether an image is in trouble",
     "pvmove-copy-errors-ignored"},
    {"pvmove.errors", kErrors,
     "ignored: the mirror of a move has no handle_errors, as in lvm2: what could not be read or written counts as "
     "copied",
     "pvmove-copy-errors-ignored"},
    {"pvmove.retreat", kRetreat,
     "none: a mirror that may hold writes back stays in place while the volumes above it are suspended, and they wait "
     "for those writes",
     "pvmove-held-writes"},
    {"pvmove.reload", kReload,
     "what-differs: as in lvm2, a device whose own table stays is not loaded anew when something changes below it, and "
     "goes on believing that there is no volatile cache: it drops flushes and FUA",
     "pvmove-cache-below-unnoticed"},
};

}  // namespace

std::span<const SwitchInfo> pvmove_switches() { return kTable; }

PvmoveSwitches PvmoveSwitches::of(const SwitchValues& values) {
  PvmoveSwitches out;
  const ChosenValues chosen(kTable, values);
  chosen.flag("pvmove.mirror_resume", &out.mirror_resumed_with_parents);
  chosen.flag("pvmove.suspend_order", &out.upper_suspended_first);
  chosen.flag("pvmove.suspended", &out.all_suspended);
  chosen.choice("pvmove.flush", &out.flush);
  chosen.flag("pvmove.commit", &out.commit_before_resume);
  chosen.flag("pvmove.checkpoint", &out.checkpoint);
  chosen.flag("pvmove.restart", &out.restart);
  chosen.flag("pvmove.activation", &out.mirror_active_before_users);
  chosen.flag("pvmove.mirror_creation", &out.mirror_made_before_commit);
  chosen.flag("pvmove.finish_tree", &out.finish_by_holders);
  chosen.flag("pvmove.abort_image", &out.abort_keeps_source);
  chosen.flag("pvmove.poll", &out.poll_looks_at_health);
  chosen.flag("pvmove.errors", &out.handle_errors);
  chosen.flag("pvmove.retreat", &out.retreat_first);
  chosen.flag("pvmove.reload", &out.whole_tree_reloaded);
  return out;
}

}  // namespace dmsim::lvm
