#include "models/disk/crash_space.h"

#include <gtest/gtest.h>

#include "models/disk/test_machine.h"

namespace dmsim {
namespace {

using disk_test::Io;
using disk_test::Machine;
using disk_test::small_disk;
using Progress = CrashCandidate::Progress;

struct CrashSpaceTest : testing::Test {
  // What the page holds after a cut in which unit i takes choices[i].
  static std::string survive(Machine& machine, const CrashSpace& cut,
                             std::vector<std::uint32_t> choices, SectorRange range) {
    choices.resize(cut.units.size(), 0);
    return machine.letters(cut.survive(choices, machine.space), range);
  }
};

TEST_F(CrashSpaceTest, an_idle_disk_leaves_nothing_open) {
  Machine machine(small_disk());
  EXPECT_TRUE(machine.cut().units.empty());
}

TEST_F(CrashSpaceTest, any_sectors_of_a_cached_write_may_survive) {
  Machine machine(small_disk());
  machine.perform(Op::kWrite, 2, 4, 'a');
  const CrashSpace cut = machine.cut();
  ASSERT_EQ(cut.units.size(), 4u);
  EXPECT_EQ(cut.units[0].sector, 2u);
  EXPECT_EQ(cut.units[0].sectors, 1u);
  EXPECT_EQ(survive(machine, cut, {}, {0, 8}), "........");
  EXPECT_EQ(survive(machine, cut, {1, 0, 0, 1}, {0, 8}), "..a..a..");
  EXPECT_EQ(survive(machine, cut, {1, 1, 1, 1}, {0, 8}), "..aaaa..");
}

TEST_F(CrashSpaceTest, any_version_since_the_last_flush_may_survive) {
  Machine machine(small_disk());
  machine.perform(Op::kWrite, 0, 8, 'z');
  machine.perform(Op::kFlush);
  machine.perform(Op::kWrite, 0, 8, 'a');
  machine.perform(Op::kWrite, 0, 4, 'b');
  const CrashSpace cut = machine.cut();
  ASSERT_EQ(cut.units.size(), 8u);
  EXPECT_EQ(cut.units[0].count, 2u);
  EXPECT_EQ(cut.units[7].count, 1u);
  EXPECT_EQ(survive(machine, cut, {0, 1, 2, 0, 1}, {0, 8}), "zabzazzz");
  EXPECT_EQ(machine.letters(cut.survive_all(machine.space), {0, 8}), "bbbbaaaa");
}

TEST_F(CrashSpaceTest, a_page_that_survives_whole_is_shared_not_copied) {
  Machine machine(small_disk());
  Io& io = machine.submit(Op::kWrite, 8, 8, 'a');
  machine.run();
  const CrashSpace cut = machine.cut();
  const std::uint64_t versions = machine.space.last_version();
  const Image image = cut.survive_all(machine.space);
  EXPECT_TRUE(image.page(1).same_content(io.frames[0].page()));
  EXPECT_EQ(machine.space.last_version(), versions);
}

TEST_F(CrashSpaceTest, a_write_in_flight_may_land_before_its_transfer_as_its_frame_is_now) {
  Machine machine(small_disk());
  machine.choices.script("disk.transfer", {10'000});
  Io& io = machine.submit(Op::kWrite, 0, 12, 'a');
  io.frames[0].set(disk_test::filled_page(machine.space, 'b'));
  const CrashSpace cut = machine.cut();
  ASSERT_EQ(cut.units.size(), 12u);
  EXPECT_EQ(cut.candidates_of(cut.units[0])[0].progress, Progress::kSubmitted);
  EXPECT_EQ(survive(machine, cut, {1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, {0, 16}), "bb.........a....");
  machine.run_for(Duration::microseconds(15));
  const CrashSpace moved = machine.cut();
  EXPECT_EQ(moved.candidates_of(moved.units[0])[0].progress, Progress::kTransferred);
  machine.run();
  const CrashSpace done = machine.cut();
  EXPECT_EQ(done.candidates_of(done.units[0])[0].progress, Progress::kCompleted);
}

TEST_F(CrashSpaceTest, a_fua_write_in_flight_is_marked_and_free) {
  Machine machine(small_disk());
  machine.write_fua(0, 8, 'a');
  machine.run_for(Duration::microseconds(10));
  const CrashSpace cut = machine.cut();
  ASSERT_EQ(cut.units.size(), 8u);
  EXPECT_TRUE(cut.candidates_of(cut.units[0])[0].fua);
}

TEST_F(CrashSpaceTest, half_moved_transfers_offer_both_halves) {
  DiskOptions options = small_disk();
  options.transfer_steps = 2;
  Machine machine(options);
  machine.choices.script("disk.transfer", {1'000, 10'000});
  machine.submit(Op::kWrite, 0, 16, 'a');
  machine.run_for(Duration::microseconds(5));
  const CrashSpace cut = machine.cut();
  ASSERT_EQ(cut.units.size(), 16u);
  EXPECT_EQ(cut.candidates_of(cut.units[0])[0].progress, Progress::kTransferred);
  EXPECT_EQ(cut.candidates_of(cut.units[15])[0].progress, Progress::kSubmitted);
}

TEST_F(CrashSpaceTest, a_disk_with_4_kib_blocks_tears_between_blocks_only) {
  DiskOptions options = small_disk();
  options.atomic_sectors = 8;
  Machine machine(options);
  machine.perform(Op::kWrite, 4, 8, 'a');
  const CrashSpace cut = machine.cut();
  ASSERT_EQ(cut.units.size(), 2u);
  EXPECT_EQ(cut.units[1].sector, 8u);
  EXPECT_EQ(cut.units[1].sectors, 8u);
  EXPECT_EQ(survive(machine, cut, {1, 0}, {0, 16}), "....aaaa........");
  EXPECT_EQ(survive(machine, cut, {0, 1}, {0, 16}), "........aaaa....");
}

TEST_F(CrashSpaceTest, a_later_version_of_a_4_kib_block_holds_what_came_before) {
  DiskOptions options = small_disk();
  options.atomic_sectors = 8;
  Machine machine(options);
  machine.perform(Op::kWrite, 0, 4, 'a');
  machine.perform(Op::kWrite, 4, 4, 'b');
  const CrashSpace cut = machine.cut();
  ASSERT_EQ(cut.units.size(), 1u);
  ASSERT_EQ(cut.units[0].count, 2u);
  EXPECT_EQ(survive(machine, cut, {1}, {0, 8}), "aaaa....");
  EXPECT_EQ(survive(machine, cut, {2}, {0, 8}), "aaaabbbb");
}

// A block's durable part must be in every candidate, also in those that are older than it.
TEST_F(CrashSpaceTest, an_older_version_of_a_4_kib_block_holds_what_was_made_durable_since) {
  DiskOptions options = small_disk();
  options.atomic_sectors = 8;
  Machine machine(options);
  machine.perform(Op::kWrite, 0, 4, 'a');
  machine.write_fua(4, 4, 'b');
  machine.run();
  const CrashSpace cut = machine.cut();
  ASSERT_EQ(cut.units.size(), 1u);
  EXPECT_EQ(survive(machine, cut, {0}, {0, 8}), "....bbbb");
  EXPECT_EQ(survive(machine, cut, {1}, {0, 8}), "aaaabbbb");
}

TEST_F(CrashSpaceTest, a_discard_under_way_may_leave_zeros) {
  Machine machine(small_disk());
  machine.perform(Op::kWrite, 0, 8, 'a');
  machine.perform(Op::kFlush);
  machine.choices.script("disk.transfer", {10'000});
  machine.submit(Op::kDiscard, 0, 8);
  const CrashSpace cut = machine.cut();
  ASSERT_EQ(cut.units.size(), 8u);
  EXPECT_EQ(survive(machine, cut, {1, 0, 1}, {0, 8}), "0a0aaaaa");
}

TEST_F(CrashSpaceTest, looking_at_a_cut_changes_nothing_and_outlives_the_disk) {
  Machine machine(small_disk());
  machine.perform(Op::kWrite, 0, 8, 'a');
  const std::uint64_t generation = machine.disk->generation();
  const CrashSpace cut = machine.cut();
  EXPECT_EQ(machine.disk->generation(), generation);
  EXPECT_EQ(machine.media({0, 8}), "........");
  machine.reboot(cut.survive_all(machine.space));
  EXPECT_EQ(machine.media({0, 8}), "aaaaaaaa");
  EXPECT_EQ(machine.read({0, 8}), "aaaaaaaa");
  EXPECT_EQ(survive(machine, cut, {1, 0, 1}, {0, 8}), "a.a.....");
}

TEST_F(CrashSpaceTest, a_list_of_choices_that_does_not_fit_is_our_bug) {
  Machine machine(small_disk());
  machine.perform(Op::kWrite, 0, 8, 'a');
  const CrashSpace cut = machine.cut();
  EXPECT_DEATH((void)cut.survive(std::vector<std::uint32_t>{1}, machine.space), "CHECK failed");
  EXPECT_DEATH((void)cut.survive(std::vector<std::uint32_t>(8, 2), machine.space), "CHECK failed");
}

}  // namespace
}  // namespace dmsim
