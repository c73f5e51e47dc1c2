// What a clone's table and messages may say, in the kernel's words.
#include "engine/native/clone/clone_words.h"

#include "engine/native/clone/clone_test_rig.h"

namespace dmsim::native {
namespace {

TEST(CloneTableLine, is_refused_in_the_kernels_words) {
  const std::pair<const char*, const char*> refusals[] = {
      {"0 128 clone meta dest src", "22 Invalid number of arguments"},
      {"0 128 clone nosuch dest src 8", "19 Error opening metadata device"},
      {"0 128 clone meta nosuch src 8", "19 Error opening destination device"},
      {"0 128 clone meta dest nosuch 8", "19 Error opening source device"},
      {"0 200 clone meta dest src 8", "22 Device size larger than destination device"},
      {"0 128 clone dest meta src 8", "22 Device size larger than destination device"},
      {"0 128 clone src dest meta 8", "22 Device size larger than source device"},
      {"0 128 clone meta dest src 4", "22 Invalid region size"},
      {"0 128 clone meta dest src 8x", "22 Invalid region size"},
      {"0 128 clone meta dest src 4194304", "22 Invalid region size"},
      {"0 128 clone meta dest src 24", "22 Region size is not a power of 2"},
      {"0 128 clone meta dest src 8 3 a b c", "22 Invalid number of feature arguments"},
      {"0 128 clone meta dest src 8 2 no_hydration", "22 Invalid number of feature arguments"},
      {"0 128 clone meta dest src 8 1 fast", "22 Invalid feature argument"},
      {"0 128 clone meta dest src 8 0 5 a", "22 Invalid number of core arguments"},
      {"0 128 clone meta dest src 8 0 1 a", "22 Number of core arguments must be even"},
      {"0 128 clone meta dest src 8 0 2 a 1", "22 Invalid core argument"},
      {"0 128 clone meta dest src 8 0 2 hydration_threshold x",
       "22 Invalid value for argument `hydration_threshold'"},
      {"0 128 clone meta dest src 8 0 2 hydration_batch_size -1",
       "22 Invalid value for argument `hydration_batch_size'"},
  };
  for (const auto& [table, words] : refusals) {
    CloneRig rig;
    EXPECT_EQ(rig.load(table), words) << table;
  }
}

TEST(CloneTableLine, a_region_smaller_than_a_logical_block_is_refused) {
  CloneRig rig;
  rig.src.shape.logical_block_sectors = 16;
  EXPECT_EQ(rig.load(CloneRig::kTable), "22 Region size is not a multiple of device logical block size");
}

TEST(CloneTableLine, metadata_that_are_not_metadata_are_refused) {
  CloneRig rig;
  std::memset(rig.meta.sector(0), 1, kSectorBytes);
  EXPECT_EQ(rig.load(CloneRig::kTable), "84 Failed to load metadata");
}

TEST(CloneTableLine, metadata_of_another_region_size_are_refused) {
  CloneRig rig;
  rig.boot();
  EXPECT_EQ(rig.load("0 128 clone meta dest src 16"), "22 Failed to load metadata");
}

TEST(CloneTableLine, is_printed_as_it_was_given) {
  const char* const tables[] = {CloneRig::kTable, CloneRig::kIdle,
                                "0 128 clone meta dest src 8 1 NO_hydration 2 hydration_threshold 7"};
  for (const char* table : tables) {
    CloneRig rig;
    rig.boot(table);
    EXPECT_EQ(rig.dm->table("lv", TableSlot::kLive).value(), table);
  }
}

TEST(CloneMessages, are_those_of_linux) {
  CloneRig rig;
  rig.boot(CloneRig::kIdle);
  EXPECT_EQ(rig.message("hydration_threshold 5"), 0);
  EXPECT_EQ(rig.message("Hydration_Batch_Size 3"), 0);
  EXPECT_EQ(rig.status(), "0 128 clone 8 4/8 8 0/16 0 1 no_hydration 4 hydration_threshold 5 "
                          "hydration_batch_size 3 rw");
  for (const char* wrong : {"hydration_threshold", "hydration_threshold x", "hydration_threshold 1 2",
                            "hydrate", "hydrate 1"}) {
    EXPECT_EQ(rig.message(wrong), 22) << wrong;
  }
  EXPECT_EQ(rig.message("ENABLE_hydration"), 0);
  rig.settle();
  EXPECT_EQ(rig.hydrated(), std::string(16, '1'));
}

TEST(CloneMessages, hydration_can_be_stopped_and_goes_on_later) {
  CloneRig rig;
  rig.src.hold = true;
  rig.boot();
  EXPECT_EQ(rig.message("disable_hydration"), 0);
  rig.src.hold = false;
  rig.src.release_all();
  rig.settle();
  EXPECT_EQ(rig.hydrated(), "1" + std::string(15, '0'));
  EXPECT_EQ(rig.message("enable_hydration"), 0);
  rig.settle();
  EXPECT_EQ(rig.hydrated(), std::string(16, '1'));
}

TEST(CloneMessages, a_threshold_of_zero_stops_hydration_until_it_is_raised) {
  CloneRig rig;
  rig.boot("0 128 clone meta dest src 8 0 2 hydration_threshold 0");
  rig.commit_period();
  EXPECT_EQ(rig.hydrated(), std::string(16, '0'));
  EXPECT_EQ(rig.message("hydration_threshold 1"), 0);
  rig.settle();
  EXPECT_EQ(rig.hydrated(), std::string(16, '1'));
}

}  // namespace
}  // namespace dmsim::native
