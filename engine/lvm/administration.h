// Administration: what the commands and daemons of one machine share: their locks, who has suspended what,
// and whom dmeventd watches.
//
// Locks are advisory, as lvm2's are: nobody is kept from suspending a device by another's lock. What two
// processes do to one device at the same time is noted and told to a listener; nothing is prevented.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sim/wait.h"

namespace dmsim::lvm {

// Two processes that change one device at the same time.
class TwoSuspendersListener {
 public:
  // `second` has just asked for `verb` ("suspend", "resume", "load"), while `first` is not through with it.
  virtual void on_two_suspenders(std::string_view device, Actor first, Actor second, std::string_view verb) = 0;

 protected:
  ~TwoSuspendersListener() = default;
};

class Administration {
 public:
  Administration(Scheduler& scheduler, TwoSuspendersListener* listener)
      : scheduler_(scheduler), listener_(listener) {}

  // Made at first use: "volume group vg", "device vg-lv".
  Mutex& lock(std::string_view what);

  // A device that a process has begun to suspend and not yet resumed.
  struct Suspension {
    std::string device;
    Actor by = Actor::kNobody;
    bool complete = false;  // nothing is inside any more
  };
  const std::vector<Suspension>& suspensions() const { return suspensions_; }
  bool is_suspended(std::string_view device) const;

  // Told by whoever issues the ioctl, before (and after) it.
  void begin_load(std::string_view device);
  void begin_suspend(std::string_view device);
  void end_suspend(std::string_view device, bool ok);
  void begin_resume(std::string_view device);
  void end_resume(std::string_view device, bool ok);
  void removed(std::string_view device);

  // Commands that have begun and not ended.
  class Command {
   public:
    explicit Command(Administration& of) : of_(of) { ++of_.commands_; }
    ~Command() { --of_.commands_; }
    Command(const Command&) = delete;
    Command& operator=(const Command&) = delete;

   private:
    Administration& of_;
  };
  std::uint64_t commands() const { return commands_; }

  // dmeventd, when it runs; null: nobody watches.
  std::function<void(const std::string& device)> monitor;
  std::function<void(const std::string& device)> unmonitor;

 private:
  struct Loaded {
    std::string device;
    Actor by;
  };
  void tell(std::string_view device, Actor first, std::string_view verb);
  Suspension* suspension(std::string_view device);

  Scheduler& scheduler_;
  TwoSuspendersListener* listener_;
  std::vector<std::pair<std::string, std::unique_ptr<Mutex>>> locks_;
  std::vector<Suspension> suspensions_;
  std::vector<Loaded> loaded_;  // tables loaded and not yet swapped in
  std::uint64_t commands_ = 0;
};

}  // namespace dmsim::lvm
