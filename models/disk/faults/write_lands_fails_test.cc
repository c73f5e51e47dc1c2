#include <gtest/gtest.h>

#include "models/disk/test_machine.h"

namespace dmsim {
namespace {

using disk_test::Machine;
using disk_test::small_disk;

constexpr BlockStatus kInjectedEio{BlockStatus::Code::kIoError, true};

TEST(WriteLandsFails, the_data_is_there_although_the_write_failed) {
  Machine machine(small_disk(), {{.disk = "leg0", .kind = FaultKind::kWriteLandsFails, .count = 1}});
  EXPECT_EQ(machine.perform(Op::kWrite, 0, 8, 'a'), kInjectedEio);
  EXPECT_EQ(machine.read({0, 8}), "aaaaaaaa");
  EXPECT_TRUE(machine.perform(Op::kWrite, 8, 8, 'b').ok());
}

}  // namespace
}  // namespace dmsim
