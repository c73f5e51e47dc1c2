// What a world puts around its devices: a gate before each disk, and a page cache upon what is used through one.
#pragma once

#include "engine/device_inode.h"
#include "harness/world.h"

namespace dmsim {

// Between engine and disk: fails reads once it is told to, as a leg does that is lost while nobody writes.
class World::Gate final : public BlockDevice {
 public:
  Gate(Disk& disk, Scheduler& scheduler) : disk_(disk), scheduler_(scheduler) {}

  const std::string& name() const override { return disk_.name(); }
  std::uint64_t sectors() const override { return disk_.sectors(); }
  BlockLimits limits() const override { return disk_.limits(); }
  void submit(Bio& bio) override {
    if (!fails_reads_ || bio.op != Op::kRead) {
      disk_.submit(bio);
      return;
    }
    scheduler_.after(Duration::microseconds(10), [](void* context, std::uint64_t) {
      static_cast<Bio*>(context)->complete({BlockStatus::Code::kIoError, true});
    }, &bio);
  }
  bool congested() override { return disk_.congested(); }
  void fail_reads() { fails_reads_ = true; }
  bool fails_reads() const { return fails_reads_; }

 private:
  Disk& disk_;
  Scheduler& scheduler_;
  bool fails_reads_ = false;
};

// What suspending a device without a file system of its own freezes: its page cache, as
// sync_blockdev() does.
class CacheFreezer final : public Freezer, public DeviceInode {
 public:
  explicit CacheFreezer(PageCache& cache) : cache_(cache) {}
  bool freeze() override {
    cache_.write_and_wait({0, cache_.device().sectors()});
    return true;
  }
  void thaw() override {}
  void lock_inode() override { cache_.inode_lock().lock(); }
  void unlock_inode() override { cache_.inode_lock().unlock(); }

 private:
  PageCache& cache_;
};

struct World::CachedDevice {
  static PageCacheOptions options_of(const Plan& plan) {
    const auto resize = plan.switches.find("core.resize");
    return {.fsync_locks_inode = resize != plan.switches.end() && resize->second == "inode-lock"};
  }
  CachedDevice(World& world, WatchedDevice& device)
      : cache(world.scheduler_, world.memory_, world.pages_, device,
              world.trace_.actors().intern("cache " + device.name()), options_of(world.plan_)),
        freezer(cache) {}
  PageCache cache;
  CacheFreezer freezer;
};

}  // namespace dmsim
