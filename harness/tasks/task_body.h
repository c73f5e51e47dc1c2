// The bodies of tasks, one function per kind. Each runs in the task's fiber, to its end.
#pragma once

#include "harness/tasks/task_host.h"
#include "models/memory/stamp.h"

namespace dmsim::tasks {

// Who the task is: its actor, its number, and how many writes it has stamped so far.
struct Self {
  TaskHost& host;
  Actor actor;
  std::uint32_t number;
  std::uint64_t writes = 0;

  Stamp next_stamp(Sector sector) { return {number, ++writes, sector}; }
};

inline constexpr ChoicePoint kBlock{"task.block"};        // which block of its area a round takes
inline constexpr ChoicePoint kPause{"task.pause"};        // how long between two rounds
inline constexpr ChoicePoint kScribble{"task.scribble"};  // when an application changes its buffer

void run(Self& self, const WriteTask& task);
void run(Self& self, const ReadTask& task);
void run(Self& self, const DiscardTask& task);
void run(Self& self, const FlushTask& task);
void run(Self& self, const MmapStoreTask& task);
void run(Self& self, const IoTask& task);
void run(Self& self, const Ext2Task& task);
void run(Self& self, const FioIologTask& task);
void run(Self& self, const LogWritesTask& task);
void run(Self& self, const DmsetupTask& task);
void run(Self& self, const JournalFsTask& task);
void run(Self& self, const CreateSnapshotTask& task);
void run(Self& self, const DmeventdTask& task);
void run(Self& self, const SwapTask& task);
void run(Self& self, const Lvm1PvmoveTask& task);
void run(Self& self, const PvmoveTask& task);
void run(Self& self, const ResyncMirrorTask& task);

// Sleeps until the pace's next round.
void pause_between(Self& self, const DurationRange& every);
// The block that round number `round` takes.
SectorRange block_of_round(Self& self, const Area& area, std::uint64_t device_sectors,
                           std::uint64_t round);

}  // namespace dmsim::tasks
