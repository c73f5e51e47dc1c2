#include "models/memory/memory.h"

#include <gtest/gtest.h>

#include "models/memory/cache_trace.h"
#include "models/memory/pdflush.h"
#include "models/memory/test_device.h"

namespace dmsim {
namespace {

// Gives back what it was told it has; remembers how it was asked.
class FakeReclaimer final : public Reclaimer {
 public:
  FakeReclaimer(Memory& memory, std::string name, std::vector<std::string>& calls)
      : memory_(memory), name_(std::move(name)), calls_(calls) {
    memory_.add_reclaimer(*this);
  }
  ~FakeReclaimer() { memory_.remove_reclaimer(*this); }
  std::uint64_t reclaim(std::uint64_t wanted, bool) override {
    calls_.push_back(name_);
    const std::uint64_t given = std::min(wanted, has);
    for (std::uint64_t i = 0; i < given; ++i) memory_.free();
    has -= given;
    return given;
  }
  std::uint64_t has = 0;

 private:
  Memory& memory_;
  std::string name_;
  std::vector<std::string>& calls_;
};

TEST(Memory, marks_that_are_not_given_are_an_eighth_and_a_quarter) {
  TestWorld world({.pages = 80});
  EXPECT_EQ(world.memory.low_pages(), 10u);
  EXPECT_EQ(world.memory.high_pages(), 20u);
  EXPECT_EQ(world.memory.free_pages(), 80u);
}

TEST(Memory, reclaimers_are_asked_in_order_with_a_rotating_start) {
  TestWorld world({.pages = 8});
  world.cache.reset();
  std::vector<std::string> calls;
  FakeReclaimer a(world.memory, "a", calls);
  FakeReclaimer b(world.memory, "b", calls);
  FakeReclaimer c(world.memory, "c", calls);
  c.has = 8;
  b.has = 0;
  while (world.memory.try_allocate()) {
  }
  world.task("task", [&] {
    for (int i = 0; i < 2; ++i) {
      c.has = 1;
      world.memory.allocate();
    }
  });
  ASSERT_TRUE(world.run_tasks());
  EXPECT_EQ(calls, (std::vector<std::string>{"a", "b", "c", "b", "c", "a"}));
}

TEST(Memory, an_allocation_waits_until_somebody_frees_a_frame) {
  TestWorld world({.pages = 8});
  Instant got;
  while (world.memory.try_allocate()) {
  }
  world.task("waiter", [&] {
    world.memory.allocate();
    got = world.scheduler.now();
  });
  world.task("holder", [&] {
    world.scheduler.sleep(Duration::milliseconds(7));
    world.memory.free();
  });
  ASSERT_TRUE(world.run_tasks());
  EXPECT_GE(got.ns(), 7'000'000);
  EXPECT_GE(world.memory.stats().allocators_waited, Duration::microseconds(6'990));
  EXPECT_EQ(world.memory.free_pages(), 0u);
}

TEST(Memory, an_allocation_that_nobody_can_serve_is_stuck_and_says_so) {
  TestWorld world({.pages = 8});
  while (world.memory.try_allocate()) {
  }
  world.task("waiter", [&] { world.memory.allocate(); });
  EXPECT_FALSE(world.run_tasks());
  ASSERT_EQ(world.scheduler.stuck().size(), 1u);
  EXPECT_EQ(world.scheduler.stuck()[0].waits_for, "a free page frame");
}

TEST(Memory, direct_reclaim_drops_the_page_used_longest_ago) {
  TestWorld world({.pages = 8});
  std::vector<std::byte> out(4096);
  world.task("reader", [&] {
    for (const std::uint64_t page : {0u, 1u, 2u, 3u, 4u, 5u, 6u, 7u, 0u}) {
      EXPECT_TRUE(world.cache->read(page * 4096, out).ok());
    }
    EXPECT_EQ(world.memory.free_pages(), 0u);
    EXPECT_TRUE(world.cache->read(8 * 4096, out).ok());
  });
  ASSERT_TRUE(world.run_tasks());
  const auto reclaimed = world.events(kCacheReclaimed);
  ASSERT_FALSE(reclaimed.empty());
  EXPECT_EQ(reclaimed[0].args[1], 1u);  // page 0 was used again
  EXPECT_EQ(world.memory.stats().direct_reclaims, 1u);
}

TEST(Memory, reclaim_under_pressure_makes_progress_with_nothing_but_dirty_pages) {
  for (const bool kswapd : {false, true}) {
    TestWorld world({.pages = 8}, {.pages_per_bio = 2});
    if (kswapd) start_kswapd(world.scheduler, world.memory, world.trace.actors().intern("kswapd"));
    for (std::uint64_t task = 0; task < 3; ++task) {
      world.task("writer-" + std::to_string(task), [&world, task] {
        for (std::uint64_t page = 0; page < 40; ++page) {
          const Sector sector = (task * 40 + page) * 8;
          EXPECT_TRUE(world.cache->write(sector * 512, stamped(1, sector)).ok());
        }
      });
    }
    ASSERT_TRUE(world.run_tasks());
    world.task("syncer", [&] { EXPECT_TRUE(world.cache->fsync().ok()); });
    ASSERT_TRUE(world.run_tasks());
    EXPECT_EQ(world.device.bytes_at(0, 960), stamped(1, 0, 960));
    EXPECT_LE(world.cache->resident_pages(), 8u);
    EXPECT_EQ(world.memory.free_pages() + world.cache->resident_pages(), 8u);
  }
}

TEST(Memory, reclaim_without_permission_to_write_frees_clean_pages_only) {
  TestWorld world;
  world.task("writer", [&] {
    std::vector<std::byte> out(3 * 4096);
    EXPECT_TRUE(world.cache->read(0, out).ok());
    EXPECT_TRUE(world.cache->write(0, stamped(1, 0)).ok());
    EXPECT_EQ(world.cache->reclaim(10, false), 2u);
    EXPECT_EQ(world.cache->reclaim(10, false), 0u);
    EXPECT_EQ(world.cache->dirty_pages(), 1u);
    EXPECT_EQ(world.cache->reclaim(10, true), 1u);
    EXPECT_EQ(world.device.bytes_at(0, 8), stamped(1, 0));
  });
  ASSERT_TRUE(world.run_tasks());
}

TEST(Memory, reclaim_never_frees_a_page_that_is_pinned_locked_or_under_writeback) {
  TestWorld world({.pages = 8, .stable_pages = true});
  world.task("writer", [&] {
    EXPECT_TRUE(world.cache->write(0, stamped(1, 0)).ok());
    world.device.holding = true;
    world.cache->write_back(Instant::at_ns(INT64_MAX));
    EXPECT_EQ(world.cache->reclaim(10, false), 0u);  // under writeback
    EXPECT_TRUE(world.cache->store(0, stamped(2, 0, 1)).ok());
  });
  world.task("reader", [&] {
    world.scheduler.sleep(Duration::microseconds(10));
    std::vector<std::byte> out(512);
    EXPECT_TRUE(world.cache->read(4096, out).ok());
  });
  world.task("kswapd", [&] {
    world.scheduler.sleep(Duration::microseconds(50));
    EXPECT_EQ(world.device.held.size(), 2u);
    EXPECT_EQ(world.cache->reclaim(10, false), 0u);  // one under writeback, one locked
    // The writer is woken but has not run: its page is clean and idle, but pinned. So is the reader's.
    world.device.release_all();
    EXPECT_EQ(world.cache->reclaim(10, false), 0u);
    EXPECT_EQ(world.cache->resident_pages(), 2u);
  });
  ASSERT_TRUE(world.run_tasks());
  EXPECT_EQ(world.cache->dirty_pages(), 1u);
}

TEST(Kswapd, wakes_below_the_low_mark_and_works_up_to_the_high_mark) {
  TestWorld world({.pages = 64, .low_pages = 8, .high_pages = 24});
  start_kswapd(world.scheduler, world.memory, world.trace.actors().intern("kswapd"));
  std::vector<std::byte> out(4096);
  world.task("reader", [&] {
    for (std::uint64_t page = 0; page < 56; ++page) {
      EXPECT_TRUE(world.cache->read(page * 4096, out).ok());
    }
    world.scheduler.sleep(Duration::seconds(1));
    EXPECT_EQ(world.memory.free_pages(), 8u);
    EXPECT_EQ(world.memory.stats().kswapd_wakes, 0u);
    EXPECT_TRUE(world.cache->read(56 * 4096, out).ok());
    world.scheduler.sleep(Duration::seconds(1));
    EXPECT_EQ(world.memory.free_pages(), 24u);
  });
  ASSERT_TRUE(world.run_tasks());
  EXPECT_EQ(world.memory.stats().kswapd_wakes, 1u);
  EXPECT_EQ(world.memory.stats().kswapd_freed, 17u);
  EXPECT_EQ(world.memory.stats().direct_reclaims, 0u);
  const auto reclaimed = world.events(kCacheReclaimed);
  ASSERT_FALSE(reclaimed.empty());
  EXPECT_EQ(world.trace.actors().name(reclaimed[0].actor), "kswapd");
}

TEST(Kswapd, an_allocation_alone_wakes_it) {
  TestWorld world({.pages = 16, .low_pages = 4, .high_pages = 8});
  world.cache.reset();
  std::vector<std::string> calls;
  FakeReclaimer reclaimer(world.memory, "reclaimer", calls);
  reclaimer.has = 13;
  start_kswapd(world.scheduler, world.memory, world.trace.actors().intern("kswapd"));
  world.task("task", [&] {
    for (int i = 0; i < 12; ++i) world.memory.allocate();
    world.scheduler.sleep(Duration::milliseconds(1));
    EXPECT_TRUE(calls.empty());
    world.memory.allocate();
    world.scheduler.sleep(Duration::milliseconds(1));
    EXPECT_EQ(world.memory.free_pages(), 8u);
  });
  ASSERT_TRUE(world.run_tasks());
}

TEST(Kswapd, writes_dirty_pages_when_there_are_no_clean_ones) {
  TestWorld world({.pages = 16, .low_pages = 4, .high_pages = 8});
  start_kswapd(world.scheduler, world.memory, world.trace.actors().intern("kswapd"));
  world.task("writer", [&] {
    EXPECT_TRUE(world.cache->write(0, stamped(1, 0, 13 * 8)).ok());
    world.scheduler.sleep(Duration::seconds(1));
    EXPECT_GE(world.memory.free_pages(), 8u);
  });
  ASSERT_TRUE(world.run_tasks());
  const auto writebacks = world.events(kCacheWriteback);
  ASSERT_FALSE(writebacks.empty());
  EXPECT_EQ(world.trace.actors().name(writebacks[0].actor), "kswapd");
}

TEST(Kswapd, is_never_part_of_a_deadlock_while_idle) {
  TestWorld world({.pages = 8});
  start_kswapd(world.scheduler, world.memory, world.trace.actors().intern("kswapd"));
  world.task("task", [&] { world.scheduler.yield(); });
  ASSERT_TRUE(world.run_tasks());
  EXPECT_FALSE(world.scheduler.step());
  EXPECT_TRUE(world.scheduler.stuck().empty());
  // Nothing to reclaim below the low mark: it gives up and is idle again, it does not spin.
  while (world.memory.try_allocate()) {
  }
  EXPECT_FALSE(world.scheduler.run(1000));
  EXPECT_TRUE(world.scheduler.stuck().empty());
}

}  // namespace
}  // namespace dmsim
