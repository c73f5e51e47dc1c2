// The engines that a plan may name, and the planted bugs that they know.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/device_mapper.h"
#include "engine/switches.h"

namespace dmsim {

// Names of all engines, those that are not built into this program included.
std::span<const std::string_view> engine_names();
// Why `name` cannot be run by this program, in words for the user; empty: it can.
std::string why_no_engine(std::string_view name);
// Of all engines; no two share a name.
const std::vector<SwitchInfo>& all_switches();
// Null: this program has no engine of that name.
std::unique_ptr<DeviceMapper> make_engine(std::string_view name, const EngineEnvironment& environment,
                                          const SwitchValues& switches);

}  // namespace dmsim
