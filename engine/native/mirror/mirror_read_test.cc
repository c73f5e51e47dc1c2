#include <gtest/gtest.h>

#include "engine/native/mirror/mirror_test_rig.h"

namespace dmsim::native {
namespace {

constexpr const char* kThreeLegs = "disk 2 log0 64 3 leg0 0 leg1 0 leg2 0 1 handle_errors";

TEST(MirrorRead, a_region_in_sync_is_read_directly_from_the_default_leg) {
  MirrorRig rig;
  rig.start();
  rig.leg0().history.clear();
  TestRequest& read = rig.read(64);
  EXPECT_TRUE(read.ok());
  EXPECT_EQ(read.first_byte(), std::byte{0x10});
  EXPECT_TRUE(rig.leg0().asked("R64+8"));
  EXPECT_FALSE(rig.leg1().asked("R64+8"));
}

TEST(MirrorRead, a_region_out_of_sync_is_read_from_the_default_leg_through_the_worker) {
  MirrorRig rig;
  rig.start();
  rig.leg1().dead = true;
  rig.begin(Op::kWrite, 64);
  rig.settle();
  ASSERT_FALSE(rig.mirror().region(1).in_sync);
  TestRequest& read = rig.read(64);
  EXPECT_TRUE(read.ok());
  EXPECT_EQ(read.first_byte(), std::byte{0x77});
}

TEST(MirrorRead, a_read_after_leg_failure_returns_the_surviving_leg) {
  for (const char* table : {MirrorRig::kDiskTable, MirrorRig::kNoErrorsTable}) {
    MirrorRig rig;
    rig.start(table);
    rig.leg0().fail_reads = true;
    TestRequest& read = rig.read(64);
    EXPECT_TRUE(read.ok());
    EXPECT_EQ(read.first_byte(), std::byte{0x10});
    EXPECT_EQ(rig.info(), "2 leg0 leg1 16/16 1 RA 3 disk log0 A");
    rig.leg0().history.clear();
    EXPECT_TRUE(rig.read(128).ok());
    EXPECT_FALSE(rig.leg0().asked("R128+8")) << "the failed leg is not asked again";
  }
}

TEST(MirrorRead, a_retry_finds_the_same_data_wherever_target_and_legs_begin) {
  MirrorRig rig;
  rig.target_begin = 4096;
  ASSERT_EQ(rig.load("disk 2 log0 64 2 leg0 192 leg1 64 1 handle_errors", 512), "");
  ASSERT_TRUE(rig.resume());
  rig.settle();
  EXPECT_TRUE(rig.write(4096 + 72, 0x42).ok());
  rig.leg0().fail_reads = true;
  TestRequest& read = rig.read(4096 + 72);
  EXPECT_TRUE(read.ok());
  EXPECT_EQ(read.first_byte(), std::byte{0x42});
  EXPECT_TRUE(rig.leg0().asked("R264+8"));
  EXPECT_TRUE(rig.leg1().asked("R136+8"));
}

TEST(MirrorRead, asking_about_the_remapped_sector_gives_up_where_no_such_region_is_in_sync) {
  MirrorRig rig(SwitchValues{{"mirror.retry_region", "shifted"}});
  ASSERT_EQ(rig.load("core 1 64 2 leg0 512 leg1 512", 512), "");
  ASSERT_TRUE(rig.resume());
  rig.settle();
  rig.leg0().fail_reads = true;
  EXPECT_TRUE(rig.read(0).failed()) << "region 8 of 8 is asked about";
  EXPECT_TRUE(rig.read(0).ok()) << "the leg has failed already, and the other one is read at once";
}

TEST(MirrorRead, asking_about_the_remapped_sector_may_find_another_region_in_sync) {
  MirrorRig rig(SwitchValues{{"mirror.retry_region", "shifted"}});
  rig.start(MirrorRig::kNoErrorsTable);
  rig.leg0().fail_reads = true;
  EXPECT_TRUE(rig.read(64).ok());
}

TEST(MirrorRead, asking_about_the_remapped_sector_is_right_where_leg_and_mirror_begin_together) {
  MirrorRig rig(SwitchValues{{"mirror.retry_region", "shifted"}});
  rig.start(MirrorRig::kNoErrorsTable);
  rig.leg0().fail_reads = true;
  EXPECT_TRUE(rig.read(1016).ok()) << "the last page of the last region";
}

TEST(MirrorRead, with_two_bad_legs_the_third_is_found) {
  MirrorRig rig;
  rig.start(kThreeLegs);
  rig.leg0().fail_reads = rig.leg1().fail_reads = true;
  EXPECT_TRUE(rig.read(64).ok());
  EXPECT_EQ(rig.info(), "3 leg0 leg1 leg2 16/16 1 RRA 3 disk log0 A");
}

TEST(MirrorRead, without_handle_errors_the_default_stays_and_the_leg_below_it_is_asked) {
  MirrorRig rig;
  rig.start("disk 2 log0 64 3 leg0 0 leg1 0 leg2 0");
  rig.leg0().fail_reads = true;
  EXPECT_TRUE(rig.read(64).ok());
  EXPECT_TRUE(rig.disk("leg2").asked("R64+8"));
  EXPECT_FALSE(rig.leg1().asked("R64+8"));
}

TEST(MirrorRead, retrying_once_gives_up_although_a_third_leg_is_good) {
  MirrorRig rig(SwitchValues{{"mirror.read_retry", "once"}});
  rig.start(kThreeLegs);
  rig.leg0().fail_reads = rig.leg1().fail_reads = true;
  EXPECT_TRUE(rig.read(64).failed());
  EXPECT_TRUE(rig.read(64).ok());
}

TEST(MirrorRead, without_retry_the_error_goes_up_at_once) {
  MirrorRig rig(SwitchValues{{"mirror.read_retry", "none"}});
  rig.start();
  rig.leg0().fail_reads = true;
  EXPECT_TRUE(rig.read(64).failed());
  EXPECT_TRUE(rig.read(64).failed()) << "and nothing was learnt from it";
}

TEST(MirrorRead, a_retry_that_keeps_the_old_status_reports_an_error_with_good_data) {
  MirrorRig rig(SwitchValues{{"mirror.read_retry", "keep-status"}});
  rig.start();
  rig.leg0().fail_reads = true;
  TestRequest& read = rig.read(64);
  EXPECT_TRUE(read.failed());
  EXPECT_TRUE(read.status.injected);
  EXPECT_EQ(read.first_byte(), std::byte{0x10});
}

TEST(MirrorRead, without_handle_errors_an_uncounted_error_is_retried_on_the_same_leg_for_ever) {
  MirrorRig rig(SwitchValues{{"mirror.read_retry", "livelock"}});
  rig.start(MirrorRig::kNoErrorsTable);
  rig.leg0().fail_reads = true;
  TestRequest& read = rig.begin(Op::kRead, 64);
  rig.settle();
  EXPECT_FALSE(read.done);
  EXPECT_GT(rig.leg0().count("R64+8"), 1000);
}

TEST(MirrorRead, an_error_of_every_leg_is_the_readers_and_tagged_as_injected) {
  MirrorRig rig;
  rig.start();
  rig.leg0().fail_reads = rig.leg1().fail_reads = true;
  TestRequest& read = rig.read(64);
  EXPECT_TRUE(read.failed());
  EXPECT_TRUE(read.status.injected);
  TestRequest& later = rig.begin(Op::kRead, 64);
  EXPECT_TRUE(later.failed()) << "nobody is left to ask";
  EXPECT_TRUE(later.status.injected);
}

TEST(MirrorRead, a_region_out_of_sync_is_never_read_from_another_leg) {
  MirrorRig rig;
  rig.leg1().fail_writes = true;
  rig.start();  // nothing can be synchronised
  rig.leg0().fail_reads = true;
  rig.leg1().history.clear();
  EXPECT_TRUE(rig.read(64).failed());
  EXPECT_FALSE(rig.leg1().asked("R64+8"));
}

TEST(MirrorRead, unsupported_goes_up_without_blame) {
  MirrorRig rig;
  rig.start();
  TestRequest& read = rig.begin(Op::kRead, 64);
  BlockStatus status = BlockStatus::of(BlockStatus::Code::kNotSupported);
  EXPECT_EQ(rig.mirror().end_io(read.target_bio, status), EndResult::kDone);
  EXPECT_EQ(rig.info(), "2 leg0 leg1 16/16 1 AA 3 disk log0 A");
  rig.settle();
}

TEST(MirrorRead, balancing_takes_turns_among_the_legs_without_an_error) {
  MirrorRig rig(SwitchValues{{"mirror.read_balance", "round-robin"}});
  rig.start(kThreeLegs);
  for (int i = 0; i < 6; ++i) EXPECT_TRUE(rig.read(64).ok());
  for (const char* leg : {"leg0", "leg1", "leg2"}) EXPECT_EQ(rig.disk(leg).count("R64+8"), 2);
  rig.disk("leg1").fail_reads = true;
  for (int i = 0; i < 6; ++i) EXPECT_TRUE(rig.read(64).ok());
  EXPECT_EQ(rig.disk("leg1").count("R64+8"), 3);
}

TEST(MirrorRead, balancing_by_choice_asks_the_chosen_leg) {
  MirrorRig rig(SwitchValues{{"mirror.read_balance", "chosen"}});
  rig.start(kThreeLegs);
  EXPECT_TRUE(rig.read(64).ok());
  rig.choices.values[kReadLeg.name] = 2;
  EXPECT_TRUE(rig.read(128).ok());
  EXPECT_TRUE(rig.disk("leg0").asked("R64+8"));
  EXPECT_TRUE(rig.disk("leg2").asked("R128+8"));
}

TEST(MirrorRead, balancing_leaves_regions_out_of_sync_to_the_default_leg) {
  MirrorRig rig(SwitchValues{{"mirror.read_balance", "round-robin"}});
  rig.leg1().fail_writes = true;
  rig.start();
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(rig.read(64).ok());
  EXPECT_FALSE(rig.leg1().asked("R64+8"));
}

}  // namespace
}  // namespace dmsim::native
