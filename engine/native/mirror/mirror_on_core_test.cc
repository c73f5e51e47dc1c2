// The mirror inside dm core on simulated disks, under chance: what was acknowledged is read back,
// and legs are equal wherever the mirror says so, whatever an administrator does meanwhile.
#include <gtest/gtest.h>

#include "engine/native/core/native_device_mapper.h"
#include "engine/native/mirror/mirror_switches.h"
#include "engine/native/mirror/mirror_target.h"
#include "models/disk/disk.h"

namespace dmsim::native {
namespace {

constexpr Sector kSectors = 1024;
constexpr const char* kTable = "0 1024 mirror disk 2 log0 64 2 leg0 0 leg1 0 1 handle_errors";

class World final : private DeviceLookup {
 public:
  explicit World(std::uint64_t seed, SwitchValues switches = {},
                 std::vector<FaultOptions> faults = {})
      : choices(seed), dm({scheduler, space, bios, *this}, std::move(switches), kTypes) {
    for (const char* name : {"leg0", "leg1", "log0"}) {
      DiskOptions options;
      options.name = name;
      options.sectors = kSectors;
      pristine_.push_back(std::make_unique<Pristine>(pool, options));
      disks_.push_back(std::make_unique<Disk>(scheduler, space, disk_pool_,
                                              trace.actors().intern(name), options,
                                              Image(*pristine_.back(), disk_pool_.images), faults));
    }
  }
  ~World() { scheduler.shut_down(); }

  Disk& disk(std::size_t index) { return *disks_[index]; }
  void task(const char* name, std::function<void()> body) {
    scheduler.spawn(trace.actors().intern(name), FiberRole::kTask, std::move(body));
  }
  // Until every task has ended; false: something is stuck.
  bool run() {
    while (scheduler.live_tasks() > 0) {
      if (!scheduler.step() || scheduler.now() > Instant() + Duration::seconds(100)) return false;
    }
    return true;
  }
  // In a task.
  BlockStatus io(Op op, Sector sector, Frame* frame) {
    struct Waiting {
      Completion done;
      BlockStatus status;
    } waiting{Completion(scheduler, "a bio"), {}};
    const Segment segment{frame, nullptr, 0, kPageBytes};
    Bio bio;
    bio.op = op;
    bio.sector = sector;
    bio.sectors = op == Op::kFlush ? 0 : kPageSectors;
    bio.segments = op == Op::kFlush ? nullptr : &segment;
    bio.segment_count = op == Op::kFlush ? 0 : 1;
    bio.context = &waiting;
    bio.end_io = [](Bio& ended) {
      auto& w = *static_cast<Waiting*>(ended.context);
      w.status = ended.status;
      w.done.complete();
    };
    dm.find("lv")->submit(bio);
    waiting.done.wait();
    return waiting.status;
  }
  void boot() {
    EXPECT_TRUE(dm.create("lv").ok());
    EXPECT_TRUE(dm.load("lv", kTable).ok());
    EXPECT_TRUE(dm.resume("lv").ok());
  }
  std::uint64_t unequal_pages() {
    std::uint64_t count = 0;
    const MirrorView& view = *dm.mirrors("lv").at(0);
    for (std::uint64_t page = 0; page < kSectors / kPageSectors; ++page) {
      const MirrorRegion region = view.region(page * kPageSectors / view.region_sectors());
      if (region.clean && !equal_bytes(disk(0).current_page(page), disk(1).current_page(page)))
        ++count;
    }
    return count;
  }

  static constexpr TargetType kTypes[] = {kMirrorType};
  StackPool stacks;
  PagePool pool;
  RandomChoices choices;
  Trace trace;
  Scheduler scheduler{stacks, choices, trace, {.preemption = {1, 4}}};
  PageSpace space{pool, 1};
  BioPool bios;

 private:
  BlockDevice* find_disk(std::string_view name) override {
    for (auto& d : disks_) {
      if (d->name() == name) return d.get();
    }
    return nullptr;
  }
  DiskPool disk_pool_;
  std::vector<std::unique_ptr<Pristine>> pristine_;
  std::vector<std::unique_ptr<Disk>> disks_;

 public:
  NativeDeviceMapper dm;
};

// Writes pages of its own range and reads each back; counts what was not what it should be.
void write_and_verify(World& world, std::uint64_t first_page, int rounds, int* wrong) {
  for (int round = 0; round < rounds; ++round) {
    const Sector sector = (first_page + static_cast<std::uint64_t>(round) * 5 % 32) * kPageSectors;
    Frame out;
    std::byte* bytes = nullptr;
    PageRef page = world.space.make(&bytes);
    std::memset(bytes, round + 1, kPageBytes);
    out.set(page);
    if (!world.io(Op::kWrite, sector, &out).ok()) ++*wrong;
    if (round % 7 == 0 && !world.io(Op::kFlush, 0, nullptr).ok()) ++*wrong;
    Frame in;
    if (!world.io(Op::kRead, sector, &in).ok() || !equal_bytes(in.page(), page)) ++*wrong;
  }
}

void suspend_and_reload(World& world, int rounds) {
  for (int round = 0; round < rounds; ++round) {
    world.scheduler.sleep(Duration::milliseconds(3));
    if (round % 2 == 1) {
      EXPECT_TRUE(world.dm.load("lv", kTable).ok());
    }
    EXPECT_TRUE(world.dm.suspend("lv", {.noflush = round % 3 == 0}).ok());
    EXPECT_EQ(world.unequal_pages(), 0u);
    EXPECT_TRUE(world.dm.resume("lv").ok());
  }
}

TEST(MirrorOnCore, writes_reads_and_reloads_agree_under_every_schedule) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    World world(seed);
    int wrong = 0;
    world.task("boot", [&] {
      world.boot();
      for (std::uint64_t writer = 0; writer < 3; ++writer) {
        world.task("writer",
                   [&world, &wrong, writer] { write_and_verify(world, writer * 40, 40, &wrong); });
      }
      world.task("administrator", [&world] { suspend_and_reload(world, 6); });
    });
    ASSERT_TRUE(world.run()) << "seed " << seed;
    world.task("rest", [&] { world.scheduler.sleep(Duration::seconds(1)); });
    ASSERT_TRUE(world.run()) << "seed " << seed;
    EXPECT_EQ(wrong, 0) << "seed " << seed;
    EXPECT_EQ(world.unequal_pages(), 0u) << "seed " << seed;
    world.task("look", [&] {
      EXPECT_EQ(world.dm.status("lv").value(),
                "0 1024 mirror 2 leg0 leg1 16/16 1 AA 3 disk log0 A");
    });
    ASSERT_TRUE(world.run());
    EXPECT_EQ(world.dm.leaks(), std::vector<std::string>()) << "seed " << seed;
  }
}

TEST(MirrorOnCore, a_dead_leg_is_replaced_under_the_writers_without_an_error) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    FaultOptions dies;
    dies.disk = "leg1";
    dies.kind = FaultKind::kDies;
    dies.from = Duration::milliseconds(15);
    World world(seed, {}, {dies});
    int wrong = 0;
    world.task("boot", [&] {
      world.boot();
      world.task("writer", [&] { write_and_verify(world, 0, 60, &wrong); });
      world.task("repair", [&] {
        EXPECT_TRUE(world.dm.wait_event("lv", 1).ok());  // 1: synchronised
        EXPECT_TRUE(world.dm.load("lv", "0 1024 linear leg0 0").ok());
        EXPECT_TRUE(world.dm.suspend("lv", {.noflush = true}).ok());
        EXPECT_TRUE(world.dm.resume("lv").ok());
      });
    });
    ASSERT_TRUE(world.run()) << "seed " << seed;
    EXPECT_EQ(wrong, 0) << "seed " << seed;
    EXPECT_EQ(world.dm.leaks(), std::vector<std::string>()) << "seed " << seed;
  }
}

TEST(MirrorOnCore, the_switch_stable_reaches_the_limits_of_the_device) {
  for (const bool stable : {true, false}) {
    World world(1, stable ? SwitchValues{{"mirror.buffer", "stable"}} : SwitchValues{});
    world.task("boot", [&] { world.boot(); });
    ASSERT_TRUE(world.run());
    EXPECT_EQ(world.dm.find("lv")->limits().stable_writes, stable);
  }
}

TEST(MirrorOnCore, one_seed_is_one_run) {
  std::uint64_t fingerprints[2];
  for (std::uint64_t& fingerprint : fingerprints) {
    World world(7, {{"mirror.buffer", "bounce"}, {"mirror.read_balance", "chosen"}});
    int wrong = 0;
    world.task("boot", [&] {
      world.boot();
      world.task("writer", [&] { write_and_verify(world, 0, 40, &wrong); });
    });
    ASSERT_TRUE(world.run());
    EXPECT_EQ(wrong, 0);
    fingerprint = world.trace.fingerprint().value();
  }
  EXPECT_EQ(fingerprints[0], fingerprints[1]);
}

}  // namespace
}  // namespace dmsim::native
