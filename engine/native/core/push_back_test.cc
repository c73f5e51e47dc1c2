// What becomes of bios that a target pushes back, in either kind of suspend and without one.
#include <cerrno>

#include "engine/native/core/core_test_rig.h"

namespace dmsim::native {
namespace {

TEST(PushBack, noflush_pushes_failing_bios_back_and_a_new_table_gets_them_first) {
  Rig rig;
  FakeDisk& a = rig.disk("a");
  FakeDisk& b = rig.disk("b");
  rig.activate("lv", "0 64 fake f a");
  FakeTarget& fake = *rig.fakes["f"];
  fake.way = FakeTarget::Way::kHold;
  auto failing = rig.bio(Op::kWrite, 8, 8);
  rig.run([&] { rig.submit("lv", *failing); });
  auto suspend = start_suspend(rig, kNoflush);
  EXPECT_TRUE(fake.presuspend_saw_noflush);
  EXPECT_TRUE(fake.host.noflush_suspending());
  auto later = rig.bio(Op::kWrite, 0, 8);
  rig.run([&] { rig.submit("lv", *later); });
  fake.finish(BlockStatus::of(BlockStatus::Code::kRequeue));
  rig.settle();
  EXPECT_EQ(suspend->errno_value, 0);
  EXPECT_FALSE(fake.host.noflush_suspending());
  EXPECT_FALSE(failing->done);
  EXPECT_EQ(rig.dm->bios_in_flight(), 2u);
  EXPECT_EQ(rig.events("dm.requeue"), 1u);
  rig.run([&] { rig.reload("lv", "0 64 linear b 100"); });
  EXPECT_TRUE(a.log.empty());
  EXPECT_EQ(b.log, (Strings{"W108+8", "W100+8"})) << "pushed back to the head of the queue";
  EXPECT_EQ(failing->bio.status, kOk);
  EXPECT_EQ(*b.sector(108), std::byte{8});
  rig.expect_at_rest();
}

TEST(PushBack, only_the_part_that_is_pushed_back_comes_again) {
  Rig rig;
  FakeDisk& a = rig.disk("a");
  rig.activate("lv", "0 8 linear a 0\n8 8 fake f a");
  FakeTarget& fake = *rig.fakes["f"];
  fake.way = FakeTarget::Way::kHold;
  auto write = rig.bio(Op::kWrite, 4, 8);
  rig.run([&] { rig.submit("lv", *write); });
  auto suspend = start_suspend(rig, kNoflush);
  fake.finish(BlockStatus::of(BlockStatus::Code::kRequeue));
  rig.settle();
  EXPECT_EQ(suspend->errno_value, 0);
  EXPECT_EQ(a.log, Strings{"W4+4"});
  rig.run([&] { rig.reload("lv", "0 16 linear a 500"); });
  EXPECT_EQ(a.log, (Strings{"W4+4", "W508+4"}));
  EXPECT_EQ(*a.sector(508), std::byte{8});
  EXPECT_TRUE(write->done);
  EXPECT_EQ(write->bio.status, kOk);
  rig.expect_at_rest();
}

TEST(PushBack, end_io_and_map_may_push_back_too) {
  Rig rig;
  FakeDisk& a = rig.disk("a");
  rig.activate("lv", "0 64 fake f a");
  FakeTarget& fake = *rig.fakes["f"];
  a.hold = true;
  auto ending = rig.bio(Op::kRead, 0, 8);
  rig.run([&] { rig.submit("lv", *ending); });
  fake.end_way = EndResult::kRequeue;
  auto mapping = rig.bio(Op::kRead, 8, 8);
  // Between presuspend and the blocking of bios, one more comes.
  fake.on_presuspend = [&] {
    fake.way = FakeTarget::Way::kHold;
    rig.submit("lv", *mapping);
  };
  auto suspend = start_suspend(rig, kNoflush);
  a.release();
  fake.finish(BlockStatus::of(BlockStatus::Code::kRequeue));
  rig.settle();
  EXPECT_EQ(suspend->errno_value, 0);
  EXPECT_EQ(rig.events("dm.requeue"), 2u);
  a.hold = false;
  rig.run([&] { rig.reload("lv", "0 64 linear a 0"); });
  EXPECT_TRUE(ending->done && mapping->done);
  rig.expect_at_rest();
}

TEST(PushBack, a_push_back_outweighs_errors_of_the_other_clones_only_while_noflush_suspending) {
  Rig rig;
  FakeDisk& a = rig.disk("a");
  rig.activate("lv", "0 64 fake f a flushes=2");
  FakeTarget& fake = *rig.fakes["f"];
  fake.way = FakeTarget::Way::kHold;
  auto flush = rig.bio(Op::kFlush, 0, 0);
  rig.run([&] { rig.submit("lv", *flush); });
  auto suspend = start_suspend(rig, kNoflush);
  fake.finish(BlockStatus::of(BlockStatus::Code::kRequeue));
  fake.finish(kInjected);
  rig.settle();
  EXPECT_EQ(suspend->errno_value, 0);
  EXPECT_FALSE(flush->done);
  rig.run([&] { rig.reload("lv", "0 64 linear a 0"); });
  EXPECT_EQ(flush->bio.status, kOk);
  EXPECT_EQ(a.log, Strings{"F"});
}

TEST(PushBack, a_push_back_during_a_flush_suspend_becomes_eio) {
  Rig rig;
  rig.disk("a");
  rig.activate("lv", "0 64 fake f a");
  FakeTarget& fake = *rig.fakes["f"];
  fake.way = FakeTarget::Way::kHold;
  auto write = rig.bio(Op::kWrite, 0, 8);
  rig.run([&] { rig.submit("lv", *write); });
  auto suspend = start_suspend(rig);
  fake.finish(BlockStatus::of(BlockStatus::Code::kRequeue));
  rig.settle();
  EXPECT_EQ(suspend->errno_value, 0);
  EXPECT_TRUE(write->done);
  EXPECT_EQ(write->bio.status, kEioStatus);
  EXPECT_EQ(rig.events("dm.requeue"), 0u);
  rig.expect_at_rest();
}

TEST(PushBack, a_push_back_without_any_suspend_becomes_eio) {
  Rig rig;
  rig.disk("a");
  rig.activate("lv", "0 64 fake f a");
  rig.fakes["f"]->way = FakeTarget::Way::kRequeue;
  EXPECT_EQ(rig.io("lv", Op::kWrite, 0, 8), kEioStatus);
  rig.expect_at_rest();
}

TEST(PushBack, with_the_planted_bug_a_push_back_during_a_flush_suspend_is_queued_again) {
  Rig rig(SwitchValues{{"core.requeue_to_eio", "requeue-always"}});
  FakeDisk& a = rig.disk("a");
  rig.activate("lv", "0 64 fake f a");
  FakeTarget& fake = *rig.fakes["f"];
  fake.way = FakeTarget::Way::kHold;
  auto write = rig.bio(Op::kWrite, 0, 8);
  rig.run([&] { rig.submit("lv", *write); });
  auto suspend = start_suspend(rig);
  fake.finish(BlockStatus::of(BlockStatus::Code::kRequeue));
  rig.settle();
  EXPECT_EQ(suspend->errno_value, 0) << "although the write has not been done";
  EXPECT_FALSE(write->done);
  fake.way = FakeTarget::Way::kRemap;
  rig.run([&] { EXPECT_TRUE(rig.dm->resume("lv").ok()); });
  EXPECT_EQ(write->bio.status, kOk);
  EXPECT_EQ(a.log, Strings{"W0+8"});
}

TEST(PushBack, with_the_planted_bug_a_target_that_always_pushes_back_keeps_time_moving) {
  Rig rig(SwitchValues{{"core.requeue_to_eio", "requeue-always"}});
  rig.disk("a");
  rig.activate("lv", "0 64 fake f a");
  rig.fakes["f"]->way = FakeTarget::Way::kRequeue;
  auto write = rig.bio(Op::kWrite, 0, 8);
  rig.spawn([&] { rig.submit("lv", *write); });
  rig.scheduler.after(Duration::milliseconds(1), [](void* context, std::uint64_t) {
    static_cast<FakeTarget*>(context)->way = FakeTarget::Way::kRemap;
  }, rig.fakes["f"]);
  rig.settle();
  EXPECT_TRUE(write->done);
  EXPECT_GT(rig.fakes["f"]->mapped.size(), 100u);
}

TEST(PushBack, an_interrupted_noflush_suspend_sends_pushed_back_bios_down_again) {
  Rig rig;
  FakeDisk& a = rig.disk("a");
  rig.activate("lv", "0 64 fake f a");
  FakeTarget& fake = *rig.fakes["f"];
  fake.way = FakeTarget::Way::kHold;
  auto first = rig.bio(Op::kWrite, 0, 8);
  auto second = rig.bio(Op::kWrite, 8, 8);
  rig.run([&] { rig.submit("lv", *first), rig.submit("lv", *second); });
  auto suspend = start_suspend(rig, kNoflush);
  fake.finish(BlockStatus::of(BlockStatus::Code::kRequeue));
  rig.settle();
  EXPECT_FALSE(suspend->done);
  fake.way = FakeTarget::Way::kRemap;
  rig.scheduler.signal(*suspend->fiber);
  rig.settle();
  EXPECT_EQ(suspend->errno_value, EINTR);
  EXPECT_TRUE(first->done);
  EXPECT_EQ(a.log, Strings{"W0+8"});
  fake.finish(BlockStatus::of(BlockStatus::Code::kRequeue));
  EXPECT_EQ(second->bio.status, kEioStatus) << "the noflush suspend is over";
  rig.expect_at_rest();
}

}  // namespace
}  // namespace dmsim::native
