#include "engine/native/mirror/region_hash.h"

#include <gtest/gtest.h>

#include "engine/native/mirror/mirror_test_rig.h"

namespace dmsim::native {
namespace {

using State = RegionState;
using Place = RegionPlace;
using Event = RegionEvent;

RegionStep step(State state, Place place, Event event, RegionConditions now = {},
                const MirrorSwitches& switches = {}) {
  return next_step(state, place, event, now, switches);
}

void expect(const RegionStep& got, State state, Place place) {
  EXPECT_EQ(static_cast<int>(got.state), static_cast<int>(state));
  EXPECT_EQ(static_cast<int>(got.place), static_cast<int>(place));
}

TEST(RegionStep, a_write_dirties_a_clean_region_and_tells_the_log) {
  const RegionStep got = step(State::kClean, Place::kCleanList, Event::kWriteBegins);
  expect(got, State::kDirty, Place::kNowhere);
  EXPECT_TRUE(got.mark_dirty);
}

TEST(RegionStep, further_writes_tell_the_log_nothing) {
  for (State state : {State::kDirty, State::kNosync}) {
    const RegionStep got = step(state, Place::kNowhere, Event::kWriteBegins);
    expect(got, state, Place::kNowhere);
    EXPECT_FALSE(got.mark_dirty);
  }
}

TEST(RegionStepDeathTest, a_write_never_begins_in_a_region_under_recovery) {
  EXPECT_DEATH(step(State::kRecovering, Place::kNowhere, Event::kWriteBegins), "are delayed");
}

TEST(RegionStep, the_last_write_leaves_a_dirty_region_clean) {
  expect(step(State::kDirty, Place::kNowhere, Event::kLastWriteEnds), State::kClean,
         Place::kCleanList);
}

TEST(RegionStep, the_last_write_leaves_an_unsynchronised_region_as_it_is) {
  expect(step(State::kNosync, Place::kNowhere, Event::kLastWriteEnds), State::kNosync,
         Place::kNowhere);
}

TEST(RegionStep, the_fault_of_2006_promotes_an_unsynchronised_region) {
  MirrorSwitches faulty;
  faulty.dec_promotes_nosync = true;
  expect(step(State::kNosync, Place::kNowhere, Event::kLastWriteEnds, {}, faulty), State::kClean,
         Place::kCleanList);
}

TEST(RegionStep, after_a_failed_flush_no_region_becomes_clean) {
  for (State state : {State::kDirty, State::kNosync}) {
    expect(step(state, Place::kNowhere, Event::kLastWriteEnds, {.flush_failed = true}),
           State::kNosync, Place::kNowhere);
  }
  const RegionStep got =
      step(State::kRecovering, Place::kNowhere, Event::kLastWriteEnds, {.flush_failed = true});
  expect(got, State::kNosync, Place::kNowhere);
  EXPECT_TRUE(got.abandon_recovery);
}

TEST(RegionStep, delayed_cleaning_keeps_an_idle_region_dirty_until_it_has_aged) {
  MirrorSwitches delayed;
  delayed.buffer = BufferMode::kDelayedClean;
  expect(step(State::kDirty, Place::kNowhere, Event::kLastWriteEnds, {}, delayed), State::kDirty,
         Place::kAging);
  expect(step(State::kDirty, Place::kAging, Event::kAged, {}, delayed), State::kClean,
         Place::kCleanList);
  expect(step(State::kDirty, Place::kAging, Event::kAged, {.flush_failed = true}, delayed),
         State::kNosync, Place::kNowhere);
  expect(step(State::kDirty, Place::kAging, Event::kWriteBegins, {}, delayed), State::kDirty,
         Place::kNowhere);
}

TEST(RegionStep, recovery_waits_for_writes_under_way) {
  expect(step(State::kNosync, Place::kNowhere, Event::kRecoveryChosen, {.pending = true}),
         State::kRecovering, Place::kNowhere);
  expect(step(State::kRecovering, Place::kNowhere, Event::kLastWriteEnds), State::kRecovering,
         Place::kQuiesced);
  expect(step(State::kNosync, Place::kNowhere, Event::kRecoveryChosen), State::kRecovering,
         Place::kQuiesced);
  MirrorSwitches hasty;
  hasty.recover_waits_for_pending = false;
  expect(step(State::kNosync, Place::kNowhere, Event::kRecoveryChosen, {.pending = true}, hasty),
         State::kRecovering, Place::kQuiesced);
}

TEST(RegionStep, a_copy_runs_from_quiesced_to_recovered_or_failed) {
  expect(step(State::kRecovering, Place::kQuiesced, Event::kCopyBegins), State::kRecovering,
         Place::kCopying);
  expect(step(State::kRecovering, Place::kCopying, Event::kCopySucceeds), State::kRecovering,
         Place::kRecovered);
  expect(step(State::kRecovering, Place::kCopying, Event::kCopyFails), State::kRecovering,
         Place::kCopyFailed);
}

TEST(RegionStep, a_failed_write_takes_the_region_out_of_sync_and_ends_its_recovery) {
  for (State state : {State::kDirty, State::kNosync}) {
    expect(step(state, Place::kNowhere, Event::kWriteFailed), State::kNosync, Place::kNowhere);
  }
  const RegionStep waiting = step(State::kRecovering, Place::kNowhere, Event::kWriteFailed);
  expect(waiting, State::kNosync, Place::kNowhere);
  EXPECT_TRUE(waiting.abandon_recovery);
  const RegionStep copying = step(State::kRecovering, Place::kCopying, Event::kWriteFailed);
  expect(copying, State::kRecovering, Place::kCopying);
  EXPECT_TRUE(copying.spoil_copy);
}

// The hash alone, over a core log.
TEST(RegionHash, an_entry_lives_exactly_while_its_region_is_written_to) {
  MirrorRig rig;
  rig.start();
  EXPECT_EQ(rig.mirror().tracked_regions(), 0u);
  TestRequest& first = rig.begin(Op::kWrite, 0);
  TestRequest& second = rig.begin(Op::kWrite, 8);
  rig.begin(Op::kWrite, 64 * 5);
  rig.settle(Duration::microseconds(15));
  EXPECT_EQ(rig.mirror().tracked_regions(), 2u);
  EXPECT_EQ(rig.mirror().region(0).pending, 2u);
  EXPECT_FALSE(rig.mirror().region(0).clean);
  EXPECT_TRUE(rig.mirror().region(0).in_sync);
  rig.settle();
  EXPECT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(rig.mirror().tracked_regions(), 0u);
  EXPECT_TRUE(rig.mirror().region(0).clean);
  EXPECT_THAT(rig.leaks(), ::testing::IsEmpty());
}

}  // namespace
}  // namespace dmsim::native
