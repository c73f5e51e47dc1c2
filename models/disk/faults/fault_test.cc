#include <gtest/gtest.h>

#include "models/disk/test_machine.h"

namespace dmsim {
namespace {

using disk_test::Machine;
using disk_test::small_disk;

constexpr BlockStatus kInjectedEio{BlockStatus::Code::kIoError, true};

TEST(Fault, it_strikes_after_those_it_skips_and_no_more_than_its_count) {
  Machine machine(small_disk(),
                  {{.disk = "leg0", .kind = FaultKind::kWriteError, .skip = 1, .count = 2}});
  std::string outcomes;
  for (int i = 0; i < 5; ++i) outcomes += machine.perform(Op::kWrite, 0, 8).ok() ? '.' : 'E';
  EXPECT_EQ(outcomes, ".EE..");
}

TEST(Fault, it_strikes_between_its_two_instants) {
  Machine machine(small_disk(), {{.disk = "leg0",
                                  .kind = FaultKind::kWriteError,
                                  .from = Duration::milliseconds(1),
                                  .heals = Duration::milliseconds(2)}});
  EXPECT_TRUE(machine.perform(Op::kWrite, 0, 8).ok());
  machine.run_for(Duration::milliseconds(1));
  EXPECT_EQ(machine.perform(Op::kWrite, 0, 8), kInjectedEio);
  machine.run_for(Duration::milliseconds(1));
  EXPECT_TRUE(machine.perform(Op::kWrite, 0, 8).ok());
}

TEST(Fault, its_time_is_half_open) {
  const Duration instant = Duration::microseconds(5);
  for (const bool begins : {true, false}) {
    FaultOptions fault{.disk = "leg0", .kind = FaultKind::kWriteError};
    begins ? void(fault.from = instant) : void(fault.heals = instant);
    Machine machine(small_disk(), {fault});
    machine.choices.script("disk.transfer", {5'000});  // data moves, and the fault decides, at 5 us
    EXPECT_EQ(machine.perform(Op::kWrite, 0, 8).ok(), !begins);
  }
}

TEST(Fault, with_a_probability_it_strikes_when_chance_says_so) {
  Machine machine(small_disk(), {{.disk = "leg0", .kind = FaultKind::kWriteError, .probability = {3, 100}}});
  machine.choices.script("fault.strike", {0, 96, 97});
  EXPECT_TRUE(machine.perform(Op::kWrite, 0, 8).ok());
  EXPECT_TRUE(machine.perform(Op::kWrite, 0, 8).ok());
  EXPECT_EQ(machine.perform(Op::kWrite, 0, 8), kInjectedEio);
}

TEST(Fault, another_disks_fault_does_not_strike) {
  Machine machine(small_disk(), {{.disk = "leg1", .kind = FaultKind::kWriteError}});
  EXPECT_TRUE(machine.perform(Op::kWrite, 0, 8).ok());
  EXPECT_TRUE(machine.disk->faults().empty());
}

TEST(Fault, a_power_cut_ends_it_unless_it_is_said_to_go_on) {
  for (const bool after_reboot : {false, true}) {
    Machine machine(small_disk(),
                    {{.disk = "leg0", .kind = FaultKind::kWriteError, .after_reboot = after_reboot}});
    EXPECT_FALSE(machine.perform(Op::kWrite, 0, 8).ok());
    machine.reboot(machine.disk->media());
    EXPECT_EQ(machine.perform(Op::kWrite, 0, 8).ok(), !after_reboot);
  }
}

TEST(Fault, strikes_are_remembered_over_a_power_cut) {
  Machine machine(small_disk(), {{.disk = "leg0",
                                  .kind = FaultKind::kWriteError,
                                  .count = 2,
                                  .after_reboot = true}});
  EXPECT_FALSE(machine.perform(Op::kWrite, 0, 8).ok());
  machine.reboot(machine.disk->media());
  EXPECT_FALSE(machine.perform(Op::kWrite, 0, 8).ok());
  EXPECT_TRUE(machine.perform(Op::kWrite, 0, 8).ok());
  EXPECT_EQ(machine.disk->faults().struck(), 2u);
}

TEST(Fault, faults_compose_and_the_first_names_the_error) {
  Machine machine(small_disk(), {{.disk = "leg0", .kind = FaultKind::kMisdirectedWrite},
                                 {.disk = "leg0", .kind = FaultKind::kWriteLandsFails}});
  EXPECT_EQ(machine.perform(Op::kWrite, 0, 8, 'a'), kInjectedEio);
  EXPECT_EQ(machine.current({0, 16}), "........aaaaaaaa");
}

TEST(Fault, every_kind_has_a_name_of_its_own) {
  std::vector<std::string_view> names;
  for (int kind = 0; kind <= static_cast<int>(FaultKind::kMisdirectedWrite); ++kind) {
    names.push_back(fault_kind_name(static_cast<FaultKind>(kind)));
    EXPECT_EQ(std::ranges::count(names, names.back()), 1) << names.back();
  }
}

}  // namespace
}  // namespace dmsim
