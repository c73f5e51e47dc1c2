#include "engine/native/core/core_test_rig.h"

namespace dmsim::native {
namespace {

constexpr BlockStatus kUnsupported = BlockStatus::of(BlockStatus::Code::kNotSupported);

TEST(MappedDeviceIo, a_bio_is_split_at_the_boundary_of_two_targets_and_its_data_goes_where_it_belongs) {
  Rig rig;
  FakeDisk& a = rig.disk("a");
  FakeDisk& b = rig.disk("b");
  rig.activate("lv", "0 16 linear a 100\n16 16 linear b 200");
  auto write = rig.bio(Op::kWrite, 12, 8);
  EXPECT_EQ(rig.io("lv", *write), kOk);
  EXPECT_EQ(a.log, Strings{"W112+4"});
  EXPECT_EQ(b.log, Strings{"W200+4"});
  for (Sector i = 0; i < 4; ++i) {
    EXPECT_EQ(*a.sector(112 + i), std::byte(12 + i));
    EXPECT_EQ(*b.sector(200 + i), std::byte(16 + i));
  }
  auto read = rig.bio(Op::kRead, 12, 8);
  EXPECT_EQ(rig.io("lv", *read), kOk);
  EXPECT_EQ(read->memory, write->memory);
  rig.expect_at_rest();
}

TEST(MappedDeviceIo, pieces_keep_to_split_boundaries_and_to_what_the_devices_take) {
  Rig rig;
  FakeDisk& a = rig.disk("a");
  rig.activate("lv", "0 8 linear a 512\n8 64 fake f a split=8");
  auto write = rig.bio(Op::kWrite, 11, 20);
  EXPECT_EQ(rig.io("lv", *write), kOk);
  // Boundaries count from the target's begin, 8.
  EXPECT_EQ(rig.fakes["f"]->mapped, (Strings{"W11+5", "W16+8", "W24+7"}));
  for (Sector i = 0; i < 20; ++i) EXPECT_EQ(*a.sector(3 + i), std::byte(11 + i));
  EXPECT_EQ(rig.fakes["f"]->ended, 3);

  a.shape.max_sectors = 3;
  rig.run([&] { rig.reload("lv", "0 8 linear a 512\n8 64 fake f a split=8"); });
  a.log.clear();
  EXPECT_EQ(rig.io("lv", Op::kRead, 4, 10), kOk);
  EXPECT_EQ(a.log, (Strings{"R516+3", "R519+1", "R0+3", "R3+3"}));
  EXPECT_EQ(rig.io("lv", Op::kDiscard, 8, 7), kOk);
  EXPECT_EQ(rig.fakes["f"]->mapped.back(), "D14+1");
  rig.expect_at_rest();
}

TEST(MappedDeviceIo, a_clone_carries_what_a_target_needs_to_know) {
  Rig rig;
  FakeDisk& a = rig.disk("a");
  rig.activate("lv", "0 64 fake f a");
  rig.fakes["f"]->way = FakeTarget::Way::kHold;
  auto write = rig.bio(Op::kWrite, 8, 4);
  write->bio.fua = true;
  write->bio.issuer = 7;
  rig.spawn([&] { rig.submit("lv", *write); });
  rig.settle();
  ASSERT_EQ(rig.fakes["f"]->held.size(), 1u);
  const TargetBio& clone = *rig.fakes["f"]->held.front();
  EXPECT_TRUE(clone.bio.fua);
  EXPECT_FALSE(clone.bio.preflush);
  EXPECT_EQ(clone.bio.issuer, 7u);
  EXPECT_EQ(clone.bio.trace_id, write->bio.trace_id);
  EXPECT_EQ(clone.duplicate, 0u);
  EXPECT_FALSE(write->done);
  EXPECT_EQ(rig.dm->bios_in_flight(), 1u);
  rig.fakes["f"]->finish(kOk);
  EXPECT_TRUE(write->done);
  EXPECT_EQ(rig.fakes["f"]->ended, 0) << "finish() is the end: end_io is not asked";
  EXPECT_TRUE(a.log.empty());
  rig.expect_at_rest();
}

TEST(MappedDeviceIo, a_target_that_kept_a_clone_may_submit_it_later) {
  Rig rig;
  FakeDisk& a = rig.disk("a");
  rig.activate("lv", "0 64 fake f a");
  FakeTarget& fake = *rig.fakes["f"];
  fake.way = FakeTarget::Way::kHold;
  auto write = rig.bio(Op::kWrite, 8, 4);
  rig.spawn([&] { rig.submit("lv", *write); });
  rig.settle();
  fake.host.submit(*fake.held.front());
  EXPECT_EQ(a.log, Strings{"W8+4"});
  EXPECT_EQ(fake.ended, 1);
  EXPECT_TRUE(write->done);
  rig.expect_at_rest();
}

TEST(MappedDeviceIo, a_target_may_take_a_clone_back_when_it_ends_and_try_again) {
  Rig rig;
  FakeDisk& a = rig.disk("a");
  a.answers = {kInjected};
  rig.activate("lv", "0 64 fake f a");
  FakeTarget& fake = *rig.fakes["f"];
  fake.end_way = EndResult::kIncomplete;
  auto read = rig.bio(Op::kRead, 8, 4);
  rig.spawn([&] { rig.submit("lv", *read); });
  rig.settle();
  EXPECT_FALSE(read->done);
  EXPECT_EQ(fake.last_status, kInjected);
  fake.end_way = EndResult::kDone;
  fake.host.submit(*fake.held.front());
  EXPECT_TRUE(read->done);
  EXPECT_EQ(read->bio.status, kOk);
  EXPECT_EQ(fake.ended, 2);
  rig.expect_at_rest();
}

TEST(MappedDeviceIo, a_killed_bio_ends_with_eio_that_nobody_injected) {
  Rig rig;
  rig.disk("a");
  rig.activate("lv", "0 64 fake f a");
  rig.fakes["f"]->way = FakeTarget::Way::kKill;
  EXPECT_EQ(rig.io("lv", Op::kWrite, 0, 8), kEioStatus);
  EXPECT_EQ(rig.fakes["f"]->ended, 0);
  rig.expect_at_rest();
}

TEST(MappedDeviceIo, an_injected_error_stays_tagged_and_one_bad_part_fails_the_bio) {
  Rig rig;
  FakeDisk& a = rig.disk("a");
  FakeDisk& b = rig.disk("b");
  rig.activate("lv", "0 16 linear a 0\n16 16 linear b 0");
  a.answers = {kInjected};
  EXPECT_EQ(rig.io("lv", Op::kWrite, 12, 8), kInjected);
  EXPECT_EQ(b.log, Strings{"W0+4"}) << "the other part is written all the same";
  b.answers = {kInjected};
  EXPECT_EQ(rig.io("lv", Op::kWrite, 12, 8), kInjected);
  EXPECT_EQ(rig.io("lv", Op::kWrite, 12, 8), kOk);
  rig.expect_at_rest();
}

TEST(MappedDeviceIo, of_several_errors_the_last_one_counts_as_in_dm) {
  Rig rig;
  FakeDisk& a = rig.disk("a");
  rig.activate("lv", "0 16 fake f a flushes=2");
  a.answers = {kInjected, kEioStatus};
  EXPECT_EQ(rig.io("lv", Op::kFlush, 0, 0), kEioStatus);
  a.answers = {kEioStatus, kInjected};
  EXPECT_EQ(rig.io("lv", Op::kFlush, 0, 0), kInjected);
  a.answers = {kInjected, kOk};
  EXPECT_EQ(rig.io("lv", Op::kFlush, 0, 0), kInjected);
}

TEST(MappedDeviceIo, an_empty_flush_reaches_every_target_as_often_as_it_asks) {
  Rig rig;
  FakeDisk& a = rig.disk("a");
  FakeDisk& b = rig.disk("b");
  FakeDisk& c = rig.disk("c");
  rig.activate("lv",
               "0 8 fake f a flushes=3\n8 8 linear b 0\n16 8 fake g c flushes=0\n24 8 linear b 100");
  a.hold = b.hold = true;
  auto flush = rig.bio(Op::kFlush, 0, 0);
  rig.spawn([&] { rig.submit("lv", *flush); });
  rig.settle();
  EXPECT_EQ(a.log, (Strings{"F", "F", "F"}));
  EXPECT_EQ(rig.fakes["f"]->duplicates, (std::vector<std::uint32_t>{0, 1, 2}));
  EXPECT_EQ(b.log, (Strings{"F", "F"}));
  EXPECT_TRUE(c.log.empty());
  a.release_all();
  b.release();
  EXPECT_FALSE(flush->done) << "one flush is still under way";
  b.release();
  EXPECT_TRUE(flush->done);
  rig.expect_at_rest();
}

TEST(MappedDeviceIo, a_flush_ends_at_once_where_nothing_below_has_a_cache) {
  Rig rig;
  FakeDisk& a = rig.disk("a");
  a.shape.volatile_cache = false;
  rig.activate("lv", "0 64 linear a 0");
  EXPECT_EQ(rig.io("lv", Op::kFlush, 0, 0), kOk);
  EXPECT_TRUE(a.log.empty());
  auto write = rig.bio(Op::kWrite, 0, 8);
  write->bio.preflush = write->bio.fua = true;
  EXPECT_EQ(rig.io("lv", *write), kOk);
  EXPECT_EQ(a.log, Strings{"W0+8"});
}

TEST(MappedDeviceIo, a_write_with_preflush_waits_for_the_flush_and_keeps_its_fua) {
  Rig rig;
  FakeDisk& a = rig.disk("a");
  FakeDisk& b = rig.disk("b");
  rig.activate("lv", "0 16 linear a 0\n16 16 linear b 0");
  a.hold = b.hold = true;
  auto write = rig.bio(Op::kWrite, 0, 8);
  write->bio.preflush = write->bio.fua = true;
  rig.spawn([&] { rig.submit("lv", *write); });
  rig.settle();
  EXPECT_EQ(a.log, Strings{"F"});
  EXPECT_EQ(b.log, Strings{"F"});
  a.release();
  rig.settle();
  EXPECT_EQ(a.log, Strings{"F"}) << "b has not flushed yet";
  b.release();
  rig.settle();
  EXPECT_EQ(a.log, (Strings{"F", "W0+8!"}));
  EXPECT_FALSE(write->done);
  a.release();
  EXPECT_TRUE(write->done);
  EXPECT_TRUE(write->bio.preflush) << "the submitter's bio is as it was";
  EXPECT_EQ(b.log, Strings{"F"});
  rig.expect_at_rest();
}

TEST(MappedDeviceIo, a_failed_preflush_fails_the_write_and_nothing_is_written) {
  Rig rig;
  FakeDisk& a = rig.disk("a");
  rig.activate("lv", "0 16 linear a 0");
  a.answers = {kInjected};
  auto write = rig.bio(Op::kWrite, 0, 8);
  write->bio.preflush = true;
  EXPECT_EQ(rig.io("lv", *write), kInjected);
  EXPECT_EQ(a.log, Strings{"F"});
  rig.expect_at_rest();
}

TEST(MappedDeviceIo, with_the_planted_bug_a_failed_preflush_is_forgotten) {
  Rig rig(SwitchValues{{"core.preflush_error", "forgotten"}});
  FakeDisk& a = rig.disk("a");
  rig.activate("lv", "0 16 linear a 0");
  a.answers = {kInjected};
  auto write = rig.bio(Op::kWrite, 0, 8);
  write->bio.preflush = true;
  EXPECT_EQ(rig.io("lv", *write), kOk);
  EXPECT_EQ(a.log, (Strings{"F", "W0+8"}));
}

TEST(MappedDeviceIo, discards_are_split_at_targets_and_sent_as_often_as_a_target_asks) {
  Rig rig;
  FakeDisk& a = rig.disk("a");
  rig.activate("lv", "0 16 fake f a discards=2 split=4\n16 16 fake g a");
  EXPECT_EQ(rig.io("lv", Op::kDiscard, 8, 16), kOk);
  EXPECT_EQ(rig.fakes["f"]->mapped, (Strings{"D8+8", "D8+8"}));
  EXPECT_EQ(rig.fakes["f"]->duplicates, (std::vector<std::uint32_t>{0, 1}));
  EXPECT_EQ(rig.fakes["g"]->mapped, Strings{"D16+8"});
  EXPECT_EQ(a.log.size(), 3u);
  rig.expect_at_rest();
}

TEST(MappedDeviceIo, discards_are_not_supported_unless_everything_below_takes_them) {
  Rig rig;
  FakeDisk& a = rig.disk("a");
  rig.activate("lv", "0 16 fake f a discards=0\n16 16 linear a 16");
  EXPECT_EQ(rig.io("lv", Op::kDiscard, 16, 8), kUnsupported);
  a.shape.discard = false;
  rig.run([&] { rig.reload("lv", "0 16 linear a 0"); });
  EXPECT_EQ(rig.io("lv", Op::kDiscard, 0, 8), kUnsupported);
  EXPECT_TRUE(a.log.empty());
  rig.expect_at_rest();
}

TEST(MappedDeviceIo, bios_out_of_range_or_without_length_end_with_eio) {
  Rig rig;
  FakeDisk& a = rig.disk("a");
  rig.activate("lv", "0 16 linear a 0");
  EXPECT_EQ(rig.io("lv", Op::kRead, 16, 1), kEioStatus);
  EXPECT_EQ(rig.io("lv", Op::kRead, 9, 8), kEioStatus);
  EXPECT_EQ(rig.io("lv", Op::kWrite, ~Sector{0}, 1), kEioStatus);
  EXPECT_EQ(rig.io("lv", Op::kDiscard, 15, 2), kEioStatus);
  EXPECT_EQ(rig.io("lv", Op::kRead, 0, 0), kEioStatus);
  EXPECT_EQ(rig.io("lv", Op::kFlush, 0, 8), kEioStatus);
  EXPECT_TRUE(a.log.empty());
  EXPECT_EQ(rig.io("lv", Op::kRead, 8, 8), kOk);
  rig.expect_at_rest();
}

TEST(MappedDeviceIo, a_device_without_a_table_answers_eio_even_while_it_is_suspended) {
  Rig rig;
  rig.run([&] { ASSERT_TRUE(rig.dm->create("lv").ok()); });
  EXPECT_EQ(rig.dm->find("lv")->sectors(), 0u);
  EXPECT_EQ(rig.io("lv", Op::kRead, 0, 8), kEioStatus);
  rig.run([&] { EXPECT_TRUE(rig.dm->suspend("lv", {}).ok()); });
  EXPECT_EQ(rig.io("lv", Op::kRead, 0, 8), kEioStatus);
  rig.expect_at_rest();
}

TEST(MappedDeviceIo, stacked_devices_pass_bios_through_each_of_their_tables) {
  Rig rig;
  FakeDisk& a = rig.disk("a");
  rig.activate("bottom", "0 128 linear a 100");
  rig.activate("middle", "0 8 linear bottom 64\n8 8 linear bottom 0");
  rig.activate("top", "0 16 linear middle 0");
  auto write = rig.bio(Op::kWrite, 4, 8);
  write->bio.preflush = true;
  EXPECT_EQ(rig.io("top", *write), kOk);
  EXPECT_EQ(a.log, (Strings{"F", "F", "W168+4", "W100+4"}))
      << "two rows on bottom: two flushes of it";
  EXPECT_EQ(*a.sector(168), std::byte{4});
  EXPECT_EQ(*a.sector(100), std::byte{8});
  a.answers = {kInjected};
  EXPECT_EQ(rig.io("top", Op::kRead, 0, 16), kInjected);
  rig.expect_at_rest();
}

TEST(MappedDeviceIo, every_step_is_traced_and_caused_by_the_one_above) {
  Rig rig;
  FakeDisk& a = rig.disk("a");
  rig.activate("bottom", "0 128 linear a 100");
  rig.activate("top", "0 16 linear bottom 0");
  auto write = rig.bio(Op::kWrite, 4, 8);
  rig.io("top", *write);
  ASSERT_EQ(a.causes.size(), 1u);
  std::vector<TraceEvent> events = rig.trace.kept();
  Strings chain;
  for (TraceId id = a.causes[0]; id != 0; id = events[id - 1].cause) {
    chain.push_back(std::string(events[id - 1].kind->name) + " " +
                    rig.trace.actors().name(events[id - 1].actor));
  }
  EXPECT_EQ(chain, (Strings{"dm.map bottom", "dm.submit bottom", "dm.map top", "dm.submit top"}));
  EXPECT_EQ(rig.events("dm.complete"), 2u);
  EXPECT_EQ(write->bio.trace_id, events[a.causes[0] - 4].id);
}

TEST(MappedDeviceIo, a_bio_submitted_and_ended_in_interrupt_context_never_blocks) {
  Rig rig;
  rig.disk("a");
  rig.activate("lv", "0 16 linear a 0");
  auto read = rig.bio(Op::kRead, 0, 8);
  struct Both {
    Rig* rig;
    TestBio* bio;
  } both{&rig, read.get()};
  rig.scheduler.after(Duration::milliseconds(1), [](void* context, std::uint64_t) {
    const Both& b = *static_cast<Both*>(context);
    b.rig->submit("lv", *b.bio);
  }, &both);
  rig.settle();
  EXPECT_TRUE(read->done);
  EXPECT_EQ(read->bio.status, kOk);
}

TEST(MappedDeviceIo, a_bio_may_be_submitted_again_from_its_own_completion) {
  Rig rig;
  FakeDisk& a = rig.disk("a");
  rig.activate("lv", "0 16 linear a 0");
  auto read = rig.bio(Op::kRead, 0, 8);
  struct Again {
    Rig* rig;
    int left = 3;
  } again{&rig};
  read->bio.context = &again;
  read->bio.end_io = [](Bio& bio) {
    auto& state = *static_cast<Again*>(bio.context);
    if (--state.left > 0) state.rig->dm->find("lv")->submit(bio);
  };
  rig.run([&] { rig.submit("lv", *read); });
  EXPECT_EQ(again.left, 0);
  EXPECT_EQ(a.log.size(), 3u);
  rig.expect_at_rest();
}

TEST(MappedDeviceIo, the_leaks_of_a_device_are_told_in_words) {
  Rig rig;
  rig.disk("a");
  rig.activate("bottom", "0 16 linear a 0");
  rig.activate("top", "0 16 linear bottom 0");
  rig.expect_at_rest();
  static_cast<MappedDevice*>(rig.dm->find("bottom"))->open();  // a table that forgets to close
  EXPECT_EQ(rig.dm->leaks(), Strings{"2 opens of bottom by 1 tables"});
  static_cast<MappedDevice*>(rig.dm->find("bottom"))->close();
}

TEST(MappedDeviceIoDeathTest, a_clone_that_ends_twice_is_a_bug_of_ours) {
  Rig rig;
  rig.disk("a");
  rig.activate("lv", "0 64 fake f a");
  FakeTarget& fake = *rig.fakes["f"];
  fake.way = FakeTarget::Way::kHold;
  auto write = rig.bio(Op::kWrite, 8, 4);
  rig.spawn([&] { rig.submit("lv", *write); });
  rig.settle();
  TargetBio& clone = *fake.held.front();
  fake.finish(kOk);
  EXPECT_DEATH(fake.host.finish(clone, kOk), "ends twice");
}

}  // namespace
}  // namespace dmsim::native
