// In steady state nothing is allocated: counted by replacing the global operator new of this test
// binary. The event queue takes a new bucket whenever the clock reaches a new power of two, so the
// measured rounds come late and are few.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "models/memory/direct_io.h"
#include "models/memory/test_device.h"

namespace {
std::uint64_t allocations = 0;
}

// Not inlined: gcc would see free() meet a pointer from `new` and warn.
__attribute__((noinline)) void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
__attribute__((noinline)) void operator delete(void* memory) noexcept { std::free(memory); }
__attribute__((noinline)) void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace dmsim {
namespace {

constexpr int kWarm = 1100;
constexpr int kRounds = 1200;

TEST(Allocation, a_write_and_its_writeback_allocate_nothing_once_all_pages_are_resident) {
  TestWorld world({}, {}, 1024, Trace::Keep::kTail);
  world.device.keep_log = false;
  const std::vector<std::byte> bytes = stamped(1, 0, 64);
  std::uint64_t during = 0;
  world.task("writer", [&] {
    for (int round = 0; round < kRounds; ++round) {
      if (round == kWarm) during = allocations;
      EXPECT_TRUE(world.cache->write(0, bytes).ok());
      EXPECT_TRUE(world.cache->store(512, {bytes.data(), 512}).ok());
      world.cache->write_back(Instant::at_ns(INT64_MAX));
      EXPECT_TRUE(world.cache->store(4096, {bytes.data(), 512}).ok());
      EXPECT_TRUE(world.cache->fsync().ok());
    }
    during = allocations - during;
  });
  ASSERT_TRUE(world.run_tasks());
  EXPECT_EQ(during, 0u);
}

TEST(Allocation, a_direct_write_allocates_nothing_once_its_buffers_exist) {
  TestWorld world({}, {}, 1024, Trace::Keep::kTail);
  world.device.keep_log = false;
  DirectIo io(world.scheduler, world.pages, world.device, world.trace.actors().intern("application"));
  std::uint64_t during = 0;
  world.task("application", [&] {
    for (std::uint64_t round = 0; round < kRounds; ++round) {
      if (round == kWarm) during = allocations;
      const auto fill = [round](std::byte* out, Sector sector) {
        stamp_sector(out, {1, round, sector});
      };
      DirectRequest& first = io.write({3, 40}, {}, fill);
      DirectRequest& second = io.write({64, 72}, {.fua = true}, fill);
      EXPECT_TRUE(io.wait(first).ok());
      EXPECT_TRUE(io.wait(second).ok());
      io.release(first);
      io.release(second);
    }
    during = allocations - during;
  });
  ASSERT_TRUE(world.run_tasks());
  EXPECT_EQ(during, 0u);
}

}  // namespace
}  // namespace dmsim
