// What a move makes of the metadata and of its device's table.
#include "engine/lvm/pvmove_changes.h"

#include <gtest/gtest.h>

#include "engine/lvm/device_tree.h"
#include "engine/lvm/test_groups.h"

namespace dmsim::lvm {
namespace {

std::string text(const VolumeGroup& group) { return to_text(group, "test"); }

// Two linear volumes on pv0, of 4 and 3 extents.
VolumeGroup two_volumes() {
  VolumeGroup group = test_group();
  group.logical_volumes = {test_logical("data", {striped(0, 4, "pv0", 0)}),
                           test_logical("home", {striped(0, 3, "pv0", 4)})};
  return group;
}

TEST(PvmoveChanges, every_segment_becomes_a_mirror_below_its_locked_volume) {
  VolumeGroup group = two_volumes();
  const auto move = insert_move(group, {"pv0", {"pv1"}, "", false});
  ASSERT_TRUE(move.ok());
  EXPECT_EQ(*move, "pvmove0");
  EXPECT_TRUE(group.complaints().empty()) << group.complaints().front();
  const LogicalVolume& pvmove = *group.logical("pvmove0");
  EXPECT_EQ(pvmove.status, (std::vector<std::string>{"READ", "WRITE", "PVMOVE", "LOCKED"}));
  ASSERT_EQ(pvmove.segments.size(), 2u);
  EXPECT_EQ(pvmove.segments[1].areas, (std::vector<Area>{{"pv0", 4}, {"pv1", 4}}));
  EXPECT_EQ(group.logical("home")->segments[0].areas, (std::vector<Area>{{"pvmove0", 4}}));
  EXPECT_TRUE(group.logical("home")->has_status("LOCKED"));
  EXPECT_NE(text(group).find("extents_moved = 0"), std::string::npos) << text(group);
}

TEST(PvmoveChanges, what_is_written_down_is_read_back) {
  VolumeGroup group = two_volumes();
  for (const bool atomic : {false, true}) {
    ASSERT_TRUE(insert_move(group, {atomic ? "pv1" : "pv0", {}, "", atomic}).ok() || atomic);
    const auto read = volume_group_from_text(text(group), "test");
    ASSERT_TRUE(read.ok()) << read.error().to_string();
    EXPECT_EQ(*read, group);
  }
}

TEST(PvmoveChanges, done_running_and_pending_segments_have_their_tables) {
  VolumeGroup group = two_volumes();
  group.logical_volumes.push_back(test_logical("last", {striped(0, 1, "pv0", 7)}));
  ASSERT_TRUE(insert_move(group, {"pv0", {"pv1"}, "", false}).ok());
  set_segment_done(group, "pvmove0", 0);
  EXPECT_EQ(running_segment(group, "pvmove0"), 1u);
  EXPECT_EQ(move_table(group, "pvmove0", {}),
            "0 32 linear pv1 128\n32 24 mirror core 1 8 2 pv0 160 pv1 160\n56 8 linear pv0 184");
  EXPECT_EQ(move_table(group, "pvmove0", {.handle_errors = true, .retreats = true}),
            "0 32 linear pv1 128\n32 24 linear pv0 160\n56 8 linear pv0 184");
  EXPECT_NE(move_table(group, "pvmove0", {.handle_errors = true}).find("pv1 160 1 handle_errors"), std::string::npos);
  const std::vector<DeviceNode> tree = device_tree(group, TreeOptions{});
  ASSERT_EQ(tree.size(), 4u);
  EXPECT_EQ(tree[0].name, "vg0-pvmove0");
  EXPECT_EQ(tree[1].table, "0 32 linear vg0-pvmove0 0");
}

TEST(PvmoveChanges, a_finished_move_gives_the_new_extents_and_then_goes) {
  VolumeGroup group = two_volumes();
  ASSERT_TRUE(insert_move(group, {"pv0", {"pv1"}, "", false}).ok());
  detach_move(group, "pvmove0", {});
  EXPECT_EQ(group.logical("home")->segments, (std::vector<Segment>{striped(0, 3, "pv1", 4)}));
  EXPECT_FALSE(group.logical("home")->has_status("LOCKED"));
  EXPECT_EQ(group.logical("pvmove0")->segments[0].type, Segment::Type::kError);
  EXPECT_TRUE(volume_group_from_text(text(group), "test").ok());
  EXPECT_FALSE(is_in_use(group, "pvmove0"));
  remove_move(group, "pvmove0");
  EXPECT_EQ(moves_of(group), std::vector<std::string>());
}

TEST(PvmoveChanges, an_aborted_move_keeps_what_is_done_unless_it_is_atomic) {
  for (const bool atomic : {false, true}) {
    VolumeGroup group = two_volumes();
    ASSERT_TRUE(insert_move(group, {"pv0", {"pv1"}, "", atomic}).ok());
    EXPECT_EQ(is_atomic(group, "pvmove0"), atomic);
    set_segment_done(group, "pvmove0", 0);
    detach_move(group, "pvmove0", {.abort = true});
    EXPECT_EQ(group.logical("data")->segments[0].areas[0].volume, atomic ? "pv0" : "pv1");
    EXPECT_EQ(group.logical("home")->segments[0].areas[0].volume, "pv0");
    EXPECT_EQ(group.logical("pvmove0_mimage_1"), nullptr);
    EXPECT_TRUE(group.complaints().empty());
  }
}

TEST(PvmoveChanges, the_image_behind_the_right_one_is_what_was_never_copied) {
  VolumeGroup group = two_volumes();
  ASSERT_TRUE(insert_move(group, {"pv0", {"pv1"}, "", false}).ok());
  detach_move(group, "pvmove0", {.abort = true, .wrong_image = true});
  EXPECT_EQ(group.logical("data")->segments[0].areas[0].volume, "pv1");
}

TEST(PvmoveChanges, a_segment_is_cut_where_no_gap_holds_it_and_grows_together_again) {
  VolumeGroup group = two_volumes();
  group.logical_volumes.push_back(test_logical("in the way", {striped(0, 61, "pv1", 3)}));
  group.physical_volumes.push_back(test_physical("pv2", 64));
  ASSERT_TRUE(insert_move(group, {"pv0", {"pv1", "pv2"}, "data", false}).ok());
  EXPECT_EQ(group.logical("pvmove0")->segments.size(), 2u);
  EXPECT_FALSE(group.logical("home")->has_status("LOCKED"));
  detach_move(group, "pvmove0", {});
  EXPECT_EQ(group.logical("data")->segments, (std::vector<Segment>{striped(0, 3, "pv1", 0), striped(3, 1, "pv2", 0)}));
  remove_move(group, "pvmove0");
  ASSERT_TRUE(insert_move(group, {"pv2", {"pv0"}, "", false}).ok());
  detach_move(group, "pvmove0", {.abort = true});
  EXPECT_EQ(group.logical("data")->segments.size(), 2u);
}

TEST(PvmoveChanges, images_and_logs_of_a_mirror_move_by_its_name) {
  VolumeGroup group = test_group();
  group.physical_volumes.push_back(test_physical("pv2", 64));
  ASSERT_TRUE(insert_move(group, {"pv0", {"pv2"}, "lv", false}).ok());
  EXPECT_TRUE(group.logical("lv_mimage_0")->has_status("LOCKED"));
  EXPECT_TRUE(group.logical("lv_mlog")->has_status("LOCKED"));
  EXPECT_FALSE(group.logical("data")->has_status("LOCKED"));
  EXPECT_TRUE(group.complaints().empty());
}

TEST(PvmoveChanges, what_cannot_be_moved_is_refused_in_words) {
  VolumeGroup group = two_volumes();
  const auto refusal = [&](const MoveRequest& request) {
    VolumeGroup copy = group;
    const auto result = insert_move(copy, request);
    return result.ok() ? std::string("taken") : result.error();
  };
  EXPECT_EQ(refusal({"pv9", {}, "", false}), "there is no physical volume 'pv9'");
  EXPECT_EQ(refusal({"pv0", {"pv8"}, "", false}), "there is no physical volume 'pv8'");
  EXPECT_EQ(refusal({"pv1", {"pv0"}, "", false}), "there is nothing to move on pv1");
  EXPECT_EQ(refusal({"pv0", {"pv0"}, "", false}), "there is no room for data of pv0");
  ASSERT_TRUE(insert_move(group, {"pv0", {"pv1"}, "", false}).ok());
  EXPECT_EQ(refusal({"pv0", {"pv1"}, "", false}), "there is nothing to move on pv0");
}

TEST(PvmoveChanges, progress_is_that_of_the_one_mirror_in_the_status) {
  const MoveProgress progress = move_progress("0 32 linear \n32 24 mirror 2 pv0 pv1 1/3 1 AD 1 core\n56 8 linear ");
  EXPECT_TRUE(progress.has_mirror);
  EXPECT_EQ(progress.copied, 1u);
  EXPECT_EQ(progress.regions, 3u);
  EXPECT_FALSE(progress.healthy);
  EXPECT_FALSE(move_progress("0 32 linear ").has_mirror);
}

}  // namespace
}  // namespace dmsim::lvm
