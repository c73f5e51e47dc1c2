// LVM1's volumes, the lock on an extent, and pvmove: the three faults of the 2002 mail, planted and cured.
#include "engine/lvm/lvm1_pvmove.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/lvm/lvm1_mapper.h"
#include "engine/lvm/lvm1_test_rig.h"

namespace dmsim::lvm1 {
namespace {

using testing::ElementsAre;

TEST(Lvm1Volume, a_bio_is_cut_where_an_extent_ends) {
  Lvm1Rig rig;
  Lvm1Rig::User& write = rig.submit(Op::kWrite, 12, 24, 'x');
  rig.run();
  EXPECT_TRUE(write.done);
  EXPECT_THAT(rig.pv0().log, ElementsAre("W44+4", "W48+16", "W64+4"));
  EXPECT_EQ(rig.look(11), 'a');
  EXPECT_EQ(rig.look(12), 'x');
  EXPECT_EQ(rig.look(35), 'x');
  EXPECT_EQ(rig.look(36), 'c');
}

TEST(Lvm1Volume, a_bio_beyond_the_end_fails) {
  Lvm1Rig rig;
  Lvm1Rig::User& write = rig.submit(Op::kWrite, 60, 8, 'x');
  EXPECT_TRUE(write.done);
  EXPECT_FALSE(write.bio.status.ok());
  EXPECT_TRUE(rig.pv0().log.empty());
}

TEST(Lvm1Volume, a_flush_goes_to_every_disk_that_the_volume_lies_on_and_a_preflush_before_its_write) {
  Lvm1Rig rig;
  rig.submit(Op::kFlush, 0, 0);
  rig.run();
  EXPECT_THAT(rig.pv0().log, ElementsAre("F"));
  EXPECT_TRUE(rig.pv1().log.empty());
  rig.start([&] { rig.driver.remap({"vg", "lv", 0, {1, 0}}); });
  rig.run();
  rig.submit(Op::kWrite, 0, 8, 'x', true);
  EXPECT_THAT(rig.pv1().log, ElementsAre("F"));
  rig.run();
  EXPECT_THAT(rig.pv0().log, ElementsAre("F", "F"));
  EXPECT_THAT(rig.pv1().log, ElementsAre("F", "W32+8"));
}

TEST(Lvm1Volume, an_error_of_one_part_is_the_bios) {
  Lvm1Rig rig;
  rig.pv0().fails = 48;
  Lvm1Rig::User& write = rig.submit(Op::kWrite, 8, 24, 'x');
  rig.run();
  EXPECT_TRUE(write.done);
  EXPECT_EQ(write.bio.status.code, BlockStatus::Code::kIoError);
}

TEST(Lvm1Driver, a_lock_holds_new_io_to_its_extent_and_to_no_other) {
  Lvm1Rig rig;
  rig.start([&] { EXPECT_TRUE(rig.driver.lock({"vg", "lv", 1, {1, 0}}).ok()); });
  rig.run();
  Lvm1Rig::User& here = rig.submit(Op::kWrite, 16, 8, 'x');
  Lvm1Rig::User& read = rig.submit(Op::kRead, 24, 8);
  Lvm1Rig::User& there = rig.submit(Op::kWrite, 0, 8, 'y');
  rig.run();
  EXPECT_FALSE(here.done);
  EXPECT_FALSE(read.done);
  EXPECT_TRUE(there.done);
  EXPECT_EQ(rig.driver.held(), 2u);
  rig.start([&] {
    rig.driver.remap({"vg", "lv", 1, {1, 3}});
    rig.driver.unlock();
  });
  rig.run();
  EXPECT_TRUE(here.done);
  EXPECT_TRUE(read.done);
  EXPECT_THAT(rig.pv1().log, ElementsAre("W80+8", "R88+8")) << "it goes where the extent is by then";
}

TEST(Lvm1Driver, there_is_one_lock) {
  Lvm1Rig rig;
  rig.start([&] {
    EXPECT_TRUE(rig.driver.lock({"vg", "lv", 1, {1, 0}}).ok());
    const DmResult<> second = rig.driver.lock({"vg", "lv", 2, {1, 1}});
    ASSERT_FALSE(second.ok());
    EXPECT_EQ(second.error().errno_value, EBUSY);
    rig.driver.unlock();
  });
  rig.run();
  EXPECT_TRUE(rig.driver.leaks().empty());
}

TEST(Lvm1Driver, when_all_tracking_objects_are_out_bios_wait_for_one) {
  Lvm1Rig rig;
  rig.pv0().holds = 32;
  for (std::uint64_t i = 0; i < Driver::kTrackingReserve; ++i) rig.submit(Op::kWrite, 0, 1, 'x');
  Lvm1Rig::User& late = rig.submit(Op::kWrite, 20, 1, 'y');
  rig.run();
  EXPECT_FALSE(late.done);
  EXPECT_EQ(rig.driver.stats().tracked_most, Driver::kTrackingReserve);
  rig.pv0().release();
  rig.run();
  EXPECT_TRUE(late.done);
  EXPECT_TRUE(rig.driver.leaks().empty());
}

TEST(Lvm1Pvmove, moves_every_extent_and_writes_the_map_down) {
  Lvm1Rig rig;
  EXPECT_EQ(rig.pvmove(), "");
  EXPECT_EQ(rig.tool.moved(), 4u);
  for (Sector sector = 0; sector < 64; ++sector) EXPECT_EQ(rig.look(sector), 'a' + static_cast<int>(sector / 16));
  std::optional<Group> map;
  rig.start([&] { map = rig.driver.read_map("vg", {"pv0", "pv1"}); });
  rig.run();
  ASSERT_TRUE(map.has_value());
  EXPECT_EQ(map->sequence, 5u);
  EXPECT_THAT(map->volumes[0].map, ElementsAre(Place{1, 0}, Place{1, 1}, Place{1, 2}, Place{1, 3}));
}

// The mail's first fault: a write W to the old extent is in flight, past every cache.
char after_a_write_in_flight(const SwitchValues& switches, std::uint64_t* syncs = nullptr) {
  Lvm1Rig rig(switches);
  rig.pv0().holds = 32;
  Lvm1Rig::User& write = rig.submit(Op::kWrite, 0, 8, 'W');
  rig.pvmove();
  EXPECT_FALSE(write.done);
  rig.pv0().release();
  rig.run();
  EXPECT_TRUE(write.done);
  EXPECT_TRUE(rig.ended);
  if (syncs != nullptr) *syncs = rig.syncs;
  return rig.look(0);
}

TEST(Lvm1Pvmove, a_tracked_lock_waits_for_the_write_in_flight) { EXPECT_EQ(after_a_write_in_flight({}), 'W'); }

TEST(Lvm1Pvmove, fsync_dev_does_not_wait_for_it_and_the_write_is_lost) {
  std::uint64_t syncs = 0;
  EXPECT_EQ(after_a_write_in_flight({{"lvm1.drain", "fsync-dev"}}, &syncs), 'a');
  EXPECT_EQ(syncs, 4u) << "it was called for each extent";
  EXPECT_EQ(after_a_write_in_flight({{"lvm1.locked_copy", "absent"}}), 'a');
}

// The second: somebody has read the disk before.
char after_a_scan(const SwitchValues& switches) {
  Lvm1Rig rig(switches);
  std::vector<std::byte> page(kPageBytes);
  rig.read_buffered("pv0", 0, page);
  rig.submit(Op::kWrite, 0, 8, 'W');
  rig.run();
  EXPECT_EQ(rig.pvmove(), "");
  return rig.look(0);
}

TEST(Lvm1Pvmove, a_direct_copy_copies_what_is_there) { EXPECT_EQ(after_a_scan({}), 'W'); }

TEST(Lvm1Pvmove, a_buffered_copy_copies_what_was_there_when_the_disk_was_read) {
  EXPECT_EQ(after_a_scan({{"lvm1.copy", "buffered"}}), 'a');
  EXPECT_EQ(after_a_scan({{"lvm1.locked_copy", "absent"}}), 'a');
}

// The third: no memory while the extent is locked.
bool ends_without_memory(const SwitchValues& switches) {
  Lvm1Rig rig(switches);
  rig.has_memory = false;
  rig.pvmove();
  return rig.ended;
}

TEST(Lvm1Pvmove, a_copy_with_memory_of_its_own_needs_none) { EXPECT_TRUE(ends_without_memory({})); }
TEST(Lvm1Pvmove, a_copy_that_asks_for_memory_waits_with_the_extent_locked) {
  EXPECT_FALSE(ends_without_memory({{"lvm1.copy_memory", "allocated"}}));
}

TEST(Lvm1Pvmove, the_tool_remembers_that_there_is_no_ioctl) {
  Lvm1Rig rig(SwitchValues{{"lvm1.locked_copy", "absent"}});
  EXPECT_EQ(rig.pvmove(), "");
  EXPECT_EQ(rig.tool.moved(), 4u);
  EXPECT_EQ(rig.tool.tried(), 1u);
}

TEST(Lvm1Pvmove, an_extent_that_cannot_be_read_stays_where_it_is_and_is_unlocked) {
  Lvm1Rig rig;
  rig.pv0().fails = 48;
  rig.pv0().fails_writes_only = false;
  EXPECT_NE(rig.pvmove(), "");
  EXPECT_EQ(rig.tool.moved(), 1u);
  EXPECT_EQ(rig.volume().data().map[1], (Place{0, 1}));
  EXPECT_FALSE(rig.driver.locked().has_value());
}

TEST(Lvm1Pvmove, the_old_way_leaves_an_extent_that_cannot_be_read_and_unlocks_it) {
  Lvm1Rig rig(SwitchValues{{"lvm1.locked_copy", "absent"}});
  rig.pv0().fails = 48;
  rig.pv0().fails_writes_only = false;
  EXPECT_NE(rig.pvmove(), "");
  EXPECT_EQ(rig.tool.moved(), 1u);
  EXPECT_EQ(rig.volume().data().map[1], (Place{0, 1}));
  EXPECT_FALSE(rig.driver.locked().has_value());
}

TEST(Lvm1Pvmove, a_map_that_cannot_be_written_everywhere_is_taken_back) {
  Lvm1Rig rig;
  rig.pv1().fails = map_sector(2);  // where version 2 goes
  EXPECT_NE(rig.pvmove(), "");
  EXPECT_EQ(rig.volume().data().map[0], (Place{0, 0}));
  std::optional<Group> map;
  rig.start([&] { map = rig.driver.read_map("vg", {"pv0", "pv1"}); });
  rig.run();
  ASSERT_TRUE(map.has_value());
  EXPECT_EQ(map->sequence, 3u);
  EXPECT_EQ(map->volumes[0].map[0], (Place{0, 0}));
}

TEST(Lvm1Pvmove, without_a_free_extent_nothing_is_moved) {
  Lvm1Rig rig;
  rig.start([&] { rig.result = rig.tool.run("vg", "pv1", "pv0"); });
  rig.run();
  EXPECT_EQ(rig.result, "") << "nothing is on pv1";
  rig.start([&] { rig.result = rig.tool.run("vg", "pv0", "pv2"); });
  rig.run();
  EXPECT_EQ(rig.result, "pv0 or pv2 is no physical volume of vg");
}

}  // namespace
}  // namespace dmsim::lvm1
