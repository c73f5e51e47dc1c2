#include <gtest/gtest.h>

#include "models/disk/test_machine.h"

namespace dmsim {
namespace {

using disk_test::Machine;
using disk_test::small_disk;


TEST(MisdirectedWrite, the_data_lands_elsewhere_and_nobody_is_told) {
  Machine machine(small_disk(), {{.disk = "leg0", .kind = FaultKind::kMisdirectedWrite, .count = 1}});
  machine.choices.script("fault.misdirect", {1});
  EXPECT_TRUE(machine.perform(Op::kWrite, 2, 6, 'a').ok());
  EXPECT_EQ(machine.current({0, 32}), "..................aaaaaa........");
  EXPECT_TRUE(machine.perform(Op::kWrite, 2, 6, 'b').ok());
  EXPECT_EQ(machine.current({0, 8}), "..bbbbbb");
}

TEST(MisdirectedWrite, the_end_of_the_disk_is_followed_by_its_start) {
  Machine machine(small_disk(), {{.disk = "leg0", .kind = FaultKind::kMisdirectedWrite}});
  EXPECT_TRUE(machine.perform(Op::kWrite, 1016, 8, 'a').ok());
  EXPECT_EQ(machine.current({0, 8}), "aaaaaaaa");
  EXPECT_EQ(machine.current({1016, 1024}), "........");
}

TEST(MisdirectedWrite, a_write_of_the_whole_disk_has_nowhere_else_to_go) {
  Machine machine(small_disk(), {{.disk = "leg0", .kind = FaultKind::kMisdirectedWrite}});
  EXPECT_TRUE(machine.perform(Op::kWrite, 0, 1024, 'a').ok());
  EXPECT_EQ(machine.current({0, 8}), "aaaaaaaa");
  EXPECT_EQ(machine.disk->faults().struck(), 0u);
}

}  // namespace
}  // namespace dmsim
