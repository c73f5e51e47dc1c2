#include "engine/native/native_engine.h"

#include "engine/native/clone/clone_switches.h"
#include "engine/native/clone/clone_target.h"
#include "engine/native/core/core_switches.h"
#include "engine/native/core/native_device_mapper.h"
#include "engine/native/mirror/mirror_switches.h"
#include "engine/native/mirror/mirror_target.h"
#include "engine/native/snapshot/snapshot_switches.h"
#include "engine/native/snapshot/snapshot_target.h"

namespace dmsim::native {

std::unique_ptr<DeviceMapper> make_native_engine(const EngineEnvironment& environment,
                                                 const SwitchValues& switches) {
  const TargetType types[] = {kMirrorType, kCloneType, kSnapshotOriginType, kSnapshotType,
                              kSnapshotMergeType};
  return std::make_unique<NativeDeviceMapper>(environment, switches, types);
}

std::vector<SwitchInfo> native_switches() {
  std::vector<SwitchInfo> out;
  for (const SwitchInfo& info : core_switches()) out.push_back(info);
  for (const SwitchInfo& info : mirror_switches()) out.push_back(info);
  for (const SwitchInfo& info : clone_switches()) out.push_back(info);
  for (const SwitchInfo& info : snapshot_switches()) out.push_back(info);
  return out;
}

}  // namespace dmsim::native
