#include "crash-replay/story_pvmove.h"

#include <gtest/gtest.h>

#include "crash-replay/story_events.h"

namespace dmsim {
namespace {

std::string told(const std::string& rest) {
  const auto event = parse_trace_line("1 5000 pvmove " + rest);
  EXPECT_TRUE(event.has_value()) << rest;
  return event ? tell_lvm_event(*event).value_or("nothing") : "";
}

TEST(StoryPvmove, every_step_of_a_move_is_a_sentence) {
  EXPECT_EQ(told("pvmove.step cause=0 volume=vg-pvmove0 what=\"begin\" segment=0 of=2"),
            "pvmove begins to move extents: vg-pvmove0 is to go under the volumes, in segments that are copied one "
            "after the other (2 of them)");
  EXPECT_EQ(told("pvmove.step cause=0 volume=vg-pvmove0 what=\"checkpoint\" segment=1 of=2"),
            "pvmove finds segment 1 of 2 copied: it is to use its new extents, and the next one is to be copied");
  EXPECT_EQ(told("pvmove.step cause=0 volume=vg-pvmove0 what=\"finish\" segment=0 of=0"),
            "pvmove finds all copied: the volumes are to take their new extents, and vg-pvmove0 is to go");
  EXPECT_EQ(told("pvmove.step cause=0 volume=vg-pvmove0 what=\"retreat\" segment=0 of=0"),
            "pvmove gives vg-pvmove0 the old extents alone, so that what its mirror holds is issued again");
  EXPECT_EQ(told("pvmove.step cause=0 volume=vg-pvmove0 what=\"abort\" segment=0 of=0"),
            "pvmove aborts the move: what is not done is to stay on its old extents");
  EXPECT_EQ(told("pvmove.step cause=0 volume=vg-pvmove0 what=\"gone\" segment=0 of=0"),
            "Nothing is left of vg-pvmove0 in the metadata");
}

TEST(StoryPvmove, what_becomes_of_the_metadata_is_told) {
  EXPECT_EQ(told("lvm.metadata cause=0 group=\"vg\" step=\"committed\" sequence=3"),
            "pvmove has committed version 3 of the metadata of vg");
}

TEST(StoryPvmove, the_device_of_a_move_is_known_from_its_first_step) {
  const auto event =
      parse_trace_line("1 5000 pvmove pvmove.step cause=0 volume=vg-pvmove0 what=\"begin\" segment=0 of=2");
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(moved_through(*event), "vg-pvmove0");
  EXPECT_EQ(last_move({*event, *event}), 1u);
  EXPECT_EQ(last_move({}), std::nullopt);
}

}  // namespace
}  // namespace dmsim
