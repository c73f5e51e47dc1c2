#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/native/mirror/mirror_test_rig.h"

namespace dmsim::native {
namespace {

using ::testing::IsEmpty;

TEST(MirrorWrite, reaches_every_leg_from_the_very_same_frame) {
  MirrorRig rig;
  rig.start();
  TestRequest& write = rig.write(64, 0x42);
  EXPECT_TRUE(write.ok());
  EXPECT_EQ(rig.leg0().at(64), std::byte{0x42});
  EXPECT_EQ(rig.leg1().at(64), std::byte{0x42});
  EXPECT_THAT(rig.leaks(), IsEmpty());
}

TEST(MirrorWrite, fua_is_passed_to_every_leg) {
  MirrorRig rig;
  rig.start();
  TestRequest& write = rig.begin(Op::kWrite, 64);
  write.target_bio.bio.fua = true;
  rig.settle();
  EXPECT_TRUE(rig.leg0().asked("W64+8!"));
  EXPECT_TRUE(rig.leg1().asked("W64+8!"));
}

TEST(MirrorWrite, to_a_region_out_of_sync_reaches_the_default_leg_only) {
  MirrorRig rig;
  rig.leg1().fail_writes = true;
  rig.start(MirrorRig::kDiskTable);
  rig.leg1().fail_writes = false;
  rig.leg1().history.clear();
  TestRequest& write = rig.write(64);
  EXPECT_FALSE(write.done) << "held: a leg has failed before";
  EXPECT_FALSE(rig.leg1().asked("W64+8"));
}

TEST(MirrorWrite, in_mid_synchronisation_goes_to_the_default_leg_and_is_copied_later) {
  MirrorRig rig;
  rig.leg0().read_delay = Duration::milliseconds(10);  // recovery is slow
  ASSERT_EQ(rig.load(MirrorRig::kDiskTable), "");
  ASSERT_TRUE(rig.resume());
  TestRequest& write = rig.begin(Op::kWrite, 15 * 64, 8, 0x42);
  rig.settle(Duration::milliseconds(25));
  EXPECT_TRUE(write.ok());
  EXPECT_FALSE(rig.mirror().region(15).clean);
  EXPECT_TRUE(rig.mirror().region(15).tracked);
  EXPECT_FALSE(rig.leg1().asked("W960+8"));
  rig.settle();
  EXPECT_EQ(rig.leg1().at(15 * 64), std::byte{0x42});
  EXPECT_TRUE(rig.mirror().region(15).clean);
  EXPECT_EQ(rig.mirror().tracked_regions(), 0u);
}

TEST(MirrorWrite, of_2006_makes_an_unsynchronised_region_clean_and_a_resume_believes_it) {
  for (const bool faulty : {false, true}) {
    MirrorRig rig(faulty ? SwitchValues{{"mirror.dec_promotes_nosync", "on"}} : SwitchValues{});
    rig.leg0().read_delay = Duration::milliseconds(10);
    ASSERT_EQ(rig.load(MirrorRig::kDiskTable), "");
    ASSERT_TRUE(rig.resume());
    rig.begin(Op::kWrite, 15 * 64, 8, 0x42);
    rig.settle(Duration::milliseconds(25));
    EXPECT_EQ(rig.mirror().region(15).clean, faulty);
    EXPECT_FALSE(rig.mirror().region(15).in_sync);
    ASSERT_TRUE(rig.suspend());
    ASSERT_TRUE(rig.resume());
    rig.settle();
    EXPECT_EQ(rig.info(), "2 leg0 leg1 16/16 1 AA 3 disk log0 A");
    EXPECT_EQ(rig.legs_equal(), !faulty);
  }
}

TEST(MirrorWrite, to_a_region_under_recovery_waits_for_its_end) {
  MirrorRig rig;
  rig.leg0().read_delay = Duration::milliseconds(10);
  ASSERT_EQ(rig.load(MirrorRig::kDiskTable), "");
  ASSERT_TRUE(rig.resume());
  rig.settle(Duration::milliseconds(1));
  ASSERT_TRUE(rig.mirror().region(0).recovering);
  TestRequest& write = rig.begin(Op::kWrite, 0, 8, 0x42);
  rig.settle(Duration::milliseconds(2));
  EXPECT_FALSE(rig.leg0().asked("W0+8"));
  rig.settle();
  EXPECT_TRUE(write.ok());
  EXPECT_EQ(rig.leg0().at(0), std::byte{0x42});
  EXPECT_TRUE(rig.legs_equal());
}

TEST(MirrorWrite, that_fails_on_one_leg_is_held_and_its_region_goes_out_of_sync) {
  MirrorRig rig;
  rig.start();
  const std::uint32_t events = rig.events;
  rig.leg1().fail_writes = true;
  TestRequest& write = rig.write(64);
  EXPECT_FALSE(write.done);
  EXPECT_EQ(rig.mirror().held_bios(), 1u);
  EXPECT_EQ(rig.events, events + 1);
  EXPECT_EQ(rig.info(), "2 leg0 leg1 15/16 1 AD 3 disk log0 A");
  EXPECT_FALSE(rig.mirror().region(1).in_sync);
  EXPECT_FALSE(rig.mirror().region(1).clean);
}

TEST(MirrorWrite, that_fails_on_the_default_leg_moves_the_default_while_in_sync) {
  MirrorRig rig;
  rig.start();
  rig.leg0().fail_writes = true;
  rig.write(64, 0x42);
  TestRequest& read = rig.read(64);
  EXPECT_TRUE(read.ok());
  EXPECT_EQ(read.first_byte(), std::byte{0x42});
}

TEST(MirrorWrite, a_held_write_is_pushed_back_by_a_noflush_suspend_and_fails_by_another) {
  for (const bool noflush : {true, false}) {
    MirrorRig rig;
    rig.start();
    rig.leg1().fail_writes = true;
    TestRequest& write = rig.write(64);
    ASSERT_TRUE(rig.suspend(noflush));
    EXPECT_EQ(write.requeued(), noflush);
    EXPECT_EQ(write.failed(), !noflush);
    EXPECT_EQ(write.status.injected, !noflush);
  }
}

TEST(MirrorWrite, giving_held_writes_back_only_after_the_drain_hangs_the_suspend) {
  MirrorRig rig(SwitchValues{{"mirror.requeue_phase", "postsuspend"}});
  rig.start();
  rig.leg1().fail_writes = true;
  rig.write(64);
  EXPECT_FALSE(rig.suspend(true));
}

TEST(MirrorWrite, partial_failures_are_acknowledged_or_ignored_by_the_faulty_values) {
  MirrorRig ack(SwitchValues{{"mirror.partial_write", "ack"}});
  ack.start();
  ack.leg1().fail_writes = true;
  EXPECT_TRUE(ack.write(64).ok());
  EXPECT_FALSE(ack.mirror().region(1).in_sync);

  MirrorRig ignore(SwitchValues{{"mirror.partial_write", "ignore"}});
  ignore.start();
  ignore.leg1().fail_writes = true;
  EXPECT_TRUE(ignore.write(64).ok());
  EXPECT_TRUE(ignore.mirror().region(1).in_sync);
  EXPECT_TRUE(ignore.mirror().region(1).clean);
  EXPECT_FALSE(ignore.legs_equal());
  EXPECT_EQ(ignore.info(), "2 leg0 leg1 16/16 1 AA 3 disk log0 A");
  ignore.leg0().fail_writes = true;
  EXPECT_TRUE(ignore.write(64).failed());
}

TEST(MirrorWrite, without_handle_errors_a_partial_failure_is_acknowledged) {
  MirrorRig rig;
  rig.start(MirrorRig::kNoErrorsTable);
  rig.leg1().fail_writes = true;
  EXPECT_TRUE(rig.write(64).ok());
  EXPECT_EQ(rig.info(), "2 leg0 leg1 15/16 1 AD 3 disk log0 A");
  rig.leg0().fail_writes = true;
  EXPECT_TRUE(rig.write(128).failed());
}

TEST(MirrorWrite, keep_log_acknowledges_and_goes_on) {
  MirrorRig rig;
  rig.start("disk 2 log0 64 2 leg0 0 leg1 0 2 handle_errors keep_log");
  rig.leg1().fail_writes = true;
  EXPECT_TRUE(rig.write(64).ok());
  EXPECT_TRUE(rig.write(64).ok()) << "to the default leg alone";
  EXPECT_EQ(rig.leg1().count("W64+8"), 1);
  rig.log().dead = true;
  EXPECT_TRUE(rig.write(128).failed()) << "with keep_log a write that cannot be logged fails";
}

TEST(MirrorWrite, when_all_legs_are_dead_fails_instead_of_waiting_for_repair) {
  for (const bool faulty : {false, true}) {
    MirrorRig rig(faulty ? SwitchValues{{"mirror.no_valid_leg", "hold"}} : SwitchValues{});
    rig.start();
    rig.leg0().dead = rig.leg1().dead = true;
    TestRequest& write = rig.write(64);
    EXPECT_EQ(write.failed(), !faulty);
    EXPECT_EQ(rig.mirror().held_bios(), faulty ? 1u : 0u);
  }
}

TEST(MirrorWrite, that_cannot_be_marked_in_the_log_is_held_and_not_issued) {
  MirrorRig rig;
  rig.start();
  rig.log().fail_writes = true;
  TestRequest& write = rig.write(64);
  EXPECT_FALSE(write.done);
  EXPECT_FALSE(rig.leg0().asked("W64+8"));
  EXPECT_EQ(rig.info(), "2 leg0 leg1 16/16 1 AA 3 disk log0 D");
  rig.log().fail_writes = false;
  TestRequest& later = rig.write(128);
  EXPECT_FALSE(later.done) << "a log that failed once is not trusted again";
  EXPECT_TRUE(rig.suspend(true));
  EXPECT_TRUE(write.requeued());
}

TEST(MirrorWrite, a_log_that_cannot_be_flushed_shows_F) {
  MirrorRig rig;
  rig.start();
  rig.log().fail_flushes = true;
  rig.write(64);
  EXPECT_EQ(rig.info(), "2 leg0 leg1 16/16 1 AA 3 disk log0 F");
}

TEST(MirrorWrite, without_handle_errors_a_failed_log_does_not_stop_writes) {
  for (const bool faulty : {false, true}) {
    MirrorRig rig(faulty ? SwitchValues{{"mirror.issue_on_log_fail_without_he", "off"}}
                         : SwitchValues{});
    rig.start(MirrorRig::kNoErrorsTable);
    rig.log().fail_writes = true;
    EXPECT_TRUE(rig.write(64, 0x42).ok());
    EXPECT_EQ(rig.leg0().at(64) == std::byte{0x42}, !faulty) << "acknowledged, issued?";
  }
}

TEST(MirrorFlush, reaches_every_leg_or_with_the_fault_none) {
  for (const bool faulty : {false, true}) {
    MirrorRig rig(faulty ? SwitchValues{{"mirror.forward_flush", "off"}} : SwitchValues{});
    rig.start();
    rig.leg0().history.clear();
    rig.leg1().history.clear();
    EXPECT_TRUE(rig.flush().ok());
    EXPECT_EQ(rig.leg0().asked("F"), !faulty);
    EXPECT_EQ(rig.leg1().asked("F"), !faulty);
  }
}

TEST(MirrorFlush, that_fails_keeps_every_later_region_from_becoming_clean) {
  for (const bool sticky : {true, false}) {
    MirrorRig rig(sticky ? SwitchValues{} : SwitchValues{{"mirror.flush_error_sticky", "off"}});
    rig.start(MirrorRig::kNoErrorsTable);
    rig.leg1().fail_flushes = true;
    EXPECT_TRUE(rig.flush().ok()) << "without handle_errors";
    rig.leg1().fail_flushes = false;
    rig.write(64);
    EXPECT_EQ(rig.mirror().region(1).clean, !sticky);
    EXPECT_EQ(rig.info(), "2 leg0 leg1 16/16 1 AD 3 disk log0 A");
    EXPECT_THAT(rig.leaks(), IsEmpty());
  }
}

TEST(MirrorFlush, that_fails_is_remembered_so_that_the_leg_left_behind_is_not_read) {
  for (const bool forgiven : {false, true}) {
    MirrorRig rig(forgiven ? SwitchValues{{"mirror.failed_flush", "forgiven"}} : SwitchValues{});
    rig.start(MirrorRig::kNoErrorsTable);
    rig.leg1().fail_flushes = true;
    EXPECT_TRUE(rig.flush().ok());
    rig.write(64, 0x42);
    rig.write(64, 0x43);
    // All regions are still in sync for the log; Linux forgives the leg at the next pass, and says A.
    EXPECT_EQ(rig.info(), forgiven ? "2 leg0 leg1 16/16 1 AA 3 disk log0 A"
                                   : "2 leg0 leg1 16/16 1 AD 3 disk log0 A");
    rig.leg0().fail_reads = true;
    EXPECT_TRUE(rig.read(64).failed()) << "the worker knows that leg0 alone has it";
    TestRequest& read = rig.read(64);
    EXPECT_EQ(read.ok(), forgiven) << "leg1 has missed the second write";
    if (read.ok()) {
      EXPECT_EQ(read.first_byte(), std::byte{0x42});
    }
  }
}

TEST(MirrorFlush, that_fails_forgives_no_leg_for_a_write_that_has_failed_on_all) {
  for (const bool forgiven : {false, true}) {
    MirrorRig rig(forgiven ? SwitchValues{{"mirror.failed_flush", "forgiven"},
                                          {"mirror.unheard_failure", "forgiven"}}
                           : SwitchValues{});
    rig.start(MirrorRig::kNoErrorsTable);
    for (TestDisk* leg : {&rig.leg0(), &rig.leg1()}) {
      leg->fail_flushes = leg->fail_writes = true;
      leg->write_delay = Duration::milliseconds(5);  // under way when the flush fails
    }
    TestRequest& write = rig.begin(Op::kWrite, 64);
    rig.begin(Op::kFlush, 0);
    rig.settle();
    EXPECT_TRUE(write.done);
    EXPECT_EQ(write.ok(), forgiven);
  }
}

TEST(MirrorWrite, that_fails_as_the_first_synchronisation_ends_is_not_forgiven_before_it_is_heard_of) {
  for (const bool forgiven : {false, true}) {
    MirrorRig rig(forgiven ? SwitchValues{{"mirror.unheard_failure", "forgiven"}} : SwitchValues{});
    ASSERT_EQ(rig.load(MirrorRig::kDiskTable), "");
    ASSERT_TRUE(rig.resume());
    while (!rig.leg1().asked("W960+64")) ASSERT_TRUE(rig.scheduler.step());  // the last region
    rig.log().write_delay = Duration::milliseconds(50);
    TestRequest& write = rig.begin(Op::kWrite, 0);
    while (!rig.leg1().asked("W0+8")) ASSERT_TRUE(rig.scheduler.step());
    rig.leg1().fail_writes = true;
    rig.settle();
    EXPECT_FALSE(write.done) << "it is held for the repair";
    EXPECT_EQ(rig.info(), forgiven ? "2 leg0 leg1 15/16 1 AA 3 disk log0 A"
                                   : "2 leg0 leg1 15/16 1 AD 3 disk log0 A");
  }
}

TEST(MirrorWrite, with_a_log_that_nobody_could_read_is_held_in_regions_out_of_sync_too) {
  for (const bool ignored : {false, true}) {
    MirrorRig before;
    before.start();
    MirrorRig rig(ignored ? SwitchValues{{"mirror.unread_log", "ignored"}} : SwitchValues{});
    rig.take_durable_from(before);
    rig.log().dead = true;
    rig.leg0().read_delay = Duration::seconds(10);  // recovery gets nowhere
    ASSERT_EQ(rig.load(MirrorRig::kDiskTable), "");
    ASSERT_TRUE(rig.resume());
    TestRequest& write = rig.write(960, 0x42);
    EXPECT_EQ(write.ok(), ignored) << "the log still calls the region clean, and leg1 has not got it";
    EXPECT_EQ(rig.leg0().at(960) == std::byte{0x42}, ignored);
    EXPECT_EQ(rig.mirror().held_bios(), ignored ? 0u : 1u);
  }
}

TEST(MirrorWrite, with_a_log_that_could_not_be_read_once_goes_on_because_the_log_is_written_anew) {
  MirrorRig rig;
  rig.log().fail_reads = true;
  ASSERT_EQ(rig.load(MirrorRig::kDiskTable), "");
  ASSERT_TRUE(rig.resume());
  EXPECT_TRUE(rig.write(960).ok());
}

constexpr const char* kThreeLegs = "disk 2 log0 64 3 leg0 0 leg1 0 leg2 0 1 handle_errors";

TEST(SelfSufficientMirror, that_lost_a_leg_to_a_repair_takes_no_other_leg_for_the_one_that_failed) {
  const SwitchValues on{{"mirror.self_sufficient", "on"}};
  MirrorRig before(on);
  before.start(kThreeLegs);
  before.leg0().dead = true;
  EXPECT_TRUE(before.write(64, 0x42).ok()) << "without user space";
  // The region is out of sync now: what is written to it goes to leg1 alone.
  EXPECT_TRUE(before.write(64, 0x43).ok());
  EXPECT_TRUE(before.flush().ok());
  // User space takes the leg out; what was leg 1 has number 0 from now on.
  MirrorRig repaired(on);
  repaired.take_durable_from(before);
  repaired.start("disk 2 log0 64 2 leg1 0 leg2 0 1 handle_errors");
  EXPECT_EQ(repaired.read(64).first_byte(), std::byte{0x43});
  EXPECT_TRUE(repaired.legs_equal("leg1", "leg2"));
  // And without the repair the leg that comes back is not believed.
  MirrorRig again(on);
  again.take_durable_from(before);
  again.start(kThreeLegs);
  EXPECT_EQ(again.read(64).first_byte(), std::byte{0x43});
}

TEST(SelfSufficientMirror, that_has_nowhere_to_note_a_failure_waits_for_user_space) {
  MirrorRig rig(SwitchValues{{"mirror.self_sufficient", "on"}});
  rig.start(MirrorRig::kCoreTable);
  rig.leg0().dead = true;
  TestRequest& first = rig.write(64);
  EXPECT_FALSE(first.done);
  TestRequest& second = rig.write(64);
  EXPECT_FALSE(second.done) << "its region is out of sync: one leg alone would have it";
  EXPECT_EQ(rig.mirror().held_bios(), 2u);
}

TEST(MirrorDiscard, goes_to_all_legs_and_leaves_the_log_alone) {
  MirrorRig rig;
  rig.start();
  rig.log().history.clear();
  TestRequest& discard = rig.begin(Op::kDiscard, 64, 32);
  rig.settle();
  EXPECT_TRUE(discard.ok());
  EXPECT_TRUE(rig.leg0().asked("D64+32"));
  EXPECT_TRUE(rig.leg1().asked("D64+32"));
  EXPECT_THAT(rig.log().history, IsEmpty());
}

TEST(MirrorDiscard, that_a_leg_refuses_is_unsupported_and_costs_no_leg) {
  for (const bool faulty : {false, true}) {
    MirrorRig rig(faulty ? SwitchValues{{"mirror.discard_error_degrades", "on"}} : SwitchValues{});
    rig.start();
    rig.leg1().discards = false;
    TestRequest& discard = rig.begin(Op::kDiscard, 64, 32);
    rig.settle();
    EXPECT_EQ(discard.status.code == BlockStatus::Code::kNotSupported, !faulty);
    EXPECT_EQ(rig.mirror().held_bios(), faulty ? 1u : 0u);
    EXPECT_EQ(rig.info(), faulty ? "2 leg0 leg1 16/16 1 AD 3 disk log0 A"
                                 : "2 leg0 leg1 16/16 1 AA 3 disk log0 A");
  }
}

}  // namespace
}  // namespace dmsim::native
