// The clone target: a device that is usable at once while its content is brought over from a source.
//
//   clone METADATA DESTINATION SOURCE REGION_SECTORS
//         [#FEATURES no_hydration no_discard_passdown [#CORE hydration_threshold N hydration_batch_size N]]
//
// Its parts: clone_metadata (which regions are valid on the destination, in memory and on disk), the mirror's
// region copier (copies), and one worker fiber that does everything that may block. clone_set.h tells how
// they work together.
#pragma once

#include "engine/native/clone/clone_switches.h"
#include "engine/native/target.h"

namespace dmsim::native {

// Errors carry dm's own words. Blocks: it reads the metadata.
DmResult<std::unique_ptr<Target>> construct_clone(const TargetArguments& arguments);

inline constexpr TargetType kCloneType{"clone", construct_clone};

}  // namespace dmsim::native
