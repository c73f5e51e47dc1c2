#include "engine/native/mirror/mirror_switches.h"

#include <gtest/gtest.h>

#include <set>

namespace dmsim::native {
namespace {

TEST(MirrorSwitches, have_unique_names_of_their_room_and_at_least_two_values_each) {
  std::set<std::string_view> names;
  for (const SwitchInfo& info : mirror_switches()) {
    EXPECT_TRUE(names.insert(info.name).second) << info.name;
    EXPECT_TRUE(info.name.starts_with("mirror.")) << info.name;
    EXPECT_GE(info.values.size(), 2u) << info.name;
    EXPECT_FALSE(info.about.empty()) << info.name;
    EXPECT_FALSE(info.fault.empty()) << info.name;
  }
  EXPECT_EQ(names.size(), 30u);
}

TEST(MirrorSwitches, spelling_out_every_fixed_value_is_the_same_as_saying_nothing) {
  SwitchValues values;
  for (const SwitchInfo& info : mirror_switches()) values.emplace(info.name, info.values[0]);
  const MirrorSwitches fixed = parse_mirror_switches({});
  const MirrorSwitches spelt = parse_mirror_switches(values);
  EXPECT_EQ(fixed.dec_promotes_nosync, spelt.dec_promotes_nosync);
  EXPECT_EQ(fixed.leg_flush_before_clean, spelt.leg_flush_before_clean);
  EXPECT_EQ(fixed.partial_write, spelt.partial_write);
  EXPECT_EQ(fixed.read_retry, spelt.read_retry);
  EXPECT_EQ(fixed.buffer, spelt.buffer);
  EXPECT_EQ(fixed.mark_dirty, spelt.mark_dirty);
}

TEST(MirrorSwitches, the_last_value_of_each_reaches_its_field) {
  SwitchValues values;
  for (const SwitchInfo& info : mirror_switches()) values.emplace(info.name, info.values.back());
  const MirrorSwitches s = parse_mirror_switches(values);
  EXPECT_TRUE(s.dec_promotes_nosync);
  EXPECT_FALSE(s.leg_flush_before_clean);
  EXPECT_FALSE(s.retry_asks_own_region);
  EXPECT_FALSE(s.unread_log_holds);
  EXPECT_FALSE(s.log_flush_on_dirty);
  EXPECT_FALSE(s.forward_flush);
  EXPECT_FALSE(s.flush_error_sticky);
  EXPECT_EQ(s.partial_write, PartialWrite::kIgnore);
  EXPECT_TRUE(s.failed_recovery_is_synced);
  EXPECT_EQ(s.requeue_phase, RequeuePhase::kPostsuspend);
  EXPECT_FALSE(s.issue_on_log_fail_without_he);
  EXPECT_EQ(s.no_valid_leg, NoValidLeg::kHold);
  EXPECT_EQ(s.read_retry, ReadRetry::kLivelock);
  EXPECT_TRUE(s.discard_error_degrades);
  EXPECT_FALSE(s.resume_resets_cursor);
  EXPECT_EQ(s.resume_read_fail, ResumeReadFail::kIgnore);
  EXPECT_EQ(s.bit_order, BitOrder::kNativeSwapped);
  EXPECT_EQ(s.buffer, BufferMode::kDelayedClean);
  EXPECT_EQ(s.read_balance, ReadBalance::kChosen);
  EXPECT_FALSE(s.recover_waits_for_pending);
  EXPECT_EQ(s.nosync_entry, NosyncEntry::kNeverReclaim);
  EXPECT_FALSE(s.log_size_check);
  EXPECT_FALSE(s.mark_dirty);
  EXPECT_FALSE(s.undo_presuspend);
  EXPECT_FALSE(s.flush_failure_ends_recovery);
  EXPECT_FALSE(s.failed_flush_remembered);
  EXPECT_FALSE(s.unheard_failure_remembered);
}

TEST(MirrorSwitchesDeathTest, a_value_that_does_not_exist_is_our_own_bug) {
  EXPECT_DEATH(parse_mirror_switches({{"mirror.buffer", "shred"}}), "no such value of a switch");
}

}  // namespace
}  // namespace dmsim::native
