#include "engine/lvm/sector_io.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "engine/lvm/lvm_test_rig.h"

namespace dmsim::lvm {
namespace {

// Notes where the memory of each request begins.
class NotingDisk final : public BlockDevice {
 public:
  explicit NotingDisk(BlockDevice& below) : below_(below) {}
  const std::string& name() const override { return below_.name(); }
  std::uint64_t sectors() const override { return below_.sectors(); }
  BlockLimits limits() const override { return {.max_sectors = 4}; }
  void submit(Bio& bio) override {
    const auto address = reinterpret_cast<std::uintptr_t>(bio.segments[0].bytes + bio.segments[0].offset);
    within_page.push_back(address % kPageBytes);
    below_.submit(bio);
  }
  std::vector<std::uint64_t> within_page;

 private:
  BlockDevice& below_;
};

TEST(SectorIo, data_arrive_through_memory_that_begins_at_a_page_wherever_the_callers_lie) {
  StackPool stacks;
  RandomChoices choices(1);
  Trace trace;
  Scheduler scheduler(stacks, choices, trace);
  PlainDisk disk(scheduler, "pv0", 64);
  NotingDisk noting(disk);
  SectorIo io(scheduler);
  std::vector<std::byte> memory(9 * kSectorBytes + 24, std::byte{0x5a});
  std::vector<std::byte> back(memory.size());
  bool ok = false;
  scheduler.spawn(trace.actors().intern("user"), FiberRole::kTask, [&] {
    ok = io.write(noting, 3, std::span(memory).subspan(8, 9 * kSectorBytes)) &&
         io.read(noting, 3, std::span(back).subspan(16, 9 * kSectorBytes));
  });
  scheduler.run(1000);
  ASSERT_TRUE(ok);
  EXPECT_EQ(noting.within_page, std::vector<std::uint64_t>(6, 0));
  EXPECT_EQ(std::memcmp(disk.at(3), memory.data() + 8, 9 * kSectorBytes), 0);
  EXPECT_EQ(std::memcmp(back.data() + 16, memory.data() + 8, 9 * kSectorBytes), 0);
}

}  // namespace
}  // namespace dmsim::lvm
