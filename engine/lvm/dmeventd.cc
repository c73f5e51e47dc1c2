#include "engine/lvm/dmeventd.h"

#include <algorithm>

namespace dmsim::lvm {

void Dmeventd::watch(const std::string& volume, const std::string& device) {
  for (const Watched& known : watched_) {
    if (known.device == device) return;
  }
  watched_.push_back({volume, device});
  env_.scheduler.spawn(actor_, FiberRole::kDaemon, [this, watched = watched_.back()] { live(watched); });
}

std::string Dmeventd::volume_of(const std::string& device) const {
  for (const Watched& known : watched_) {
    if (known.device == device || known.device + "-real" == device) return known.volume;
  }
  return {};
}

void Dmeventd::live(const Watched& watched) {
  Session session(env_);
  while (true) {
    const auto seen = env_.mapper.event_number(watched.device);
    if (!seen) return;  // the device is gone
    const auto status = session.status(watched.device);
    if (!status) return;
    if (mirror_health(*status).needs_repair()) {
      const CommandResult result = repair_mirror(session, {group_, watched.volume, watched.device});
      if (repaired_ != nullptr) repaired_(watched.device, result);
      // What could not be repaired now is looked at again after the next event.
      if (result.ok()) continue;
    }
    if (!env_.mapper.wait_event(watched.device, *seen)) return;
  }
}

}  // namespace dmsim::lvm
