// The clone on disks that obey the test: who is copied when, who waits for whom, what a failure does.
#include "engine/native/clone/clone_set.h"

#include "engine/native/clone/clone_test_rig.h"

namespace dmsim::native {
namespace {

constexpr std::byte kOld{0x50};     // on the source
constexpr std::byte kNew{0xAB};     // written by a user
const std::string kAll(16, '1');
const std::string kNone(16, '0');

TEST(Clone, a_read_goes_to_the_source_until_its_region_is_hydrated) {
  CloneRig rig;
  rig.boot(CloneRig::kIdle);
  EXPECT_EQ(rig.read(9), kOld);
  EXPECT_TRUE(asked(rig.src, "R9+1"));
  EXPECT_FALSE(asked(rig.dest, "R9+1"));
  EXPECT_EQ(rig.hydrated(), kNone);
}

TEST(Clone, the_background_copies_everything_and_says_so) {
  CloneRig rig;
  rig.boot();
  rig.settle();
  EXPECT_EQ(rig.hydrated(), kAll);
  EXPECT_EQ(*rig.dest.sector(127), kOld);
  EXPECT_EQ(rig.read(127), kOld);
  EXPECT_TRUE(asked(rig.dest, "R127+1"));
  EXPECT_EQ(rig.on_disk(), kNone);
  rig.commit_period();
  EXPECT_EQ(rig.on_disk(), kAll);
  EXPECT_TRUE(rig.leaks().empty());
}

TEST(Clone, the_background_copies_as_much_at_once_as_threshold_and_batch_size_allow) {
  CloneRig rig;
  rig.src.hold = true;
  rig.boot("0 128 clone meta dest src 8 0 4 hydration_threshold 4 hydration_batch_size 2");
  EXPECT_EQ(rig.src.held.size(), 2u);  // two batches of two
  EXPECT_TRUE(asked(rig.src, "R0+16"));
  EXPECT_TRUE(asked(rig.src, "R16+16"));
  EXPECT_EQ(rig.status(), "0 128 clone 8 4/8 8 0/16 4 0 4 hydration_threshold 4 hydration_batch_size 2 rw");
  rig.src.hold = false;
  rig.src.release_all();
  rig.settle();
  EXPECT_EQ(rig.hydrated(), kAll);
}

TEST(Clone, the_background_waits_while_users_are_at_work) {
  CloneRig rig;
  rig.src.hold = true;
  rig.boot();
  ASSERT_EQ(rig.src.held.size(), 1u);
  rig.send(Op::kRead, 100, 1);
  rig.src.release();  // the first region's copy goes on
  rig.settle();
  EXPECT_EQ(rig.hydrated(), "1" + std::string(15, '0'));
  EXPECT_EQ(rig.src.held.size(), 1u) << "only the user's read";
  rig.src.hold = false;
  rig.src.release_all();
  rig.commit_period();  // the timer starts it again
  EXPECT_EQ(rig.hydrated(), kAll);
}

TEST(Clone, a_write_to_a_part_of_a_region_copies_it_first) {
  CloneRig rig;
  rig.boot(CloneRig::kIdle);
  rig.src.hold = true;
  TestBio& write = rig.write(10, 2);
  EXPECT_TRUE(asked(rig.src, "R8+8"));
  EXPECT_FALSE(asked(rig.dest, "W10+2"));
  rig.src.hold = false;
  rig.src.release_all();
  rig.settle();
  EXPECT_TRUE(ended_well(write));
  EXPECT_EQ(rig.dest.log, (std::vector<std::string>{"W8+8", "W10+2"}));
  EXPECT_EQ(rig.read(9), kOld);
  EXPECT_EQ(rig.read(10), kNew);
  EXPECT_EQ(rig.hydrated(), "01" + std::string(14, '0'));
}

TEST(Clone, writes_to_a_region_that_is_being_copied_wait_for_that_copy) {
  CloneRig rig;
  rig.boot(CloneRig::kIdle);
  rig.src.hold = true;
  TestBio& first = rig.write(10, 1);
  TestBio& second = rig.write(12, 1);
  TestBio& whole = rig.write(8, 8, std::byte{0xCC});
  EXPECT_EQ(rig.src.held.size(), 1u);
  rig.src.hold = false;
  rig.src.release_all();
  rig.settle();
  EXPECT_TRUE(ended_well(first) && ended_well(second) && ended_well(whole));
  EXPECT_EQ(rig.dest.log, (std::vector<std::string>{"W8+8", "W10+1", "W12+1", "W8+8"}));
}

TEST(Clone, a_write_of_a_whole_region_is_its_own_hydration) {
  CloneRig rig;
  rig.boot(CloneRig::kIdle);
  EXPECT_TRUE(ended_well(rig.write(16, 8)));
  EXPECT_TRUE(rig.src.log.empty());
  EXPECT_EQ(rig.hydrated(), "001" + std::string(13, '0'));
  EXPECT_EQ(rig.read(20), kNew);
}

TEST(Clone, a_write_across_regions_is_cut_at_their_borders) {
  CloneRig rig;
  rig.boot(CloneRig::kIdle);
  EXPECT_TRUE(ended_well(rig.write(4, 16)));
  EXPECT_EQ(rig.hydrated(), "111" + std::string(13, '0'));
  EXPECT_TRUE(asked(rig.src, "R0+8"));
  EXPECT_FALSE(asked(rig.src, "R8+8"));
  EXPECT_TRUE(asked(rig.src, "R16+8"));
}

TEST(Clone, the_last_region_may_be_short_and_is_never_taken_for_overwritten) {
  CloneRig rig;
  rig.boot("0 124 clone meta dest src 8 1 no_hydration");
  EXPECT_TRUE(ended_well(rig.write(120, 4)));
  EXPECT_TRUE(asked(rig.src, "R120+4"));
  EXPECT_EQ(rig.hydrated(), std::string(15, '0') + "1");
}

TEST(Clone, a_suspend_waits_for_copies_and_commits) {
  CloneRig rig;
  rig.src.hold = true;
  rig.boot();
  EXPECT_FALSE(rig.suspend());
  rig.src.hold = false;
  rig.src.release_all();
  rig.settle();
  EXPECT_EQ(rig.on_disk(), "1" + std::string(15, '0'));
  EXPECT_TRUE(rig.resume());
  rig.settle();
  EXPECT_EQ(rig.hydrated(), kAll);
}

TEST(Clone, a_second_table_goes_on_where_the_first_one_stopped) {
  CloneRig rig;
  rig.boot(CloneRig::kIdle);
  ASSERT_EQ(rig.load(CloneRig::kIdle), "");
  rig.write(8, 8);  // after the load
  ASSERT_TRUE(rig.resume());
  EXPECT_EQ(rig.hydrated(), "01" + std::string(14, '0'));
  EXPECT_EQ(rig.read(8), kNew);
}

// When the second table has read both superblocks the first one commits twice, so that it gets the superblocks of one
// moment and the bitmaps of another.
TEST(Clone, a_load_reads_anew_when_the_table_at_work_commits_under_it) {
  CloneRig rig;
  rig.boot(CloneRig::kIdle);
  rig.write(8, 8);
  ASSERT_TRUE(ended_well(rig.flush()));
  rig.meta.hold = true;
  bool loaded = false;
  EXPECT_FALSE(rig.run([&] { loaded = rig.dm->load("lv", CloneRig::kIdle).ok(); }));
  for (int superblock = 0; superblock < 2; ++superblock) {
    ASSERT_EQ(rig.meta.held.size(), 1u);
    rig.meta.release();
    rig.settle();
  }
  ASSERT_EQ(rig.meta.held.size(), 1u);
  Bio* const bitmap = rig.meta.held.front();
  rig.meta.held.clear();
  rig.meta.hold = false;
  for (const Sector sector : {16u, 24u}) {
    rig.write(sector, 8);
    ASSERT_TRUE(ended_well(rig.flush()));
  }
  const std::size_t reads = rig.meta.log.size();
  rig.meta.held.push_back(bitmap);
  rig.meta.release();
  rig.settle();
  EXPECT_TRUE(loaded);
  EXPECT_EQ(rig.meta.log.size(), reads + 1 + 4) << "the other bitmap, and all of it once more";
  ASSERT_TRUE(rig.resume());
  EXPECT_EQ(rig.hydrated(), "0111" + std::string(12, '0'));
}

TEST(Clone, with_metadata_load_at_load_it_knows_nothing_of_what_came_after) {
  CloneRig rig(SwitchValues{{"clone.metadata_load", "load"}});
  rig.boot(CloneRig::kIdle);
  ASSERT_EQ(rig.load(CloneRig::kIdle), "");
  rig.write(8, 8);
  ASSERT_TRUE(rig.resume());
  EXPECT_EQ(rig.read(8), kOld);
}

TEST(Clone, a_discard_hydrates_whole_regions_and_leaves_parts_alone) {
  CloneRig rig;
  rig.boot(CloneRig::kIdle);
  EXPECT_TRUE(ended_well(rig.send(Op::kDiscard, 4, 28)));
  EXPECT_EQ(rig.hydrated(), "0111" + std::string(12, '0'));
  EXPECT_TRUE(asked(rig.dest, "D8+24"));
  EXPECT_TRUE(ended_well(rig.send(Op::kDiscard, 97, 6)));
  EXPECT_EQ(std::count_if(rig.dest.log.begin(), rig.dest.log.end(),
                          [](const std::string& each) { return each[0] == 'D'; }),
            1);
}

TEST(Clone, without_passdown_a_discard_stays_above) {
  for (const bool by_feature : {true, false}) {
    CloneRig rig;
    rig.dest.shape.discard = by_feature;
    rig.boot(by_feature ? "0 128 clone meta dest src 8 2 no_hydration no_discard_passdown"
                        : CloneRig::kIdle);
    EXPECT_TRUE(ended_well(rig.send(Op::kDiscard, 0, 16)));
    EXPECT_EQ(rig.hydrated(), "11" + std::string(14, '0'));
    EXPECT_FALSE(asked(rig.dest, "D0+16"));
    EXPECT_EQ(rig.status(), "0 128 clone 8 4/8 8 2/16 0 2 no_hydration no_discard_passdown 4 "
                            "hydration_threshold 1 hydration_batch_size 1 rw");
  }
}

// A copy of region 1 is under way; the user discards the region and then writes to it.
std::byte after_discard_and_write(SwitchValues switches) {
  CloneRig rig(std::move(switches));
  rig.boot(CloneRig::kIdle);
  rig.dest.hold = true;
  rig.write(9, 1, std::byte{0xEE});  // brings the copy about
  TestBio& discard = rig.send(Op::kDiscard, 8, 8);
  if (!discard.done && rig.dest.log.back() == "D8+8") {
    std::swap(rig.dest.held[0], rig.dest.held[1]);
    rig.dest.release();
    rig.settle();
  }
  if (!discard.done) {  // it waits for the copy
    rig.dest.hold = false;
    rig.dest.release_all();
    rig.settle();
    EXPECT_TRUE(ended_well(discard));
  }
  rig.write(12, 1);
  if (rig.dest.hold) {
    std::swap(rig.dest.held[0], rig.dest.held[1]);
    rig.dest.release();  // the write, then the copy lands
    rig.dest.hold = false;
    rig.dest.release_all();
    rig.settle();
  }
  return *rig.dest.sector(12);
}

TEST(Clone, a_discard_waits_for_a_copy_of_its_region) {
  EXPECT_EQ(after_discard_and_write({}), kNew);
}

TEST(Clone, with_discard_waits_off_the_copy_lands_on_what_was_written_after_it) {
  EXPECT_EQ(after_discard_and_write({{"clone.discard_waits", "off"}}), kOld);
}

TEST(Clone, a_copy_that_fails_fails_the_write_that_wanted_it_and_can_be_tried_again) {
  CloneRig rig;
  rig.boot(CloneRig::kIdle);
  rig.src.answers = {kInjected};
  TestBio& write = rig.write(9, 1);
  EXPECT_TRUE(ended_in_error(write));
  EXPECT_TRUE(write.bio.status.injected);
  EXPECT_EQ(rig.hydrated(), kNone);
  EXPECT_TRUE(ended_well(rig.write(9, 1)));
  EXPECT_TRUE(rig.leaks().empty());
}

TEST(Clone, a_failed_write_of_metadata_makes_it_read_only_as_the_disk_says) {
  CloneRig rig;
  rig.boot(CloneRig::kIdle);
  rig.write(8, 8);
  ASSERT_TRUE(ended_well(rig.flush()));
  rig.write(16, 8);
  rig.meta.answers = {kInjected};
  EXPECT_TRUE(ended_in_error(rig.flush()));
  EXPECT_EQ(rig.hydrated(), "01" + std::string(14, '0'));
  EXPECT_TRUE(rig.status().ends_with(" ro"));
  EXPECT_EQ(rig.read(16), kOld) << "as after a power cut";
  EXPECT_TRUE(ended_in_error(rig.write(16, 8)));
  EXPECT_TRUE(ended_well(rig.write(8, 8))) << "a hydrated region can be written to";
  EXPECT_TRUE(ended_in_error(rig.flush()));
}

TEST(Clone, a_destination_that_fails_to_flush_makes_it_read_only) {
  CloneRig rig;
  rig.boot(CloneRig::kIdle);
  rig.write(8, 8);
  rig.dest.answers = {kInjected};
  TestBio& flush = rig.flush();
  EXPECT_TRUE(ended_in_error(flush));
  EXPECT_TRUE(flush.bio.status.injected);
  EXPECT_EQ(rig.on_disk(), kNone);
  EXPECT_TRUE(rig.status().ends_with(" ro"));
}

TEST(Clone, metadata_that_cannot_even_be_read_fail_it_for_good) {
  CloneRig rig;
  rig.boot(CloneRig::kIdle);
  rig.write(8, 8);
  rig.meta.answers = {kInjected, kInjected};
  EXPECT_TRUE(ended_in_error(rig.flush()));
  EXPECT_EQ(rig.status(), "0 128 clone Fail");
  EXPECT_TRUE(ended_in_error(rig.send(Op::kRead, 0, 1)));
}

TEST(Clone, a_change_of_mode_and_the_end_of_hydration_are_events) {
  CloneRig rig;
  rig.boot();
  EXPECT_EQ(rig.dm->event_number("lv").value(), 0u);
  rig.commit_period();
  EXPECT_EQ(rig.dm->event_number("lv").value(), 1u);
  CloneRig failing;
  failing.boot(CloneRig::kIdle);
  failing.write(8, 8);
  failing.meta.answers = {kInjected};
  failing.flush();
  EXPECT_EQ(failing.dm->event_number("lv").value(), 1u);
}

}  // namespace
}  // namespace dmsim::native
