#include "harness/engine_factory.h"

#include <fmt/format.h>

#include <array>

#include "base/nearest.h"
#include "engine/linux/host/images.h"
#include "engine/linux/host/linux_engine.h"
#include "engine/lvm/lvm1_switches.h"
#include "engine/lvm/lvm_switches.h"
#include "engine/lvm/pvmove_switches.h"
#include "engine/native/native_engine.h"

namespace dmsim {

std::span<const std::string_view> engine_names() {
  static constexpr std::array<std::string_view, 3> kNames{"native", "linux-6.1", "linux-6.12"};
  return kNames;
}

std::string why_no_engine(std::string_view name) {
  if (name == "native") return {};
  if (kernel::is_linux_engine(name)) {
    const auto image = kernel::image_of(name);
    return image.ok() ? std::string() : image.error();
  }
  return fmt::format("unknown engine '{}'{}", name, did_you_mean(name, engine_names()));
}

std::string why_not_available(std::string_view name) {
  return kernel::is_linux_engine(name) ? kernel::why_not_available(name) : std::string();
}

std::string engine_file(std::string_view name) {
  if (!kernel::is_linux_engine(name)) return {};
  const auto image = kernel::image_of(name);
  return image.ok() ? (*image)->path() : std::string();
}

namespace {

kernel::KernelCoverage* coverage_in(std::string_view name) {
  if (!kernel::is_linux_engine(name)) return nullptr;
  const auto image = kernel::image_of(name);
  return image.ok() ? (*image)->coverage() : nullptr;
}

}  // namespace

std::string why_no_coverage(std::string_view name) {
  if (!kernel::is_linux_engine(name)) return "coverage is measured of a kernel's engine: see dmsim list engines";
  const auto image = kernel::image_with_coverage(name);
  return image.ok() ? std::string() : image.error();
}

std::vector<CoveredPlace> coverage_of(std::string_view name) {
  std::vector<CoveredPlace> out;
  const kernel::KernelCoverage* const coverage = coverage_in(name);
  if (coverage == nullptr) return out;
  for (std::size_t i = 0; i < coverage->places().size(); ++i) {
    const auto& place = coverage->places()[i];
    out.push_back({place.file, place.line, coverage->reached(i)});
  }
  return out;
}

void take_coverage(std::string_view name, const std::function<void(std::size_t)>& each) {
  kernel::KernelCoverage* const coverage = coverage_in(name);
  if (coverage == nullptr) return;
  for (std::size_t i = 0; i < coverage->places().size(); ++i) {
    if (coverage->reached(i)) each(i);
  }
  coverage->clear();
}

const std::vector<SwitchInfo>& all_switches() {
  static const std::vector<SwitchInfo> kSwitches = [] {
    std::vector<SwitchInfo> out = native::native_switches();
    const auto more = kernel::linux_switches();
    out.insert(out.end(), more.begin(), more.end());
    for (const SwitchInfo& info : lvm::lvm_switches()) out.push_back(info);
    for (const SwitchInfo& info : lvm1::lvm1_switches()) out.push_back(info);
    for (const SwitchInfo& info : lvm::pvmove_switches()) out.push_back(info);
    return out;
  }();
  return kSwitches;
}

std::unique_ptr<DeviceMapper> make_engine(std::string_view name, const EngineEnvironment& environment,
                                          const SwitchValues& switches) {
  if (name == "native") return native::make_native_engine(environment, switches);
  if (!kernel::is_linux_engine(name)) return nullptr;
  const auto image = kernel::image_of(name);
  if (!image.ok()) return nullptr;
  return std::make_unique<kernel::LinuxEngine>(**image, environment, kernel::machine_options(switches));
}

}  // namespace dmsim
