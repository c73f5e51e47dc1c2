#include "engine/lvm/dmeventd.h"

#include <algorithm>
#include <optional>

namespace dmsim::lvm {
namespace {

constexpr Duration kAgain = Duration::seconds(1);

}  // namespace

Dmeventd::Watched* Dmeventd::find(const std::string& device) {
  const auto found = std::find_if(watched_.begin(), watched_.end(),
                                  [&](const Watched& each) { return each.device == device; });
  return found == watched_.end() ? nullptr : &*found;
}

void Dmeventd::watch(const std::string& volume, const std::string& device) {
  Watched* const known = find(device);
  if (known != nullptr && known->registered) return;
  if (known != nullptr) {
    known->registered = true;
  } else {
    watched_.push_back({volume, device, true});
  }
  env_.scheduler.spawn(actor_, FiberRole::kDaemon, [this, volume, device] { live(volume, device); });
}

void Dmeventd::unwatch(const std::string& device) {
  if (Watched* const known = find(device)) known->registered = false;
}

std::string Dmeventd::volume_of(const std::string& device) const {
  for (const Watched& known : watched_) {
    if (known.device == device || known.device + "-real" == device) return known.volume;
  }
  return {};
}

CommandResult Dmeventd::repair(Session& session, const std::string& volume, const std::string& device) {
  std::optional<MutexGuard> command;
  if (!env_.switches.repairs_apart) command.emplace(env_.administration.lock("dmeventd's commands"));
  return repair_mirror(session, {group_, volume, device});
}

void Dmeventd::live(const std::string& volume, const std::string& device) {
  Session session(env_);
  while (true) {
    const auto seen = env_.mapper.event_number(device);
    if (!seen) return;  // the device is gone
    const auto status = session.status(device);
    if (!status) return;
    if (mirror_health(*status).needs_repair()) {
      const CommandResult result = repair(session, volume, device);
      if (repaired_ != nullptr) repaired_(device, result);
      // What could not be repaired now is looked at again after the next event.
      if (result.ok()) continue;
      // But of what is being moved no event tells when that is over.
      if (result.locked) {
        env_.scheduler.sleep(kAgain);
        continue;
      }
    }
    if (!find(device)->registered) return;
    if (!env_.mapper.wait_event(device, *seen)) return;
  }
}

}  // namespace dmsim::lvm
