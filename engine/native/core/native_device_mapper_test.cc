#include "engine/native/core/native_device_mapper.h"

#include <cerrno>

#include "engine/native/core/core_test_rig.h"

namespace dmsim::native {
namespace {

template <typename Value>
int errno_of(const DmResult<Value>& result) {
  return result.ok() ? 0 : result.error().errno_value;
}

TEST(NativeDeviceMapper, every_verb_answers_enxio_for_a_device_that_is_not_there) {
  Rig rig;
  rig.run([&] {
    EXPECT_EQ(errno_of(rig.dm->load("no", "0 8 zero")), ENXIO);
    EXPECT_EQ(errno_of(rig.dm->suspend("no", {})), ENXIO);
    EXPECT_EQ(errno_of(rig.dm->resume("no")), ENXIO);
    EXPECT_EQ(errno_of(rig.dm->remove("no")), ENXIO);
    EXPECT_EQ(errno_of(rig.dm->status("no")), ENXIO);
    EXPECT_EQ(errno_of(rig.dm->table("no", TableSlot::kLive)), ENXIO);
    EXPECT_EQ(errno_of(rig.dm->message("no", 0, "x")), ENXIO);
    EXPECT_EQ(errno_of(rig.dm->wait_event("no", 0)), ENXIO);
    EXPECT_EQ(errno_of(rig.dm->event_number("no")), ENXIO);
  });
  EXPECT_EQ(rig.dm->find("no"), nullptr);
  EXPECT_TRUE(rig.dm->mirrors("no").empty());
}

TEST(NativeDeviceMapper, a_name_can_be_taken_once) {
  Rig rig;
  rig.disk("a");
  rig.run([&] {
    EXPECT_EQ(errno_of(rig.dm->create("lv")), 0);
    EXPECT_EQ(errno_of(rig.dm->create("lv")), EBUSY);
    EXPECT_EQ(errno_of(rig.dm->create("a")), EBUSY) << "a disk's name";
    EXPECT_EQ(errno_of(rig.dm->create("")), EINVAL);
    EXPECT_EQ(errno_of(rig.dm->create("vg/lv")), EINVAL);
    EXPECT_EQ(errno_of(rig.dm->remove("lv")), 0);
    EXPECT_EQ(errno_of(rig.dm->create("lv")), 0);
  });
}

TEST(NativeDeviceMapper, a_device_starts_running_without_a_table) {
  Rig rig;
  rig.run([&] {
    ASSERT_TRUE(rig.dm->create("lv").ok());
    EXPECT_EQ(rig.dm->status("lv").value(), "");
    EXPECT_EQ(rig.dm->table("lv", TableSlot::kLive).value(), "");
    EXPECT_TRUE(rig.dm->resume("lv").ok()) << "nothing to do";
    EXPECT_TRUE(rig.dm->suspend("lv", {}).ok());
    EXPECT_EQ(errno_of(rig.dm->resume("lv")), EINVAL) << "suspended, and no table to run";
  });
}

TEST(NativeDeviceMapper, tables_and_status_are_told_line_by_line) {
  Rig rig;
  rig.disk("a");
  rig.activate("lv", "0 8 linear a 5\n8 8 fake f a\n16 8 zero\n24 8 error");
  rig.run([&] {
    EXPECT_EQ(rig.dm->table("lv", TableSlot::kLive).value(),
              "0 8 linear a 5\n8 8 fake f a\n16 8 zero \n24 8 error ");
    EXPECT_EQ(rig.dm->status("lv").value(), "0 8 linear \n8 8 fake fine\n16 8 zero \n24 8 error ");
    EXPECT_EQ(rig.dm->table("lv", TableSlot::kInactive).value(), "");
    ASSERT_TRUE(rig.dm->load("lv", "0 8 zero").ok());
    EXPECT_EQ(rig.dm->table("lv", TableSlot::kInactive).value(), "0 8 zero ");
    EXPECT_EQ(rig.dm->status("lv").value(), "0 8 linear \n8 8 fake fine\n16 8 zero \n24 8 error ");
  });
}

TEST(NativeDeviceMapper, a_second_load_replaces_the_first_and_a_bad_one_leaves_it) {
  Rig rig;
  rig.disk("a");
  rig.activate("lv", "0 8 linear a 0");
  rig.run([&] {
    ASSERT_TRUE(rig.dm->load("lv", "0 8 fake one a").ok());
    ASSERT_TRUE(rig.dm->load("lv", "0 8 fake two a").ok());
    EXPECT_EQ(rig.calls, (Strings{"one.construct", "two.construct", "one.destroy"}));
    EXPECT_EQ(errno_of(rig.dm->load("lv", "0 8 nonsense")), EINVAL);
    EXPECT_EQ(rig.dm->table("lv", TableSlot::kInactive).value(), "0 8 fake two a");
  });
  rig.expect_at_rest();
}

TEST(NativeDeviceMapper, a_constructor_that_fails_midway_leaves_nothing_behind) {
  Rig rig;
  rig.disk("a");
  rig.activate("bottom", "0 64 linear a 0");
  rig.run([&] {
    ASSERT_TRUE(rig.dm->create("lv").ok());
    EXPECT_EQ(errno_of(rig.dm->load("lv", "0 8 fake f bottom\n8 8 linear bottom x")), EINVAL);
    EXPECT_EQ(rig.calls, (Strings{"f.construct", "f.destroy"}));
    EXPECT_TRUE(rig.dm->remove("bottom").ok()) << "not open any more";
  });
  rig.expect_at_rest();
}

TEST(NativeDeviceMapper, a_device_that_a_table_stands_on_is_busy) {
  Rig rig;
  rig.disk("a");
  rig.activate("bottom", "0 64 linear a 0");
  rig.run([&] {
    ASSERT_TRUE(rig.dm->create("top").ok());
    ASSERT_TRUE(rig.dm->load("top", "0 8 linear bottom 0\n8 8 linear bottom 8").ok());
    EXPECT_EQ(errno_of(rig.dm->remove("bottom")), EBUSY) << "an inactive table counts";
    ASSERT_TRUE(rig.dm->resume("top").ok());
    EXPECT_EQ(errno_of(rig.dm->remove("bottom")), EBUSY);
    ASSERT_TRUE(rig.dm->load("top", "0 8 linear bottom 0").ok());
    rig.expect_at_rest();
    ASSERT_TRUE(rig.dm->resume("top").ok());
    EXPECT_EQ(errno_of(rig.dm->remove("bottom")), EBUSY);
    ASSERT_TRUE(rig.dm->load("top", "0 8 zero").ok());
    ASSERT_TRUE(rig.dm->resume("top").ok());
    EXPECT_EQ(errno_of(rig.dm->remove("bottom")), 0);
    EXPECT_EQ(rig.dm->find("bottom"), nullptr);
    EXPECT_EQ(errno_of(rig.dm->remove("top")), 0);
  });
  rig.expect_at_rest();
}

TEST(NativeDeviceMapper, a_device_with_bios_under_way_is_busy) {
  Rig rig;
  FakeDisk& a = rig.disk("a");
  rig.activate("lv", "0 64 linear a 0");
  a.hold = true;
  auto write = rig.bio(Op::kWrite, 0, 8);
  rig.run([&] {
    rig.submit("lv", *write);
    EXPECT_EQ(errno_of(rig.dm->remove("lv")), EBUSY);
    a.release();
    EXPECT_EQ(errno_of(rig.dm->remove("lv")), 0);
  });
}

TEST(NativeDeviceMapper, remove_stops_the_targets_and_drops_both_tables) {
  Rig rig;
  rig.disk("a");
  rig.activate("lv", "0 64 fake f a");
  rig.run([&] {
    ASSERT_TRUE(rig.dm->load("lv", "0 64 fake g a").ok());
    rig.calls.clear();
    const std::uint64_t generation = rig.dm->table_generation();
    EXPECT_TRUE(rig.dm->remove("lv").ok());
    EXPECT_GT(rig.dm->table_generation(), generation);
  });
  EXPECT_EQ(rig.calls, (Strings{"g.destroy", "f.presuspend", "f.postsuspend", "f.destroy"}));
}

TEST(NativeDeviceMapper, a_suspended_device_is_removed_without_suspending_it_again) {
  Rig rig;
  rig.disk("a");
  rig.activate("lv", "0 64 fake f a");
  rig.run([&] {
    ASSERT_TRUE(rig.dm->suspend("lv", {}).ok());
    rig.calls.clear();
    EXPECT_TRUE(rig.dm->remove("lv").ok());
  });
  EXPECT_EQ(rig.calls, Strings{"f.destroy"});
}

TEST(NativeDeviceMapper, remove_wakes_who_waits_for_an_event_and_waits_for_verbs_inside) {
  Rig rig;
  rig.disk("a");
  rig.activate("lv", "0 64 fake f a");
  std::uint32_t number = 0;
  std::string answer;
  rig.spawn([&] { number = rig.dm->wait_event("lv", 0).value(); });
  rig.spawn([&] { answer = rig.dm->message("lv", 0, "wait").value(); });
  rig.settle();
  bool removed = false;
  rig.spawn([&] { removed = rig.dm->remove("lv").ok(); });
  rig.settle();
  EXPECT_EQ(number, 1u);
  EXPECT_FALSE(removed) << "a message is inside the target";
  EXPECT_EQ(rig.dm->find("lv"), nullptr);
  rig.run([&] { EXPECT_EQ(errno_of(rig.dm->status("lv")), ENXIO); });
  rig.run([&] { EXPECT_TRUE(rig.dm->create("lv").ok()) << "the name is free already"; });
  rig.fakes["f"]->gate.wake_all();
  rig.settle();
  EXPECT_TRUE(removed);
  EXPECT_EQ(answer, "f heard wait");
  EXPECT_NE(rig.dm->find("lv"), nullptr) << "the new one";
  rig.expect_at_rest();
}

TEST(NativeDeviceMapper, messages_go_to_the_target_at_their_sector) {
  Rig rig;
  rig.disk("a");
  rig.activate("lv", "0 8 fake f a\n8 8 fake g a\n16 8 zero");
  rig.run([&] {
    EXPECT_EQ(rig.dm->message("lv", 7, "hello").value(), "f heard hello");
    EXPECT_EQ(rig.dm->message("lv", 8, R"(two\ words  and)").value(), "g heard two words and");
    EXPECT_EQ(errno_of(rig.dm->message("lv", 16, "x")), EINVAL) << "zero takes none";
    EXPECT_EQ(rig.dm->message("lv", 24, "x").error().reason, "Target message sector outside device.");
    EXPECT_EQ(rig.dm->message("lv", 0, " ").error().reason, "Empty message received.");
    EXPECT_EQ(rig.dm->message("lv", 0, "@stats_list").error().reason,
              "Unsupported message sent to DM core: @stats_list");
    ASSERT_TRUE(rig.dm->create("bare").ok());
    EXPECT_EQ(rig.dm->message("bare", 0, "x").error().reason, "The device has no table.");
  });
}

TEST(NativeDeviceMapper, a_table_is_not_swapped_away_under_a_message) {
  Rig rig;
  rig.disk("a");
  rig.activate("lv", "0 8 fake f a");
  bool heard = false;
  rig.spawn([&] { heard = rig.dm->message("lv", 0, "wait").ok(); });
  rig.settle();
  rig.calls.clear();
  rig.spawn([&] { rig.reload("lv", "0 8 fake g a"); });
  rig.settle();
  ASSERT_EQ(rig.fakes.count("f"), 1u) << "the old table lives while somebody is in it";
  EXPECT_EQ(rig.calls, (Strings{"g.construct", "f.presuspend"})) << "and nothing goes on without it";
  rig.fakes["f"]->gate.wake_all();
  rig.settle();
  EXPECT_TRUE(heard);
  EXPECT_EQ(rig.fakes.count("f"), 0u);
  rig.expect_at_rest();
}

TEST(NativeDeviceMapper, events_are_counted_and_wake_their_waiters) {
  Rig rig;
  rig.disk("a");
  rig.activate("lv", "0 8 fake f a");
  std::vector<std::uint32_t> seen;
  for (std::uint32_t from : {0u, 1u}) {
    rig.spawn([&rig, &seen, from] { seen.push_back(rig.dm->wait_event("lv", from).value()); });
  }
  rig.settle();
  EXPECT_EQ(seen, (std::vector<std::uint32_t>{0})) << "1 is not the number now: Linux asks no more";
  rig.fakes["f"]->host.event();
  rig.settle();
  EXPECT_EQ(seen, (std::vector<std::uint32_t>{0, 1}));
}

TEST(NativeDeviceMapper, a_signal_ends_a_wait_for_an_event) {
  Rig rig;
  rig.disk("a");
  rig.activate("lv", "0 8 fake f a");
  int answer = -1;
  Fiber& waiter = rig.spawn([&] { answer = errno_of(rig.dm->wait_event("lv", 0)); });
  rig.settle();
  ASSERT_EQ(rig.scheduler.stuck().size(), 1u);
  EXPECT_EQ(rig.scheduler.stuck()[0].waits_for, "an event of lv");
  rig.scheduler.signal(waiter);
  rig.settle();
  EXPECT_EQ(answer, EINTR);
}

TEST(NativeDeviceMapper, a_table_that_has_never_been_live_raises_no_events) {
  Rig rig;
  rig.disk("a");
  rig.activate("lv", "0 8 fake f a");
  rig.run([&] {
    ASSERT_TRUE(rig.dm->load("lv", "0 8 fake g a").ok());
    rig.fakes["g"]->host.event();
    EXPECT_EQ(rig.dm->event_number("lv").value(), 0u);
    rig.fakes["f"]->host.event();
    EXPECT_EQ(rig.dm->event_number("lv").value(), 1u);
    ASSERT_TRUE(rig.dm->resume("lv").ok());
    rig.fakes["g"]->host.event();
    EXPECT_EQ(rig.dm->event_number("lv").value(), 2u);
  });
}

TEST(NativeDeviceMapper, the_generation_grows_with_every_swap) {
  Rig rig;
  rig.disk("a");
  const std::uint64_t before = rig.dm->table_generation();
  rig.activate("lv", "0 8 fake f a");
  const std::uint64_t first = rig.dm->table_generation();
  EXPECT_GT(first, before);
  rig.run([&] {
    ASSERT_TRUE(rig.dm->load("lv", "0 8 fake g a").ok());
    EXPECT_EQ(rig.dm->table_generation(), first);
    ASSERT_TRUE(rig.dm->resume("lv").ok());
  });
  EXPECT_GT(rig.dm->table_generation(), first);
}

TEST(NativeDeviceMapper, what_verbs_do_is_traced) {
  Rig rig;
  rig.disk("a");
  rig.activate("lv", "0 8 fake f a");
  rig.run([&] {
    EXPECT_FALSE(rig.dm->load("lv", "0 8 nonsense").ok());
    EXPECT_TRUE(rig.dm->suspend("lv", {.noflush = true, .skip_lockfs = false}).ok());
    EXPECT_TRUE(rig.dm->resume("lv").ok());
    EXPECT_TRUE(rig.dm->message("lv", 3, "hello").ok());
    rig.fakes["f"]->host.event();
    EXPECT_TRUE(rig.dm->remove("lv").ok());
  });
  Strings kinds;
  for (const TraceEvent& event : rig.trace.kept()) {
    kinds.emplace_back(event.kind->name);
    EXPECT_FALSE(rig.trace.render(event).empty());
  }
  EXPECT_EQ(kinds, (Strings{"dm.create", "dm.load", "dm.resume", "dm.suspend", "dm.suspended",
                            "dm.resumed", "dm.load", "dm.suspend", "dm.suspended", "dm.resume",
                            "dm.resumed", "dm.message", "dm.event", "dm.event", "dm.remove"}));
}

TEST(NativeDeviceMapper, an_engine_may_end_with_bios_and_verbs_under_way) {
  Rig rig;
  FakeDisk& a = rig.disk("a");
  rig.activate("bottom", "0 64 linear a 0");
  rig.activate("lv", "0 64 fake f bottom flushes=3");
  a.hold = true;
  auto flush = rig.bio(Op::kFlush, 0, 0);
  rig.run([&] {
    EXPECT_TRUE(rig.dm->load("lv", "0 64 fake g bottom").ok());
    rig.submit("lv", *flush);
  });
  rig.spawn([&] { (void)rig.dm->resume("lv"); });
  rig.spawn([&] { (void)rig.dm->wait_event("lv", 0); });
  rig.settle();
  rig.scheduler.shut_down();
  rig.dm.reset();
  EXPECT_FALSE(flush->done);
  EXPECT_EQ(rig.fakes.size(), 0u);
}

TEST(NativeDeviceMapperDeathTest, a_target_type_that_core_has_itself_is_a_bug_of_ours) {
  Rig rig;
  const TargetType types[] = {{"linear", &FakeTarget::construct}};
  const EngineEnvironment environment{rig.scheduler, rig.pages, rig.bios, rig};
  EXPECT_DEATH(NativeDeviceMapper(environment, {}, types), "linear");
}

}  // namespace
}  // namespace dmsim::native
