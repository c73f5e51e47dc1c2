#include <gtest/gtest.h>

#include "models/disk/test_machine.h"

namespace dmsim {
namespace {

using disk_test::Machine;
using disk_test::small_disk;


// The bytes of sector 1 as a read delivers them.
std::vector<std::byte> sector_1(Machine& machine) {
  disk_test::Io& io = machine.submit(Op::kRead, 0, 8);
  machine.run();
  const std::byte* bytes = io.frames[0].page().sector_bytes(1);
  return {bytes, bytes + kSectorBytes};
}

std::vector<FaultOptions> one_rotten_bit() {
  return {{.disk = "leg0", .kind = FaultKind::kBitRot, .range = SectorRange{1, 2}, .count = 1}};
}

TEST(BitRot, every_read_delivers_the_same_flipped_bit) {
  Machine machine(small_disk(), one_rotten_bit());
  machine.choices.script("fault.rot_bit", {8 * 100 + 3});
  machine.perform(Op::kWrite, 0, 8, 'a');
  std::vector<std::byte> expected(kSectorBytes, std::byte{'a'});
  expected[100] ^= std::byte{1 << 3};
  EXPECT_EQ(sector_1(machine), expected);
  EXPECT_EQ(sector_1(machine), expected);
}

TEST(BitRot, the_honest_content_is_kept_apart) {
  Machine machine(small_disk(), one_rotten_bit());
  machine.perform(Op::kWrite, 0, 8, 'a');
  EXPECT_NE(sector_1(machine)[0], std::byte{'a'});
  EXPECT_EQ(machine.disk->current_page(0).sector_bytes(1)[0], std::byte{'a'});
  EXPECT_EQ(machine.disk->faults().rotten().size(), 1u);
}

TEST(BitRot, writing_the_sector_again_heals_it) {
  Machine machine(small_disk(), one_rotten_bit());
  (void)sector_1(machine);
  machine.perform(Op::kWrite, 1, 1, 'b');
  EXPECT_EQ(sector_1(machine), std::vector<std::byte>(kSectorBytes, std::byte{'b'}));
}

TEST(BitRot, rot_outlives_a_power_cut) {
  Machine machine(small_disk(), one_rotten_bit());
  const auto rotten = sector_1(machine);
  machine.reboot(machine.disk->media());
  EXPECT_EQ(sector_1(machine), rotten);
  EXPECT_NE(std::memcmp(machine.disk->current_page(0).sector_bytes(1), rotten.data(), kSectorBytes), 0);
}

}  // namespace
}  // namespace dmsim
