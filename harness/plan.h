// Plan: a resolved scenario. With the choices it is everything that a run depends on.
//
// A plan holds no defaults to be looked up later and no variants: the loader (scenarios/) has applied
// them. It can be written to YAML and read back without loss (crash files do that).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/device_mapper.h"
#include "engine/switches.h"
#include "models/options.h"
#include "sim/scheduler.h"

namespace dmsim {

// A mapped device, created, loaded and resumed at boot, in the plan's order.
struct DevicePlan {
  std::string name;
  std::string table;        // dmsetup's syntax, lines separated by '\n'
  bool boot = true;         // false: only a task creates it
  friend bool operator==(const DevicePlan&, const DevicePlan&) = default;
};

// A volume of LVM2, visible as GROUP-NAME. One disk: linear; more: a mirror of so many legs.
struct LogicalVolumePlan {
  std::string name;
  std::vector<std::string> on;         // disks
  std::string log;                     // the disk of a mirror's log; empty: core log
  std::uint64_t extents = 1;
  std::uint32_t region_sectors = 64;   // of a mirror
  friend bool operator==(const LogicalVolumePlan&, const LogicalVolumePlan&) = default;
};
enum class GroupFormat : std::uint8_t {
  kLvm2,
  kLvm1,  // volumes are maps of extents in the kernel, without device-mapper (engine/lvm/lvm1_driver.h)
};
// A volume group. At first boot its metadata stands on its disks, as if made long ago; every boot
// activates what the committed metadata says by then.
struct VolumeGroupPlan {
  std::string name;
  std::vector<std::string> disks;      // its physical volumes
  std::uint32_t extent_sectors = 128;
  std::vector<LogicalVolumePlan> volumes;
  std::string backup;                  // the device that holds copies of its metadata in files; empty: elsewhere
  GroupFormat format = GroupFormat::kLvm2;
  friend bool operator==(const VolumeGroupPlan&, const VolumeGroupPlan&) = default;
};

// When a task does what it does over and over.
struct Pace {
  Duration start;                                 // of the first round, after boot
  DurationRange every{Duration(), Duration()};    // pause between two rounds
  std::uint64_t count = 1;                        // rounds
  friend bool operator==(const Pace&, const Pace&) = default;
};

// Where a task works: `range` of the device, in blocks of `block_sectors`; each round takes one block,
// by choice, or in order when `sequential`.
struct Area {
  SectorRange range;             // empty: the whole device
  std::uint32_t block_sectors = 8;
  bool sequential = false;
  friend bool operator==(const Area&, const Area&) = default;
};

enum class Path : std::uint8_t {
  kDirect,    // O_DIRECT: bios on the application's own pages
  kBuffered,  // through the page cache
  kUnlisted,  // writes only: through the page cache, but written by the file system itself, the dirty mark taken off
              // before, as reiserfs does
};

struct WriteTask {
  std::string device;
  Path path = Path::kDirect;
  Area area;
  Pace pace;
  bool fua = false;                // direct only
  bool preflush = false;           // direct only: the device's cache is flushed before each write
  std::uint32_t in_flight = 1;     // direct only: writes under way at once
  std::uint64_t flush_every = 0;   // a flush (direct) or fsync (buffered) after this many; 0: none
  // direct only: the application changes its buffer while the write is under way.
  bool scribble = false;
  // direct only: O_DIRECT on a file that others use through the page cache, which is written back before and dropped
  // after; false: a raw device.
  bool heeds_cache = false;
  friend bool operator==(const WriteTask&, const WriteTask&) = default;
};
struct ReadTask {
  std::string device;
  Path path = Path::kDirect;
  Area area;
  Pace pace;
  std::uint32_t in_flight = 1;
  friend bool operator==(const ReadTask&, const ReadTask&) = default;
};
struct DiscardTask {
  std::string device;
  Area area;
  Pace pace;
  friend bool operator==(const DiscardTask&, const DiscardTask&) = default;
};
struct FlushTask {  // direct: an empty flush; buffered: fsync
  std::string device;
  Path path = Path::kDirect;
  Pace pace;
  friend bool operator==(const FlushTask&, const FlushTask&) = default;
};
struct MmapStoreTask {
  std::string device;
  SectorRange range;               // pages to store to; empty: all
  std::uint32_t store_bytes = 512; // of each store, at a chosen multiple of itself
  Pace pace;
  friend bool operator==(const MmapStoreTask&, const MmapStoreTask&) = default;
};
// Exactly these requests, in the notation of docs/GLOSSARY.md: "W0+8 c(W0+8) F c(F) W8+4! R0+8".
// A request starts at once; c(...) waits for it; the script's end waits for all.
struct IoTask {
  std::string device;
  Duration start;
  std::string script;
  friend bool operator==(const IoTask&, const IoTask&) = default;
};
// mke2fs, mount, files with data, fsync, unlink, unmount through libext2fs over the page cache.
struct Ext2Task {
  std::string device;
  Duration start;
  std::uint32_t block_bytes = 1024;  // 1024, 2048 or 4096
  std::uint64_t files = 8;
  std::uint32_t file_bytes = 4096;
  std::uint64_t unlink_every = 3;    // 0: never
  std::uint64_t fsync_every = 0;     // 0: only at the end
  DurationRange every{Duration(), Duration()};
  bool unmount = true;               // write everything back at the end
  friend bool operator==(const Ext2Task&, const Ext2Task&) = default;
};
struct FioIologTask {
  std::string device;
  std::string file;                  // path, relative to the scenario file
  Duration start;
  friend bool operator==(const FioIologTask&, const FioIologTask&) = default;
};
struct LogWritesTask {
  std::string device;
  std::string file;                  // .zst is decompressed
  Duration start;
  std::uint64_t first_entry = 0;
  std::uint64_t entries = 0;         // 0: all
  friend bool operator==(const LogWritesTask&, const LogWritesTask&) = default;
};

// An administrator: verbs of the DeviceMapper seam, one after the other.
struct DmsetupStep {
  enum class Verb : std::uint8_t {
    kCreate, kLoad, kSuspend, kResume, kRemove, kStatus, kTable, kMessage, kWaitEvent,
    kSleep,       // for `duration`
    kWaitStatus,  // polls every `duration` until the status contains `text`
    kWaitTask,    // until the task named `text` has ended
  };
  Verb verb = Verb::kStatus;
  std::string device;
  std::string text;                      // table, message, awaited status, awaited task
  Sector sector = 0;                     // of a message
  SuspendOptions suspend;
  std::optional<Duration> interrupted_after;  // a signal comes this long after the verb began
  bool freeze_fails = false;             // the file system refuses to freeze
  Duration duration;
  // What the verb must answer: empty: success; else the errno's name ("EINTR", "EBUSY") or "any".
  std::string answer;
  friend bool operator==(const DmsetupStep&, const DmsetupStep&) = default;
};
struct DmsetupTask {
  Duration start;
  std::vector<DmsetupStep> steps;
  friend bool operator==(const DmsetupTask&, const DmsetupTask&) = default;
};

// A small journalling file system: mkfs, mount, files written over and over, fsync; it stays mounted, and its
// commit thread goes on, unless it is unmounted.
struct JournalFsTask {
  std::string device;
  Duration start;
  std::uint64_t files = 8;             // written
  std::uint64_t names = 4;             // under so many names in turn, at least 1
  std::uint32_t file_bytes = 4096;     // of each; at most 192 KiB
  DurationRange every{Duration(), Duration()};
  std::uint64_t fsync_every = 1;       // 0: never
  Duration commit_every = Duration::seconds(5);
  std::uint32_t journal_blocks = 32;
  bool barriers = true;
  bool unmount = false;
  friend bool operator==(const JournalFsTask&, const JournalFsTask&) = default;
};
// lvcreate --snapshot.
struct CreateSnapshotTask {
  std::string group;
  std::string origin;
  std::string snapshot;                // its name
  std::string on;                      // the disk of its store
  std::uint64_t extents = 1;           // of the store
  std::uint32_t chunk_sectors = 8;
  Duration start;
  bool may_fail = false;
  friend bool operator==(const CreateSnapshotTask&, const CreateSnapshotTask&) = default;
};
// Starts dmeventd, which watches every mirror of the group from then on.
struct DmeventdTask {
  std::string group;
  Duration start;
  friend bool operator==(const DmeventdTask&, const DmeventdTask&) = default;
};
// pvmove FROM TO...: moves what is on one disk of a group to others, while it is in use; or, with `abort`, ends
// every move of the group as `pvmove --abort` does.
struct PvmoveTask {
  std::string group;
  std::string from;                    // a disk; empty with `abort`
  std::vector<std::string> to;         // disks, in the order in which they are filled; empty: all others
  std::string volume;                  // only this one, and what it is made of; empty: all
  bool atomic = false;
  bool abort = false;
  bool no_mirror_target = false;       // the kernel cannot make the temporary mirror
  bool may_fail = false;
  Duration start;
  Duration poll = Duration::milliseconds(10);
  friend bool operator==(const PvmoveTask&, const PvmoveTask&) = default;
};

// Memory of processes on a swap device: pages are touched at random, and page out under pressure, past every cache.
struct SwapTask {
  std::string device;
  std::uint64_t pages = 16;            // of memory, and of the device, from its beginning
  Pace pace;
  friend bool operator==(const SwapTask&, const SwapTask&) = default;
};
// LVM1's pvmove: every extent of the group on `from` goes to `to`, one by one.
struct Lvm1PvmoveTask {
  std::string group;
  std::string from;                    // disks
  std::string to;
  Duration start;
  bool back = false;                   // and then from `to` to `from`, as one who tries out a new disk does
  bool may_fail = false;
  friend bool operator==(const Lvm1PvmoveTask&, const Lvm1PvmoveTask&) = default;
};
// lvchange --resync of a mirror that nobody uses.
struct ResyncMirrorTask {
  std::string group;
  std::string volume;
  Duration start;
  friend bool operator==(const ResyncMirrorTask&, const ResyncMirrorTask&) = default;
};

using TaskBody = std::variant<WriteTask, ReadTask, DiscardTask, FlushTask, MmapStoreTask, IoTask,
                              Ext2Task, FioIologTask, LogWritesTask, DmsetupTask, JournalFsTask,
                              CreateSnapshotTask, DmeventdTask, SwapTask,
                              Lvm1PvmoveTask, PvmoveTask, ResyncMirrorTask>;
struct TaskPlan {
  std::string name;  // unique; "write-1" when the scenario gives none
  TaskBody body;
  friend bool operator==(const TaskPlan&, const TaskPlan&) = default;
};

struct MachinePlan {
  MemoryOptions memory;
  std::optional<PdflushOptions> pdflush;
  bool kswapd = true;
  Duration slice_cost = Duration::nanoseconds(500);
  Ratio preemption{0, 1};
  // A run in which tasks wait for so long while only timers run has stopped making progress.
  Duration patience = Duration::seconds(120);
  // Time given to daemons after the last task has ended, before quiescence is judged.
  Duration settle = Duration::seconds(60);
  friend bool operator==(const MachinePlan&, const MachinePlan&) = default;
};

enum class SurvivorPolicy : std::uint8_t { kChosen, kNone, kAll };

// The tables that mapped devices boot with after a power cut.
enum class TablesAfterCut : std::uint8_t {
  kPlan,  // the plan's
  kLast,  // those that were live, as a volume manager's metadata would know them
};

struct PowerCutPlan {
  enum class When : std::uint8_t {
    kNever,
    kAny,     // every instant at which durable state may differ
    kAt,      // once, at `at`
    kAtEnd,   // when all tasks have ended, before any settling
  };
  When when = When::kNever;
  Duration at;
  Duration from;                     // of kAny: no earlier than so long after boot
  SurvivorPolicy survivors = SurvivorPolicy::kChosen;
  std::uint32_t states_per_cut = 4;  // sets of survivors tried at each cut, at least 1
  std::uint32_t depth = 1;           // cuts in a row: 2 cuts recovery again
  TablesAfterCut tables = TablesAfterCut::kPlan;
  bool devices_fail_over = false;    // after recovery, each leg in turn is made unreadable and read around
  std::string engine;                // that the machine boots with afterwards; "": the plan's
  friend bool operator==(const PowerCutPlan&, const PowerCutPlan&) = default;
};

enum class Blame : std::uint8_t { kEngine, kApplication, kDisk };

struct Expectation {
  enum class Verdict : std::uint8_t { kHolds, kViolates };
  Verdict verdict = Verdict::kHolds;
  std::vector<std::string> oracles;  // any of these counts as expected; kViolates only, not empty
  Blame blame = Blame::kEngine;
  friend bool operator==(const Expectation&, const Expectation&) = default;
};

struct Plan {
  std::string scenario;
  std::string variant;  // "" when the scenario has none
  std::string about;
  std::string source;
  std::string directory;            // of the scenario file: what relative paths start from
  std::string engine = "native";
  bool engine_is_named = false;     // by a scenario's file: it is about this engine, and no other may take its place
  std::vector<DiskOptions> disks;
  std::vector<FaultOptions> faults;
  std::vector<DevicePlan> devices;
  std::vector<VolumeGroupPlan> volume_groups;
  MachinePlan machine;
  std::vector<TaskPlan> tasks;
  PowerCutPlan power_cut;
  std::vector<std::string> checks;  // oracle names; see harness/oracles
  SwitchValues switches;
  std::uint64_t runs = 20;          // seeds tried before a variant counts as holding
  Expectation expect;
  friend bool operator==(const Plan&, const Plan&) = default;
};

// The engine of that life, from 0.
inline const std::string& engine_of_life(const Plan& plan, std::uint32_t life) {
  return life == 0 || plan.power_cut.engine.empty() ? plan.engine : plan.power_cut.engine;
}

}  // namespace dmsim
