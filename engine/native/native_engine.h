// The native engine as a whole: dm core with its simple targets, the mirror, the clone, and snapshots.
#pragma once

#include <memory>
#include <vector>

#include "engine/device_mapper.h"
#include "engine/switches.h"

namespace dmsim::native {

// `switches` are a plan's: names known to native_switches(), checked by the loader.
std::unique_ptr<DeviceMapper> make_native_engine(const EngineEnvironment& environment,
                                                 const SwitchValues& switches);

// Every planted bug of this engine: core's, the mirror's, the clone's, then the snapshots'.
std::vector<SwitchInfo> native_switches();

}  // namespace dmsim::native
