#include "harness/engine_factory.h"

#include <fmt/format.h>

#include <array>

#include "base/nearest.h"
#include "engine/native/native_engine.h"

namespace dmsim {

std::span<const std::string_view> engine_names() {
  static constexpr std::array<std::string_view, 3> kNames{"native", "linux-6.1", "linux-6.12"};
  return kNames;
}

std::string why_no_engine(std::string_view name) {
  if (name == "native") return {};
  for (const std::string_view known : engine_names()) {
    if (known == name) return fmt::format("engine '{}' is not built into this program", name);
  }
  return fmt::format("unknown engine '{}'{}", name, did_you_mean(name, engine_names()));
}

const std::vector<SwitchInfo>& all_switches() {
  static const std::vector<SwitchInfo> kSwitches = native::native_switches();
  return kSwitches;
}

std::unique_ptr<DeviceMapper> make_engine(std::string_view name, const EngineEnvironment& environment,
                                          const SwitchValues& switches) {
  if (name == "native") return native::make_native_engine(environment, switches);
  return nullptr;
}

}  // namespace dmsim
