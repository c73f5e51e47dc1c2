// The steps of a move, ioctl by ioctl, over a device-mapper that only takes notes.
#include "engine/lvm/pvmove.h"

#include <gtest/gtest.h>

#include "engine/lvm/lvm_test_rig.h"

namespace dmsim::lvm {
namespace {

using Lines = std::vector<std::string>;

VolumeGroup two_volumes() {
  VolumeGroup group = test_group();
  group.logical_volumes = {test_logical("data", {striped(0, 4, "pv0", 0)}),
                           test_logical("home", {striped(0, 3, "pv0", 4)})};
  return group;
}

const MoveOptions kOptions{Duration::milliseconds(1), Duration::milliseconds(20), false};
constexpr const char* kCopied = "0 32 mirror 2 pv0 pv1 4/4 1 AA 1 core";

// The log from the line that begins with `from` up to the first that begins with `to`.
Lines between(const Lines& log, const std::string& from, const std::string& to) {
  const auto starts = [](const std::string& prefix) {
    return [&prefix](const std::string& line) { return line.rfind(prefix, 0) == 0; };
  };
  const auto begin = std::find_if(log.begin(), log.end(), starts(from));
  const auto end = std::find_if(begin, log.end(), starts(to));
  return Lines(begin, end == log.end() ? end : end + 1);
}

struct Move {
  explicit Move(const SwitchValues& switches = SwitchValues(), bool atomic = false) : rig(switches, two_volumes()) {
    rig.mapper.statuses["vg0-pvmove0"] = kCopied;
    rig.start("pvmove", [this, atomic](Session& session) {
      result = move_extents(session, "vg0", {"pv0", {"pv1"}, "", atomic}, options);
    });
  }
  std::size_t at(const std::string& line) const {
    const Lines& log = rig.mapper.log;
    return static_cast<std::size_t>(std::find(log.begin(), log.end(), line) - log.begin());
  }
  bool has(const std::string& line) const { return at(line) < rig.mapper.log.size(); }
  LvmRig rig;
  MoveOptions options = kOptions;
  MoveResult result{{"did not run", {}}, false, false};
};

TEST(Pvmove, the_new_mirror_lives_when_the_volumes_above_it_are_suspended) {
  Move move;
  move.rig.run();
  EXPECT_EQ(move.result.command.failure, "");
  EXPECT_EQ(between(move.rig.mapper.log, "create", "resume vg0-home"),
            (Lines{"create vg0-pvmove0", "load vg0-pvmove0", "load vg0-data", "load vg0-home",
                   "suspend vg0-home skip-lockfs", "suspend vg0-data skip-lockfs", "resume vg0-pvmove0",
                   "resume vg0-data", "resume vg0-home"}));
}

TEST(Pvmove, in_the_end_volumes_have_new_extents_and_nothing_is_left_of_the_mirror) {
  Move move;
  move.rig.run();
  EXPECT_EQ(move.rig.mapper.live["vg0-data"], "0 32 linear pv1 128");
  EXPECT_EQ(move.rig.mapper.live["vg0-home"], "0 24 linear pv1 160");
  EXPECT_EQ(move.rig.mapper.live.count("vg0-pvmove0"), 0u);
  EXPECT_EQ(move.rig.committed().logical("pvmove0"), nullptr);
  EXPECT_EQ(move.rig.committed().logical("data")->segments[0].areas[0].volume, "pv1");
  // begin, one checkpoint, finish, removal.
  EXPECT_EQ(move.rig.committed().sequence, 11u);
}

TEST(Pvmove, switches_change_the_order_of_ioctls) {
  Move at_once(SwitchValues{{"pvmove.mirror_resume", "at-once"}});
  at_once.rig.run();
  EXPECT_LT(at_once.at("resume vg0-pvmove0"), at_once.at("suspend vg0-home skip-lockfs"));
  Move lower_first(SwitchValues{{"pvmove.suspend_order", "lower-first"}});
  lower_first.rig.run();
  const Lines later = between(lower_first.rig.mapper.log, "suspend vg0-pvmove0", "suspend vg0-home");
  EXPECT_EQ(later.size(), 3u);
  Move first_tree(SwitchValues{{"pvmove.suspended", "first-tree"}});
  first_tree.rig.run();
  EXPECT_FALSE(first_tree.has("suspend vg0-home skip-lockfs"));
  Move noflush(SwitchValues{{"pvmove.flush", "off"}});
  noflush.rig.run();
  EXPECT_TRUE(noflush.has("suspend vg0-home noflush skip-lockfs"));
}

TEST(Pvmove, without_checkpoints_the_metadata_change_less_often) {
  Move move(SwitchValues{{"pvmove.checkpoint", "none"}});
  move.rig.run();
  EXPECT_EQ(move.result.command.failure, "");
  EXPECT_EQ(move.rig.committed().sequence, 10u);
}

// Tables that stay are loaded once more, at the checkpoint, for whoever does not know of the cache below.
TEST(Pvmove, what_stands_above_a_change_is_loaded_anew_when_it_knows_of_no_cache) {
  const auto loads = [](const SwitchValues& switches, bool cache) {
    Move move(switches);
    move.rig.disks["pv1"]->volatile_cache = cache;
    move.rig.run();
    EXPECT_EQ(move.result.command.failure, "");
    return std::count(move.rig.mapper.log.begin(), move.rig.mapper.log.end(), "load vg0-data");
  };
  EXPECT_EQ(loads({}, true), 3);
  EXPECT_EQ(loads({}, false), 2);
  EXPECT_EQ(loads({{"pvmove.reload", "what-differs"}}, true), 2);
}

TEST(Pvmove, what_fails_before_the_commit_is_taken_back) {
  Move move;
  move.options.refuse_mirror = true;
  const auto live = move.rig.mapper.live;
  move.rig.run();
  EXPECT_EQ(move.result.command.failure, "load of vg0-pvmove0 failed with errno 22: unknown target type");
  EXPECT_EQ(move.rig.mapper.live, live);
  EXPECT_EQ(move.rig.committed().sequence, 7u);
  Move midway(SwitchValues{{"pvmove.mirror_creation", "after-commit"}});
  midway.options.refuse_mirror = true;
  midway.rig.run();
  EXPECT_EQ(midway.rig.committed().sequence, 8u);
  EXPECT_EQ(midway.rig.administration.suspensions().size(), 2u);
}

TEST(Pvmove, an_image_in_trouble_aborts_the_move_after_a_retreat) {
  Move move;
  move.rig.mapper.statuses["vg0-pvmove0"] = "0 32 mirror 2 pv0 pv1 2/4 1 AD 1 core";
  move.rig.run();
  EXPECT_TRUE(move.result.aborted);
  EXPECT_EQ(move.result.command.failure, "");
  EXPECT_LT(move.at("suspend vg0-pvmove0 noflush skip-lockfs"), move.at("remove vg0-pvmove0"));
  EXPECT_EQ(move.rig.mapper.live["vg0-data"], "0 32 linear pv0 128");
  EXPECT_EQ(move.rig.committed().logical("pvmove0"), nullptr);
}

// The last suspend waits for a write that the move's mirror holds.
TEST(Pvmove, a_mirror_that_holds_writes_is_taken_out_of_the_way_while_a_suspend_waits_for_them) {
  Move move;
  bool waited = false;
  move.rig.mapper.during = [&](const std::string& verb) {
    if (verb != "suspend vg0-data skip-lockfs" || !move.has("resume vg0-data") || waited) return;
    waited = true;
    move.rig.mapper.statuses["vg0-pvmove0"] = "0 32 mirror 2 pv0 pv1 4/4 1 AD 1 core";
    while (!move.has("suspend vg0-pvmove0 noflush skip-lockfs")) move.rig.scheduler.sleep(Duration::milliseconds(1));
    move.rig.mapper.statuses["vg0-pvmove0"] = "0 56 linear ";
  };
  move.rig.run();
  EXPECT_TRUE(waited);
  EXPECT_TRUE(move.result.aborted);
  EXPECT_EQ(move.result.command.failure, "");
  EXPECT_EQ(move.rig.mapper.live["vg0-data"], "0 32 linear pv0 128");
  EXPECT_TRUE(move.rig.administration.suspensions().empty());
}

TEST(Pvmove, a_repair_does_not_take_away_what_is_being_moved) {
  const std::string dead = "0 128 mirror 2 vg0-lv_mimage_0 vg0-lv_mimage_1 16/16 1 DA 3 disk vg0-lv_mlog A";
  for (const std::string from : {"pv0", "pv1"}) {
    VolumeGroup group = test_group();
    ASSERT_TRUE(insert_move(group, {from, {from == "pv0" ? "pv1" : "pv0"}, "", false}).ok());
    LvmRig rig(SwitchValues(), group);
    rig.mapper.statuses["vg0-lv"] = dead;
    CommandResult result{"did not run", {}};
    rig.start("dmeventd", [&](Session& session) { result = repair_mirror(session, {"vg0", "lv", "vg0-lv"}); });
    rig.run();
    EXPECT_EQ(result.locked, from == "pv0");
    EXPECT_EQ(result.failure, from == "pv0" ? "lv_mlog is locked" : "");
    EXPECT_EQ(rig.committed().logical("lv_mimage_0") == nullptr, from == "pv1");
    // The leg that is left becomes the volume, and moves on as that.
    EXPECT_EQ(rig.committed().logical("lv")->has_status("LOCKED"), from == "pv1");
  }
}

TEST(Pvmove, a_move_that_does_not_come_on_is_given_up) {
  Move move;
  move.rig.mapper.statuses["vg0-pvmove0"] = "0 32 mirror 2 pv0 pv1 2/4 1 AA 1 core";
  move.rig.run();
  EXPECT_TRUE(move.result.stuck);
}

TEST(Pvmove, who_polls_finds_the_move_aborted_by_another) {
  Move move;
  move.rig.mapper.statuses["vg0-pvmove0"] = "0 32 mirror 2 pv0 pv1 2/4 1 AA 1 core";
  move.options.patience = Duration::seconds(10);
  MoveResult aborted{{"did not run", {}}, false, false};
  move.rig.start("abort", [&](Session& session) {
    session.environment().scheduler.sleep(Duration::milliseconds(30));
    aborted = abort_moves(session, "vg0");
  });
  move.rig.run();
  EXPECT_EQ(aborted.command.failure, "");
  EXPECT_EQ(move.result.command.failure, "");
  EXPECT_FALSE(move.result.stuck);
  EXPECT_EQ(move.rig.mapper.live["vg0-home"], "0 24 linear pv0 160");
  EXPECT_TRUE(move.rig.clashes.empty());
}

TEST(Pvmove, an_atomic_move_has_two_images_and_no_checkpoint) {
  Move move(SwitchValues(), true);
  move.rig.run();
  EXPECT_EQ(move.result.command.failure, "");
  EXPECT_TRUE(move.has("create vg0-pvmove0_mimage_1"));
  EXPECT_TRUE(move.has("remove vg0-pvmove0_mimage_1"));
  EXPECT_EQ(move.rig.committed().sequence, 10u);
  EXPECT_EQ(move.rig.mapper.live["vg0-home"], "0 24 linear pv1 160");
}

// A group whose metadata say that a move is under way, activated by a new boot.
TEST(Pvmove, a_boot_goes_on_with_what_the_metadata_say_is_moving) {
  VolumeGroup group = two_volumes();
  ASSERT_TRUE(insert_move(group, {"pv0", {"pv1"}, "", false}).ok());
  set_segment_done(group, "pvmove0", 0);
  LvmRig rig(SwitchValues(), group);
  rig.mapper.statuses["vg0-pvmove0"] = "0 32 linear \n32 24 mirror 2 pv0 pv1 3/3 1 AA 1 core";
  MoveResult result{{"did not run", {}}, false, false};
  rig.start("pvmove", [&](Session& session) { result = continue_moves(session, "vg0", kOptions); });
  rig.run();
  EXPECT_EQ(result.command.failure, "");
  EXPECT_EQ(rig.mapper.live["vg0-home"], "0 24 linear pv1 160");
  EXPECT_EQ(rig.committed().logical("pvmove0"), nullptr);
}

TEST(Pvmove, what_is_left_of_a_finished_move_is_cleared_away_after_a_boot) {
  VolumeGroup group = two_volumes();
  ASSERT_TRUE(insert_move(group, {"pv0", {"pv1"}, "", false}).ok());
  detach_move(group, "pvmove0", {});
  LvmRig rig(SwitchValues(), group);
  MoveResult result{{"did not run", {}}, false, false};
  rig.start("pvmove", [&](Session& session) { result = continue_moves(session, "vg0", kOptions); });
  rig.run();
  EXPECT_EQ(result.command.failure, "");
  EXPECT_TRUE(rig.mapper.log.empty());
  EXPECT_EQ(rig.committed().logical("pvmove0"), nullptr);
}

TEST(Pvmove, activation_brings_the_mirror_up_first_and_by_the_switch_last) {
  VolumeGroup group = two_volumes();
  ASSERT_TRUE(insert_move(group, {"pv0", {"pv1"}, "", false}).ok());
  for (const bool last : {false, true}) {
    LvmRig rig(last ? SwitchValues{{"pvmove.activation", "mirror-last"}} : SwitchValues(), group);
    for (const DeviceNode& node : device_tree(group, TreeOptions{})) rig.mapper.remove(node.name).ok();
    rig.mapper.log.clear();
    rig.start("vgchange", [&](Session& session) { EXPECT_EQ(activate_group(session, "vg0").failure, ""); });
    rig.run();
    const Lines& log = rig.mapper.log;
    const auto mirror = std::find(log.begin(), log.end(), "resume vg0-pvmove0");
    const auto volume = std::find(log.begin(), log.end(), "resume vg0-data");
    EXPECT_EQ(mirror > volume, last);
  }
}

TEST(Pvmove, a_snapshot_of_a_volume_that_moves_is_refused) {
  VolumeGroup group = two_volumes();
  ASSERT_TRUE(insert_move(group, {"pv0", {"pv1"}, "", false}).ok());
  LvmRig rig(SwitchValues(), group);
  CommandResult result;
  rig.start("lvcreate", [&](Session& session) {
    result = create_snapshot(session, {"vg0", "data", "snap", "pv1", 4, 16});
  });
  rig.run();
  EXPECT_EQ(result.failure, "data is locked");
}

}  // namespace
}  // namespace dmsim::lvm
