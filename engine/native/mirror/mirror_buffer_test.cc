// A page that changes while its mirror writes it: shared by the legs, copied, held stable, or cleaned late.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/native/mirror/mirror_test_rig.h"

namespace dmsim::native {
namespace {

using ::testing::IsEmpty;

// A page is stored to between the two instants at which the legs sample it.
void write_while_page_changes(MirrorRig& rig, Duration store_after) {
  rig.leg1().transfer_after = Duration::milliseconds(1);
  TestRequest& write = rig.begin(Op::kWrite, 64, 8, 0x42);
  rig.settle(store_after);
  const Bytes other(kPageBytes, std::byte{0x43});
  write.frames[0].store(rig.pages, 0, other.data(), kPageBytes);
  rig.settle();
  EXPECT_TRUE(write.ok());
}

TEST(MirrorBuffer, shared_by_all_legs_lets_them_differ_when_the_page_changes) {
  MirrorRig rig;
  rig.start();
  write_while_page_changes(rig, Duration::microseconds(500));
  EXPECT_EQ(rig.leg0().at(64), std::byte{0x42});
  EXPECT_EQ(rig.leg1().at(64), std::byte{0x43});
  EXPECT_TRUE(rig.mirror().region(1).clean);
}

TEST(MirrorBuffer, a_bounce_copy_keeps_the_legs_equal) {
  MirrorRig rig(SwitchValues{{"mirror.buffer", "bounce"}});
  rig.start();
  write_while_page_changes(rig, Duration::microseconds(500));
  EXPECT_TRUE(rig.legs_equal());
  EXPECT_EQ(rig.leg0().at(64), std::byte{0x42});
  EXPECT_EQ(rig.mirror().bytes_copied(), kPageBytes);
  EXPECT_THAT(rig.leaks(), IsEmpty());
}

TEST(MirrorBuffer, a_bounce_copy_can_be_torn_and_is_torn_alike_on_all_legs) {
  MirrorRig rig(SwitchValues{{"mirror.buffer", "bounce"}});
  rig.start();
  rig.choices.values[kBouncePause.name] = 3;  // 100 us off the CPU in mid-copy
  TestRequest& write = rig.begin(Op::kWrite, 64, 8, 0x42);
  rig.settle(Duration::microseconds(80));  // log written and flushed: the copy is under way
  const Bytes other(kPageBytes, std::byte{0x43});
  write.frames[0].store(rig.pages, 0, other.data(), kPageBytes);
  rig.settle();
  EXPECT_TRUE(rig.legs_equal());
  EXPECT_EQ(rig.leg0().at(64), std::byte{0x42});
  EXPECT_EQ(rig.leg0().at(68), std::byte{0x43});
}

TEST(MirrorBuffer, bounce_copies_of_unaligned_and_partial_writes_carry_the_right_bytes) {
  MirrorRig rig(SwitchValues{{"mirror.buffer", "bounce"}});
  rig.start();
  TestRequest& write = rig.begin(Op::kWrite, 67, 13, 0x42);
  rig.settle();
  EXPECT_TRUE(write.ok());
  for (Sector s = 64; s < 84; ++s) {
    EXPECT_EQ(rig.leg1().at(s), std::byte(s >= 67 && s < 80 ? 0x42 : 0x10)) << s;
  }
  EXPECT_TRUE(rig.legs_equal());
}

TEST(MirrorBuffer, stable_asks_the_page_cache_for_stable_pages) {
  MirrorRig stable(SwitchValues{{"mirror.buffer", "stable"}});
  stable.start();
  EXPECT_TRUE(stable.mirror().stable_writes());
  MirrorRig shared;
  shared.start();
  EXPECT_FALSE(shared.mirror().stable_writes());
}

TEST(MirrorBuffer, delayed_cleaning_leaves_a_region_dirty_for_a_while_after_its_last_write) {
  MirrorRig rig(SwitchValues{{"mirror.buffer", "delayed-clean"}});
  rig.start();
  rig.write(64);
  EXPECT_FALSE(rig.mirror().region(1).clean);
  rig.settle(Duration::seconds(20));
  rig.write(72);
  rig.settle(Duration::seconds(39));
  EXPECT_FALSE(rig.mirror().region(1).clean) << "the second write began the wait anew";
  EXPECT_THAT(rig.leaks(), IsEmpty());
  rig.settle(Duration::seconds(2));
  EXPECT_TRUE(rig.mirror().region(1).clean);
  EXPECT_EQ(rig.mirror().tracked_regions(), 0u);
}

TEST(MirrorBuffer, over_a_suspend_a_region_that_was_not_cleaned_yet_is_recovered) {
  MirrorRig rig(SwitchValues{{"mirror.buffer", "delayed-clean"}});
  rig.start();
  rig.write(64);
  ASSERT_TRUE(rig.suspend());
  rig.settle(Duration::seconds(60));
  EXPECT_FALSE(rig.mirror().region(1).clean);
  rig.leg0().history.clear();
  ASSERT_TRUE(rig.resume());
  rig.settle();
  EXPECT_TRUE(rig.leg0().asked("R64+64"));
  EXPECT_TRUE(rig.mirror().region(1).clean);
}

}  // namespace
}  // namespace dmsim::native
