// When a clone writes its metadata, what a commit contains, and who waits for one.
#include "engine/native/clone/clone_set.h"

#include "engine/native/clone/clone_test_rig.h"

namespace dmsim::native {
namespace {

constexpr std::byte kNew{0xAB};     // written by a user
const std::string kNone(16, '0');

TEST(CloneCommit, a_flush_commits_what_is_hydrated_before_it_ends) {
  CloneRig rig;
  rig.boot(CloneRig::kIdle);
  rig.write(8, 8);
  EXPECT_EQ(rig.on_disk(), kNone);
  rig.meta.log.clear();
  TestBio& flush = rig.flush();
  EXPECT_TRUE(ended_well(flush));
  EXPECT_EQ(rig.on_disk(), "01" + std::string(14, '0'));
  // Bitmap and superblock of the other slot; the destination is flushed once.
  EXPECT_EQ(rig.meta.log, (std::vector<std::string>{"W24+8", "F", "W8+8", "F"}));
  EXPECT_EQ(std::count(rig.dest.log.begin(), rig.dest.log.end(), "F"), 1);
}

TEST(CloneCommit, the_destination_is_flushed_before_the_metadata_are_written) {
  CloneRig rig;
  rig.boot(CloneRig::kIdle);
  rig.write(8, 8);
  rig.meta.log.clear();
  rig.dest.hold = true;
  TestBio& flush = rig.flush();
  EXPECT_EQ(rig.dest.held.size(), 1u);
  EXPECT_TRUE(rig.meta.log.empty());
  EXPECT_FALSE(flush.done);
  rig.dest.hold = false;
  rig.dest.release_all();
  rig.settle();
  EXPECT_TRUE(ended_well(flush));
}

// A region is hydrated while the destination is being flushed for another.
std::string committed_across_a_flush(SwitchValues switches) {
  CloneRig rig(std::move(switches));
  rig.boot(CloneRig::kIdle);
  rig.write(8, 8);
  rig.dest.hold = true;
  rig.flush();
  EXPECT_EQ(rig.dest.log.back(), "F");
  rig.write(24, 8);
  EXPECT_EQ(rig.dest.held.size(), 2u);
  std::swap(rig.dest.held[0], rig.dest.held[1]);
  rig.dest.release();  // the write
  rig.settle();
  EXPECT_EQ(rig.hydrated(), "0101" + std::string(12, '0'));
  rig.dest.hold = false;
  rig.dest.release_all();
  rig.settle();
  return rig.on_disk();
}

TEST(CloneCommit, a_commit_contains_what_was_hydrated_before_its_flush_and_nothing_else) {
  EXPECT_EQ(committed_across_a_flush({}), "01" + std::string(14, '0'));
}

TEST(CloneCommit, one_phase_takes_what_comes_during_the_flush) {
  EXPECT_EQ(committed_across_a_flush({{"clone.phase", "one"}}), "0101" + std::string(12, '0'));
}

TEST(CloneCommit, word_tracking_takes_it_along_in_its_word) {
  EXPECT_EQ(committed_across_a_flush({{"clone.track", "word"}}), "0101" + std::string(12, '0'));
}

TEST(CloneCommit, what_a_commit_left_out_is_in_the_next) {
  CloneRig rig;
  rig.boot(CloneRig::kIdle);
  for (Sector sector : {8u, 24u, 40u}) {
    rig.write(sector, 8);
    EXPECT_TRUE(ended_well(rig.flush()));
    EXPECT_EQ(rig.on_disk(), rig.hydrated());
  }
}

TEST(CloneCommit, a_flush_with_nothing_to_commit_goes_to_the_destination) {
  CloneRig rig;
  rig.boot(CloneRig::kIdle);
  rig.meta.log.clear();
  EXPECT_TRUE(ended_well(rig.flush()));
  EXPECT_EQ(rig.dest.log, (std::vector<std::string>{"F"}));
  EXPECT_TRUE(rig.meta.log.empty());
}

TEST(CloneCommit, a_flush_that_another_commit_served_is_still_passed_down) {
  CloneRig rig;
  rig.boot(CloneRig::kIdle);
  rig.write(8, 8);
  rig.dest.hold = true;
  std::string status;
  rig.run([&] { status = rig.dm->status("lv").value(); });  // commits, and is held in its flush
  ASSERT_EQ(rig.dest.held.size(), 1u);
  TestBio& flush = rig.flush();
  rig.dest.hold = false;
  rig.dest.release_all();
  rig.settle();
  EXPECT_TRUE(ended_well(flush));
  EXPECT_EQ(std::count(rig.dest.log.begin(), rig.dest.log.end(), "F"), 2);
}

TEST(CloneCommit, a_fua_write_of_a_whole_region_ends_when_the_metadata_know_of_it) {
  CloneRig rig;
  rig.boot(CloneRig::kIdle);
  rig.meta.hold = true;
  TestBio& write = rig.send(Op::kWrite, 8, 8, kNew, true);
  EXPECT_TRUE(asked(rig.dest, "W8+8!"));
  EXPECT_FALSE(write.done);
  rig.meta.hold = false;
  rig.meta.release_all();
  rig.settle();
  EXPECT_TRUE(ended_well(write));
  EXPECT_EQ(rig.on_disk(), "01" + std::string(14, '0'));
}

TEST(CloneCommit, with_overwrite_fua_ack_it_does_not_wait) {
  CloneRig rig(SwitchValues{{"clone.overwrite_fua", "ack"}});
  rig.boot(CloneRig::kIdle);
  EXPECT_TRUE(ended_well(rig.send(Op::kWrite, 8, 8, kNew, true)));
  EXPECT_EQ(rig.on_disk(), kNone);
}

TEST(CloneCommit, forgotten_below_it_waits_only_if_the_destination_has_a_cache) {
  for (const bool cache : {false, true}) {
    CloneRig rig(SwitchValues{{"clone.overwrite_fua", "forgotten-below"}});
    rig.dest.shape.volatile_cache = cache;
    rig.boot(CloneRig::kIdle);
    EXPECT_TRUE(ended_well(rig.send(Op::kWrite, 8, 8, kNew, true)));
    EXPECT_EQ(rig.on_disk(), cache ? "01" + std::string(14, '0') : kNone);
  }
}

TEST(CloneCommit, a_fua_write_to_a_part_of_a_region_follows_copy_and_commit) {
  CloneRig rig;
  rig.boot(CloneRig::kIdle);
  TestBio& write = rig.send(Op::kWrite, 10, 1, kNew, true);
  EXPECT_TRUE(ended_well(write));
  EXPECT_EQ(rig.dest.log, (std::vector<std::string>{"W8+8", "F", "W10+1!"}));
  EXPECT_EQ(rig.on_disk(), "01" + std::string(14, '0'));
}

}  // namespace
}  // namespace dmsim::native
