#include <gtest/gtest.h>

#include "models/disk/test_machine.h"

namespace dmsim {
namespace {

using disk_test::Machine;
using disk_test::small_disk;

constexpr BlockStatus kInjectedEio{BlockStatus::Code::kIoError, true};

TEST(ReadError, nothing_is_delivered_and_the_error_is_tagged) {
  Machine machine(small_disk(), {{.disk = "leg0", .kind = FaultKind::kReadError}});
  BlockStatus status;
  EXPECT_EQ(machine.read({0, 8}, &status), "--------");
  EXPECT_EQ(status, kInjectedEio);
  EXPECT_EQ(machine.disk->faults().struck(FaultKind::kReadError), 1u);
  EXPECT_NE(machine.trace_tail().find("disk.fault"), std::string::npos);
  EXPECT_NE(machine.trace_tail().find("read-error"), std::string::npos);
}

TEST(ReadError, sectors_before_the_bad_one_may_have_been_delivered) {
  Machine machine(small_disk(), {{.disk = "leg0", .range = SectorRange{5, 6}}});
  machine.choices.script("fault.read_delivers", {5});
  machine.perform(Op::kWrite, 0, 8, 'a');
  BlockStatus status;
  // The frame was empty: what was not delivered is zero.
  EXPECT_EQ(machine.read({0, 8}, &status), "aaaaa000");
  EXPECT_EQ(status, kInjectedEio);
}

TEST(ReadError, only_reads_of_the_range_fail) {
  Machine machine(small_disk(), {{.disk = "leg0", .range = SectorRange{8, 16}}});
  BlockStatus status;
  machine.read({0, 8}, &status);
  EXPECT_TRUE(status.ok());
  machine.read({16, 24}, &status);
  EXPECT_TRUE(status.ok());
  machine.read({15, 17}, &status);
  EXPECT_EQ(status, kInjectedEio);
  EXPECT_TRUE(machine.perform(Op::kWrite, 8, 8).ok());
}

}  // namespace
}  // namespace dmsim
