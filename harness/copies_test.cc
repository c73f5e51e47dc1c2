// Copies: tables of every kind, read as a person would.
#include "harness/copies.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

namespace dmsim {
namespace {

// "0..8=leg0@0,leg1@4 8..16=" : ranges, and where their copies begin.
std::string words(const std::vector<Extent>& extents) {
  std::string out;
  for (const Extent& extent : extents) {
    out += fmt::format("{}{}..{}=", out.empty() ? "" : " ", extent.range.begin, extent.range.end);
    bool first = true;
    for (const Extent::Copy& copy : extent.copies) {
      out += fmt::format("{}{}@{}", first ? "" : ",", copy.disk, copy.begin);
      first = false;
    }
  }
  return out;
}

class Copies : public testing::Test {
 protected:
  std::string of(const std::string& device) { return words(resolve_copies(device, table_of())); }
  std::vector<std::string> logs(const std::string& device) { return log_disks(device, table_of()); }
  TableOf table_of() {
    return [this](std::string_view name) -> std::optional<std::string> {
      const auto found = tables.find(std::string(name));
      if (found == tables.end()) return std::nullopt;
      return found->second;
    };
  }
  std::map<std::string, std::string> tables;
};

TEST_F(Copies, a_name_without_a_table_has_no_extents) { EXPECT_EQ(of("sda"), ""); }

TEST_F(Copies, a_linear_line_lies_on_one_disk_from_its_offset_on) {
  tables["lv"] = "0 100 linear sda 384";
  EXPECT_EQ(of("lv"), "0..100=sda@384");
}

TEST_F(Copies, several_lines_follow_each_other) {
  tables["lv"] = "0 100 linear sda 0\n100 50 linear sdb 8\n150 10 delay sdc 16 5";
  EXPECT_EQ(of("lv"), "0..100=sda@0 100..150=sdb@8 150..160=sdc@16");
}

TEST_F(Copies, error_and_zero_hold_nothing) {
  tables["lv"] = "0 10 error\n10 10 zero\n20 10 linear sda 0";
  EXPECT_EQ(of("lv"), "0..10= 10..20= 20..30=sda@0");
}

TEST_F(Copies, a_mirror_with_a_core_log_has_a_copy_on_each_leg_in_the_tables_order) {
  tables["lv"] = "0 1024 mirror core 1 128 2 leg1 8 leg0 0";
  EXPECT_EQ(of("lv"), "0..1024=leg1@8,leg0@0");
  EXPECT_TRUE(logs("lv").empty());
}

TEST_F(Copies, a_mirror_with_a_disk_log_names_it_apart_from_its_legs) {
  tables["lv"] = "0 1024 mirror disk 3 log0 128 nosync 3 a 0 b 0 c 64 1 handle_errors";
  EXPECT_EQ(of("lv"), "0..1024=a@0,b@0,c@64");
  EXPECT_EQ(logs("lv"), (std::vector<std::string>{"log0"}));
}

TEST_F(Copies, devices_below_are_followed_down_to_disks) {
  tables["lv"] = "0 100 linear mid 10";
  tables["mid"] = "0 200 linear sda 1000";
  EXPECT_EQ(of("lv"), "0..100=sda@1010");
}

TEST_F(Copies, a_leg_of_several_extents_splits_the_mirror) {
  tables["lv"] = "0 100 mirror core 1 128 2 leg0 0 leg1 5";
  tables["leg0"] = "0 60 linear sda 0\n60 60 linear sdb 0";
  tables["leg1"] = "0 30 linear sdc 0\n30 90 linear sdd 0";
  // leg1's line ends at its sector 30, the mirror's sector 25.
  EXPECT_EQ(of("lv"), "0..25=sda@0,sdc@5 25..60=sda@25,sdd@0 60..100=sdb@0,sdd@35");
}

TEST_F(Copies, a_mirror_of_mirrors_counts_every_disk) {
  tables["lv"] = "0 64 mirror core 1 16 2 upper 0 sdc 0";
  tables["upper"] = "0 64 mirror core 1 16 2 sda 0 sdb 8";
  EXPECT_EQ(of("lv"), "0..64=sda@0,sdb@8,sdc@0");
}

TEST_F(Copies, a_leg_that_has_become_an_error_target_leaves_the_other) {
  tables["lv"] = "0 64 mirror core 1 16 2 bad 0 sdb 0";
  tables["bad"] = "0 64 error";
  EXPECT_EQ(of("lv"), "0..64=sdb@0");
}

TEST_F(Copies, pieces_that_match_no_page_keep_their_sectors) {
  tables["lv"] = "0 3 linear sda 5\n3 10 mirror core 1 2 2 sdb 7 sdc 1";
  EXPECT_EQ(of("lv"), "0..3=sda@5 3..13=sdb@7,sdc@1");
}

TEST_F(Copies, lines_that_cannot_be_read_hold_nothing_and_disturb_nobody) {
  tables["lv"] =
      "0 8 linear sda\n8 8 linear sda x\n16 8 mirror disk 9 log\n24 8 mirror core 99999999999 1\n"
      "nonsense\n\n32 8 future sda 0\n40 8 mirror core 18446744073709551615 7 2 a 0\n48 8 linear sdb 0";
  EXPECT_EQ(of("lv"), "0..8= 8..16= 16..24= 24..32= 32..40= 40..48= 48..56=sdb@0");
}

TEST_F(Copies, a_clone_lies_on_its_source_and_then_on_its_destination) {
  tables["lv"] = "0 64 clone meta dest src 8\n64 8 linear sda 0";
  EXPECT_EQ(of("lv"), "0..64=src@0,dest@0 64..72=sda@0");
  EXPECT_EQ(logs("lv"), (std::vector<std::string>{"meta"}));
  const auto extents = resolve_copies("lv", table_of());
  EXPECT_TRUE(extents[0].is_clone());
  EXPECT_TRUE(extents[0].copies[0].from_source);
  EXPECT_FALSE(extents[0].copies[1].from_source);
  EXPECT_FALSE(extents[1].is_clone());
  EXPECT_TRUE(has_clone(tables["lv"]));
  EXPECT_TRUE(names_device(tables["lv"], "dest"));
  EXPECT_FALSE(names_device(tables["lv"], "des"));
}

TEST_F(Copies, a_device_over_a_clone_knows_its_metadata_disk) {
  tables["top"] = "0 32 linear lv 16";
  tables["lv"] = "0 64 clone meta dest src 8";
  tables["meta"] = "0 8 linear sdm 0";
  const auto extents = resolve_copies("top", table_of());
  EXPECT_EQ(words(extents), "0..32=src@16,dest@16");
  EXPECT_EQ(extents[0].metadata_disks, (std::vector<std::string>{"sdm"}));
}

TEST_F(Copies, logs_of_several_lines_are_all_named) {
  tables["lv"] =
      "0 64 mirror disk 2 loga 16 2 a 0 b 0\n64 64 linear c 0\n128 64 mirror disk 2 logb 16 2 a 64 b 64";
  EXPECT_EQ(logs("lv"), (std::vector<std::string>{"loga", "logb"}));
}

}  // namespace
}  // namespace dmsim
