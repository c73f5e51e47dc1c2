#include "engine/lvm/volume_group.h"

#include <gtest/gtest.h>

#include "engine/lvm/test_groups.h"

namespace dmsim::lvm {
namespace {

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  const std::size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), by);
}

std::string error_of(std::string_view text) {
  const Result<VolumeGroup> parsed = volume_group_from_text(text, "pv0");
  return parsed ? "no error" : parsed.error().to_string();
}

TEST(VolumeGroup, the_text_read_back_is_the_group) {
  VolumeGroup group = test_group();
  Segment snapshot;
  snapshot.count = 4;
  snapshot.type = Segment::Type::kSnapshot;
  snapshot.chunk_sectors = 8;
  snapshot.origin = "data";
  snapshot.cow = "lv_mlog";
  group.logical_volumes.push_back(test_logical("snapshot0", {snapshot}));
  group.logical_volumes[0].segments[0].extents_copied = 3;
  group.logical_volumes[1].set_status("LOCKED", true);
  const auto parsed = volume_group_from_text(to_text(group, "test"), "pv0");
  ASSERT_TRUE(parsed) << parsed.error().to_string();
  EXPECT_EQ(*parsed, group);
}

TEST(VolumeGroup, an_extent_that_belongs_to_two_volumes_is_noticed) {
  VolumeGroup group = test_group();
  EXPECT_TRUE(group.complaints().empty());
  group.logical("data")->segments[0].areas[0].first = 15;
  EXPECT_EQ(group.complaints(),
            std::vector<std::string>{"extent 15 of pv0 belongs to lv_mimage_0 and to data"});
  group.logical("data")->segments[0].areas[0].first = 13;
  group.logical("data")->segments[0].count = 4;
  EXPECT_EQ(group.complaints().front(), "extent 13 of pv0 belongs to lv_mimage_0 and to data");
}

TEST(VolumeGroup, gaps_strangers_and_areas_beyond_the_end_are_noticed) {
  VolumeGroup group = test_group();
  group.logical("data")->segments[1].first = 5;
  EXPECT_EQ(group.complaints().front(), "data: a segment begins at extent 5, expected 4");
  group = test_group();
  group.logical("data")->segments[1].areas[0] = {"pv7", 0};
  EXPECT_EQ(group.complaints().front(), "data: there is no volume 'pv7'");
  group = test_group();
  group.logical("data")->segments[1].areas[0].first = 61;
  EXPECT_EQ(group.complaints().front(), "data: extents 61 to 65 lie beyond pv1");
  group = test_group();
  group.logical("lv")->segments[0].log = "none";
  EXPECT_EQ(group.complaints().front(), "lv: there is no logical volume 'none'");
}

TEST(VolumeGroup, text_that_is_not_understood_is_refused_by_name) {
  const std::string text = to_text(test_group(), "test");
  EXPECT_EQ(error_of(replaced(text, "type = \"mirror\"", "type = \"raid1\"")),
            "pv0: logical_volumes/lv/segment1: segments of type 'raid1' are not modelled");
  EXPECT_EQ(error_of(replaced(text, "stripe_count = 1", "stripe_count = 2")),
            "pv0: logical_volumes/lv_mimage_0/segment1: 2 stripes are not modelled");
  EXPECT_EQ(error_of(replaced(text, "seqno = 7", "seqno = \"7\"")),
            "pv0:3: vg0/seqno: expected a number up to 281474976710656");
  EXPECT_EQ(error_of(replaced(text, "\tseqno = 7\n", "")), "pv0: vg0: 'seqno' is missing");
  EXPECT_EQ(error_of(replaced(text, "Text Format", "Other Format")),
            "pv0: 'contents' is not a volume group's");
  EXPECT_EQ(error_of(replaced(text, "[\"pv1\", 16]", "[\"pv1\", 0]")),
            "pv0: extent 0 of pv1 belongs to lv_mimage_1 and to data");
}

TEST(VolumeGroup, ids_have_lvm2s_form_and_follow_from_the_name) {
  EXPECT_EQ(make_id("lv"), make_id("lv"));
  EXPECT_NE(make_id("lv"), make_id("lw"));
  EXPECT_EQ(make_id("lv").size(), 38u);
  EXPECT_EQ(make_id("lv")[6], '-');
  EXPECT_EQ(id_without_dashes(make_id("lv")).size(), 32u);
}

}  // namespace
}  // namespace dmsim::lvm
