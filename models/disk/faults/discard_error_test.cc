#include <gtest/gtest.h>

#include "models/disk/test_machine.h"

namespace dmsim {
namespace {

using disk_test::Machine;
using disk_test::small_disk;

constexpr BlockStatus kInjectedEio{BlockStatus::Code::kIoError, true};

TEST(DiscardError, the_data_stays) {
  Machine machine(small_disk(), {{.disk = "leg0", .kind = FaultKind::kDiscardError}});
  machine.perform(Op::kWrite, 0, 8, 'a');
  EXPECT_EQ(machine.perform(Op::kDiscard, 0, 8), kInjectedEio);
  EXPECT_EQ(machine.current({0, 8}), "aaaaaaaa");
}

}  // namespace
}  // namespace dmsim
