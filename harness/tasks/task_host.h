// TaskHost: what a task of the plan sees of its world.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "engine/device_mapper.h"
#include "harness/plan.h"
#include "harness/verdict.h"
#include "harness/watched_device.h"
#include "models/memory/page_cache.h"
#include "models/memory/swap.h"
#include "sim/scheduler.h"

namespace dmsim {

class LvmRoom;
namespace lvm1 {
class Driver;
}

class TaskHost {
 public:
  virtual Scheduler& scheduler() = 0;
  virtual PageSpace& pages() = 0;
  virtual DeviceMapper& mapper() = 0;
  // The administrators of LVM2 and the file systems that stay mounted.
  virtual LvmRoom& lvm() = 0;
  // LVM1 in the kernel; null: the plan has no group of it.
  virtual lvm1::Driver* lvm1() const = 0;
  // A mapped device as users see it, and its page cache (made on first use).
  virtual WatchedDevice& device(std::string_view name) = 0;
  virtual PageCache& cache(std::string_view name) = 0;
  // Swap space of `pages` pages at the beginning of a device. Stays until the world ends.
  virtual SwapSpace& add_swap(std::string_view device, std::uint64_t pages) = 0;
  // Replaces what is frozen when `device` is suspended; null: the page cache's own again.
  virtual void set_freezer(std::string_view device, Freezer* freezer) = 0;
  // A promise was broken. `at`, `event` and `life` are filled in.
  virtual void report(Violation violation) = 0;
  // Cuts the power at the end of this slice, whatever the plan's policy says of cuts.
  virtual void request_power_cut() = 0;
  // The administrator may have changed which disks hold which bytes.
  virtual void note_tables_changed() = 0;
  virtual bool task_ended(std::string_view name) const = 0;
  // How long somebody who polls goes on before he says that nothing happens.
  virtual Duration patience() const = 0;
  // Woken whenever a task has ended.
  virtual WaitQueue& task_ends() = 0;
  // A file named by the plan, from the scenario's folder.
  virtual std::string resolve_path(std::string_view path) const = 0;

 protected:
  ~TaskHost() = default;
};

// The body of a task's fiber. `number` is the task's place in the plan, from 0: it marks the task's data.
// Both outlive the fiber.
std::function<void()> task_body(TaskHost& host, const TaskPlan& plan, std::uint32_t number);

// The first recording (fio's iolog, dm-log-writes' log) that the plan names and that cannot be read or
// understood; nothing: all can. Asked before a plan is run, so that bad input never meets a world.
std::optional<InputError> unreadable_recording(const Plan& plan);

// The engines' errno values by name: "EINTR". Unknown values: the number.
std::string errno_name(int value);

}  // namespace dmsim
