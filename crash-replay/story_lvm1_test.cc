// Stories of extents that are moved: they read as the mail of 2002 does.
#include "crash-replay/story_lvm1.h"

#include <gmock/gmock.h>

#include "crash-replay/story_test_crash.h"

namespace dmsim {
namespace {

using testing::HasSubstr;

const std::string kSeed = "scenarios/seeds/pvmove-lvm1.yaml";

// The steps stand in the story in this order, each within some sentence.
void expect_in_order(const ToldCrash& told, const std::vector<std::string>& parts) {
  std::size_t at = 0;
  for (const std::string& part : parts) {
    while (at < told.story.steps.size() && told.story.steps[at].text.find(part) == std::string::npos) ++at;
    ASSERT_LT(at++, told.story.steps.size()) << "no step says, in this order: " << part << "\n" << told.text;
  }
}

TEST(StoryOfLvm1, a_write_that_nobody_waited_for_is_lost_on_the_old_extent) {
  const auto told = tell_crash_of(kSeed, "raw-fsync-dev");
  ASSERT_NE(told, nullptr);
  EXPECT_THAT(told->text, HasSubstr("vg-lv is a volume of LVM1."));
  expect_in_order(*told, {"The task raw writes version", "The task pvmove locks extent",
                          "Nobody waits for the write that is on its way", "begins to copy extent",
                          "From now on extent"});
  ASSERT_EQ(told->chronicle.legs.size(), 2u) << "where the extent is, and where it was";
  EXPECT_EQ(told->chronicle.legs[0].disk, "pv1");
  EXPECT_EQ(told->chronicle.legs[1].disk, "pv0");
  EXPECT_NE(told->chronicle.legs[0].digest, told->chronicle.legs[1].digest);
}

TEST(StoryOfLvm1, a_copy_through_a_cache_tells_since_when_the_cache_had_the_page) {
  const auto told = tell_crash_of(kSeed, "scanned-buffered-copy");
  ASSERT_NE(told, nullptr);
  expect_in_order(*told, {"locks extent", "through the buffer caches of the disks: that of pv0 has had page",
                          "From now on extent"});
}

TEST(StoryOfLvm1, a_deadlock_through_memory_closes_its_circle) {
  const auto told = tell_crash_of(kSeed, "pressure-copy-in-user-space");
  ASSERT_NE(told, nullptr);
  EXPECT_THAT(told->text, HasSubstr("needs 4 page frames to copy extent"));
  EXPECT_THAT(told->text, HasSubstr("pvmove, which needs memory and frees some first, waits for"));
  EXPECT_THAT(told->text, HasSubstr("has locked extent"));
  EXPECT_THAT(told->text, HasSubstr("circle closes at pvmove"));
}

TEST(StoryOfLvm1, a_kernel_without_the_ioctl_is_named) {
  const auto told = tell_crash_of(kSeed, "fallback-scanned");
  ASSERT_NE(told, nullptr);
  EXPECT_THAT(told->text, HasSubstr("The kernel has no ioctl that locks, copies and maps in one"));
}

}  // namespace
}  // namespace dmsim
