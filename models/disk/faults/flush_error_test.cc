#include <gtest/gtest.h>

#include "models/disk/test_machine.h"

namespace dmsim {
namespace {

using disk_test::Machine;
using disk_test::small_disk;

constexpr BlockStatus kInjectedEio{BlockStatus::Code::kIoError, true};

TEST(FlushError, what_was_cached_stays_volatile) {
  Machine machine(small_disk(), {{.disk = "leg0", .kind = FaultKind::kFlushError, .count = 1}});
  machine.perform(Op::kWrite, 0, 8, 'a');
  EXPECT_EQ(machine.perform(Op::kFlush), kInjectedEio);
  EXPECT_EQ(machine.media({0, 8}), "........");
  EXPECT_EQ(machine.cut().units.size(), 8u);
  EXPECT_TRUE(machine.perform(Op::kFlush).ok());
  EXPECT_EQ(machine.media({0, 8}), "aaaaaaaa");
}

TEST(FlushError, the_data_may_have_become_durable_all_the_same) {
  Machine machine(small_disk(), {{.disk = "leg0", .kind = FaultKind::kFlushError}});
  machine.choices.script("fault.flush_lands", {1});
  machine.perform(Op::kWrite, 0, 8, 'a');
  EXPECT_EQ(machine.perform(Op::kFlush), kInjectedEio);
  EXPECT_EQ(machine.media({0, 8}), "aaaaaaaa");
}

TEST(FlushError, a_write_whose_preflush_fails_is_not_begun) {
  Machine machine(small_disk(), {{.disk = "leg0", .kind = FaultKind::kFlushError}});
  disk_test::Io& io = machine.start(Op::kWrite, 0, 8, 'a');
  io.bio.preflush = true;
  machine.disk->submit(io.bio);
  machine.run();
  EXPECT_EQ(io.bio.status, kInjectedEio);
  EXPECT_EQ(machine.current({0, 8}), "........");
}

TEST(FlushError, a_flush_touches_every_range) {
  Machine machine(small_disk(), {{.disk = "leg0", .kind = FaultKind::kFlushError, .range = SectorRange{8, 16}}});
  EXPECT_EQ(machine.perform(Op::kFlush), kInjectedEio);
}

}  // namespace
}  // namespace dmsim
