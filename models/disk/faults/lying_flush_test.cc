#include <gtest/gtest.h>

#include "models/disk/test_machine.h"

namespace dmsim {
namespace {

using disk_test::Machine;
using disk_test::small_disk;


TEST(LyingFlush, a_flush_is_acknowledged_without_effect) {
  Machine machine(small_disk(), {{.disk = "leg0", .kind = FaultKind::kLyingFlush}});
  machine.perform(Op::kWrite, 0, 8, 'a');
  EXPECT_TRUE(machine.perform(Op::kFlush).ok());
  EXPECT_EQ(machine.media({0, 8}), "........");
  EXPECT_EQ(machine.cut().units.size(), 8u);
  EXPECT_EQ(machine.disk->faults().struck(), 1u);
}

TEST(LyingFlush, so_are_a_fua_write_and_a_preflush) {
  Machine machine(small_disk(), {{.disk = "leg0", .kind = FaultKind::kLyingFlush}});
  machine.perform(Op::kWrite, 8, 8, 'a');
  disk_test::Io& io = machine.start(Op::kWrite, 0, 8, 'b');
  io.bio.fua = true;
  io.bio.preflush = true;
  machine.disk->submit(io.bio);
  machine.run();
  EXPECT_TRUE(io.bio.status.ok());
  EXPECT_EQ(machine.media({0, 16}), "................");
  EXPECT_EQ(machine.current({0, 16}), "bbbbbbbbaaaaaaaa");
}

TEST(LyingFlush, a_write_through_disk_has_nothing_to_lie_about) {
  DiskOptions options = small_disk();
  options.cache = CacheMode::kWriteThrough;
  Machine machine(options, {{.disk = "leg0", .kind = FaultKind::kLyingFlush}});
  machine.write_fua(0, 8, 'a');
  machine.run();
  EXPECT_EQ(machine.media({0, 8}), "aaaaaaaa");
  EXPECT_EQ(machine.disk->faults().struck(), 0u);
}

}  // namespace
}  // namespace dmsim
