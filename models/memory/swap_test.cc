// Memory that pages out, and writes that a page cache does not know of.
#include "models/memory/swap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/memory/test_device.h"

namespace dmsim {
namespace {

using testing::ElementsAre;

MemoryOptions eight_pages() {
  MemoryOptions options;
  options.pages = 8;
  options.low_pages = 1;
  options.high_pages = 2;
  return options;
}

TEST(SwapSpace, the_page_touched_longest_ago_goes_out_and_comes_back_as_it_was) {
  TestWorld world(eight_pages());
  SwapSpace swap(world.scheduler, world.memory, world.pages, world.device, 9);
  world.task("process", [&] {
    for (std::uint64_t page = 0; page < 8; ++page) EXPECT_TRUE(swap.touch(page, stamped(page + 1, page * 8)));
    EXPECT_TRUE(world.device.log.empty());
    world.memory.free(), world.memory.allocate();
    EXPECT_EQ(swap.reclaim(1, true), 1u);
    EXPECT_THAT(world.device.log, ElementsAre("W0+8", "c(W0+8)"));
    EXPECT_EQ(world.device.bytes_at(0, 8), stamped(1, 0));
    EXPECT_TRUE(swap.touch(0, stamped(20, 0)));
    EXPECT_EQ(world.device.log.back(), "c(R0+8)");
  });
  ASSERT_TRUE(world.run_tasks());
}

TEST(SwapSpace, a_process_whose_memory_does_not_fit_goes_on) {
  TestWorld world(eight_pages());
  SwapSpace swap(world.scheduler, world.memory, world.pages, world.device, 16);
  world.task("process", [&] {
    for (std::uint64_t round = 0; round < 64; ++round) {
      EXPECT_TRUE(swap.touch(round * 7 % 16, stamped(round, 0)));
    }
  });
  ASSERT_TRUE(world.run_tasks());
  EXPECT_EQ(world.events(kSwapOut).size() >= 8, true);
  EXPECT_FALSE(world.events(kSwapIn).empty());
}

TEST(SwapSpace, a_page_that_cannot_be_written_stays_in_memory) {
  TestWorld world(eight_pages());
  SwapSpace swap(world.scheduler, world.memory, world.pages, world.device, 4);
  world.device.verdict = [](const Bio&) { return BlockStatus::of(BlockStatus::Code::kIoError); };
  world.task("process", [&] {
    EXPECT_TRUE(swap.touch(0, stamped(1, 0)));
    swap.reclaim(1, true);
    world.device.verdict = nullptr;
    world.device.log.clear();
    EXPECT_TRUE(swap.touch(0, stamped(2, 0)));
    EXPECT_TRUE(world.device.log.empty()) << "nothing had to be read";
  });
  ASSERT_TRUE(world.run_tasks());
}

TEST(PageCacheUnlisted, what_a_file_system_writes_itself_is_neither_dirty_nor_under_writeback_for_others) {
  TestWorld world;
  world.device.holding = true;
  world.task("reiserfs", [&] {
    EXPECT_TRUE(world.cache->write(0, stamped(1, 0)).ok());
    EXPECT_TRUE(world.cache->write_unlisted({0, 8}).ok());
    EXPECT_EQ(world.device.bytes_at(0, 8), stamped(1, 0));
  });
  bool synced = false;
  world.task("fsync_dev", [&] {
    world.scheduler.sleep(Duration::milliseconds(1));
    EXPECT_EQ(world.device.held.size(), 1u) << "the write is on its way";
    EXPECT_EQ(world.cache->dirty_pages(), 0u);
    EXPECT_EQ(world.cache->writes_in_flight(), 0u);
    world.cache->write_and_wait({0, 1024});
    synced = true;
    EXPECT_EQ(world.device.held.size(), 1u) << "and fsync_dev has not waited for it";
    world.device.release_all();
  });
  ASSERT_TRUE(world.run_tasks());
  EXPECT_TRUE(synced);
}

TEST(PageCacheUnlisted, a_page_stays_while_it_is_written_and_an_error_is_reported_once) {
  TestWorld world;
  world.device.verdict = [](const Bio&) { return BlockStatus::of(BlockStatus::Code::kIoError); };
  world.task("reiserfs", [&] {
    OpenFile file = world.cache->open();
    EXPECT_TRUE(world.cache->write(0, stamped(1, 0)).ok());
    EXPECT_FALSE(world.cache->write_unlisted({0, 8}).ok());
    EXPECT_EQ(world.cache->resident_pages(), 1u);
    EXPECT_FALSE(world.cache->check_error(file).ok());
    EXPECT_TRUE(world.cache->check_error(file).ok());
  });
  ASSERT_TRUE(world.run_tasks());
}

}  // namespace
}  // namespace dmsim
