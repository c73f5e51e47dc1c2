#include <gtest/gtest.h>

#include "models/disk/test_machine.h"

namespace dmsim {
namespace {

using disk_test::Machine;
using disk_test::small_disk;

constexpr BlockStatus kInjectedEio{BlockStatus::Code::kIoError, true};

TEST(Dies, every_request_fails_from_some_instant_on) {
  Machine machine(small_disk(), {{.disk = "leg0", .kind = FaultKind::kDies, .from = Duration::milliseconds(1)}});
  EXPECT_TRUE(machine.perform(Op::kWrite, 0, 8, 'a').ok());
  machine.run_for(Duration::milliseconds(1));
  EXPECT_EQ(machine.perform(Op::kWrite, 8, 8, 'b'), kInjectedEio);
  EXPECT_EQ(machine.perform(Op::kFlush), kInjectedEio);
  EXPECT_EQ(machine.perform(Op::kDiscard, 0, 8), kInjectedEio);
  BlockStatus status;
  EXPECT_EQ(machine.read({0, 8}, &status), "--------");
  EXPECT_EQ(status, kInjectedEio);
  EXPECT_EQ(machine.current({0, 16}), "aaaaaaaa........");
  EXPECT_EQ(machine.media({0, 8}), "........");
}

TEST(Dies, a_request_on_its_way_at_that_instant_fails_too) {
  Machine machine(small_disk(), {{.disk = "leg0", .kind = FaultKind::kDies, .from = Duration::microseconds(10)}});
  EXPECT_EQ(machine.perform(Op::kWrite, 0, 8, 'a'), kInjectedEio);  // moved at 0, ends at 20 us
  EXPECT_EQ(machine.current({0, 8}), "aaaaaaaa");
}

TEST(Dies, it_may_wait_for_a_matching_request) {
  Machine machine(small_disk(), {{.disk = "leg0", .kind = FaultKind::kDies, .range = SectorRange{64, 72}, .skip = 1}});
  EXPECT_TRUE(machine.perform(Op::kWrite, 64, 8).ok());
  EXPECT_TRUE(machine.perform(Op::kWrite, 0, 8).ok());
  EXPECT_EQ(machine.perform(Op::kWrite, 64, 8), kInjectedEio);
  EXPECT_EQ(machine.perform(Op::kWrite, 0, 8), kInjectedEio);
}

TEST(Dies, a_dead_disk_stays_dead_over_a_power_cut) {
  Machine machine(small_disk(), {{.disk = "leg0", .kind = FaultKind::kDies, .skip = 1}});
  EXPECT_TRUE(machine.perform(Op::kWrite, 0, 8).ok());
  EXPECT_FALSE(machine.perform(Op::kWrite, 0, 8).ok());
  machine.reboot(machine.disk->media());
  EXPECT_EQ(machine.perform(Op::kWrite, 0, 8), kInjectedEio);
}

TEST(Dies, a_disk_that_had_not_died_lives_on_after_a_power_cut) {
  Machine machine(small_disk(), {{.disk = "leg0", .kind = FaultKind::kDies, .skip = 1}});
  machine.perform(Op::kWrite, 0, 8);
  machine.reboot(machine.disk->media());
  EXPECT_TRUE(machine.perform(Op::kWrite, 0, 8).ok());
  EXPECT_TRUE(machine.perform(Op::kWrite, 0, 8).ok());
}

TEST(Revives, after_a_power_cut_it_is_back_with_its_old_content) {
  Machine machine(small_disk(), {{.disk = "leg0", .kind = FaultKind::kRevives, .from = Duration::milliseconds(1)}});
  machine.perform(Op::kWrite, 0, 8, 'a');
  machine.perform(Op::kFlush);
  machine.run_for(Duration::milliseconds(1));
  EXPECT_EQ(machine.perform(Op::kWrite, 0, 8, 'b'), kInjectedEio);
  EXPECT_TRUE(machine.cut().units.empty());
  machine.reboot(machine.disk->media());
  EXPECT_EQ(machine.read({0, 8}), "aaaaaaaa");
  EXPECT_TRUE(machine.perform(Op::kWrite, 0, 8, 'c').ok());
}

TEST(Revives, at_its_instant_it_is_back_without_a_power_cut) {
  Machine machine(small_disk(), {{.disk = "leg0",
                                  .kind = FaultKind::kRevives,
                                  .from = Duration(),
                                  .heals = Duration::milliseconds(5)}});
  EXPECT_EQ(machine.perform(Op::kWrite, 0, 8, 'a'), kInjectedEio);
  machine.run_for(Duration::milliseconds(5));
  EXPECT_EQ(machine.read({0, 8}), "........");
  EXPECT_TRUE(machine.perform(Op::kWrite, 0, 8, 'b').ok());
}

}  // namespace
}  // namespace dmsim
