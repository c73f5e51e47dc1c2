// The readers of a scenario's parts. Each reads its node into the plan and checks it against what has
// been read before; what needs parts that come later is left to Reading::later().
#pragma once

#include <string>

#include "harness/plan.h"
#include "scenarios/reading.h"

namespace dmsim {

// A whole plan, with the keys of kPlanKeys.
void read_plan_map(Reading& reading, const YamlNode& root, Plan& plan, bool extra_keys);

void read_disks(Reading& reading, const YamlNode& node, Plan& plan);
void read_faults(Reading& reading, const YamlNode& node, Plan& plan);
void read_devices(Reading& reading, const YamlNode& node, Plan& plan);
void read_volume_groups(Reading& reading, const YamlNode& node, Plan& plan);
void read_memory(Reading& reading, const YamlNode& node, MemoryOptions& memory);
void read_pdflush(Reading& reading, const YamlNode& node, std::optional<PdflushOptions>& pdflush);
void read_scheduler(Reading& reading, const YamlNode& node, MachinePlan& machine);
void read_power_cut(Reading& reading, const YamlNode& node, PowerCutPlan& power_cut);
void read_tasks(Reading& reading, const YamlNode& node, Plan& plan);
// The map's key `engine`: an engine that exists, or one made from it.
void read_engine(Reading& reading, MapReader& map, std::string& engine);

// The steps of the task of that name.
DmsetupTask read_dmsetup(Reading& reading, MapReader& map, const std::string& name,
                         const Plan& plan);

// The tasks about volume groups and the file system on them.
JournalFsTask read_journal_fs(Reading& reading, MapReader& map);
CreateSnapshotTask read_create_snapshot(Reading& reading, MapReader& map, const Plan& plan);
SwapTask read_swap(Reading& reading, MapReader& map);
Lvm1PvmoveTask read_pvmove_lvm1(Reading& reading, MapReader& map, const Plan& plan);
DmeventdTask read_dmeventd(Reading& reading, MapReader& map, const Plan& plan);
PvmoveTask read_pvmove(Reading& reading, MapReader& map, const Plan& plan);
ResyncMirrorTask read_resync_mirror(Reading& reading, MapReader& map, const Plan& plan);

// The table that stands at `node`: a text or a list of lines, as lines separated by '\n', trimmed,
// without blank ones. Checks its lines, and that what they name exists; `upper` is the device it is
// for, and learns its size.
struct TableReading {
  KnownDevice* upper = nullptr;
  bool at_boot = false;       // devices come up in order: a table can name only those before it
  bool may_be_wrong = false;  // nothing is checked but the form
};
std::string read_table(Reading& reading, const YamlNode& node, TableReading how);

// Fails unless `range` lies within `device`.
void check_within(Reading& reading, YamlPosition where, std::string_view what, SectorRange range,
                  const KnownDevice& device);

}  // namespace dmsim
