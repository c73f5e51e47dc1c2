#include "crash-replay/story_details.h"

#include <gtest/gtest.h>

namespace dmsim {
namespace {

TEST(StoryDetails, a_request_without_an_answer_is_told_with_its_time) {
  EXPECT_EQ(sentence_of_detail("not answered: W128+8 of top, submitted at 325837408 ns"),
            "top has never answered W128+8, which came at 325.837 ms.");
}

TEST(StoryDetails, who_waits_is_told_without_the_names_of_queues) {
  EXPECT_EQ(sentence_of_detail("user-1 waits for any request of user-1"),
            "user-1 waits for one of its own requests to end.");
  EXPECT_EQ(sentence_of_detail("admin waits for recovery of mirror lv, held by kmirrord lv"),
            "admin waits for recovery of mirror lv, held by kmirrord lv.");
}

TEST(StoryDetails, what_is_left_over_is_told_with_its_holder) {
  EXPECT_EQ(sentence_of_detail("an entry for region 4 in the region hash of lv"),
            "The region hash of lv still has an entry for region 4, where nothing is under way.");
  EXPECT_EQ(sentence_of_detail("2 region entries of mirror lv (lv)"),
            "The mirror lv still holds 2 region entries, and nobody will ever take them back.");
  EXPECT_EQ(sentence_of_detail("3 clones"), "Device-mapper still holds 3 clones.");
}

TEST(StoryDetails, what_is_not_known_is_told_as_it_was_said) {
  EXPECT_EQ(sentence_of_detail("version 3 instead of version 4"), "version 3 instead of version 4");
}

TEST(StoryDetails, the_region_left_over_is_what_the_story_is_about) {
  const auto found = left_over_region({"2 region entries of mirror lv (lv)",
                                       "an entry for region 13 in the region hash of lv"});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->region, 13u);
  EXPECT_EQ(found->device, "lv");
  EXPECT_FALSE(left_over_region({"3 clones"}));
}

}  // namespace
}  // namespace dmsim
