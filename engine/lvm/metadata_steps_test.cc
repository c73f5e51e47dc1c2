#include "engine/lvm/metadata_steps.h"

#include <gtest/gtest.h>

#include "engine/lvm/lvm_test_rig.h"

namespace dmsim::lvm {
namespace {

// Begins a change of the group on both volumes, and leaves out what comes after `writes` writes.
std::uint64_t sequence_after(std::uint64_t writes, bool flush = true) {
  LvmRig rig(SwitchValues{{"lvm.metadata_flush", flush ? "on" : "off"}});
  rig.start("lvm", [&](Session& session) {
    MetadataSteps steps = session.metadata("vg0");
    Result<VolumeGroup> group = steps.read();
    CHECK(group.ok(), group.ok() ? "" : group.error().to_string());
    ++group->sequence;
    // One after the other: on pv0, then on pv1.
    std::uint64_t left = writes;
    for (auto* disk : {rig.disks["pv0"].get(), rig.disks["pv1"].get()}) disk->writes_that_work = 0;
    const auto give = [&](std::uint64_t each) {
      for (auto* disk : {rig.disks["pv0"].get(), rig.disks["pv1"].get()}) {
        const std::uint64_t now = std::min(left, each);
        disk->writes_that_work += now;
        left -= now;
      }
    };
    give(1);
    if (!steps.write(*group, "test")) return;
    give(1);
    if (!steps.precommit()) return;
    give(1);
    steps.commit();
  });
  rig.run();
  EXPECT_EQ(rig.disks["pv0"]->flushes > 0, flush && writes > 0);
  return rig.committed().sequence;
}

TEST(MetadataSteps, nothing_counts_before_the_first_commit_and_everything_after_it) {
  for (std::uint64_t writes = 0; writes < 5; ++writes) EXPECT_EQ(sequence_after(writes), 7u) << writes;
  EXPECT_EQ(sequence_after(5), 8u);
  EXPECT_EQ(sequence_after(6), 8u);
}

TEST(MetadataSteps, lvm2_flushes_nothing) { EXPECT_EQ(sequence_after(6, false), 8u); }

TEST(MetadataSteps, the_group_lives_on_the_volume_that_is_left) {
  LvmRig rig;
  bool ok = false;
  rig.start("lvm", [&](Session& session) {
    MetadataSteps steps = session.metadata("vg0");
    Result<VolumeGroup> group = steps.read();
    ++group->sequence;
    rig.disks["pv0"]->dead = true;
    ok = steps.write(*group, "test") && steps.precommit() && steps.commit();
    rig.disks["pv1"]->dead = true;
    EXPECT_FALSE(steps.write(*group, "test"));
    rig.disks["pv0"]->dead = rig.disks["pv1"]->dead = false;
  });
  rig.run();
  EXPECT_TRUE(ok);
  // pv0 is back with what it held: the newer one counts.
  EXPECT_EQ(rig.committed().sequence, 8u);
}

TEST(MetadataSteps, what_is_reverted_was_never_there) {
  LvmRig rig;
  rig.start("lvm", [&](Session& session) {
    MetadataSteps steps = session.metadata("vg0");
    Result<VolumeGroup> group = steps.read();
    ++group->sequence;
    EXPECT_TRUE(steps.write(*group, "test") && steps.precommit());
    EXPECT_NE(steps.volumes()[0].header.precommitted, TextSlot());
    steps.revert();
    EXPECT_EQ(steps.volumes()[0].header.precommitted, TextSlot());
  });
  rig.run();
  EXPECT_EQ(rig.committed().sequence, 7u);
}

TEST(MetadataSteps, disks_without_a_label_hold_no_group) {
  LvmRig rig;
  std::memset(rig.disks["pv0"]->at(0), 0, 8192);
  std::memset(rig.disks["pv1"]->at(0), 0, 8192);
  std::string why;
  rig.start("lvm", [&](Session& session) { why = session.metadata("vg0").read().error().to_string(); });
  rig.run();
  EXPECT_EQ(why, "pv1: at byte 512: there is no label of a physical volume");
}

// pv1 becomes another group's, whose metadata are newer.
TEST(MetadataSteps, another_groups_disks_are_read_and_left_alone) {
  LvmRig rig;
  VolumeGroup other = test_group();
  other.name = "other";
  other.sequence = 100;
  other.physical_volumes[1].id = make_id("another pv1");
  for (const SectorWrite& part : fresh_volume(other, other.physical_volumes[1], {})) {
    std::memcpy(rig.disks["pv1"]->at(part.first), part.bytes.data(), part.bytes.size());
  }
  rig.start("lvm", [&](Session& session) {
    MetadataSteps steps = session.metadata("vg0");
    Result<VolumeGroup> group = steps.read();
    ASSERT_TRUE(group.ok()) << group.error().to_string();
    EXPECT_EQ(group->name, "vg0");
    EXPECT_EQ(group->sequence, 7u);
    ++group->sequence;
    EXPECT_TRUE(steps.write(*group, "test") && steps.precommit() && steps.commit());
    EXPECT_EQ(session.metadata("other").read()->sequence, 100u);
    EXPECT_EQ(session.metadata("third").read().error().to_string(), "pv1: it belongs to volume group 'other'");
  });
  rig.run();
  EXPECT_EQ(rig.committed().sequence, 8u);
}

// Its text cannot be read, so its label must tell.
TEST(MetadataSteps, a_disk_whose_text_is_torn_is_taken_for_no_other_groups) {
  for (const bool own : {true, false}) {
    LvmRig rig;
    VolumeGroup group = test_group();
    if (!own) group.physical_volumes[1].id = make_id("another pv1");
    for (const SectorWrite& part : fresh_volume(group, group.physical_volumes[1], {})) {
      std::memcpy(rig.disks["pv1"]->at(part.first), part.bytes.data(), part.bytes.size());
    }
    std::memset(rig.disks["pv1"]->at(9), 'x', 16);  // the text begins behind the area's header
    rig.start("lvm", [&](Session& session) {
      MetadataSteps steps = session.metadata("vg0");
      ASSERT_TRUE(steps.read().ok());
      EXPECT_TRUE(steps.volumes()[0].usable);
      EXPECT_EQ(steps.volumes()[1].usable, own);
    });
    rig.run();
  }
}

}  // namespace
}  // namespace dmsim::lvm
