// One table after the other; longer than other files because it is the language's whole vocabulary.
#include "scenarios/keys.h"

#include <array>
#include <cstddef>
#include <variant>

namespace dmsim {
namespace {

using Words = std::string_view;

constexpr std::array<Words, 2> kCache{"write-back", "write-through"};
constexpr std::array<Words, 2> kContent{"own", "zero"};
constexpr std::array<Words, 2> kAtomic{"512B", "4KiB"};
constexpr std::array<Words, 11> kFault{
    "read-error",        "write-error", "flush-error", "discard-error", "discard-refused",
    "write-lands-fails", "dies",        "revives",     "lying-flush",   "bit-rot",
    "misdirected-write"};
static_assert(kFault.size() == static_cast<std::size_t>(FaultKind::kMisdirectedWrite) + 1);
constexpr std::array<Words, 3> kPath{"direct", "buffered", "unlisted"};
constexpr std::array<Words, 2> kGroupFormat{"lvm2", "lvm1"};
constexpr std::array<Words, 3> kSurvivors{"chosen", "none", "all"};
constexpr std::array<Words, 2> kTablesAfterCut{"plan", "last"};
constexpr std::array<Words, 3> kBlame{"engine", "application", "disk"};
constexpr std::array<Words, 3> kExt2Block{"1KiB", "2KiB", "4KiB"};
constexpr std::array<Words, 13> kAnswer{"ok",     "any",    "EINVAL", "EBUSY", "ENXIO",
                                        "EIO",    "EINTR",  "ENOMEM", "ENODEV", "EEXIST",
                                        "ENOSPC", "EPERM",  "EOPNOTSUPP"};
constexpr std::array<Words, 1> kNone{"none"};

constexpr std::array kDisk = std::to_array<KeyInfo>({
    {"size", Shape::kSize, "8MiB", "a multiple of 4KiB"},
    {"cache", Shape::kWord, "write-back", "write-back: volatile; write-through: none", kCache},
    {"atomic", Shape::kWord, "512B", "what a torn write is torn into", kAtomic},
    {"cache-size", Shape::kSize, "0B", "dirty data the cache holds before it evicts; 0B: no limit"},
    {"read", Shape::kDurationRange, "20us..200us", "how long a read takes"},
    {"write", Shape::kDurationRange, "20us..200us", "how long a write takes"},
    {"flush", Shape::kDurationRange, "100us..2ms", "how long a flush takes"},
    {"discard", Shape::kDurationRange, "20us..200us", "how long a discard takes"},
    {"evict-every", Shape::kDuration, "0s",
     "mean time between spontaneous evictions of a cached write; 0s: none"},
    {"discard-supported", Shape::kFlag, "true", "whether the disk says it understands discards"},
    {"transfer-steps", Shape::kCount, "1",
     "a transfer samples a request's pages at up to this many instants"},
    {"content", Shape::kWord, "own", "own: every sector starts with bytes no other has; zero",
     kContent},
});

constexpr std::array kFaultRange = std::to_array<KeyInfo>({
    {"at", Shape::kSize, "", "where it begins"},
    {"count", Shape::kSize, "", "how long it is"},
});

constexpr std::array kFaultMap = std::to_array<KeyInfo>({
    {"disk", Shape::kText, "", "a disk's name"},
    {"kind", Shape::kWord, "", "what goes wrong", kFault},
    {"range", Shape::kRangeOrMap, "-", "only requests that touch it; absent: all", {},
     &kFaultRangeKeys},
    {"from", Shape::kDuration, "0s", "not before this instant"},
    {"heals", Shape::kDuration, "-", "over at this instant; absent: never"},
    {"skip", Shape::kCount, "0", "matching requests let through first"},
    {"count", Shape::kCount, "-", "strikes at most this often; absent: always"},
    {"probability", Shape::kRatio, "1/1", "of striking a matching request"},
    {"after-reboot", Shape::kFlag, "false", "still in force after a power cut"},
});

constexpr std::array kDevice = std::to_array<KeyInfo>({
    {"table", Shape::kTable, "", "dmsetup's table; may be absent when boot is false"},
    {"boot", Shape::kFlag, "true", "false: only a dmsetup task creates it"},
});

constexpr std::array kVolume = std::to_array<KeyInfo>({
    {"on", Shape::kTexts, "", "its disks; one: linear; more: the legs of a mirror"},
    {"log", Shape::kText, "-", "the disk of a mirror's log; absent: core log"},
    {"extents", Shape::kCount, "1", "how long it is"},
    {"region", Shape::kSize, "32KiB", "of a mirror"},
});

constexpr std::array kVolumeGroup = std::to_array<KeyInfo>({
    {"disks", Shape::kTexts, "", "its physical volumes"},
    {"extent", Shape::kSize, "64KiB", "the unit of its volumes"},
    {"volumes", Shape::kMapOfMaps, "", "each volume's name and shape; visible as GROUP-NAME", {}, &kVolumeKeys},
    {"format", Shape::kWord, "lvm2", "lvm1: maps of extents in the kernel, without device-mapper", kGroupFormat},
    {"backup", Shape::kText, "-", "the device that copies of its metadata are written to; absent: elsewhere"},
});

constexpr std::array kMemory = std::to_array<KeyInfo>({
    {"pages", Shape::kCount, "4096", "page frames for caches, at least 8"},
    {"low-pages", Shape::kCount, "0", "kswapd wakes when fewer are free; 0: pages / 8"},
    {"high-pages", Shape::kCount, "0", "and works until so many are; 0: pages / 4"},
    {"stable-pages", Shape::kFlag, "false", "writers wait while a page is under writeback"},
});

constexpr std::array kPdflush = std::to_array<KeyInfo>({
    {"interval", Shape::kDuration, "5s", "between two passes"},
    {"expire", Shape::kDuration, "30s", "age from which a dirty page is written"},
    {"nonblocking", Shape::kFlag, "false", "a congested device is passed by, as in Linux 2.6"},
});

constexpr std::array kScheduler = std::to_array<KeyInfo>({
    {"slice-cost", Shape::kDuration, "500ns", "virtual CPU time of one slice of a task"},
    {"preemption", Shape::kRatio, "0/1", "that a task is preempted where it could be"},
    {"patience", Shape::kDuration, "120s", "tasks that wait for so long make no progress"},
    {"settle", Shape::kDuration, "60s", "daemons' time after the last task, before quiescence"},
});

constexpr std::array kPowerCut = std::to_array<KeyInfo>({
    {"when", Shape::kText, "never", "never, any (every instant), at-end, or a duration after boot"},
    {"from", Shape::kDuration, "0s", "with any: no earlier than so long after boot"},
    {"survivors", Shape::kWord, "chosen", "which unflushed data reached the media", kSurvivors},
    {"states", Shape::kCount, "4", "sets of survivors tried at each cut"},
    {"depth", Shape::kCount, "1", "cuts in a row; 2 cuts recovery again"},
    {"tables", Shape::kWord, "plan",
     "what devices boot with afterwards: the scenario's tables, or those that were live", kTablesAfterCut},
    {"fail-over", Shape::kFlag, "false",
     "after recovery each leg in turn is made unreadable and read around"},
    {"engine", Shape::kText, "-", "that the machine boots with afterwards; absent: the same"},
});

// What variants may change, and what stands beside it in a scenario and in a resolved plan.
constexpr KeyInfo kScenarioKey{"scenario", Shape::kText, "", "its name: that of the file"};
constexpr KeyInfo kAbout{"about", Shape::kText, "-", "what it shows, in a sentence"};
constexpr KeyInfo kSource{"source", Shape::kText, "-", "where the fault is known from"};
constexpr KeyInfo kEngine{"engine", Shape::kText, "native",
                          "native, linux-6.1 or linux-6.12; where it is said, `--engine` puts no other in its place"};
constexpr KeyInfo kDisks{"disks", Shape::kMapOfMaps, "", "each disk's name and options", {}, &kDiskKeys};
constexpr KeyInfo kFaults{"faults", Shape::kListOfMaps, "-", "what the disks do wrong", {},
                          &kFaultKeys};
constexpr KeyInfo kDevices{"devices", Shape::kMapOfTables, "-",
                           "name to table; created, loaded and resumed at boot, in this order", {},
                           &kDeviceKeys};
constexpr KeyInfo kVolumeGroups{"volume-groups", Shape::kMapOfMaps, "-",
                                "LVM's groups: their metadata stands on their disks at first boot", {},
                                &kVolumeGroupKeys};
constexpr KeyInfo kMemoryKey{"memory", Shape::kMap, "-", "page frames", {}, &kMemoryKeys};
constexpr KeyInfo kPdflushKey{"pdflush", Shape::kMapOrWord, "none", "periodic writeback", kNone,
                              &kPdflushKeys};
constexpr KeyInfo kKswapd{"kswapd", Shape::kFlag, "true", "writeback under memory pressure"};
constexpr KeyInfo kSchedulerKey{"scheduler", Shape::kMap, "-", "virtual CPU", {}, &kSchedulerKeys};
constexpr KeyInfo kTasks{"tasks", Shape::kTasks, "-", "what applications and administrators do"};
constexpr KeyInfo kPowerCutKey{"power-cut", Shape::kMap, "-", "where the power may fail", {},
                               &kPowerCutKeys};
constexpr KeyInfo kCheck{"check", Shape::kTexts, "", "the oracles that must hold"};
constexpr KeyInfo kSwitches{"switches", Shape::kTextMap, "-",
                            "planted bugs; `linux.`: what a machine does to a kernel. Absent: fixed"};
constexpr KeyInfo kRuns{"runs", Shape::kCount, "20", "seeds tried before a variant counts as holding"};
constexpr KeyInfo kExpect{"expect", Shape::kText, "holds",
                          "holds, or: violates ORACLE [or ORACLE]... [by engine, application or disk]"};
constexpr KeyInfo kVariants{"variants", Shape::kMapOfMaps, "-", "name to what differs", {},
                            &kVariantKeys};
constexpr KeyInfo kVariantKey{"variant", Shape::kText, "-", "the variant's name"};
constexpr KeyInfo kDirectory{"directory", Shape::kText, "-", "what relative paths start from"};

constexpr std::array kScenario = std::to_array<KeyInfo>(
    {kScenarioKey, kAbout, kSource, kEngine, kDisks, kFaults, kDevices, kVolumeGroups, kMemoryKey, kPdflushKey,
     kKswapd, kSchedulerKey, kTasks, kPowerCutKey, kCheck, kSwitches, kRuns, kExpect, kVariants});
constexpr std::array kVariant = std::to_array<KeyInfo>(
    {kAbout, kSource, kEngine, kDisks, kFaults, kDevices, kVolumeGroups, kMemoryKey, kPdflushKey, kKswapd,
     kSchedulerKey, kTasks, kPowerCutKey, kCheck, kSwitches, kRuns, kExpect});
constexpr std::array kPlan = std::to_array<KeyInfo>(
    {kScenarioKey, kVariantKey, kAbout, kSource, kDirectory, kEngine, kDisks, kFaults, kDevices,
     kVolumeGroups, kMemoryKey, kPdflushKey, kKswapd, kSchedulerKey, kTasks, kPowerCutKey, kCheck, kSwitches, kRuns,
     kExpect});

// Keys that several tasks share.
constexpr KeyInfo kOn{"device", Shape::kText, "", "a device's or disk's name"};
constexpr KeyInfo kPathKey{"path", Shape::kWord, "direct",
                           "direct: O_DIRECT; buffered: page cache; unlisted: the same, but written by the "
                           "file system itself with the dirty mark taken off (writes only)",
                           kPath};
constexpr KeyInfo kRange{"range", Shape::kRange, "-", "where; absent: the whole device"};
constexpr KeyInfo kBlock{"block", Shape::kSize, "4KiB", "of one request; whole sectors"};
constexpr KeyInfo kSequential{"sequential", Shape::kFlag, "false",
                              "blocks in order instead of by choice"};
constexpr KeyInfo kStart{"start", Shape::kDuration, "0s", "after boot"};
constexpr KeyInfo kEvery{"every", Shape::kDurationRange, "0s", "pause between two rounds"};
constexpr KeyInfo kCount{"count", Shape::kCount, "1", "rounds"};
constexpr KeyInfo kInFlight{"in-flight", Shape::kCount, "1", "requests under way at once; direct only"};

constexpr std::array kWrite = std::to_array<KeyInfo>(
    {kOn, kPathKey, kRange, kBlock, kSequential, kStart, kEvery, kCount,
     {"fua", Shape::kFlag, "false", "direct only"},
     {"preflush", Shape::kFlag, "false", "each write has the cache flushed first; direct only"},
     kInFlight,
     {"flush-every", Shape::kCount, "0", "a flush or fsync after so many writes; 0: none"},
     {"scribble", Shape::kFlag, "false", "changes its buffer during the write; direct only"},
     {"heeds-cache", Shape::kFlag, "false",
      "what the page cache holds of the range is written before and dropped after; direct only"}});
constexpr std::array kRead = std::to_array<KeyInfo>(
    {kOn, kPathKey, kRange, kBlock, kSequential, kStart, kEvery, kCount, kInFlight});
constexpr std::array kDiscard =
    std::to_array<KeyInfo>({kOn, kRange, kBlock, kSequential, kStart, kEvery, kCount});
constexpr std::array kFlush = std::to_array<KeyInfo>({kOn, kPathKey, kStart, kEvery, kCount});
constexpr std::array kMmapStore = std::to_array<KeyInfo>(
    {kOn,
     {"range", Shape::kRange, "-", "whole pages to store to; absent: all"},
     {"page", Shape::kCount, "-", "the one page to store to, instead of range"},
     {"store", Shape::kSize, "512B", "of each store; a divisor of 4KiB"},
     kStart, kEvery, kCount});
constexpr std::array kIo = std::to_array<KeyInfo>(
    {kOn, kStart, {"script", Shape::kText, "", "requests, as in W0+8 c(W0+8) F c(F) W8+4! R0+8"}});
constexpr std::array kExt2 = std::to_array<KeyInfo>(
    {kOn, kStart,
     {"block", Shape::kWord, "1KiB", "of the file system", kExt2Block},
     {"files", Shape::kCount, "8", "written"},
     {"file-size", Shape::kSize, "4KiB", "of each"},
     {"unlink-every", Shape::kCount, "3", "a file is unlinked after so many; 0: never"},
     {"fsync-every", Shape::kCount, "0", "fsync after so many; 0: only at the end"},
     {"every", Shape::kDurationRange, "0s", "pause between two files"},
     {"unmount", Shape::kFlag, "true", "write everything back at the end"}});
constexpr KeyInfo kFile{"file", Shape::kText, "", "a path, relative to the scenario file's folder"};
constexpr std::array kFioIolog = std::to_array<KeyInfo>({kOn, kFile, kStart});
constexpr std::array kLogWrites = std::to_array<KeyInfo>(
    {kOn, kFile, kStart,
     {"first-entry", Shape::kCount, "0", "of the log, from 0"},
     {"entries", Shape::kCount, "0", "how many; 0: all"}});
constexpr std::array kDmsetup = std::to_array<KeyInfo>(
    {kStart, {"steps", Shape::kSteps, "", "verbs, one after the other"}});

constexpr KeyInfo kMapped{"device", Shape::kText, "", "a device's name"};
constexpr KeyInfo kInterrupted{"interrupted-after", Shape::kDuration, "-",
                               "a signal comes so long after the verb began"};
constexpr KeyInfo kAnswerKey{"answer", Shape::kWord, "ok", "what the verb must answer", kAnswer};
constexpr std::array kPlainVerb = std::to_array<KeyInfo>({kMapped, kInterrupted, kAnswerKey});
constexpr std::array kLoad = std::to_array<KeyInfo>(
    {kMapped, {"table", Shape::kTable, "-", "absent: the device's own"}, kInterrupted, kAnswerKey});
constexpr std::array kSuspend = std::to_array<KeyInfo>(
    {kMapped,
     {"noflush", Shape::kFlag, "false", "failing requests are pushed back, not errored"},
     {"skip-lockfs", Shape::kFlag, "false", "the file system is not frozen"},
     {"freeze-fails", Shape::kFlag, "false", "the file system refuses to freeze"},
     kInterrupted, kAnswerKey});
constexpr std::array kMessage = std::to_array<KeyInfo>(
    {kMapped,
     {"sector", Shape::kSize, "0B", "picks the target"},
     {"text", Shape::kText, "", "the message"},
     kInterrupted, kAnswerKey});
constexpr std::array kWaitStatus = std::to_array<KeyInfo>(
    {kMapped,
     {"contains", Shape::kText, "", "what to wait for in the status"},
     {"every", Shape::kDuration, "1ms", "how often to look"},
     kInterrupted, kAnswerKey});

constexpr std::array kJournalFs = std::to_array<KeyInfo>(
    {kOn, kStart,
     {"files", Shape::kCount, "8", "written"},
     {"names", Shape::kCount, "4", "they are called by, in turn"},
     {"file-size", Shape::kSize, "4KiB", "of each"},
     {"every", Shape::kDurationRange, "0s", "pause between two files"},
     {"fsync-every", Shape::kCount, "1", "fsync after so many; 0: never"},
     {"commit-every", Shape::kDuration, "5s", "the commit thread's interval"},
     {"journal-blocks", Shape::kCount, "32", "of 4KiB each"},
     {"barriers", Shape::kFlag, "true", "a flush before, and FUA of, each commit block"},
     {"unmount", Shape::kFlag, "false", "false: it stays mounted"}});
constexpr KeyInfo kGroup{"group", Shape::kText, "", "a volume group's name"};
constexpr std::array kCreateSnapshot = std::to_array<KeyInfo>(
    {kGroup,
     {"origin", Shape::kText, "", "a volume of the group"},
     {"snapshot", Shape::kText, "", "its name"},
     {"on", Shape::kText, "", "the disk of its store"},
     {"extents", Shape::kCount, "1", "of its store"},
     {"chunk", Shape::kSize, "4KiB", "a power of two"},
     kStart,
     {"may-fail", Shape::kFlag, "false", "that it cannot be created is no wrong answer"}});
constexpr std::array kDmeventd = std::to_array<KeyInfo>({kGroup, kStart});
constexpr std::array kPvmove = std::to_array<KeyInfo>(
    {kGroup,
     {"from", Shape::kText, "-", "the disk that is emptied; not with abort"},
     {"to", Shape::kTexts, "-", "disks that are filled, in this order; absent: all others"},
     {"volume", Shape::kText, "-", "only this one, and what it is made of; absent: all"},
     {"atomic", Shape::kFlag, "false", "all of it at once, or nothing"},
     {"abort", Shape::kFlag, "false", "ends every move of the group instead"},
     {"no-mirror-target", Shape::kFlag, "false", "the kernel cannot make the temporary mirror"},
     {"may-fail", Shape::kFlag, "false", "that it fails is no wrong answer"},
     kStart,
     {"poll", Shape::kDuration, "10ms", "how often it looks how far the copying is"}});
constexpr std::array kResyncMirror =
    std::to_array<KeyInfo>({kGroup, {"volume", Shape::kText, "", "a mirror of the group"}, kStart});

constexpr std::array kSwap = std::to_array<KeyInfo>(
    {kOn, {"pages", Shape::kCount, "", "of memory, and of the device, from its beginning"}, kStart, kEvery, kCount});
constexpr std::array kPvmoveLvm1 = std::to_array<KeyInfo>(
    {kGroup,
     {"from", Shape::kText, "", "the disk that is emptied"},
     {"to", Shape::kText, "", "the disk that takes its extents"},
     kStart,
     {"back", Shape::kFlag, "false", "and then the other way"},
     {"may-fail", Shape::kFlag, "false", "that it cannot move an extent is no wrong answer"}});

constexpr KeyTable kSwapKeys{"a swap task", "swap", kSwap};
constexpr KeyTable kPvmoveLvm1Keys{"a pvmove-lvm1 task", "pvmove-lvm1", kPvmoveLvm1};
constexpr KeyTable kJournalFsKeys{"a journal-fs task", "journal-fs", kJournalFs};
constexpr KeyTable kCreateSnapshotKeys{"a create-snapshot task", "create-snapshot", kCreateSnapshot};
constexpr KeyTable kDmeventdKeys{"a dmeventd task", "dmeventd", kDmeventd};
constexpr KeyTable kPvmoveKeys{"a pvmove task", "pvmove", kPvmove};
constexpr KeyTable kResyncMirrorKeys{"a resync-mirror task", "resync-mirror", kResyncMirror};
constexpr KeyTable kWriteKeys{"a write task", "write", kWrite};
constexpr KeyTable kReadKeys{"a read task", "read", kRead};
constexpr KeyTable kDiscardKeys{"a discard task", "discard", kDiscard};
constexpr KeyTable kFlushKeys{"a flush task", "flush", kFlush};
constexpr KeyTable kMmapStoreKeys{"an mmap-store task", "mmap-store", kMmapStore};
constexpr KeyTable kIoKeys{"an io task", "io", kIo};
constexpr KeyTable kExt2Keys{"an ext2 task", "ext2", kExt2};
constexpr KeyTable kFioIologKeys{"a fio-iolog task", "fio-iolog", kFioIolog};
constexpr KeyTable kLogWritesKeys{"a log-writes task", "log-writes", kLogWrites};
constexpr KeyTable kDmsetupKeys{"a dmsetup task", "dmsetup", kDmsetup};
constexpr KeyTable kPlainVerbKeys{"a step", "step", kPlainVerb};
constexpr KeyTable kLoadKeys{"a load step", "load", kLoad};
constexpr KeyTable kSuspendKeys{"a suspend step", "suspend", kSuspend};
constexpr KeyTable kMessageKeys{"a message step", "message", kMessage};
constexpr KeyTable kWaitStatusKeys{"a wait-status step", "wait-status", kWaitStatus};

constexpr std::array kKinds = std::to_array<TaskKind>({
    {"write", &kWriteKeys, "writes block after block"},
    {"read", &kReadKeys, "reads block after block"},
    {"discard", &kDiscardKeys, "discards block after block"},
    {"flush", &kFlushKeys, "direct: an empty flush; buffered: fsync"},
    {"mmap-store", &kMmapStoreKeys, "stores through a shared writable mapping"},
    {"io", &kIoKeys, "exactly these requests"},
    {"ext2", &kExt2Keys, "mke2fs, mount, files, fsync, unlink, unmount through libext2fs"},
    {"fio-iolog", &kFioIologKeys, "replays a log of fio"},
    {"log-writes", &kLogWritesKeys, "replays a log of dm-log-writes; .zst is decompressed"},
    {"dmsetup", &kDmsetupKeys, "an administrator: verbs of device-mapper"},
    {"journal-fs", &kJournalFsKeys, "a small journalling file system that stays mounted"},
    {"create-snapshot", &kCreateSnapshotKeys, "lvcreate --snapshot"},
    {"dmeventd", &kDmeventdKeys, "starts the daemon that repairs the group's mirrors"},
    {"swap", &kSwapKeys, "memory of processes, which pages out under pressure"},
    {"pvmove-lvm1", &kPvmoveLvm1Keys, "LVM1's pvmove: every extent of a disk goes to another"},
    {"pvmove", &kPvmoveKeys, "moves a group's extents from one disk to others, while they are in use"},
    {"resync-mirror", &kResyncMirrorKeys, "lvchange --resync"},
});
static_assert(kKinds.size() == std::variant_size_v<TaskBody>);

constexpr std::array kVerb = std::to_array<VerbInfo>({
    {"create", &kPlainVerbKeys, "creates a device of `devices` that is not up"},
    {"load", &kLoadKeys, "loads a table into the inactive slot"},
    {"suspend", &kSuspendKeys, "drains the device"},
    {"resume", &kPlainVerbKeys, "swaps in the inactive table, if any, and starts it"},
    {"remove", &kPlainVerbKeys, "removes the device"},
    {"status", &kPlainVerbKeys, "reads the status"},
    {"table", &kPlainVerbKeys, "reads the live table"},
    {"message", &kMessageKeys, "sends a message to a target"},
    {"wait-event", &kPlainVerbKeys, "waits for the device's next event"},
    {"sleep", nullptr, "does nothing for a duration"},
    {"wait-status", &kWaitStatusKeys, "polls the status"},
    {"wait-task", nullptr, "waits until the task of that name has ended"},
});
static_assert(kVerb.size() == static_cast<std::size_t>(DmsetupStep::Verb::kWaitTask) + 1);

constexpr std::array<const KeyTable*, 35> kAllTables{
    &kScenarioKeys,  &kVariantKeys,   &kPlanKeys,      &kDiskKeys,       &kFaultKeys,
    &kFaultRangeKeys, &kDeviceKeys,   &kMemoryKeys,    &kPdflushKeys,    &kSchedulerKeys,
    &kPowerCutKeys,  &kWriteKeys,     &kReadKeys,      &kDiscardKeys,    &kFlushKeys,
    &kMmapStoreKeys, &kIoKeys,        &kExt2Keys,      &kFioIologKeys,   &kLogWritesKeys,
    &kDmsetupKeys,   &kPlainVerbKeys, &kLoadKeys,      &kSuspendKeys,    &kMessageKeys,
    &kWaitStatusKeys, &kVolumeGroupKeys, &kVolumeKeys, &kJournalFsKeys, &kCreateSnapshotKeys,
    &kDmeventdKeys,  &kSwapKeys,      &kPvmoveLvm1Keys,
    &kPvmoveKeys,    &kResyncMirrorKeys};

}  // namespace

constinit const std::span<const Words> kCacheWords = kCache;
constinit const std::span<const Words> kContentWords = kContent;
constinit const std::span<const Words> kAtomicWords = kAtomic;
constinit const std::span<const Words> kFaultWords = kFault;
constinit const std::span<const Words> kPathWords = kPath;
constinit const std::span<const Words> kGroupFormatWords = kGroupFormat;
constinit const std::span<const Words> kSurvivorWords = kSurvivors;
constinit const std::span<const Words> kTablesAfterCutWords = kTablesAfterCut;
constinit const std::span<const Words> kBlameWords = kBlame;
constinit const std::span<const Words> kExt2BlockWords = kExt2Block;
constinit const std::span<const Words> kAnswerWords = kAnswer;

constinit const KeyTable kScenarioKeys{"a scenario", "scenario", kScenario};
constinit const KeyTable kVariantKeys{"a variant", "variant", kVariant};
constinit const KeyTable kPlanKeys{"a scenario", "plan", kPlan};
constinit const KeyTable kDiskKeys{"a disk", "disk", kDisk};
constinit const KeyTable kFaultKeys{"a fault", "fault", kFaultMap};
constinit const KeyTable kFaultRangeKeys{"a fault's range", "fault-range", kFaultRange};
constinit const KeyTable kDeviceKeys{"a device", "device", kDevice};
constinit const KeyTable kVolumeGroupKeys{"a volume group", "volume-group", kVolumeGroup};
constinit const KeyTable kVolumeKeys{"a volume", "volume", kVolume};
constinit const KeyTable kMemoryKeys{"memory", "memory", kMemory};
constinit const KeyTable kPdflushKeys{"pdflush", "pdflush", kPdflush};
constinit const KeyTable kSchedulerKeys{"scheduler", "scheduler", kScheduler};
constinit const KeyTable kPowerCutKeys{"power-cut", "power-cut", kPowerCut};

constinit const std::span<const TaskKind> kTaskKinds = kKinds;
constinit const std::span<const VerbInfo> kVerbs = kVerb;

std::span<const KeyTable* const> all_key_tables() { return kAllTables; }

}  // namespace dmsim
