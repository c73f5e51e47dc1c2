#include "engine/lvm/lvm_switches.h"

namespace dmsim::lvm {
namespace {

constexpr std::string_view kLock[] = {"group", "none", "device"};
constexpr std::string_view kOnOff[] = {"on", "off"};
constexpr std::string_view kOffOn[] = {"off", "on"};
constexpr std::string_view kResumeOrder[] = {"snapshot-first", "origin-first"};
constexpr std::string_view kRepairSuspend[] = {"noflush", "flush"};
constexpr std::string_view kCommit[] = {"before-resume", "after-resume"};
constexpr std::string_view kScan[] = {"skips-suspended", "reads-suspended"};
constexpr std::string_view kMemory[] = {"reserved", "allocated"};
constexpr std::string_view kTemporary[] = {"error", "zero"};
constexpr std::string_view kResyncMonitor[] = {"stopped", "left-on"};
constexpr std::string_view kRepairs[] = {"apart", "one-at-a-time"};
constexpr std::string_view kFailure[] = {"taken-back", "left"};
constexpr std::string_view kBackup[] = {"before-suspend", "while-suspended"};

constexpr SwitchInfo kTable[] = {
    {"lvm.lock", kLock,
     "what commands and dmeventd lock while they change a volume; none: nothing, two of them may suspend one "
     "device; device: the one device, and the group only while metadata is changed",
     "core-lock-deadlock"},
    {"lvm.snapshot_flush", kOnOff,
     "off: creating a snapshot suspends its origin with noflush, so without the file system's freeze",
     "lvm-first-snapshot-no-lockfs"},
    {"lvm.snapshot_lockfs", kOnOff, "off: creating a snapshot suspends its origin without freezing the file system",
     "lvm-first-snapshot-no-lockfs"},
    {"lvm.resume_order", kResumeOrder,
     "origin-first: the origin takes writes again before its new snapshot looks at them", "lvm-origin-resumed-first"},
    {"lvm.repair_suspend", kRepairSuspend,
     "flush: repair suspends the failed mirror without noflush, and the writes that it holds become errors",
     "lvm-mirror-suspend-with-flush"},
    {"lvm.repair_commit", kCommit,
     "after-resume: a repaired mirror takes writes before the metadata without the failed leg is committed",
     "lvm-repair-commit-late"},
    {"lvm.scan", kScan, "reads-suspended: a scan reads every device, also those that the command itself has suspended",
     "lvm-dmeventd-scans-blocked-mirror"},
    {"lvm.memory", kMemory,
     "allocated: a command allocates memory while it holds a device suspended", "core-unsafe-load-while-suspended"},
    {"lvm.backup", kBackup,
     "while-suspended: the copy of the metadata in a file is written before the device is resumed",
     "core-backup-while-suspended"},
    {"lvm.metadata_flush", kOnOff,
     "off: metadata is written with O_DIRECT and never flushed out of a disk's cache, as lvm2 does it",
     "lvm-metadata-not-flushed"},
    {"lvm.temporary", kTemporary,
     "zero: what is taken out of a mirror has a table of zeros until it is removed, and whoever has it open reads "
     "nothing and writes nowhere, with success",
     "lvm-temp-zero-target"},
    {"lvm.resync_monitor", kResyncMonitor,
     "left-on: lvchange --resync takes a mirror down under dmeventd's eyes; its thread ends with the device, and "
     "nobody watches the one that takes its place",
     "lvm-monitor-during-resync"},
    {"lvm.snapshot_failure", kFailure,
     "left: where a new snapshot's table cannot be loaded its origin stays suspended, and the metadata name what was "
     "never made",
     "lvm-snapshot-failure-left"},
    {"lvm.repairs", kRepairs,
     "one-at-a-time: dmeventd runs one command at a time, whatever group it is for, as lvm2's does: what one repair "
     "waits for, all wait for",
     "lvm-dmeventd-one-at-a-time"},
    {"lvm.passthrough", kOffOn,
     "on: a linear device that does nothing lies upon every volume, as the mail proposes: no fault, a cure", "-"},
};

}  // namespace

std::span<const SwitchInfo> lvm_switches() { return kTable; }

LvmSwitches LvmSwitches::of(const SwitchValues& values) {
  LvmSwitches out;
  const ChosenValues chosen(kTable, values);
  chosen.choice("lvm.lock", &out.lock);
  chosen.flag("lvm.snapshot_flush", &out.snapshot_flush);
  chosen.flag("lvm.snapshot_lockfs", &out.snapshot_lockfs);
  chosen.flag("lvm.resume_order", &out.origin_resumed_last);
  chosen.flag("lvm.repair_suspend", &out.repair_noflush);
  chosen.flag("lvm.repair_commit", &out.commit_before_resume);
  chosen.flag("lvm.scan", &out.scan_skips_suspended);
  chosen.flag("lvm.memory", &out.memory_reserved);
  chosen.flag("lvm.backup", &out.backup_before_suspend);
  chosen.flag("lvm.metadata_flush", &out.metadata_flush);
  chosen.flag("lvm.temporary", &out.temporary_is_error);
  chosen.flag("lvm.resync_monitor", &out.resync_unmonitors);
  chosen.flag("lvm.snapshot_failure", &out.failure_taken_back);
  chosen.flag("lvm.repairs", &out.repairs_apart);
  chosen.flag("lvm.passthrough", &out.passthrough);
  return out;
}

}  // namespace dmsim::lvm
