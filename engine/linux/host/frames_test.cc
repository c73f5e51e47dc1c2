// SPDX-License-Identifier: GPL-2.0-only
#include "engine/linux/host/frames.h"

#include <gtest/gtest.h>

#include <cstring>
#include <unordered_set>

namespace dmsim::kernel {
namespace {

struct FramesUnderTest : testing::Test {
  SlabPool slabs;
  PagePool pool;
  PageSpace pages{pool, 0};
  std::vector<MemoryFault> faults;
  FrameStore frames{slabs, pages, &note, this};

  static void note(void* self, const MemoryFault& fault) {
    static_cast<FramesUnderTest*>(self)->faults.push_back(fault);
  }
  PageRef filled_with(int value) {
    std::byte* bytes = nullptr;
    PageRef page = pages.make(&bytes);
    std::memset(bytes, value, kPageBytes);
    return page;
  }
};

TEST_F(FramesUnderTest, a_fresh_frame_and_one_that_is_used_again_hold_poison) {
  Frame* const frame = frames.allocate();
  for (std::uint32_t i = 0; i < kPageBytes; ++i) ASSERT_EQ(frame->page().bytes()[i], kPoison);
  frame->set(filled_with(1));
  frames.free(frame, 7);
  Frame* const again = frames.allocate();
  EXPECT_EQ(again, frame);
  EXPECT_EQ(again->page().bytes()[0], kPoison);
  EXPECT_EQ(frames.live(), 1u);
  EXPECT_TRUE(faults.empty());
}

TEST_F(FramesUnderTest, thousands_are_different_and_those_freed_first_are_used_first) {
  std::vector<Frame*> all;
  for (int i = 0; i < 5000; ++i) all.push_back(frames.allocate());
  EXPECT_EQ(std::unordered_set<const Frame*>(all.begin(), all.end()).size(), all.size());
  for (Frame* const frame : all) frames.free(frame, 7);
  for (Frame* const frame : all) ASSERT_EQ(frames.allocate(), frame);
  EXPECT_TRUE(faults.empty());
}

TEST_F(FramesUnderTest, a_store_after_the_free_is_found_and_told_once) {
  Frame* const asked = frames.allocate();
  Frame* const used_again = frames.allocate();
  for (Frame* const frame : {asked, used_again}) frames.free(frame, 7);
  const std::byte one{1};
  asked->store(pages, 100, &one, 1);
  frames.check_freed();
  frames.check_freed();
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_EQ(faults[0].kind, MemoryFault::Kind::kWrittenAfterFree);
  EXPECT_EQ(faults[0].at, 100u);
  EXPECT_EQ(faults[0].freed_by, 7u);
  frames.allocate();
  used_again->set(filled_with(3));
  frames.allocate();
  ASSERT_EQ(faults.size(), 2u);
  EXPECT_EQ(faults[1].at, 0u);
}

TEST_F(FramesUnderTest, freeing_twice_and_freeing_what_belongs_to_others_is_found) {
  Frame* const frame = frames.allocate();
  frames.free(frame, 7);
  frames.free(frame, 8);
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_EQ(faults[0].kind, MemoryFault::Kind::kFreedTwice);
  EXPECT_EQ(faults[0].freed_by, 7u);
  Frame foreign;
  frames.free(&foreign, 7);
  ASSERT_EQ(faults.size(), 2u);
  EXPECT_EQ(faults[1].kind, MemoryFault::Kind::kNotAllocated);
}

TEST_F(FramesUnderTest, all_contents_come_back_when_a_life_ends) {
  const std::uint64_t before = pool.live();
  {
    FrameStore life(slabs, pages, &note, this);
    for (int i = 0; i < 2000; ++i) life.allocate()->set(filled_with(i % 251));
    EXPECT_EQ(pool.live(), before + 2001);  // and the poison
  }
  EXPECT_EQ(pool.live(), before);
}

TEST(Frames, are_told_from_addresses_by_their_tag) {
  Frame frame;
  EXPECT_TRUE(is_frame(tagged(&frame)));
  EXPECT_FALSE(is_frame(&frame));
  EXPECT_EQ(frame_of(tagged(&frame)), &frame);
}

}  // namespace
}  // namespace dmsim::kernel
