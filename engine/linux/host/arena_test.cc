// SPDX-License-Identifier: GPL-2.0-only
#include "engine/linux/host/arena.h"

#include <gtest/gtest.h>

#include <cstring>
#include <map>

#include "base/sanitizer.h"
#include "sim/choice.h"

namespace dmsim::kernel {
namespace {

struct Faults {
  std::vector<MemoryFault> seen;
  static void note(void* self, const MemoryFault& fault) { static_cast<Faults*>(self)->seen.push_back(fault); }
};

TEST(Arena, blocks_are_aligned_filled_and_know_their_size) {
  SlabPool pool;
  Faults faults;
  Arena arena(pool, &Faults::note, &faults);
  for (const std::uint64_t bytes : {1u, 8u, 9u, 64u, 100u, 513u, 4096u, 5000u, 16384u, 16385u, 70000u, 1000000u}) {
    for (const std::uint64_t align : {8u, 64u, 4096u, 65536u}) {
      for (const bool zeroed : {false, true}) {
        auto* const memory = static_cast<unsigned char*>(arena.allocate(bytes, align, zeroed));
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory) % align, 0u) << bytes;
        EXPECT_EQ(arena.size_of(memory), bytes);
        EXPECT_EQ(memory[0], zeroed ? 0 : 0x6b);
        EXPECT_EQ(memory[bytes - 1], zeroed ? 0 : 0x6b);
        std::memset(memory, 0xff, bytes);
        arena.free(memory, 1);
      }
    }
  }
  arena.check_freed();
  EXPECT_EQ(faults.seen.size(), 0u);
  EXPECT_EQ(arena.live_blocks(), 0u);
  EXPECT_EQ(arena.live_bytes(), 0u);
}

TEST(Arena, blocks_never_overlap_over_many_lives) {
  SlabPool pool;
  Faults faults;
  RandomNumbers random(7);
  for (int life = 0; life < 20; ++life) {
    Arena arena(pool, &Faults::note, &faults);
    std::map<std::uintptr_t, std::pair<std::uint64_t, unsigned char>> live;
    for (int i = 0; i < 3000; ++i) {
      if (live.size() < 200 && random.below(2) == 0) {
        const std::uint64_t bytes = 1 + random.below(random.below(20) == 0 ? 200000 : 700);
        auto* const memory = static_cast<unsigned char*>(arena.allocate(bytes, 8, false));
        const auto fill = static_cast<unsigned char>(random.below(256));
        std::memset(memory, fill, bytes);
        live[reinterpret_cast<std::uintptr_t>(memory)] = {bytes, fill};
      } else if (!live.empty()) {
        auto at = std::next(live.begin(), static_cast<long>(random.below(live.size())));
        const auto* const memory = reinterpret_cast<const unsigned char*>(at->first);
        for (std::uint64_t byte = 0; byte < at->second.first; ++byte) {
          ASSERT_EQ(memory[byte], at->second.second);
        }
        arena.free(memory, 1);
        live.erase(at);
      }
    }
  }
  EXPECT_EQ(faults.seen.size(), 0u);
}

#if !defined(DMSIM_ADDRESS_SANITIZER)
TEST(Arena, a_stale_write_is_found_when_asked_and_told_once) {
  SlabPool pool;
  Faults faults;
  Arena arena(pool, &Faults::note, &faults);
  auto* const memory = static_cast<char*>(arena.allocate(200, 8, true));
  arena.free(memory, 9);
  memory[150] = 'x';
  arena.check_freed();
  arena.check_freed();
  ASSERT_EQ(faults.seen.size(), 1u);
  EXPECT_EQ(faults.seen[0].kind, MemoryFault::Kind::kWrittenAfterFree);
  EXPECT_EQ(faults.seen[0].bytes, 200u);
  EXPECT_EQ(faults.seen[0].at, 150u);
  EXPECT_EQ(faults.seen[0].freed_by, 9u);
}
#endif

TEST(Arena, what_was_never_allocated_cannot_be_freed) {
  SlabPool pool;
  Faults faults;
  Arena arena(pool, &Faults::note, &faults);
  int mine = 0;
  arena.free(&mine, 1);
  arena.free(static_cast<char*>(arena.allocate(64, 8, true)) + 8, 1);
  arena.free(nullptr, 1);
  ASSERT_EQ(faults.seen.size(), 2u);
  EXPECT_EQ(faults.seen[0].kind, MemoryFault::Kind::kNotAllocated);
  EXPECT_EQ(faults.seen[1].kind, MemoryFault::Kind::kNotAllocated);
}

TEST(Arena, freed_blocks_rest_before_they_are_used_again) {
  SlabPool pool;
  Faults faults;
  Arena arena(pool, &Faults::note, &faults);
  void* const first = arena.allocate(64, 8, true);
  void* const second = arena.allocate(64, 8, true);
  arena.free(first, 1);
  arena.free(second, 1);
  EXPECT_EQ(arena.allocate(64, 8, true), first);
  EXPECT_EQ(arena.allocate(64, 8, true), second);
}

TEST(RecordPool, records_begin_with_their_defaults_and_are_used_again) {
  struct Record {
    std::uint64_t number = 7;
    void* pointer = nullptr;
  };
  SlabPool pool;
  RecordPool<Record> records(pool);
  Record* const record = records.take();
  record->number = 1;
  records.give_back(record);
  EXPECT_EQ(records.take(), record);
  EXPECT_EQ(record->number, 7u);
  EXPECT_EQ(records.live(), 1u);
}

}  // namespace
}  // namespace dmsim::kernel
