#include "models/disk/disk.h"

#include <gtest/gtest.h>

#include "models/disk/test_machine.h"

namespace dmsim {
namespace {

using disk_test::filled_page;
using disk_test::Io;
using disk_test::Machine;
using disk_test::small_disk;

DiskOptions write_through_disk() {
  DiskOptions options = small_disk();
  options.cache = CacheMode::kWriteThrough;
  return options;
}

TEST(Disk, a_read_delivers_what_was_written) {
  Machine machine(small_disk());
  EXPECT_TRUE(machine.perform(Op::kWrite, 8, 8, 'a').ok());
  EXPECT_EQ(machine.read({6, 18}), "..aaaaaaaa..");
}

TEST(Disk, a_whole_page_travels_by_reference) {
  Machine machine(small_disk());
  Io& write = machine.submit(Op::kWrite, 8, 8, 'a');
  machine.run();
  machine.perform(Op::kFlush);
  EXPECT_TRUE(machine.disk->media().page(1).same_content(write.frames[0].page()));
  Io& read = machine.submit(Op::kRead, 8, 8);
  machine.run();
  EXPECT_TRUE(read.frames[0].page().same_content(write.frames[0].page()));
  EXPECT_EQ(machine.disk->stats().bytes_copied, 0u);
}

TEST(Disk, parts_of_pages_keep_the_rest) {
  Machine machine(small_disk());
  machine.perform(Op::kWrite, 5, 6, 'a');
  EXPECT_EQ(machine.current({0, 16}), ".....aaaaaa.....");
  machine.perform(Op::kFlush);
  EXPECT_EQ(machine.media({0, 16}), ".....aaaaaa.....");
  EXPECT_EQ(machine.disk->stats().bytes_copied, 6u * 512);
}

TEST(Disk, plain_memory_is_sampled_by_copy) {
  Machine machine(small_disk());
  std::vector<std::byte> bytes(kPageBytes, std::byte{'k'});
  Io io;
  io.prepare(Op::kWrite, 16, 8);
  io.segments[0] = {nullptr, bytes.data(), 0, kPageBytes};
  machine.disk->submit(io.bio);
  machine.run();
  bytes.assign(kPageBytes, std::byte{'z'});
  EXPECT_EQ(machine.current({16, 24}), "kkkkkkkk");
}

// The instant of the transfer decides what is written: this is how pages change under writes.
TEST(Disk, a_store_before_the_transfer_is_written_and_one_after_it_is_not) {
  Machine machine(small_disk());
  machine.choices.script("disk.write", {100'000});     // 120 us
  machine.choices.script("disk.transfer", {60'000});   // sampled at 60 us
  Io& io = machine.submit(Op::kWrite, 0, 8, 'a');
  machine.run_for(Duration::microseconds(50));
  io.frames[0].set(filled_page(machine.space, 'b'));
  machine.run_for(Duration::microseconds(20));
  io.frames[0].set(filled_page(machine.space, 'c'));
  EXPECT_FALSE(io.ended);
  machine.run();
  EXPECT_TRUE(io.ended);
  EXPECT_EQ(machine.current({0, 8}), "bbbbbbbb");
  EXPECT_EQ(machine.scheduler->now().ns(), 120'000);
}

TEST(Disk, a_transfer_in_steps_samples_each_page_at_an_instant_of_its_own) {
  DiskOptions options = small_disk();
  options.transfer_steps = 2;
  Machine machine(options);
  machine.choices.script("disk.write", {100'000});
  machine.choices.script("disk.transfer", {10'000, 50'000});
  Io& io = machine.submit(Op::kWrite, 0, 16, 'a');
  machine.run_for(Duration::microseconds(30));
  for (Frame& frame : io.frames) frame.set(filled_page(machine.space, 'b'));
  machine.run();
  EXPECT_EQ(machine.current({0, 16}), "aaaaaaaabbbbbbbb");
}

TEST(Disk, more_steps_than_pages_still_move_everything_once) {
  DiskOptions options = small_disk();
  options.transfer_steps = 7;
  Machine machine(options);
  machine.perform(Op::kWrite, 3, 18, 'a');
  EXPECT_EQ(machine.current({0, 24}), "...aaaaaaaaaaaaaaaaaa...");
  EXPECT_EQ(machine.disk->stats().sectors_written, 18u);
}

TEST(Disk, requests_overtake_each_other) {
  Machine machine(small_disk());
  machine.choices.script("disk.write", {50'000, 0});
  Io& slow = machine.submit(Op::kWrite, 0, 8, 'a');
  Io& fast = machine.submit(Op::kWrite, 8, 8, 'b');
  while (!fast.ended) ASSERT_TRUE(machine.scheduler->step());
  EXPECT_FALSE(slow.ended);
  machine.run();
  EXPECT_TRUE(slow.ended);
}

TEST(Disk, a_completed_write_is_not_durable_before_a_flush) {
  Machine machine(small_disk());
  machine.perform(Op::kWrite, 0, 8, 'a');
  EXPECT_EQ(machine.media({0, 8}), "........");
  EXPECT_TRUE(machine.perform(Op::kFlush).ok());
  EXPECT_EQ(machine.media({0, 8}), "aaaaaaaa");
  EXPECT_TRUE(machine.cut().units.empty());
}

TEST(Disk, a_flush_promises_nothing_of_a_write_that_completes_after_it_was_submitted) {
  Machine machine(small_disk());
  machine.perform(Op::kWrite, 0, 8, 'a');
  Io& write = machine.submit(Op::kWrite, 8, 8, 'b');  // completes after 20 us
  Io& flush = machine.submit(Op::kFlush);             // ends after 100 us
  machine.run();
  EXPECT_TRUE(write.ended);
  EXPECT_TRUE(flush.ended);
  EXPECT_EQ(machine.media({0, 16}), "aaaaaaaa........");
  EXPECT_EQ(machine.cut().units.size(), 8u);
}

TEST(Disk, a_flush_that_has_not_ended_promises_nothing) {
  Machine machine(small_disk());
  machine.perform(Op::kWrite, 0, 8, 'a');
  machine.submit(Op::kFlush);
  machine.run_for(Duration::microseconds(50));
  EXPECT_EQ(machine.media({0, 8}), "........");
  EXPECT_EQ(machine.cut().units.size(), 8u);
}

TEST(Disk, a_fua_write_is_durable_alone) {
  Machine machine(small_disk());
  machine.perform(Op::kWrite, 8, 8, 'a');
  machine.write_fua(0, 8, 'b');
  machine.run();
  EXPECT_EQ(machine.media({0, 16}), "bbbbbbbb........");
  EXPECT_EQ(machine.disk->stats().fua_writes, 1u);
}

TEST(Disk, a_fua_write_ends_the_older_versions_of_its_sectors) {
  Machine machine(small_disk());
  machine.perform(Op::kWrite, 0, 8, 'a');
  machine.write_fua(2, 2, 'b');
  machine.run();
  EXPECT_EQ(machine.media({0, 8}), "..bb....");
  const CrashSpace cut = machine.cut();
  EXPECT_EQ(cut.units.size(), 6u);
  EXPECT_EQ(machine.letters(cut.survive_all(machine.space), {0, 8}), "aabbaaaa");
}

TEST(Disk, a_preflush_makes_durable_what_had_completed_before_the_write) {
  Machine machine(small_disk());
  machine.perform(Op::kWrite, 8, 8, 'a');
  Io& io = machine.start(Op::kWrite, 0, 8, 'b');
  io.bio.preflush = true;
  machine.disk->submit(io.bio);
  EXPECT_EQ(machine.cut().units.size(), 8u);  // the write has not begun: only what is cached is free
  machine.run();
  EXPECT_EQ(machine.media({0, 16}), "........aaaaaaaa");
  EXPECT_EQ(machine.disk->stats().flushes, 1u);
}

TEST(Disk, a_write_through_disk_makes_every_write_durable_at_completion) {
  Machine machine(write_through_disk());
  EXPECT_FALSE(machine.disk->limits().volatile_cache);
  Io& io = machine.submit(Op::kWrite, 0, 8, 'a');
  machine.run_for(Duration::microseconds(10));
  EXPECT_EQ(machine.media({0, 8}), "........");
  EXPECT_EQ(machine.cut().units.size(), 8u);
  machine.run();
  EXPECT_TRUE(io.ended);
  EXPECT_EQ(machine.media({0, 8}), "aaaaaaaa");
  EXPECT_TRUE(machine.cut().units.empty());
}

TEST(Disk, a_flush_of_a_write_through_disk_ends_at_once) {
  Machine machine(write_through_disk());
  const Instant before = machine.scheduler->now();
  EXPECT_TRUE(machine.perform(Op::kFlush).ok());
  EXPECT_EQ(machine.scheduler->now(), before);
}

TEST(Disk, a_full_cache_evicts_a_chosen_page) {
  DiskOptions options = small_disk();
  options.cache_sectors = 16;
  Machine machine(options);
  machine.choices.script("disk.evict", {1});
  machine.perform(Op::kWrite, 0, 8, 'a');
  machine.perform(Op::kWrite, 8, 8, 'b');
  EXPECT_EQ(machine.disk->stats().evictions, 0u);
  machine.perform(Op::kWrite, 16, 8, 'c');
  EXPECT_EQ(machine.disk->stats().evictions, 1u);
  EXPECT_EQ(machine.media({0, 24}), "........bbbbbbbb........");
  EXPECT_EQ(machine.current({0, 24}), "aaaaaaaabbbbbbbbcccccccc");
}

TEST(Disk, what_is_cached_trickles_to_the_media_by_itself_and_then_the_disk_rests) {
  DiskOptions options = small_disk();
  options.evict_every = Duration::milliseconds(1);
  Machine machine(options);
  machine.perform(Op::kWrite, 0, 24, 'a');
  EXPECT_EQ(machine.media({0, 24}), "aaaaaaaaaaaaaaaaaaaaaaaa");
  EXPECT_EQ(machine.disk->stats().evictions, 3u);
  EXPECT_EQ(machine.scheduler->pending_events(), 0u);
  EXPECT_GE(machine.scheduler->now().ns(), 6'000'000);
}

TEST(Disk, discarded_sectors_read_as_zeros_old_data_or_garbage) {
  for (const std::uint64_t outcome : {0u, 1u, 2u}) {
    Machine machine(small_disk());
    machine.perform(Op::kWrite, 0, 24, 'a');
    machine.choices.script("disk.discarded", {outcome});
    EXPECT_TRUE(machine.perform(Op::kDiscard, 4, 16).ok());
    const char now = outcome == 0 ? '0' : outcome == 1 ? 'a' : 'd';
    EXPECT_EQ(machine.read({0, 24}), "aaaa" + std::string(16, now) + "aaaa");
  }
}

TEST(Disk, a_discard_is_volatile_as_a_write_is) {
  Machine machine(small_disk());
  machine.perform(Op::kWrite, 0, 8, 'a');
  machine.perform(Op::kFlush);
  machine.perform(Op::kDiscard, 0, 8);
  EXPECT_EQ(machine.media({0, 8}), "aaaaaaaa");
  EXPECT_EQ(machine.cut().units.size(), 8u);
  machine.perform(Op::kFlush);
  EXPECT_EQ(machine.media({0, 8}), "00000000");
}

TEST(Disk, a_disk_without_discard_refuses_untagged) {
  DiskOptions options = small_disk();
  options.discard_supported = false;
  Machine machine(options);
  EXPECT_EQ(machine.perform(Op::kDiscard, 0, 8), BlockStatus::of(BlockStatus::Code::kNotSupported));
  EXPECT_FALSE(machine.disk->limits().discard);
}

TEST(Disk, generation_grows_exactly_when_crash_images_change) {
  Machine machine(small_disk());
  machine.choices.script("disk.transfer", {10'000});
  const auto generation = [&] { return machine.disk->generation(); };
  std::uint64_t before = generation();
  const auto grew = [&] { return std::exchange(before, generation()) < generation(); };
  machine.submit(Op::kWrite, 0, 8, 'a');
  EXPECT_TRUE(grew()) << "submit of a write";
  machine.run_for(Duration::microseconds(15));
  EXPECT_TRUE(grew()) << "transfer";
  machine.run();
  EXPECT_FALSE(grew()) << "completion into the cache";
  machine.read({0, 8});
  EXPECT_FALSE(grew()) << "a read";
  machine.submit(Op::kFlush);
  EXPECT_FALSE(grew()) << "submit of a flush";
  machine.run();
  EXPECT_TRUE(grew()) << "a flush";
  machine.write_fua(0, 8, 'b');
  machine.run_for(Duration::microseconds(1));
  (void)grew();
  machine.run();
  EXPECT_TRUE(grew()) << "a FUA write";
}

TEST(Disk, the_trace_tells_of_submit_transfer_and_completion) {
  Machine machine(small_disk());
  machine.perform(Op::kWrite, 8, 8, 'a');
  const auto events = machine.trace.kept();
  std::vector<std::string> lines;
  for (const TraceEvent& event : events) {
    if (event.actor == machine.disk->actor()) lines.push_back(machine.trace.render(event));
  }
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_NE(lines[0].find("disk.submit"), std::string::npos) << lines[0];
  EXPECT_NE(lines[0].find("op=\"write\" sector=8 count=8"), std::string::npos) << lines[0];
  EXPECT_NE(lines[1].find("disk.transfer"), std::string::npos) << lines[1];
  EXPECT_NE(lines[1].find("version=1"), std::string::npos) << lines[1];
  EXPECT_NE(lines[2].find("status=\"ok\""), std::string::npos) << lines[2];
  EXPECT_EQ(events[1].cause, events[0].id);
  EXPECT_EQ(events[2].cause, events[0].id);
}

TEST(Disk, a_request_beyond_the_end_is_our_bug) {
  Machine machine(small_disk());
  Io& io = machine.start(Op::kWrite, 1020, 8);
  EXPECT_DEATH(machine.disk->submit(io.bio), "CHECK failed");
}

TEST(Disk, requests_in_flight_are_forgotten_with_the_disk) {
  Machine machine(small_disk());
  machine.choices.script("disk.transfer", {0, 15'000});
  Io& moved = machine.submit(Op::kWrite, 0, 8, 'a');
  Io& waiting = machine.submit(Op::kWrite, 8, 8, 'b');
  machine.run_for(Duration::microseconds(5));
  machine.reboot(machine.disk->media());
  machine.run();
  EXPECT_FALSE(moved.ended);
  EXPECT_FALSE(waiting.ended);
  EXPECT_EQ(machine.current({0, 16}), "................");
  EXPECT_EQ(machine.disk_pool.requests->live() + machine.disk_pool.caches.writes.live(), 0u);
}

}  // namespace
}  // namespace dmsim
