#include <gtest/gtest.h>

#include "models/disk/test_machine.h"

namespace dmsim {
namespace {

using disk_test::Machine;
using disk_test::small_disk;

constexpr BlockStatus kInjectedEio{BlockStatus::Code::kIoError, true};

TEST(WriteError, by_default_nothing_lands) {
  Machine machine(small_disk(), {{.disk = "leg0", .kind = FaultKind::kWriteError}});
  EXPECT_EQ(machine.perform(Op::kWrite, 0, 8, 'a'), kInjectedEio);
  EXPECT_EQ(machine.current({0, 8}), "........");
  EXPECT_TRUE(machine.cut().units.empty());
}

TEST(WriteError, leading_sectors_or_all_may_have_landed) {
  for (const std::uint64_t landed : {3u, 12u}) {
    Machine machine(small_disk(), {{.disk = "leg0", .kind = FaultKind::kWriteError}});
    machine.choices.script("fault.write_lands", {landed});
    EXPECT_EQ(machine.perform(Op::kWrite, 0, 12, 'a'), kInjectedEio);
    EXPECT_EQ(machine.current({0, 12}), std::string(landed, 'a') + std::string(12 - landed, '.'));
    EXPECT_EQ(machine.cut().units.size(), landed);
  }
}

TEST(WriteError, a_bad_sector_lets_nothing_from_it_on_land) {
  Machine machine(small_disk(), {{.disk = "leg0", .kind = FaultKind::kWriteError, .range = SectorRange{2, 3}}});
  machine.choices.script("fault.write_lands", {2});
  EXPECT_EQ(machine.perform(Op::kWrite, 0, 8, 'a'), kInjectedEio);
  EXPECT_EQ(machine.current({0, 8}), "aa......");
}

TEST(WriteError, on_a_write_through_disk_what_landed_is_durable) {
  DiskOptions options = small_disk();
  options.cache = CacheMode::kWriteThrough;
  Machine machine(options, {{.disk = "leg0", .kind = FaultKind::kWriteError}});
  machine.choices.script("fault.write_lands", {4});
  EXPECT_EQ(machine.perform(Op::kWrite, 0, 8, 'a'), kInjectedEio);
  EXPECT_EQ(machine.media({0, 8}), "aaaa....");
}

TEST(WriteError, a_failed_fua_write_is_not_durable) {
  Machine machine(small_disk(), {{.disk = "leg0", .kind = FaultKind::kWriteError}});
  machine.choices.script("fault.write_lands", {8});
  machine.write_fua(0, 8, 'a');
  machine.run();
  EXPECT_EQ(machine.media({0, 8}), "........");
  EXPECT_EQ(machine.cut().units.size(), 8u);
}

}  // namespace
}  // namespace dmsim
