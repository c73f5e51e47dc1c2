#include "models/memory/page_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/memory/cache_trace.h"
#include "models/memory/test_device.h"

namespace dmsim {
namespace {

using Log = std::vector<std::string>;
constexpr auto kEio = BlockStatus::Code::kIoError;

std::vector<std::byte> read_bytes(PageCache& cache, std::uint64_t offset, std::size_t size) {
  std::vector<std::byte> out(size);
  EXPECT_TRUE(cache.read(offset, out).ok());
  return out;
}

Instant for_ever() { return Instant::at_ns(INT64_MAX); }

TEST(PageCache, a_read_fills_the_page_by_one_bio_and_the_next_read_hits) {
  TestWorld world;
  world.task("reader", [&] {
    EXPECT_EQ(read_bytes(*world.cache, 512, 1024), world.device.bytes_at(1, 2));
    EXPECT_EQ(read_bytes(*world.cache, 0, 4096), world.device.bytes_at(0, 8));
  });
  ASSERT_TRUE(world.run_tasks());
  EXPECT_EQ(world.device.log, (Log{"R0+8", "c(R0+8)"}));
  EXPECT_EQ(world.cache->stats().misses, 1u);
  EXPECT_EQ(world.cache->stats().hits, 1u);
}

TEST(PageCache, a_read_across_pages_reads_each_of_them) {
  TestWorld world;
  world.task("reader", [&] {
    EXPECT_EQ(read_bytes(*world.cache, 7 * 512, 10 * 512), world.device.bytes_at(7, 10));
  });
  ASSERT_TRUE(world.run_tasks());
  EXPECT_EQ(world.device.log,
            (Log{"R0+8", "c(R0+8)", "R8+8", "c(R8+8)", "R16+8", "c(R16+8)"}));
}

TEST(PageCache, two_readers_of_a_missing_page_share_one_read) {
  TestWorld world;
  int done = 0;
  for (const char* name : {"reader-1", "reader-2"}) {
    world.task(name, [&] {
      EXPECT_EQ(read_bytes(*world.cache, 0, 4096), world.device.bytes_at(0, 8));
      ++done;
    });
  }
  ASSERT_TRUE(world.run_tasks());
  EXPECT_EQ(done, 2);
  EXPECT_EQ(world.device.log, (Log{"R0+8", "c(R0+8)"}));
}

TEST(PageCache, a_failed_read_is_returned_and_the_next_reader_tries_again) {
  TestWorld world;
  int failures = 1;
  world.device.verdict = [&](const Bio&) {
    return failures-- > 0 ? BlockStatus{kEio, true} : BlockStatus::okay();
  };
  world.task("reader", [&] {
    std::vector<std::byte> out(4096);
    EXPECT_EQ(world.cache->read(0, out), (BlockStatus{kEio, true}));
    EXPECT_EQ(read_bytes(*world.cache, 0, 4096), world.device.bytes_at(0, 8));
  });
  ASSERT_TRUE(world.run_tasks());
  EXPECT_EQ(world.device.log.size(), 4u);
}

TEST(PageCache, a_reader_that_shared_a_failed_read_tries_by_itself) {
  TestWorld world;
  int failures = 1;
  world.device.verdict = [&](const Bio&) {
    return BlockStatus::of(failures-- > 0 ? kEio : BlockStatus::Code::kOk);
  };
  std::vector<BlockStatus> answers;
  for (const char* name : {"reader-1", "reader-2"}) {
    world.task(name, [&] {
      std::vector<std::byte> out(512);
      answers.push_back(world.cache->read(0, out));
    });
  }
  ASSERT_TRUE(world.run_tasks());
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_NE(answers[0].ok(), answers[1].ok());
}

TEST(PageCache, a_write_of_part_of_a_page_reads_it_first_and_a_whole_one_does_not) {
  TestWorld world;
  world.task("writer", [&] {
    EXPECT_TRUE(world.cache->write(0, stamped(1, 0)).ok());
    EXPECT_EQ(world.device.log, Log{});
    EXPECT_TRUE(world.cache->write(4096 + 512, stamped(2, 9, 1)).ok());
    EXPECT_EQ(world.device.log, (Log{"R8+8", "c(R8+8)"}));
    EXPECT_EQ(read_bytes(*world.cache, 0, 4096), stamped(1, 0));
    EXPECT_EQ(read_bytes(*world.cache, 4096, 512), world.device.bytes_at(8, 1));
    EXPECT_EQ(read_bytes(*world.cache, 4608, 512), stamped(2, 9, 1));
  });
  ASSERT_TRUE(world.run_tasks());
  EXPECT_EQ(world.cache->dirty_pages(), 2u);
}

TEST(PageCache, a_store_to_a_whole_page_faults_it_in_first) {
  TestWorld world;
  world.task("storer", [&] { EXPECT_TRUE(world.cache->store(0, stamped(1, 0)).ok()); });
  ASSERT_TRUE(world.run_tasks());
  EXPECT_EQ(world.device.log, (Log{"R0+8", "c(R0+8)"}));
}

TEST(PageCache, a_whole_page_write_waits_for_a_read_under_way_and_is_not_overwritten_by_it) {
  TestWorld world;
  world.task("reader", [&] { read_bytes(*world.cache, 0, 512); });
  world.task("writer", [&] {
    EXPECT_TRUE(world.cache->write(0, stamped(1, 0)).ok());
    EXPECT_EQ(world.device.log, (Log{"R0+8", "c(R0+8)"}));
    EXPECT_EQ(read_bytes(*world.cache, 0, 4096), stamped(1, 0));
  });
  ASSERT_TRUE(world.run_tasks());
}

TEST(PageCache, the_last_page_of_a_device_may_be_short) {
  TestWorld world({}, {}, 12);
  world.task("writer", [&] {
    EXPECT_TRUE(world.cache->write(4096, stamped(1, 8, 4)).ok());
    EXPECT_TRUE(world.cache->fsync().ok());
    EXPECT_EQ(read_bytes(*world.cache, 4096, 2048), stamped(1, 8, 4));
  });
  ASSERT_TRUE(world.run_tasks());
  EXPECT_EQ(world.device.log, (Log{"W8+4", "c(W8+4)", "F", "c(F)"}));
  EXPECT_EQ(world.device.bytes_at(8, 4), stamped(1, 8, 4));
}

TEST(PageCache, a_range_beyond_the_end_is_refused_as_a_whole) {
  TestWorld world({}, {}, 16);
  world.task("writer", [&] {
    std::vector<std::byte> out(8192);
    EXPECT_EQ(world.cache->read(4096, out).code, kEio);
    EXPECT_EQ(world.cache->write(4096, stamped(1, 8, 16)).code, BlockStatus::Code::kNoSpace);
    EXPECT_EQ(world.cache->store(UINT64_MAX, stamped(1, 8, 1)).code, BlockStatus::Code::kNoSpace);
  });
  ASSERT_TRUE(world.run_tasks());
  EXPECT_EQ(world.device.log, Log{});
  EXPECT_EQ(world.cache->resident_pages(), 0u);
}

TEST(PageCache, contiguous_dirty_pages_go_out_as_one_bio_up_to_the_bound) {
  TestWorld world({}, {.pages_per_bio = 3});
  world.task("writer", [&] {
    EXPECT_TRUE(world.cache->write(0, stamped(1, 0, 5 * 8)).ok());
    EXPECT_TRUE(world.cache->write(8 * 4096, stamped(1, 64)).ok());
    world.cache->write_back(for_ever());
  });
  ASSERT_TRUE(world.run_tasks());
  world.run_for(Duration::milliseconds(1));
  EXPECT_EQ(Log(world.device.log.begin(), world.device.log.begin() + 3),
            (Log{"W0+24", "W24+16", "W64+8"}));
  EXPECT_EQ(world.device.bytes_at(0, 40), stamped(1, 0, 40));
  EXPECT_EQ(world.cache->dirty_pages(), 0u);
  EXPECT_EQ(world.cache->stats().pages_written, 6u);
}

TEST(PageCache, a_bio_is_no_longer_than_the_device_takes) {
  TestWorld world;
  world.device.limits_.max_sectors = 20;
  world.task("writer", [&] {
    EXPECT_TRUE(world.cache->write(0, stamped(1, 0, 40)).ok());
    EXPECT_TRUE(world.cache->fsync().ok());
  });
  ASSERT_TRUE(world.run_tasks());
  EXPECT_EQ(Log(world.device.log.begin(), world.device.log.begin() + 3),
            (Log{"W0+16", "W16+16", "W32+8"}));
}

TEST(PageCache, writeback_waits_for_room) {
  TestWorld world({}, {.pages_per_bio = 1, .writes_in_flight = 2});
  std::uint64_t most = 0;
  world.device.verdict = [&](const Bio&) {
    most = std::max(most, world.cache->writes_in_flight());
    return BlockStatus::okay();
  };
  world.task("writer", [&] {
    EXPECT_TRUE(world.cache->write(0, stamped(1, 0, 9 * 8)).ok());
    world.cache->write_back(for_ever());
  });
  ASSERT_TRUE(world.run_tasks());
  world.run_for(Duration::milliseconds(1));
  EXPECT_EQ(most, 2u);
  EXPECT_EQ(world.device.bytes_at(0, 72), stamped(1, 0, 72));
}

TEST(PageCache, writeback_leaves_pages_that_are_too_young) {
  TestWorld world;
  world.task("writer", [&] {
    EXPECT_TRUE(world.cache->write(0, stamped(1, 0)).ok());
    world.scheduler.sleep(Duration::seconds(1));
    const Instant between = world.scheduler.now();
    EXPECT_TRUE(world.cache->write(4096, stamped(1, 8)).ok());
    EXPECT_TRUE(world.cache->write(0, stamped(2, 0)).ok());  // dirty already: does not get younger
    world.cache->write_back(between);
  });
  ASSERT_TRUE(world.run_tasks());
  EXPECT_EQ(world.device.log, Log{"W0+8"});
  EXPECT_EQ(world.cache->dirty_pages(), 1u);
}

TEST(PageCache, the_dirty_bit_is_cleared_before_the_bio_is_submitted) {
  TestWorld world;
  world.device.holding = true;
  world.task("writer", [&] {
    EXPECT_TRUE(world.cache->write(0, stamped(1, 0)).ok());
    world.cache->write_back(for_ever());
    EXPECT_EQ(world.cache->dirty_pages(), 0u);
    EXPECT_EQ(world.device.held.size(), 1u);
  });
  ASSERT_TRUE(world.run_tasks());
}

TEST(PageCache, a_store_under_writeback_dirties_the_page_again_and_the_bio_samples_the_later_bytes) {
  TestWorld world;
  world.device.holding = true;
  world.task("writer", [&] {
    EXPECT_TRUE(world.cache->write(0, stamped(1, 0)).ok());
    world.cache->write_back(for_ever());
    const PageRef sampled_early = world.device.held[0]->segments[0].frame->page();
    EXPECT_TRUE(world.cache->store(1024, stamped(2, 2, 1)).ok());
    EXPECT_EQ(world.cache->dirty_pages(), 1u);
    EXPECT_EQ(world.cache->stats().redirtied_under_writeback, 1u);
    // What a disk has sampled before is not touched.
    EXPECT_EQ(read_stamp(sampled_early.sector_bytes(2)), (Stamp{1, 1, 2}));
    world.device.release_all();
    EXPECT_EQ(world.device.bytes_at(2, 1), stamped(2, 2, 1));
    EXPECT_EQ(world.cache->dirty_pages(), 1u);
    EXPECT_TRUE(world.cache->fsync().ok());
    EXPECT_EQ(world.cache->dirty_pages(), 0u);
  });
  ASSERT_TRUE(world.run_tasks());
  EXPECT_EQ(world.cache->stats().pages_written, 2u);
  ASSERT_EQ(world.events(kCacheDirty).size(), 2u);
  EXPECT_EQ(world.events(kCacheDirty)[1].args[3], 1u);
  EXPECT_TRUE(world.events(kCacheStableWait).empty());
}

TEST(PageCache, background_writeback_does_not_wait_for_a_page_dirtied_under_writeback) {
  TestWorld world;
  world.device.holding = true;
  world.task("pdflush", [&] {
    EXPECT_TRUE(world.cache->write(0, stamped(1, 0)).ok());
    world.cache->write_back(for_ever());
    EXPECT_TRUE(world.cache->store(0, stamped(2, 0, 1)).ok());
    EXPECT_TRUE(world.cache->write(8192, stamped(1, 16)).ok());
    world.cache->write_back(for_ever());
    EXPECT_EQ(world.device.log, (Log{"W0+8", "W16+8"}));
    EXPECT_EQ(world.cache->dirty_pages(), 1u);
    world.device.release_all();
  });
  ASSERT_TRUE(world.run_tasks());
}

TEST(PageCache, a_write_of_a_whole_page_under_writeback_reaches_the_bio_too) {
  TestWorld world;
  world.device.holding = true;
  world.task("writer", [&] {
    EXPECT_TRUE(world.cache->write(0, stamped(1, 0)).ok());
    world.cache->write_back(for_ever());
    EXPECT_TRUE(world.cache->write(0, stamped(2, 0)).ok());
    world.device.release_all();
    EXPECT_EQ(world.device.bytes_at(0, 8), stamped(2, 0));
  });
  ASSERT_TRUE(world.run_tasks());
  EXPECT_EQ(world.cache->stats().redirtied_under_writeback, 1u);
}

void writers_wait_for_stable_pages(TestWorld& world) {
  bool stored = false;
  world.device.delay = Duration::milliseconds(3);
  world.task("writer", [&] {
    EXPECT_TRUE(world.cache->write(0, stamped(1, 0)).ok());
    world.cache->write_back(for_ever());
    EXPECT_TRUE(world.cache->store(0, stamped(2, 0, 1)).ok());
    EXPECT_EQ(world.device.log, (Log{"W0+8", "c(W0+8)"}));
    stored = true;
  });
  ASSERT_TRUE(world.run_tasks());
  EXPECT_TRUE(stored);
  EXPECT_EQ(world.device.bytes_at(0, 8), stamped(1, 0));
  EXPECT_EQ(world.cache->stats().redirtied_under_writeback, 0u);
  EXPECT_EQ(world.cache->stats().writers_blocked, 1u);
  EXPECT_GE(world.cache->stats().writers_waited, Duration::microseconds(2990));
  EXPECT_LE(world.cache->stats().writers_waited, Duration::microseconds(3010));
  EXPECT_EQ(world.cache->dirty_pages(), 1u);
}

TEST(PageCache, stable_pages_make_the_writer_wait_until_writeback_has_ended) {
  TestWorld world({.stable_pages = true});
  writers_wait_for_stable_pages(world);
}

TEST(PageCache, a_device_may_ask_for_stable_pages) {
  TestWorld world;
  world.device.limits_.stable_writes = true;
  writers_wait_for_stable_pages(world);
}

TEST(PageCache, stable_pages_do_not_block_readers) {
  TestWorld world({.stable_pages = true});
  world.device.holding = true;
  world.task("reader", [&] {
    EXPECT_TRUE(world.cache->write(0, stamped(1, 0)).ok());
    world.cache->write_back(for_ever());
    EXPECT_EQ(read_bytes(*world.cache, 0, 4096), stamped(1, 0));
    EXPECT_EQ(world.device.held.size(), 1u);
  });
  ASSERT_TRUE(world.run_tasks());
}

TEST(PageCache, fsync_waits_for_all_data_before_it_flushes) {
  TestWorld world;
  world.task("writer", [&] {
    EXPECT_TRUE(world.cache->write(0, stamped(1, 0)).ok());
    world.cache->write_back(for_ever());  // under writeback when fsync begins
    EXPECT_TRUE(world.cache->write(4096 * 4, stamped(1, 32)).ok());
    EXPECT_TRUE(world.cache->fsync().ok());
  });
  ASSERT_TRUE(world.run_tasks());
  EXPECT_EQ(world.device.log,
            (Log{"W0+8", "W32+8", "c(W0+8)", "c(W32+8)", "F", "c(F)"}));
}

TEST(PageCache, fsync_writes_a_page_again_that_was_dirtied_under_writeback) {
  TestWorld world;
  world.task("writer", [&] {
    EXPECT_TRUE(world.cache->write(0, stamped(1, 0)).ok());
    world.cache->write_back(for_ever());
    EXPECT_TRUE(world.cache->store(0, stamped(2, 0, 1)).ok());
    EXPECT_TRUE(world.cache->fsync().ok());
  });
  ASSERT_TRUE(world.run_tasks());
  EXPECT_EQ(world.device.log, (Log{"W0+8", "c(W0+8)", "W0+8", "c(W0+8)", "F", "c(F)"}));
}

TEST(PageCache, fsync_of_a_clean_cache_still_flushes) {
  TestWorld world;
  world.task("writer", [&] { EXPECT_TRUE(world.cache->fsync().ok()); });
  ASSERT_TRUE(world.run_tasks());
  EXPECT_EQ(world.device.log, (Log{"F", "c(F)"}));
}

TEST(PageCache, fsync_ends_although_a_writer_never_stops) {
  TestWorld world;
  world.device.delay = Duration::milliseconds(1);
  bool ended = false;
  world.task("writer", [&] {
    std::uint64_t count = 0;
    while (!ended) {
      ++count;
      EXPECT_TRUE(world.cache->store(count % 4 * 4096, stamped(count, 0, 1)).ok());
      world.scheduler.sleep(Duration::microseconds(50));
    }
  });
  world.task("syncer", [&] {
    world.scheduler.sleep(Duration::milliseconds(20));
    EXPECT_TRUE(world.cache->fsync().ok());
    ended = true;
  });
  world.run_for(Duration::milliseconds(40));
  EXPECT_TRUE(ended);
  ended = true;
}

TEST(PageCache, fsync_leaves_pages_that_were_dirtied_after_it_began) {
  TestWorld world({}, {.pages_per_bio = 1, .writes_in_flight = 1});
  world.task("syncer", [&] {
    EXPECT_TRUE(world.cache->write(0, stamped(1, 0, 16)).ok());
    EXPECT_TRUE(world.cache->fsync().ok());
  });
  world.task("late writer", [&] {
    world.scheduler.sleep(Duration::microseconds(10));  // fsync waits for room
    EXPECT_TRUE(world.cache->write(8192, stamped(2, 16)).ok());
  });
  ASSERT_TRUE(world.run_tasks());
  EXPECT_EQ(world.device.log, (Log{"W0+8", "c(W0+8)", "W8+8", "c(W8+8)", "F", "c(F)"}));
  EXPECT_EQ(world.cache->dirty_pages(), 1u);
}

TEST(PageCache, a_write_error_is_reported_once_and_the_page_is_clean) {
  TestWorld world;
  int failures = 1;
  world.device.verdict = [&](const Bio&) {
    return failures-- > 0 ? BlockStatus{kEio, true} : BlockStatus::okay();
  };
  world.task("writer", [&] {
    EXPECT_TRUE(world.cache->write(0, stamped(1, 0)).ok());
    EXPECT_EQ(world.cache->fsync(), (BlockStatus{kEio, true}));
    EXPECT_EQ(world.device.log, (Log{"W0+8", "c(W0+8)"}));  // no flush after an error
    EXPECT_EQ(world.cache->dirty_pages(), 0u);
    EXPECT_TRUE(world.cache->fsync().ok());
    EXPECT_EQ(read_bytes(*world.cache, 0, 4096), stamped(1, 0));  // the page itself stays
  });
  ASSERT_TRUE(world.run_tasks());
  EXPECT_EQ(world.device.log, (Log{"W0+8", "c(W0+8)", "F", "c(F)"}));
  EXPECT_EQ(world.cache->stats().pages_failed, 1u);
}

TEST(PageCache, an_error_of_background_writeback_is_reported_by_the_next_fsync) {
  TestWorld world;
  world.device.verdict = [&](const Bio& bio) {
    return BlockStatus::of(bio.op == Op::kWrite ? kEio : BlockStatus::Code::kOk);
  };
  world.task("writer", [&] {
    EXPECT_TRUE(world.cache->write(0, stamped(1, 0)).ok());
    world.cache->write_back(for_ever());
    world.scheduler.sleep(Duration::seconds(1));
    EXPECT_EQ(world.cache->fsync().code, kEio);
    EXPECT_TRUE(world.cache->fsync().ok());
  });
  ASSERT_TRUE(world.run_tasks());
}

TEST(PageCache, every_open_file_gets_a_write_error_once) {
  TestWorld world;
  bool fail = true;
  world.device.verdict = [&](const Bio&) {
    return BlockStatus::of(fail ? kEio : BlockStatus::Code::kOk);
  };
  world.task("writer", [&] {
    OpenFile first = world.cache->open();
    OpenFile second = world.cache->open();
    EXPECT_TRUE(world.cache->write(0, stamped(1, 0)).ok());
    world.cache->write_back(for_ever());
    world.scheduler.sleep(Duration::seconds(1));
    fail = false;
    OpenFile before_anybody_saw_it = world.cache->open();
    EXPECT_EQ(world.cache->fsync(first).code, kEio);
    OpenFile afterwards = world.cache->open();
    EXPECT_EQ(world.cache->fsync(second).code, kEio);
    EXPECT_EQ(world.cache->fsync(before_anybody_saw_it).code, kEio);
    EXPECT_TRUE(world.cache->fsync(afterwards).ok());
    EXPECT_TRUE(world.cache->fsync(first).ok());
    EXPECT_TRUE(world.cache->fsync(second).ok());
  });
  ASSERT_TRUE(world.run_tasks());
}

TEST(PageCache, a_failed_flush_fails_fsync_and_a_device_without_flush_does_not) {
  TestWorld world;
  BlockStatus::Code answer = kEio;
  world.device.verdict = [&](const Bio&) { return BlockStatus::of(answer); };
  world.task("writer", [&] {
    EXPECT_EQ(world.cache->fsync().code, kEio);
    answer = BlockStatus::Code::kNotSupported;
    EXPECT_TRUE(world.cache->fsync().ok());
  });
  ASSERT_TRUE(world.run_tasks());
}

TEST(PageCache, invalidate_drops_clean_pages_and_leaves_dirty_ones_and_those_under_writeback) {
  TestWorld world;
  world.task("reader", [&] {
    read_bytes(*world.cache, 0, 4 * 4096);
    EXPECT_TRUE(world.cache->write(4096, stamped(1, 8)).ok());
    world.device.holding = true;
    world.cache->write_back(for_ever());
    EXPECT_TRUE(world.cache->write(8192, stamped(1, 16)).ok());
    world.cache->invalidate({8, 1024});
    EXPECT_EQ(world.cache->resident_pages(), 3u);
    world.cache->invalidate({0, 1024});
    EXPECT_EQ(world.cache->resident_pages(), 2u);
    EXPECT_EQ(world.memory.free_pages(), world.memory.options().pages - 2);
    world.device.release_all();
    world.cache->invalidate({0, 1024});
    EXPECT_EQ(world.cache->resident_pages(), 1u);
    EXPECT_EQ(read_bytes(*world.cache, 8192, 4096), stamped(1, 16));
  });
  ASSERT_TRUE(world.run_tasks());
}

TEST(PageCache, write_and_wait_cares_for_its_range_only_and_does_not_flush) {
  TestWorld world;
  world.task("writer", [&] {
    EXPECT_TRUE(world.cache->write(0, stamped(1, 0, 24)).ok());
    world.cache->write_and_wait({8, 16});
    EXPECT_EQ(world.device.log, (Log{"W8+8", "c(W8+8)"}));
    EXPECT_EQ(world.cache->dirty_pages(), 2u);
  });
  ASSERT_TRUE(world.run_tasks());
}

TEST(PageCache, a_dirty_page_beyond_the_end_of_a_shrunk_device_fails_alone) {
  TestWorld world;
  world.task("writer", [&] {
    EXPECT_TRUE(world.cache->write(0, stamped(1, 0, 24)).ok());
    world.device.shrink(16);
    EXPECT_EQ(world.cache->fsync().code, kEio);
    EXPECT_EQ(world.device.bytes_at(0, 16), stamped(1, 0, 16));
  });
  ASSERT_TRUE(world.run_tasks());
  EXPECT_EQ(world.cache->stats().pages_failed, 1u);
  EXPECT_EQ(world.cache->dirty_pages(), 0u);
}

// Every frame holds a dirty page, so that whoever wants one has to wait for writeback.
void fill_memory_with_dirty_pages(TestWorld& world) {
  world.task("filler", [&] { EXPECT_TRUE(world.cache->write(0, stamped(1, 0, 8 * 8)).ok()); });
  EXPECT_TRUE(world.run_tasks());
  EXPECT_EQ(world.memory.free_pages(), 0u);
}

TEST(PageCache, two_fibers_that_both_had_to_find_a_frame_for_a_page_end_up_with_one_page) {
  TestWorld world({.pages = 8});
  fill_memory_with_dirty_pages(world);
  world.device.log.clear();
  for (const char* name : {"reader-1", "reader-2"}) {
    world.task(name, [&] {
      EXPECT_EQ(read_bytes(*world.cache, 80 * 512, 4096), world.device.bytes_at(80, 8));
    });
  }
  ASSERT_TRUE(world.run_tasks());
  EXPECT_EQ(std::count(world.device.log.begin(), world.device.log.end(), "R80+8"), 1);
  EXPECT_EQ(world.memory.free_pages() + world.cache->resident_pages(), 8u);
}

TEST(PageCache, a_device_that_shrinks_while_a_frame_is_being_found_fails_the_read) {
  TestWorld world({.pages = 8});
  fill_memory_with_dirty_pages(world);
  world.task("reader", [&] {
    std::vector<std::byte> out(4096);
    EXPECT_EQ(world.cache->read(80 * 512, out).code, kEio);
  });
  world.task("administrator", [&] { world.device.shrink(64); });
  ASSERT_TRUE(world.run_tasks());
}

TEST(PageCache, the_trace_tells_who_stored_which_version_of_which_page) {
  TestWorld world;
  std::uint64_t before = 0;
  world.task("task-7", [&] {
    read_bytes(*world.cache, 3 * 4096, 512);
    before = world.pages.last_version();
    EXPECT_TRUE(world.cache->store(3 * 4096 + 512, stamped(1, 25, 1)).ok());
    EXPECT_TRUE(world.cache->fsync().ok());
  });
  ASSERT_TRUE(world.run_tasks());
  const auto stores = world.events(kCacheStore);
  ASSERT_EQ(stores.size(), 1u);
  EXPECT_EQ(world.trace.actors().name(stores[0].actor), "task-7");
  EXPECT_EQ(world.trace.actors().name(static_cast<Actor>(stores[0].args[0])), "pagecache lv");
  EXPECT_THAT(stores[0].args, testing::ElementsAre(testing::_, 3u, 512u, 512u, before + 1));
  const auto written = world.events(kCacheWritten);
  ASSERT_EQ(written.size(), 1u);
  EXPECT_EQ(written[0].args[2], before + 1);
  EXPECT_EQ(world.events(kCacheWriteback).size(), 1u);
  EXPECT_EQ(world.events(kCacheRead).size(), 1u);
}

TEST(PageCache, fibers_unwound_in_the_middle_of_io_leave_nothing_that_crashes) {
  TestWorld world({.pages = 8, .stable_pages = true}, {.pages_per_bio = 1, .writes_in_flight = 1});
  world.task("reader", [&] { read_bytes(*world.cache, 40 * 4096, 512); });
  world.task("second reader", [&] { read_bytes(*world.cache, 40 * 4096, 512); });
  world.task("writer", [&] {
    EXPECT_TRUE(world.cache->write(0, stamped(1, 0, 24)).ok());
    world.device.holding = true;
    world.cache->write_back(for_ever());
  });
  world.task("stable storer", [&] {
    world.scheduler.sleep(Duration::microseconds(10));
    EXPECT_TRUE(world.cache->store(0, stamped(2, 0, 1)).ok());
  });
  world.task("syncer", [&] {
    world.scheduler.sleep(Duration::microseconds(10));
    (void)world.cache->fsync();
  });
  world.task("greedy", [&] {
    world.scheduler.sleep(Duration::microseconds(20));
    read_bytes(*world.cache, 10 * 4096, 30 * 4096);
  });
  world.device.holding = true;
  world.run_for(Duration::milliseconds(5));
  EXPECT_EQ(world.scheduler.live_tasks(), 6u);
  world.scheduler.shut_down();
  EXPECT_EQ(world.scheduler.live_tasks(), 0u);
  world.cache.reset();
  EXPECT_EQ(world.memory.free_pages(), 8u);
}

}  // namespace
}  // namespace dmsim
