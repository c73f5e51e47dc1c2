#include <gtest/gtest.h>

#include "models/disk/test_machine.h"

namespace dmsim {
namespace {

using disk_test::Machine;
using disk_test::small_disk;


TEST(DiscardRefused, the_disk_claims_discards_and_answers_that_it_does_not) {
  Machine machine(small_disk(), {{.disk = "leg0", .kind = FaultKind::kDiscardRefused}});
  machine.perform(Op::kWrite, 0, 8, 'a');
  EXPECT_TRUE(machine.disk->limits().discard);
  const BlockStatus status = machine.perform(Op::kDiscard, 0, 8);
  EXPECT_EQ(status.code, BlockStatus::Code::kNotSupported);
  EXPECT_TRUE(status.injected);
  EXPECT_EQ(machine.current({0, 8}), "aaaaaaaa");
}

}  // namespace
}  // namespace dmsim
