#include "models/memory/pdflush.h"

#include <gtest/gtest.h>

#include "models/memory/cache_trace.h"
#include "models/memory/memory.h"
#include "models/memory/test_device.h"

namespace dmsim {
namespace {

TEST(Pdflush, writes_pages_back_at_their_age_and_not_before) {
  TestWorld world;
  Pdflush pdflush(world.scheduler,
                  {.interval = Duration::seconds(5), .expire = Duration::seconds(30)},
                  world.trace.actors().intern("pdflush"));
  pdflush.add(*world.cache);
  pdflush.start();
  world.task("writer", [&] {
    world.scheduler.sleep(Duration::seconds(3));
    EXPECT_TRUE(world.cache->write(0, stamped(1, 0)).ok());
    world.scheduler.sleep(Duration::seconds(3));
    EXPECT_TRUE(world.cache->write(8192, stamped(1, 16)).ok());
    world.scheduler.sleep(Duration::seconds(28));  // 34 s
    EXPECT_EQ(world.device.log.size(), 0u);
    world.scheduler.sleep(Duration::seconds(2));   // the pass at 35 s has been
    EXPECT_EQ(world.device.log, (std::vector<std::string>{"W0+8", "c(W0+8)"}));
    world.scheduler.sleep(Duration::seconds(5));   // and the one at 40 s
    EXPECT_EQ(world.device.bytes_at(16, 8), stamped(1, 16));
  });
  ASSERT_TRUE(world.run_tasks());
  EXPECT_EQ(pdflush.passes(), 8u);
  const auto writebacks = world.events(kCacheWriteback);
  ASSERT_EQ(writebacks.size(), 2u);
  EXPECT_EQ(world.trace.actors().name(writebacks[0].actor), "pdflush");
  world.scheduler.shut_down();
}

// When a page dirtied at once was written back by a pdflush with passes a second apart, and its age then.
struct FirstWriteback {
  Instant at;
  Duration age;
};
FirstWriteback first_writeback(Duration expire) {
  TestWorld world;
  Pdflush pdflush(world.scheduler, {.interval = Duration::seconds(1), .expire = expire},
                  world.trace.actors().intern("pdflush"));
  pdflush.add(*world.cache);
  pdflush.start();
  Instant dirtied;
  world.task("writer", [&] {
    EXPECT_TRUE(world.cache->write(0, stamped(1, 0)).ok());
    dirtied = world.scheduler.now();
    world.scheduler.sleep(Duration::seconds(5));
  });
  EXPECT_TRUE(world.run_tasks());
  const auto writebacks = world.events(kCacheWriteback);
  EXPECT_EQ(writebacks.size(), 1u);
  world.scheduler.shut_down();
  return {writebacks.at(0).at, writebacks.at(0).at - dirtied};
}

TEST(Pdflush, a_page_of_exactly_the_age_is_old_enough) {
  const FirstWriteback early = first_writeback(Duration::milliseconds(100));
  const FirstWriteback exact = first_writeback(early.age);
  const FirstWriteback too_young = first_writeback(early.age + Duration::nanoseconds(1));
  EXPECT_EQ(exact.at, early.at);
  EXPECT_GE(too_young.at - exact.at, Duration::seconds(1));
}

TEST(Pdflush, passes_by_a_congested_device_only_if_it_must_not_block) {
  for (const bool nonblocking : {false, true}) {
    TestWorld world;
    Pdflush pdflush(world.scheduler,
                    {.interval = Duration::seconds(1), .expire = Duration(), .nonblocking = nonblocking},
                    world.trace.actors().intern("pdflush"));
    pdflush.add(*world.cache);
    pdflush.start();
    world.device.busy = true;
    world.task("writer", [&] {
      EXPECT_TRUE(world.cache->write(0, stamped(1, 0)).ok());
      world.scheduler.sleep(Duration::milliseconds(3500));
      EXPECT_EQ(world.device.log.empty(), nonblocking);
      world.device.busy = false;
      world.scheduler.sleep(Duration::seconds(1));
      EXPECT_EQ(world.device.bytes_at(0, 8), stamped(1, 0));
    });
    ASSERT_TRUE(world.run_tasks());
    EXPECT_EQ(world.events(kCacheAsked).size(), nonblocking ? 4u : 0u);  // a clean cache's device is not asked
    world.scheduler.shut_down();
  }
}

TEST(Pdflush, a_device_that_sleeps_when_it_is_asked_hangs_whoever_dirties_another) {
  TestWorld world;
  TestDevice other_device(world.scheduler, world.pages, 64);
  PageCache other(world.scheduler, world.memory, world.pages, other_device,
                  world.trace.actors().intern("pagecache other"));
  Pdflush pdflush(world.scheduler,
                  {.interval = Duration::seconds(1), .expire = Duration::seconds(30), .nonblocking = true},
                  world.trace.actors().intern("pdflush"));
  pdflush.add(*world.cache);
  pdflush.add(other);
  pdflush.start();
  WaitQueue answer(world.scheduler, "an answer");
  world.device.asked = [&] { answer.wait(); };
  world.task("writer", [&] {
    EXPECT_TRUE(world.cache->write(0, stamped(1, 0)).ok());
    world.scheduler.sleep(Duration::milliseconds(1500));
    // What is dirty already is on its list.
    EXPECT_TRUE(world.cache->write(4096, stamped(1, 8)).ok());
    world.scheduler.after(Duration::seconds(1), [](void* queue, std::uint64_t) {
      static_cast<WaitQueue*>(queue)->wake_all();
    }, &answer);
    EXPECT_TRUE(other.write(0, stamped(2, 0)).ok());
    ADD_FAILURE() << "nobody gives the lock back";
  });
  world.run_for(Duration::seconds(10));
  const std::vector<StuckFiber> stuck = world.scheduler.stuck();
  ASSERT_EQ(stuck.size(), 2u);
  EXPECT_EQ(stuck[0].waits_for, "the spinlock of the lists of dirty inodes");
  EXPECT_EQ(world.trace.actors().name(stuck[0].held_by), "pdflush");
  EXPECT_EQ(world.trace.actors().name(stuck[1].actor), "pdflush");
  world.scheduler.shut_down();
}

TEST(Pdflush, serves_every_cache_and_forgets_a_removed_one) {
  TestWorld world;
  TestDevice other_device(world.scheduler, world.pages, 64);
  auto other = std::make_unique<PageCache>(world.scheduler, world.memory, world.pages, other_device,
                                           world.trace.actors().intern("pagecache other"));
  Pdflush pdflush(world.scheduler, {.interval = Duration::seconds(1), .expire = Duration()},
                  world.trace.actors().intern("pdflush"));
  pdflush.add(*world.cache);
  pdflush.add(*other);
  pdflush.start();
  world.task("writer", [&] {
    EXPECT_TRUE(world.cache->write(0, stamped(1, 0)).ok());
    EXPECT_TRUE(other->write(0, stamped(2, 0)).ok());
    world.scheduler.sleep(Duration::seconds(2));
    EXPECT_EQ(world.device.bytes_at(0, 8), stamped(1, 0));
    EXPECT_EQ(other_device.bytes_at(0, 8), stamped(2, 0));
    pdflush.remove(*other);
    other.reset();
    world.scheduler.sleep(Duration::seconds(2));
  });
  ASSERT_TRUE(world.run_tasks());
  EXPECT_GE(pdflush.passes(), 3u);
  world.scheduler.shut_down();
}

TEST(Daemons, unwound_in_the_middle_of_a_pass_leave_nothing_behind) {
  TestWorld world({.pages = 8}, {.pages_per_bio = 1, .writes_in_flight = 1});
  Pdflush pdflush(world.scheduler, {.interval = Duration::milliseconds(1), .expire = Duration()},
                  world.trace.actors().intern("pdflush"));
  pdflush.add(*world.cache);
  pdflush.start();
  start_kswapd(world.scheduler, world.memory, world.trace.actors().intern("kswapd"));
  world.device.holding = true;
  world.task("writer", [&] {
    EXPECT_TRUE(world.cache->write(0, stamped(1, 0, 8 * 16)).ok());
  });
  world.run_for(Duration::milliseconds(20));
  EXPECT_EQ(world.device.held.size(), 1u);
  world.scheduler.shut_down();
  pdflush.remove(*world.cache);  // pdflush was in it, but is gone
  world.cache.reset();
  EXPECT_EQ(world.memory.free_pages(), 8u);
}

}  // namespace
}  // namespace dmsim
