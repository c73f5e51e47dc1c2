#include "engine/lvm/commands.h"

#include <gtest/gtest.h>

#include "engine/lvm/lvm_test_rig.h"

namespace dmsim::lvm {
namespace {

using Lines = std::vector<std::string>;

constexpr std::string_view kDeadLeg =
    "0 128 mirror 2 vg0-lv_mimage_0 vg0-lv_mimage_1 8/16 1 DA 3 disk vg0-lv_mlog A";

SnapshotRequest snapshot_of(std::string origin) { return {"vg0", std::move(origin), "snap", "pv1", 4, 16}; }

TEST(Commands, a_snapshot_is_made_in_the_order_of_the_mail) {
  LvmRig rig;
  CommandResult result{"did not run", {}};
  rig.start("lvcreate", [&](Session& session) { result = create_snapshot(session, snapshot_of("lv")); });
  rig.run();
  EXPECT_EQ(result.failure, "");
  EXPECT_EQ(rig.mapper.log,
            (Lines{"allocate memory", "create vg0-snap", "load vg0-snap", "resume vg0-snap", "remove vg0-snap",
                   "write backup", "create vg0-lv-real", "load vg0-lv-real", "create vg0-snap-cow",
                   "load vg0-snap-cow", "resume vg0-snap-cow", "create vg0-snap", "suspend vg0-lv",
                   "resume vg0-lv-real", "load vg0-snap", "resume vg0-snap", "load vg0-lv", "resume vg0-lv"}));
  EXPECT_EQ(rig.mapper.live["vg0-lv"], "0 128 snapshot-origin vg0-lv-real");
  EXPECT_EQ(rig.mapper.live["vg0-snap"], "0 128 snapshot vg0-lv-real vg0-snap-cow P 16");
  EXPECT_EQ(rig.mapper.live["vg0-lv-real"],
            "0 128 mirror disk 2 vg0-lv_mlog 8 2 vg0-lv_mimage_0 0 vg0-lv_mimage_1 0 1 handle_errors");
  EXPECT_EQ(rig.committed().sequence, 9u);
  ASSERT_NE(snapshot_with_store(rig.committed(), "snap"), nullptr);
}

TEST(Commands, the_origin_stands_still_for_its_second_snapshot_too) {
  LvmRig rig;
  rig.start("lvcreate", [&](Session& session) {
    create_snapshot(session, snapshot_of("lv"));
    rig.mapper.log.clear();
    SnapshotRequest second = snapshot_of("lv");
    second.name = "later";
    EXPECT_EQ(create_snapshot(session, second).failure, "");
  });
  rig.run();
  const Lines& log = rig.mapper.log;
  EXPECT_EQ(Lines(log.end() - 4, log.end()),
            (Lines{"load vg0-later", "suspend vg0-lv", "resume vg0-later", "resume vg0-lv"}));
}

TEST(Commands, with_a_passthrough_the_mirror_itself_is_left_alone) {
  LvmRig rig(SwitchValues{{"lvm.passthrough", "on"}});
  rig.start("lvcreate", [&](Session& session) { create_snapshot(session, snapshot_of("lv")); });
  rig.run();
  const auto touched = [&](const std::string& what) {
    return std::find(rig.mapper.log.begin(), rig.mapper.log.end(), what) != rig.mapper.log.end();
  };
  EXPECT_TRUE(touched("suspend vg0-lv"));
  EXPECT_FALSE(touched("suspend vg0-lv-real"));
  EXPECT_FALSE(touched("load vg0-lv-real"));
}

TEST(Commands, the_metadata_of_a_snapshot_is_committed_while_the_origin_is_suspended) {
  LvmRig rig;
  std::uint64_t at_suspend = 0;
  std::uint64_t at_resume = 0;
  rig.mapper.during = [&](const std::string& verb) {
    const auto sequence = [&] {
      const auto header = read_header(
          [&](Sector first, std::uint32_t count, std::byte* out) {
            std::memcpy(out, rig.disks["pv0"]->at(first), count * kSectorBytes);
            return true;
          },
          MetadataArea{}, "pv0");
      return header->committed.offset;
    };
    if (verb == "suspend vg0-lv") at_suspend = sequence();
    if (verb == "resume vg0-lv-real") at_resume = sequence();
  };
  rig.start("lvcreate", [&](Session& session) { create_snapshot(session, snapshot_of("lv")); });
  rig.run();
  EXPECT_NE(at_suspend, 0u);
  EXPECT_NE(at_suspend, at_resume);
}

TEST(Commands, a_suspend_that_fails_leaves_everything_as_it_was) {
  LvmRig rig;
  rig.mapper.fails = "suspend vg0-lv";
  const auto live = rig.mapper.live;
  CommandResult result;
  rig.start("lvcreate", [&](Session& session) { result = create_snapshot(session, snapshot_of("lv")); });
  rig.run();
  EXPECT_EQ(result.failure, "suspend of vg0-lv failed with errno 5: as the test wishes");
  EXPECT_EQ(rig.mapper.live, live);
  EXPECT_EQ(snapshot_with_store(rig.committed(), "snap"), nullptr);
  EXPECT_TRUE(rig.administration.suspensions().empty());
}

TEST(Commands, a_mirror_with_a_dead_leg_becomes_linear) {
  LvmRig rig;
  rig.mapper.statuses["vg0-lv"] = kDeadLeg;
  CommandResult result{"did not run", {}};
  rig.start("dmeventd", [&](Session& session) { result = repair_mirror(session, {"vg0", "lv", "vg0-lv"}); });
  rig.run();
  EXPECT_EQ(result.failure, "");
  EXPECT_EQ(rig.mapper.log, (Lines{"allocate memory", "write backup", "load vg0-lv",
                                   "suspend vg0-lv noflush skip-lockfs", "resume vg0-lv",
                                   "load vg0-lv_mlog", "resume vg0-lv_mlog",
                                   "load vg0-lv_mimage_1", "resume vg0-lv_mimage_1",
                                   "load vg0-lv_mimage_0", "resume vg0-lv_mimage_0",
                                   "remove vg0-lv_mlog", "remove vg0-lv_mimage_1", "remove vg0-lv_mimage_0"}));
  EXPECT_EQ(rig.mapper.live["vg0-lv"], "0 128 linear pv1 128");
  EXPECT_EQ(rig.committed().logical("lv_mimage_0"), nullptr);
}

TEST(Commands, what_is_on_its_way_out_answers_with_errors_and_with_a_switch_with_zeros) {
  for (const std::string target : {"error", "zero"}) {
    LvmRig rig(SwitchValues{{"lvm.temporary", target}});
    rig.mapper.statuses["vg0-lv"] = kDeadLeg;
    std::string leg;
    rig.mapper.during = [&](const std::string& verb) {
      if (verb == "remove vg0-lv_mlog") leg = rig.mapper.live["vg0-lv_mimage_1"];
    };
    rig.start("dmeventd", [&](Session& session) { repair_mirror(session, {"vg0", "lv", "vg0-lv"}); });
    rig.run();
    EXPECT_EQ(leg, "0 512 " + target);
  }
}

// What dmeventd was told while the mirror was down and up again.
Lines resync(const SwitchValues& switches, LvmRig* rig) {
  const auto tell = [rig](const char* what) {
    return [rig, what](const std::string& device) { rig->mapper.log.push_back(what + device); };
  };
  rig->administration.monitor = tell("monitor ");
  rig->administration.unmonitor = tell("unmonitor ");
  rig->environment.switches = LvmSwitches::of(switches);
  CommandResult result{"did not run", {}};
  rig->start("lvchange", [&](Session& session) { result = resync_mirror(session, {"vg0", "lv"}); });
  rig->run();
  EXPECT_EQ(result.failure, "");
  return rig->mapper.log;
}

TEST(Commands, a_resync_takes_the_mirror_down_and_up_behind_dmeventds_back) {
  LvmRig rig;
  const std::uint64_t before = rig.committed().sequence;
  const Lines log = resync({}, &rig);
  EXPECT_EQ(Lines(log.begin(), log.begin() + 7),
            (Lines{"allocate memory", "unmonitor vg0-lv", "remove vg0-lv", "remove vg0-lv_mlog",
                   "remove vg0-lv_mimage_1", "remove vg0-lv_mimage_0", "create vg0-lv_mlog"}));
  EXPECT_EQ(log.back(), "monitor vg0-lv");
  EXPECT_EQ(rig.mapper.live["vg0-lv"],
            "0 128 mirror disk 2 vg0-lv_mlog 8 2 vg0-lv_mimage_0 0 vg0-lv_mimage_1 0 1 handle_errors");
  EXPECT_EQ(rig.committed().sequence, before + 1);
}

TEST(Commands, with_resync_monitor_left_on_dmeventd_is_not_told_before) {
  LvmRig rig;
  const Lines log = resync({{"lvm.resync_monitor", "left-on"}}, &rig);
  EXPECT_EQ(log[1], "remove vg0-lv");
}

TEST(Commands, a_mirror_in_use_is_not_resynchronised_and_stays_watched) {
  LvmRig rig;
  std::string watched;
  rig.administration.monitor = [&](const std::string& device) { watched = device; };
  rig.mapper.fails = "remove vg0-lv";
  CommandResult result;
  rig.start("lvchange", [&](Session& session) { result = resync_mirror(session, {"vg0", "lv"}); });
  rig.run();
  EXPECT_EQ(result.failure, "vg0-lv is in use");
  EXPECT_EQ(watched, "vg0-lv");
}

TEST(Commands, a_mirror_that_was_repaired_meanwhile_is_left_alone) {
  LvmRig rig;
  rig.mapper.statuses["vg0-lv"] = "0 128 linear ";
  CommandResult result{"did not run", {}};
  rig.start("dmeventd", [&](Session& session) { result = repair_mirror(session, {"vg0", "lv", "vg0-lv"}); });
  rig.run();
  EXPECT_EQ(result.failure, "");
  EXPECT_EQ(rig.mapper.log, (Lines{"allocate memory"}));
}

TEST(Commands, without_the_log_a_mirror_keeps_its_legs_and_gets_a_core_log) {
  LvmRig rig;
  rig.mapper.statuses["vg0-lv"] =
      "0 128 mirror 2 vg0-lv_mimage_0 vg0-lv_mimage_1 16/16 1 AA 3 disk vg0-lv_mlog D";
  rig.start("dmeventd", [&](Session& session) { repair_mirror(session, {"vg0", "lv", "vg0-lv"}); });
  rig.run();
  EXPECT_EQ(rig.mapper.live["vg0-lv"],
            "0 128 mirror core 1 8 2 vg0-lv_mimage_0 0 vg0-lv_mimage_1 0 1 handle_errors");
}

TEST(Commands, a_lock_keeps_two_commands_apart_and_no_lock_does_not) {
  for (const std::string lock : {"group", "none"}) {
    std::size_t clashes = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      LvmRig rig(SwitchValues{{"lvm.lock", lock}}, test_group(), seed);
      rig.mapper.statuses["vg0-lv"] = kDeadLeg;
      rig.start("lvcreate", [&](Session& session) { create_snapshot(session, snapshot_of("lv")); });
      rig.start("dmeventd", [&](Session& session) {
        session.environment().scheduler.sleep(Duration::microseconds(30) * static_cast<std::int64_t>(seed));
        repair_mirror(session, {"vg0", "lv", "vg0-lv"});
      });
      rig.run();
      EXPECT_EQ(rig.administration.commands(), 0u);
      clashes += rig.clashes.size();
    }
    EXPECT_EQ(clashes == 0, lock == "group") << clashes;
  }
}

TEST(Commands, what_a_switch_says_is_done_while_a_device_is_suspended) {
  LvmRig rig(SwitchValues{{"lvm.memory", "allocated"}, {"lvm.backup", "while-suspended"}});
  rig.mapper.statuses["vg0-lv"] = kDeadLeg;
  rig.start("dmeventd", [&](Session& session) { repair_mirror(session, {"vg0", "lv", "vg0-lv"}); });
  rig.run();
  EXPECT_EQ(Lines(rig.mapper.log.begin(), rig.mapper.log.begin() + 6),
            (Lines{"allocate memory", "load vg0-lv", "suspend vg0-lv noflush skip-lockfs", "allocate memory",
                   "write backup", "resume vg0-lv"}));
}

}  // namespace
}  // namespace dmsim::lvm
