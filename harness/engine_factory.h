// The engines that a plan may name, and the planted bugs that they know.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/device_mapper.h"
#include "engine/switches.h"

namespace dmsim {

// Names of all engines. Besides: "linux:DIR" for a kernel tree of the user's own, and "linux-6.1+NAME" for a
// mutant (engine/linux/host/images.h).
std::span<const std::string_view> engine_names();
// Why `name` cannot be run, in words for the user; empty: it can. A kernel's engine is built by this, when it is
// first asked for: whoever forks workers asks before.
std::string why_no_engine(std::string_view name);
// The same as far as it is known without building anything.
std::string why_not_available(std::string_view name);
// The file that holds the engine, of one that is no part of this program; "": it is part of it.
std::string engine_file(std::string_view name);
// A kernel's engine can say which places of its source it has reached.
struct CoveredPlace {
  std::string file;         // "drivers/md/dm-raid1.c"
  std::uint32_t line = 0;
  bool reached = false;     // since coverage was cleared
};
// Builds `name`, which nothing has asked for yet, so that it measures coverage. Why that cannot be, in words.
std::string why_no_coverage(std::string_view name);
// Every place, always in the same order; empty: the engine does not measure coverage.
std::vector<CoveredPlace> coverage_of(std::string_view name);
// Calls each(n) for every place, by its number in that order, that has been reached; then clears coverage.
void take_coverage(std::string_view name, const std::function<void(std::size_t)>& each);
// Of all engines; no two share a name.
const std::vector<SwitchInfo>& all_switches();
// Null: this program has no engine of that name.
std::unique_ptr<DeviceMapper> make_engine(std::string_view name, const EngineEnvironment& environment,
                                          const SwitchValues& switches);

}  // namespace dmsim
