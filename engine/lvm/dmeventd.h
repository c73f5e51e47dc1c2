// Dmeventd: the daemon that watches mirrors and has them repaired.
//
// One watcher, a fiber of its own, for each device: it reads the status, repairs if that tells of a failure,
// and waits for the device's next event. Two watchers may repair at the same time: what keeps them apart is
// the lock that a repair takes, if it takes one. lvm2's dmeventd runs its commands in its own process, where only
// one may run at a time, whatever groups they are for (lvm.repairs=one-at-a-time).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/lvm/commands.h"

namespace dmsim::lvm {

class Dmeventd {
 public:
  // Told of every repair that has ended.
  using Repaired = std::function<void(const std::string& device, const CommandResult& result)>;
  // Everything outlives the daemon; the daemon outlives its fibers.
  Dmeventd(LvmEnvironment& environment, std::string group, Actor actor, Repaired repaired)
      : env_(environment), group_(std::move(group)), actor_(actor), repaired_(std::move(repaired)) {}

  // Watches the mirror `volume` at `device`, from now on; once.
  void watch(const std::string& volume, const std::string& device);
  // Not any more, until it is told to again. The watcher ends with the device, or at its next event.
  void unwatch(const std::string& device);
  // The volume whose mirror is at, or has moved to, that device; empty: none that it knows.
  std::string volume_of(const std::string& device) const;
  Actor actor() const { return actor_; }

 private:
  struct Watched {
    std::string volume;
    std::string device;
    bool registered = true;  // as the daemon believes; its watcher may have ended with the device
  };
  Watched* find(const std::string& device);
  CommandResult repair(Session& session, const std::string& volume, const std::string& device);
  void live(const std::string& volume, const std::string& device);

  LvmEnvironment& env_;
  std::string group_;
  Actor actor_;
  Repaired repaired_;
  std::vector<Watched> watched_;
};

}  // namespace dmsim::lvm
