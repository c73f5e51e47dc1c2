#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/native/mirror/mirror_test_rig.h"

namespace dmsim::native {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(MirrorRecovery, copies_every_region_from_the_default_leg_and_raises_one_event) {
  MirrorRig rig;
  rig.start();
  EXPECT_TRUE(rig.legs_equal());
  EXPECT_EQ(rig.leg1().at(0), std::byte{0x10});
  EXPECT_EQ(rig.events, 1u);
  EXPECT_EQ(rig.leg1().count("W0+64"), 1);
}

TEST(MirrorRecovery, the_last_region_may_be_short) {
  MirrorRig rig;
  ASSERT_EQ(rig.load(MirrorRig::kDiskTable, 1000), "");
  ASSERT_TRUE(rig.resume());
  rig.settle();
  EXPECT_TRUE(rig.leg1().asked("W960+40"));
  EXPECT_EQ(rig.info(), "2 leg0 leg1 16/16 1 AA 3 disk log0 A");
}

TEST(MirrorRecovery, large_regions_are_copied_in_pieces) {
  MirrorRig rig;
  for (const char* leg : {"big0", "big1"}) rig.add_disk(leg, 16384);
  std::memset(rig.disk("big0").cached.data(), 0x5A, rig.disk("big0").cached.size());
  ASSERT_EQ(rig.load("core 1 16384 2 big0 0 big1 0", 16384), "");
  ASSERT_TRUE(rig.resume());
  rig.settle();
  EXPECT_TRUE(rig.legs_equal("big0", "big1"));
  EXPECT_TRUE(rig.disk("big0").asked("R1024+1024"));
  EXPECT_THAT(rig.leaks(), IsEmpty());
}

TEST(MirrorRecovery, legs_may_begin_anywhere_on_their_devices) {
  MirrorRig rig;
  ASSERT_EQ(rig.load("core 1 64 2 leg0 0 leg1 515", 128), "");
  ASSERT_TRUE(rig.resume());
  rig.settle();
  rig.write(3, 0x42);
  EXPECT_EQ(rig.leg1().at(514), std::byte{0x20});
  EXPECT_EQ(rig.leg1().at(515), std::byte{0x10});
  EXPECT_EQ(rig.leg1().at(518), std::byte{0x42});
  EXPECT_EQ(rig.leg1().at(515 + 128), std::byte{0x20});
}

TEST(MirrorRecovery, that_fails_leaves_the_region_out_of_sync) {
  for (const bool faulty : {false, true}) {
    MirrorRig rig(faulty ? SwitchValues{{"mirror.failed_recovery_is_synced", "on"}}
                         : SwitchValues{});
    rig.leg1().fail_writes = true;
    rig.start();
    EXPECT_EQ(rig.mirror().region(0).in_sync, faulty);
    EXPECT_EQ(rig.mirror().region(0).clean, faulty);
    EXPECT_THAT(rig.leaks(), IsEmpty());
  }
}

TEST(MirrorRecovery, without_handle_errors_counts_as_done_but_never_as_clean) {
  MirrorRig rig;
  rig.leg1().fail_writes = true;
  rig.start(MirrorRig::kNoErrorsTable);
  EXPECT_TRUE(rig.mirror().region(0).in_sync);
  EXPECT_FALSE(rig.mirror().region(0).clean);
}

TEST(MirrorRecovery, without_handle_errors_writes_even_what_could_not_be_read) {
  MirrorRig rig;
  rig.leg0().fail_reads = true;
  rig.start(MirrorRig::kNoErrorsTable);
  EXPECT_EQ(rig.leg1().at(0), RegionCopier::kNeverRead);

  MirrorRig careful;
  careful.leg0().fail_reads = true;
  careful.start(MirrorRig::kDiskTable);
  EXPECT_EQ(careful.leg1().at(0), std::byte{0x20});
  EXPECT_EQ(careful.info(), "2 leg0 leg1 0/16 1 SA 3 disk log0 A");
}

TEST(MirrorRecovery, the_default_leg_stays_when_it_fails_out_of_sync) {
  MirrorRig rig;
  rig.leg0().fail_reads = true;
  rig.start();
  EXPECT_TRUE(rig.read(64).failed());
  EXPECT_FALSE(rig.leg1().asked("R64+8"));
}

TEST(MirrorRecovery, waits_for_writes_under_way_in_its_region) {
  for (const bool hasty : {false, true}) {
    MirrorRig rig(hasty ? SwitchValues{{"mirror.recover_waits_for_pending", "off"}}
                        : SwitchValues{});
    rig.leg0().read_delay = Duration::milliseconds(20);
    ASSERT_EQ(rig.load(MirrorRig::kDiskTable, 128), "");
    ASSERT_TRUE(rig.resume());
    rig.settle(Duration::milliseconds(5));
    rig.leg0().write_delay = Duration::milliseconds(100);
    rig.begin(Op::kWrite, 64, 8, 0x42);  // still under way when region 1 is chosen
    rig.settle();
    EXPECT_EQ(rig.info(), "2 leg0 leg1 2/2 1 AA 3 disk log0 A");
    EXPECT_EQ(rig.leg0().at(64), std::byte{0x42});
    EXPECT_EQ(rig.leg1().at(64) == std::byte{0x42}, !hasty);
  }
}

TEST(MirrorRecovery, entries_of_unsynchronised_regions_are_reclaimed_by_it) {
  for (const bool faulty : {false, true}) {
    MirrorRig rig(faulty ? SwitchValues{{"mirror.nosync_entry", "never-reclaim"}} : SwitchValues{});
    rig.start();
    EXPECT_EQ(rig.mirror().tracked_regions(), faulty ? 16u : 0u);
    if (faulty) {
      EXPECT_THAT(rig.leaks(), ElementsAre("16 region entries of mirror lv"));
    }
  }
}

TEST(MirrorRecovery, an_entry_freed_too_early_forgets_the_writes_under_way) {
  MirrorRig rig(SwitchValues{{"mirror.nosync_entry", "free-early"}});
  rig.leg0().read_delay = Duration::milliseconds(20);
  ASSERT_EQ(rig.load(MirrorRig::kDiskTable), "");
  ASSERT_TRUE(rig.resume());
  rig.leg0().write_delay = Duration::milliseconds(100);
  TestRequest& slow = rig.begin(Op::kWrite, 15 * 64);
  rig.settle(Duration::milliseconds(1));
  rig.leg0().write_delay = Duration();
  TestRequest& quick = rig.begin(Op::kWrite, 15 * 64 + 8);
  rig.settle(Duration::milliseconds(5));
  EXPECT_TRUE(quick.ok());
  EXPECT_FALSE(slow.done);
  EXPECT_FALSE(rig.mirror().region(15).tracked);
  rig.settle();
  EXPECT_TRUE(slow.ok());
}

TEST(MirrorRecovery, leg_errors_are_forgiven_when_everything_is_in_sync_again) {
  MirrorRig rig;
  rig.start("disk 2 log0 64 2 leg0 0 leg1 0 2 handle_errors keep_log");
  rig.leg1().fail_writes = true;
  rig.write(64);
  EXPECT_EQ(rig.info(), "2 leg0 leg1 15/16 1 AD 3 disk log0 A");
  rig.leg1().fail_writes = false;
  ASSERT_TRUE(rig.suspend());
  ASSERT_TRUE(rig.resume());
  rig.settle();
  EXPECT_EQ(rig.info(), "2 leg0 leg1 16/16 1 AA 3 disk log0 A");
  EXPECT_TRUE(rig.legs_equal());
}

TEST(MirrorRecovery, copies_from_the_leg_that_became_the_default_one) {
  MirrorRig rig;
  rig.start();
  rig.leg0().fail_writes = true;
  rig.write(64, 0x42);
  EXPECT_EQ(rig.info(), "2 leg0 leg1 15/16 1 DA 3 disk log0 A");
  rig.leg0().fail_writes = false;
  ASSERT_TRUE(rig.suspend(true));
  ASSERT_TRUE(rig.resume());
  rig.settle();
  EXPECT_EQ(rig.leg0().at(64), std::byte{0x42});
  EXPECT_TRUE(rig.legs_equal());
  EXPECT_EQ(rig.info(), "2 leg0 leg1 16/16 1 AA 3 disk log0 A");
}

TEST(MirrorRecovery, a_crash_in_mid_write_is_repaired_from_the_default_leg) {
  MirrorRig before;
  before.start();
  before.leg1().transfer_after = Duration::milliseconds(20);
  TestRequest& write = before.begin(Op::kWrite, 64, 8, 0x42);
  write.target_bio.bio.fua = true;
  before.settle(Duration::milliseconds(1));
  ASSERT_EQ(before.leg0().durable[64 * 512], std::byte{0x42});

  MirrorRig after;
  after.take_durable_from(before);
  ASSERT_EQ(after.load(MirrorRig::kDiskTable), "");
  ASSERT_TRUE(after.resume());
  EXPECT_EQ(after.info(), "2 leg0 leg1 15/16 1 AA 3 disk log0 A");
  after.settle();
  EXPECT_TRUE(after.legs_equal());
  EXPECT_EQ(after.leg1().at(64), std::byte{0x42});
}

TEST(MirrorRecovery, a_flush_that_fails_while_a_region_waits_for_its_writes_ends_its_recovery) {
  for (const bool faulty : {false, true}) {
    MirrorRig rig(faulty ? SwitchValues{{"mirror.flush_failure_ends_recovery", "off"}}
                         : SwitchValues{});
    rig.leg0().read_delay = Duration::milliseconds(20);
    ASSERT_EQ(rig.load(MirrorRig::kNoErrorsTable, 128), "");
    ASSERT_TRUE(rig.resume());
    rig.leg0().write_delay = Duration::milliseconds(200);
    rig.begin(Op::kWrite, 64, 8, 0x42);
    rig.settle(Duration::milliseconds(1));
    rig.leg0().write_delay = Duration();
    rig.settle(Duration::milliseconds(30));
    ASSERT_TRUE(rig.mirror().region(1).recovering);
    ASSERT_EQ(rig.mirror().region(1).pending, 1u);
    TestRequest& delayed = rig.begin(Op::kWrite, 72);
    rig.leg1().fail_flushes = true;
    rig.flush();
    rig.leg1().fail_flushes = false;
    rig.settle();
    EXPECT_EQ(delayed.done, !faulty);
    EXPECT_FALSE(rig.mirror().region(1).in_sync);
    EXPECT_EQ(rig.presuspend(), !faulty);
  }
}

TEST(MirrorSuspend, waits_for_the_region_under_recovery_and_starts_no_other) {
  MirrorRig rig;
  rig.leg0().read_delay = Duration::milliseconds(10);
  ASSERT_EQ(rig.load(MirrorRig::kDiskTable), "");
  ASSERT_TRUE(rig.resume());
  rig.settle(Duration::milliseconds(1));
  TestRequest& delayed = rig.begin(Op::kWrite, 0, 8, 0x42);
  ASSERT_TRUE(rig.suspend());
  EXPECT_TRUE(delayed.ok());
  EXPECT_FALSE(rig.leg0().asked("R64+64"));
  EXPECT_TRUE(rig.mirror().region(0).clean);
  const auto quiet = rig.leg0().history.size();
  rig.settle();
  EXPECT_EQ(rig.leg0().history.size(), quiet);
  ASSERT_TRUE(rig.resume());
  rig.settle();
  EXPECT_TRUE(rig.legs_equal());
  EXPECT_THAT(rig.leaks(), IsEmpty());
}

TEST(MirrorSuspend, leaves_nothing_in_the_workers_queues) {
  MirrorRig rig;
  rig.start();
  ASSERT_TRUE(rig.run([&] {
    rig.begin(Op::kWrite, 64);
    rig.mirror().presuspend();
    EXPECT_TRUE(rig.leg1().asked("W64+8"));
  }));
}

TEST(MirrorSuspend, that_is_interrupted_is_undone_and_can_be_repeated) {
  for (const bool faulty : {false, true}) {
    MirrorRig rig(faulty ? SwitchValues{{"mirror.undo_presuspend", "off"}} : SwitchValues{});
    rig.start();
    ASSERT_TRUE(rig.presuspend());
    rig.mirror().presuspend_undo();
    EXPECT_EQ(rig.suspend(), !faulty);
  }
}

TEST(MirrorSuspend, a_mirror_that_never_ran_goes_without_a_trace) {
  MirrorRig rig;
  EXPECT_EQ(rig.load(MirrorRig::kDiskTable), "");
  EXPECT_EQ(rig.load("core 1 64 2 leg0 0 leg1 0"), "");
  EXPECT_EQ(rig.scheduler.slices_run(), 0u);
}

TEST(MirrorSuspend, a_mirror_that_is_replaced_ends_its_worker) {
  MirrorRig rig;
  rig.start();
  ASSERT_TRUE(rig.suspend());
  ASSERT_EQ(rig.load(MirrorRig::kDiskTable), "");
  ASSERT_TRUE(rig.resume());
  rig.settle();
  EXPECT_TRUE(rig.write(64).ok());
}

TEST(MirrorTable, is_printed_as_it_was_written) {
  for (const char* table : {MirrorRig::kDiskTable, MirrorRig::kNoErrorsTable, MirrorRig::kCoreTable,
                            MirrorRig::kNosyncTable,
                            "core 2 64 sync 3 leg0 0 leg1 8 leg2 16 2 handle_errors keep_log"}) {
    MirrorRig rig;
    ASSERT_EQ(rig.load(table, 512), "");
    EXPECT_EQ(rig.table(), table);
  }
}

TEST(MirrorTable, is_judged_in_the_kernels_words) {
  const auto refused = [](const std::string& rest) {
    MirrorRig rig;
    return rig.load("core 1 64" + rest);
  };
  EXPECT_EQ(refused(""), "Invalid number of mirrors");
  EXPECT_EQ(refused(" 1 leg0 0"), "Invalid number of mirrors");
  EXPECT_EQ(refused(" 10 leg0 0"), "Invalid number of mirrors");
  EXPECT_EQ(refused(" two leg0 0 leg1 0"), "Invalid number of mirrors");
  EXPECT_EQ(refused(" 2 leg0 0 leg1"), "Too few mirror arguments");
  EXPECT_EQ(refused(" 2 leg0 0 leg1 x"), "Invalid offset");
  EXPECT_EQ(refused(" 2 leg0 0 leg9 0"), "Device lookup failure");
  EXPECT_EQ(refused(" 2 leg0 0 leg1 0 x"), "Invalid number of features");
  EXPECT_EQ(refused(" 2 leg0 0 leg1 0 1"), "Not enough arguments to support feature count");
  EXPECT_EQ(refused(" 2 leg0 0 leg1 0 1 fly"), "Unrecognised feature requested");
  EXPECT_EQ(refused(" 2 leg0 0 leg1 0 1 keep_log"),
            "keep_log feature requires the handle_errors feature");
  EXPECT_EQ(refused(" 2 leg0 0 leg1 0 0 extra"), "Too many mirror arguments");
  EXPECT_EQ(refused(" 2 leg0 0 leg1 0"), "");
}

TEST(MirrorView, shows_what_the_mirror_claims) {
  MirrorRig rig;
  rig.start();
  const MirrorView& view = *rig.mirror().mirror_view();
  EXPECT_EQ(view.region_count(), 16u);
  EXPECT_EQ(view.region_sectors(), 64u);
  EXPECT_EQ(view.log_device(), "log0");
  EXPECT_EQ(view.legs().size(), 2u);
  EXPECT_FALSE(view.legs()[1].failed);
  const std::uint64_t before = view.claim_generation();
  rig.leg1().fail_writes = true;
  rig.write(64);
  EXPECT_TRUE(view.legs()[1].failed);
  EXPECT_GT(view.claim_generation(), before);
  EXPECT_THAT(rig.leaks(), ElementsAre("1 held writes of mirror lv"));
}

}  // namespace
}  // namespace dmsim::native
