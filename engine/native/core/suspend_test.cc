// Suspend and resume: the phases, the ways to break off, and what waits meanwhile. push_back_test.cc has what is pushed
// back.
#include <cerrno>

#include "engine/native/core/core_test_rig.h"

namespace dmsim::native {
namespace {

constexpr SuspendOptions kSkipLockfs{.noflush = false, .skip_lockfs = true};

Strings waits(const Rig& rig) {
  Strings out;
  for (const StuckFiber& stuck : rig.scheduler.stuck()) out.push_back(stuck.waits_for);
  return out;
}

TEST(Suspend, targets_hear_of_each_phase_in_its_order) {
  Rig rig;
  rig.disk("a");
  rig.activate("lv", "0 8 fake f a\n8 8 fake g a");
  EXPECT_EQ(rig.calls, (Strings{"f.construct", "g.construct", "f.preresume", "g.preresume",
                                "f.resume", "g.resume"}));
  rig.calls.clear();
  rig.run([&] { EXPECT_TRUE(rig.dm->suspend("lv", {}).ok()); });
  EXPECT_EQ(rig.calls, (Strings{"f.presuspend", "g.presuspend", "f.postsuspend", "g.postsuspend"}));
  EXPECT_TRUE(rig.fakes["f"]->host.suspended());
  EXPECT_FALSE(rig.fakes["f"]->presuspend_saw_noflush);
  rig.run([&] { EXPECT_TRUE(rig.dm->suspend("lv", {}).ok()) << "it already is"; });
  EXPECT_EQ(rig.calls.size(), 4u);
  rig.run([&] { EXPECT_TRUE(rig.dm->resume("lv").ok()); });
  EXPECT_FALSE(rig.fakes["f"]->host.suspended());
  rig.run([&] { EXPECT_TRUE(rig.dm->resume("lv").ok()) << "it already runs"; });
  rig.expect_at_rest();
}

TEST(Suspend, bios_are_deferred_while_suspended_and_released_in_order) {
  Rig rig;
  FakeDisk& a = rig.disk("a");
  rig.activate("lv", "0 64 linear a 0");
  rig.run([&] { EXPECT_TRUE(rig.dm->suspend("lv", {}).ok()); });
  std::vector<std::unique_ptr<TestBio>> writes;
  for (Sector at = 0; at < 4; ++at) {
    writes.push_back(rig.bio(Op::kWrite, at * 8, 8));
    rig.run([&] { rig.submit("lv", *writes.back()); });
  }
  EXPECT_TRUE(a.log.empty());
  EXPECT_EQ(rig.dm->bios_in_flight(), 4u);
  EXPECT_EQ(rig.events("dm.defer"), 4u);
  rig.run([&] { EXPECT_TRUE(rig.dm->resume("lv").ok()); });
  EXPECT_EQ(a.log, (Strings{"W0+8", "W8+8", "W16+8", "W24+8"}));
  for (auto& write : writes) EXPECT_TRUE(write->done);
  rig.expect_at_rest();
}

TEST(Suspend, it_waits_for_bios_inside_and_says_so) {
  Rig rig;
  FakeDisk& a = rig.disk("a");
  rig.activate("lv", "0 64 fake f a");
  a.hold = true;
  auto write = rig.bio(Op::kWrite, 0, 8);
  rig.spawn([&] { rig.submit("lv", *write); });
  rig.settle();
  auto suspend = start_suspend(rig);
  EXPECT_FALSE(suspend->done);
  EXPECT_EQ(waits(rig), Strings{"bios of lv to drain"});
  // A second verb waits for the first, and learns that it came too late.
  auto second = start_suspend(rig);
  EXPECT_EQ(waits(rig), (Strings{"bios of lv to drain", "suspend lock of lv"}));
  EXPECT_EQ(rig.scheduler.stuck()[1].held_by, suspend->fiber->actor);
  a.release();
  rig.settle();
  EXPECT_TRUE(suspend->done);
  EXPECT_EQ(suspend->errno_value, 0);
  EXPECT_EQ(second->errno_value, EINVAL);
  rig.expect_at_rest();
}

TEST(Suspend, a_signal_ends_it_with_eintr_and_bios_flow_again) {
  Rig rig;
  FakeDisk& a = rig.disk("a");
  rig.activate("lv", "0 64 fake f a");
  FakeFreezer freezer;
  rig.dm->set_freezer("lv", &freezer);
  a.hold = true;
  auto stuck = rig.bio(Op::kWrite, 0, 8);
  rig.spawn([&] { rig.submit("lv", *stuck); });
  rig.settle();
  rig.calls.clear();
  auto suspend = start_suspend(rig);
  auto deferred = rig.bio(Op::kWrite, 8, 8);
  rig.run([&] { rig.submit("lv", *deferred); });
  EXPECT_EQ(a.log, Strings{"W0+8"});
  rig.scheduler.signal(*suspend->fiber);
  rig.settle();
  EXPECT_EQ(suspend->errno_value, EINTR);
  EXPECT_EQ(rig.calls, (Strings{"f.presuspend", "f.presuspend_undo"}));
  EXPECT_EQ(freezer.freezes, 1);
  EXPECT_EQ(freezer.thaws, 1);
  EXPECT_EQ(a.log, (Strings{"W0+8", "W8+8"})) << "the deferred bio went on";
  EXPECT_FALSE(rig.fakes["f"]->host.suspended());
  a.release_all();
  a.hold = false;
  EXPECT_EQ(rig.io("lv", Op::kRead, 0, 8), kOk);
  auto again = start_suspend(rig);
  EXPECT_EQ(again->errno_value, 0);
  rig.expect_at_rest();
}

TEST(Suspend, a_signal_that_comes_when_nothing_is_inside_any_more_changes_nothing) {
  Rig rig;
  rig.disk("a");
  rig.activate("lv", "0 64 linear a 0");
  rig.run([&] {
    rig.scheduler.signal(rig.scheduler.current());
    EXPECT_TRUE(rig.dm->suspend("lv", {}).ok());
  });
  rig.expect_at_rest();
}

TEST(Suspend, the_file_system_is_frozen_before_bios_are_blocked_and_thawed_after_resume) {
  Rig rig;
  FakeDisk& a = rig.disk("a");
  rig.activate("lv", "0 64 fake f a");
  FakeFreezer freezer;
  auto last_write = rig.bio(Op::kWrite, 0, 8);
  freezer.on_freeze = [&] {
    EXPECT_EQ(rig.calls.back(), "f.presuspend");
    rig.submit("lv", *last_write);
    EXPECT_TRUE(last_write->done) << "bios still flow";
  };
  rig.dm->set_freezer("lv", &freezer);
  rig.run([&] { EXPECT_TRUE(rig.dm->suspend("lv", {}).ok()); });
  EXPECT_EQ(a.log, Strings{"W0+8"});
  EXPECT_EQ(freezer.freezes, 1);
  EXPECT_EQ(freezer.thaws, 0);
  rig.run([&] { EXPECT_TRUE(rig.dm->resume("lv").ok()); });
  EXPECT_EQ(freezer.thaws, 1);
}

TEST(Suspend, neither_skip_lockfs_nor_noflush_freezes) {
  Rig rig;
  rig.disk("a");
  rig.activate("lv", "0 64 linear a 0");
  FakeFreezer freezer;
  rig.dm->set_freezer("lv", &freezer);
  for (const SuspendOptions options : {kSkipLockfs, kNoflush}) {
    rig.run([&] {
      EXPECT_TRUE(rig.dm->suspend("lv", options).ok());
      EXPECT_TRUE(rig.dm->resume("lv").ok());
    });
  }
  EXPECT_EQ(freezer.freezes, 0);
  EXPECT_EQ(freezer.thaws, 0);
}

TEST(Suspend, when_freezing_fails_the_device_runs_on) {
  Rig rig;
  FakeDisk& a = rig.disk("a");
  rig.activate("lv", "0 64 fake f a");
  FakeFreezer freezer;
  freezer.refuse = true;
  rig.dm->set_freezer("lv", &freezer);
  rig.calls.clear();
  auto suspend = start_suspend(rig);
  EXPECT_EQ(suspend->errno_value, EIO);
  EXPECT_EQ(rig.calls, (Strings{"f.presuspend", "f.presuspend_undo"}));
  EXPECT_EQ(freezer.thaws, 0);
  EXPECT_EQ(rig.io("lv", Op::kWrite, 0, 8), kOk);
  EXPECT_EQ(a.log, Strings{"W0+8"});
  freezer.refuse = false;
  EXPECT_EQ(start_suspend(rig)->errno_value, 0);
}

TEST(Suspend, a_file_system_that_was_unmounted_while_frozen_is_not_thawed) {
  Rig rig;
  rig.disk("a");
  rig.activate("lv", "0 64 linear a 0");
  FakeFreezer freezer;
  rig.dm->set_freezer("lv", &freezer);
  EXPECT_EQ(start_suspend(rig)->errno_value, 0);
  rig.dm->set_freezer("lv", nullptr);
  rig.run([&] { EXPECT_TRUE(rig.dm->resume("lv").ok()); });
  EXPECT_EQ(freezer.thaws, 0);
}

TEST(Suspend, the_data_of_a_preflush_write_waits_until_the_device_runs_again) {
  Rig rig;
  FakeDisk& a = rig.disk("a");
  rig.activate("lv", "0 64 linear a 0");
  a.hold = true;
  auto write = rig.bio(Op::kWrite, 0, 8);
  write->bio.preflush = true;
  rig.run([&] { rig.submit("lv", *write); });
  auto suspend = start_suspend(rig);
  a.release();
  rig.settle();
  EXPECT_EQ(suspend->errno_value, 0);
  EXPECT_EQ(a.log, Strings{"F"});
  a.hold = false;
  rig.run([&] { EXPECT_TRUE(rig.dm->resume("lv").ok()); });
  EXPECT_EQ(a.log, (Strings{"F", "W0+8"})) << "flushed once only";
  EXPECT_TRUE(write->done);
  rig.expect_at_rest();
}

TEST(Suspend, a_submitter_that_blocks_inside_a_target_is_waited_for_and_its_rest_is_deferred) {
  Rig rig;
  FakeDisk& a = rig.disk("a");
  rig.activate("lv", "0 8 fake f a\n8 8 linear a 8");
  FakeTarget& fake = *rig.fakes["f"];
  fake.way = FakeTarget::Way::kBlock;
  auto write = rig.bio(Op::kWrite, 0, 16);
  rig.spawn([&] { rig.submit("lv", *write); });
  rig.settle();
  auto suspend = start_suspend(rig);
  EXPECT_EQ(waits(rig), (Strings{"the gate of f", "fibers inside the table of lv to leave it"}));
  rig.scheduler.signal(*suspend->fiber);
  rig.settle();
  EXPECT_FALSE(suspend->done) << "this wait knows no signals";
  fake.gate.wake_all();
  rig.settle();
  EXPECT_EQ(suspend->errno_value, 0) << "nothing was left to wait for: the signal came to nothing";
  EXPECT_EQ(a.log, Strings{"W0+8"});
  EXPECT_FALSE(write->done);
  rig.run([&] { EXPECT_TRUE(rig.dm->resume("lv").ok()); });
  EXPECT_EQ(a.log, (Strings{"W0+8", "W8+8"}));
  EXPECT_TRUE(write->done);
  rig.expect_at_rest();
}

TEST(Suspend, a_worker_that_blocks_inside_a_target_is_waited_for) {
  Rig rig;
  FakeDisk& a = rig.disk("a");
  rig.activate("lv", "0 8 fake f a");
  FakeTarget& fake = *rig.fakes["f"];
  auto write = rig.bio(Op::kWrite, 0, 8);
  write->bio.preflush = true;
  a.hold = true;
  rig.run([&] { rig.submit("lv", *write); });
  fake.way = FakeTarget::Way::kBlock;
  a.hold = false;
  a.release();
  rig.settle();
  auto suspend = start_suspend(rig);
  EXPECT_FALSE(suspend->done);
  fake.gate.wake_all();
  rig.settle();
  EXPECT_EQ(suspend->errno_value, 0);
  EXPECT_TRUE(write->done);
  rig.expect_at_rest();
}

TEST(Suspend, preresume_may_refuse_and_the_device_stays_suspended) {
  Rig rig;
  FakeDisk& a = rig.disk("a");
  rig.activate("lv", "0 64 fake f a");
  EXPECT_EQ(start_suspend(rig)->errno_value, 0);
  auto write = rig.bio(Op::kWrite, 0, 8);
  rig.run([&] { rig.submit("lv", *write); });
  rig.fakes["f"]->preresume_errno = EIO;
  rig.calls.clear();
  rig.run([&] {
    auto resumed = rig.dm->resume("lv");
    ASSERT_FALSE(resumed.ok());
    EXPECT_EQ(resumed.error().errno_value, EIO);
    EXPECT_EQ(resumed.error().reason, "not today");
  });
  EXPECT_EQ(rig.calls, Strings{"f.preresume"});
  EXPECT_FALSE(write->done);
  rig.fakes["f"]->preresume_errno = 0;
  rig.run([&] { EXPECT_TRUE(rig.dm->resume("lv").ok()); });
  EXPECT_TRUE(write->done);
  EXPECT_EQ(a.log, Strings{"W0+8"});
}

TEST(Suspend, resume_with_a_new_table_suspends_first_then_swaps) {
  Rig rig;
  FakeDisk& a = rig.disk("a");
  FakeDisk& b = rig.disk("b");
  rig.activate("lv", "0 64 fake old a");
  FakeFreezer freezer;
  rig.dm->set_freezer("lv", &freezer);
  rig.run([&] { EXPECT_TRUE(rig.dm->load("lv", "0 128 fake new b").ok()); });
  EXPECT_EQ(rig.io("lv", Op::kRead, 0, 8), kOk);
  EXPECT_EQ(a.log, Strings{"R0+8"}) << "the old table is still live";
  EXPECT_EQ(rig.dm->find("lv")->sectors(), 64u);
  rig.calls.clear();
  rig.run([&] { EXPECT_TRUE(rig.dm->resume("lv").ok()); });
  EXPECT_EQ(rig.calls, (Strings{"old.presuspend", "old.postsuspend", "new.preresume", "new.resume",
                                "old.destroy"}));
  EXPECT_EQ(freezer.freezes, 1) << "the default options";
  EXPECT_EQ(freezer.thaws, 1);
  EXPECT_EQ(rig.io("lv", Op::kRead, 64, 8), kOk);
  EXPECT_EQ(b.log, Strings{"R64+8"});
  rig.expect_at_rest();
}

TEST(Suspend, a_resume_whose_suspend_is_interrupted_keeps_the_new_table_for_later) {
  Rig rig;
  FakeDisk& a = rig.disk("a");
  rig.activate("lv", "0 64 fake old a");
  a.hold = true;
  auto write = rig.bio(Op::kWrite, 0, 8);
  rig.run([&] {
    EXPECT_TRUE(rig.dm->load("lv", "0 64 fake new a").ok());
    rig.submit("lv", *write);
  });
  auto resume = start(rig, [&] { return rig.dm->resume("lv"); });
  rig.scheduler.signal(*resume->fiber);
  rig.settle();
  EXPECT_EQ(resume->errno_value, EINTR);
  rig.run([&] { EXPECT_EQ(rig.dm->table("lv", TableSlot::kInactive).value(), "0 64 fake new a"); });
  a.release();
  rig.run([&] { EXPECT_TRUE(rig.dm->resume("lv").ok()); });
  rig.run([&] { EXPECT_EQ(rig.dm->table("lv", TableSlot::kLive).value(), "0 64 fake new a"); });
  rig.expect_at_rest();
}

TEST(Suspend, bios_that_no_longer_fit_after_a_shrink_end_with_eio) {
  Rig rig;
  rig.disk("a");
  rig.activate("lv", "0 64 linear a 0");
  EXPECT_EQ(start_suspend(rig)->errno_value, 0);
  auto write = rig.bio(Op::kWrite, 32, 8);
  rig.run([&] { rig.submit("lv", *write); });
  rig.run([&] { rig.reload("lv", "0 32 linear a 0"); });
  EXPECT_EQ(write->bio.status, kEioStatus);
  rig.expect_at_rest();
}

TEST(Suspend, suspending_the_upper_of_two_devices_leaves_the_lower_one_running) {
  Rig rig;
  FakeDisk& a = rig.disk("a");
  rig.activate("bottom", "0 64 linear a 0");
  rig.activate("lv", "0 64 linear bottom 0");
  auto upper = rig.bio(Op::kWrite, 0, 8);
  EXPECT_EQ(start_suspend(rig)->errno_value, 0);
  rig.run([&] { rig.submit("lv", *upper); });
  EXPECT_EQ(rig.io("bottom", Op::kWrite, 8, 8), kOk);
  EXPECT_EQ(a.log, Strings{"W8+8"});
  // The lower one alone: the upper one's bios wait there, and so does its suspend.
  rig.run([&] {
    EXPECT_TRUE(rig.dm->suspend("bottom", {}).ok());
    EXPECT_TRUE(rig.dm->resume("lv").ok());
  });
  EXPECT_FALSE(upper->done);
  auto suspend = start_suspend(rig);
  EXPECT_EQ(waits(rig), Strings{"bios of lv to drain"});
  rig.run([&] { EXPECT_TRUE(rig.dm->resume("bottom").ok()); });
  EXPECT_TRUE(upper->done);
  EXPECT_EQ(suspend->errno_value, 0);
  rig.expect_at_rest();
}

TEST(Suspend, a_fiber_may_be_unwound_inside_any_of_its_waits) {
  for (const int where : {0, 1, 2, 3}) {
    Rig rig;
    FakeDisk& a = rig.disk("a");
    rig.activate("lv", "0 8 fake f a\n8 8 linear a 8");
    FakeTarget& fake = *rig.fakes["f"];
    FakeFreezer freezer;
    rig.dm->set_freezer("lv", &freezer);
    auto write = rig.bio(Op::kWrite, 0, 16);
    WaitQueue never(rig.scheduler, "never");
    if (where == 0) freezer.on_freeze = [&] { never.wait(); };
    if (where == 1) fake.way = FakeTarget::Way::kBlock;
    if (where >= 2) a.hold = true;
    rig.spawn([&] { rig.submit("lv", *write); });
    rig.settle();
    std::unique_ptr<Verb> second;
    if (where == 3) rig.run([&] { EXPECT_TRUE(rig.dm->load("lv", "0 64 fake new a").ok()); });
    auto suspend = where == 3 ? start(rig, [&] { return rig.dm->resume("lv"); }) : start_suspend(rig);
    second = start_suspend(rig);
    EXPECT_FALSE(suspend->done) << where;
    EXPECT_FALSE(second->done) << where;
    rig.scheduler.shut_down();
    EXPECT_FALSE(suspend->done) << where;
  }
}

}  // namespace
}  // namespace dmsim::native
