#include "harness/differential.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/test_plans.h"

namespace dmsim {
namespace {

Plan busy_mirror() {
  Plan plan = test::mirror_plan();
  WriteTask write;
  write.device = "lv";
  write.pace = {Duration::milliseconds(1), {Duration::microseconds(100), Duration::milliseconds(1)}, 30};
  write.in_flight = 2;
  plan.tasks.push_back({"writer", write});
  return plan;
}

// Compares the native engine with itself, one side with a switch set.
Comparison against(const Plan& plan, const SwitchValues& switches) {
  Workshop workshop;
  Plan other = plan;
  other.switches = switches;
  Comparison out;
  const auto one = observe(plan, workshop, 1);
  const auto two = observe(other, workshop, 1);
  for (std::size_t i = 0; i < std::min(one.size(), two.size()); ++i) {
    EXPECT_EQ(one[i].name, two[i].name);
    if (one[i].value != two[i].value) out.disagreements.push_back({one[i].name, {one[i].value}, {two[i].value}});
  }
  return out;
}

std::vector<std::string> in_words(const std::vector<Facet>& facets) {
  std::vector<std::string> out;
  for (const Facet& facet : facets) out.push_back(facet.name + ": " + facet.value);
  return out;
}

TEST(Differential, an_observation_says_how_it_ended_what_was_answered_and_what_lies_on_the_log) {
  Workshop workshop;
  EXPECT_THAT(in_words(observe(busy_mirror(), workshop, 1)),
              testing::ElementsAre("end: at rest", "broken promise: none", "answers of lv: 30 write ok",
                                   "status of lv: 0 1024 mirror 2 leg0 leg1 8/8 1 AA 3 disk log0 A",
                                   "table of lv: 0 1024 mirror disk 2 log0 128 2 leg0 0 leg1 0 1 handle_errors",
                                   "regions of lv: SSSSSSSS",
                                   "log of lv: version 2 regions 8 11111111"));
}

TEST(Differential, an_engine_agrees_with_itself) {
  Workshop workshop;
  const Comparison comparison = compare_engines(busy_mirror(), "native", "native", workshop, 1, 4, nullptr);
  EXPECT_EQ(comparison.runs, 4u);
  EXPECT_TRUE(comparison.disagreements.empty());
  EXPECT_TRUE(comparison.undetermined.empty());
  EXPECT_GE(comparison.agreed.size(), 7u);
}

Shown shown(const std::vector<std::vector<Facet>>& runs) {
  Shown out;
  for (const std::vector<Facet>& run : runs) out.add(run);
  return out;
}

TEST(Differential, what_one_engine_shows_only_where_it_got_stuck_the_other_need_not_show) {
  const std::vector<Facet> rests{{"end", "at rest"}};
  const std::vector<Facet> stuck{{"end", "stuck"}, {"regions of lv", "SSSS"}};
  const Shown always_rests = shown({rests, rests, rests, rests});
  const Comparison by_chance = compare_shown(always_rests, shown({rests, rests, stuck, rests}));
  EXPECT_TRUE(by_chance.disagreements.empty());
  EXPECT_THAT(by_chance.undetermined, testing::ElementsAre("regions of lv"));
  const std::vector<Facet> rests_with_it{{"end", "at rest"}, {"regions of lv", "SSSS"}};
  const Comparison always = compare_shown(always_rests, shown({rests, rests_with_it, stuck, rests}));
  ASSERT_EQ(always.disagreements.size(), 1u) << "seen at rest, too, and the left engine was never anything else";
  EXPECT_EQ(always.disagreements.front().facet, "regions of lv");
  EXPECT_THAT(compare_shown(shown({rests, stuck}), shown({rests, rests})).undetermined,
              testing::ElementsAre("regions of lv"));
  EXPECT_EQ(compare_shown(shown({rests, rests}), shown({stuck, stuck})).disagreements.front().facet, "end");
}

TEST(Differential, what_is_another_value_each_time_it_is_seen_is_chance_however_many_runs_break_off_before) {
  const std::vector<Facet> broken{{"end", "a promise is broken"}};
  const auto answers = [](const char* value) {
    return std::vector<Facet>{{"end", "a promise is broken"}, {"answers of lv", value}};
  };
  const Shown left = shown({broken, answers("1"), broken, broken, answers("2"), broken});
  EXPECT_THAT(compare_shown(left, shown({broken, answers("3"), broken, broken, answers("4"), broken})).undetermined,
              testing::ElementsAre("answers of lv"));
  const Shown firm = shown({broken, answers("3"), broken, broken, answers("3"), broken});
  const Shown as_firm = shown({broken, answers("4"), broken, broken, answers("4"), broken});
  EXPECT_EQ(compare_shown(firm, as_firm).disagreements.size(), 1u);
}

TEST(Differential, a_flush_that_nobody_forwards_cannot_be_seen_but_regions_that_are_called_in_sync_can) {
  EXPECT_TRUE(against(busy_mirror(), {{"mirror.forward_flush", "off"}}).disagreements.empty());
  Plan plan = busy_mirror();
  plan.disks[1].content = DiskContent::kZero;
  FaultOptions fault;
  fault.disk = "leg1";
  fault.kind = FaultKind::kWriteError;
  plan.faults.push_back(fault);
  EXPECT_EQ(against(plan, {{"mirror.failed_recovery_is_synced", "on"}}).disagreements.front().facet, "end")
      << "a broken promise ends the run, and nothing is looked at in its middle";
  plan.checks = {"liveness"};
  const Comparison comparison = against(plan, {{"mirror.failed_recovery_is_synced", "on"}});
  std::vector<std::string> facets;
  for (const Disagreement& one : comparison.disagreements) facets.push_back(one.facet);
  EXPECT_THAT(facets, testing::Contains("regions of lv"));
}

Plan cloned(std::uint64_t metadata_sectors) {
  Plan plan;
  plan.scenario = "clone";
  for (const char* name : {"dest", "meta", "src"}) {
    DiskOptions disk;
    disk.name = name;
    disk.sectors = std::string_view(name) == "meta" ? metadata_sectors : 512;
    disk.content = std::string_view(name) == "meta" ? DiskContent::kZero : DiskContent::kOwn;
    plan.disks.push_back(disk);
  }
  plan.devices.push_back({"lv", "0 512 clone meta dest src 16 1 no_hydration", true});
  return plan;
}

TEST(Differential, of_a_clones_status_everything_counts_but_how_much_metadata_it_uses) {
  Workshop workshop;
  EXPECT_THAT(in_words(observe(cloned(128), workshop, 1)),
              testing::Contains("status of lv: 0 512 clone 8 some/16 16 0/32 0 1 no_hydration 4 hydration_threshold 1 "
                                "hydration_batch_size 1 rw"));
}

TEST(Differential, a_plan_about_the_metadata_of_a_clone_cannot_be_compared_since_each_engine_has_its_own) {
  EXPECT_EQ(why_not_comparable(cloned(128)), "");
  EXPECT_EQ(why_not_comparable(cloned(32)),
            "meta has 32 sectors: enough for native's metadata, not for Linux's");
  Plan made_for_linux = cloned(32);
  made_for_linux.engine = "linux-6.12";
  EXPECT_EQ(why_not_done_by("linux-6.12", made_for_linux), "");
  EXPECT_NE(why_not_comparable(made_for_linux), "");
  Plan plan = cloned(128);
  FaultOptions fault;
  fault.disk = "dest";
  plan.faults.push_back(fault);
  EXPECT_EQ(why_not_comparable(plan), "");
  plan.faults.front().disk = "meta";
  EXPECT_EQ(why_not_comparable(plan),
            "it plants a fault on meta, where native's metadata are another format than Linux's");
}

TEST(Differential, switches_of_user_space_hold_over_every_engine) {
  Plan plan = busy_mirror();
  plan.switches["lvm.passthrough"] = "on";
  EXPECT_EQ(why_not_comparable(plan), "");
}

TEST(Differential, a_plan_that_plants_a_fault_cannot_be_compared_unless_linux_has_it_too) {
  Plan plan = busy_mirror();
  EXPECT_EQ(why_not_comparable(plan), "");
  plan.switches["mirror.log_create"] = "at-once";
  EXPECT_EQ(why_not_comparable(plan), "");
  plan.switches["mirror.forward_flush"] = "off";
  EXPECT_EQ(why_not_comparable(plan), "it sets mirror.forward_flush to 'off', which only the native engine can do");
  EXPECT_NE(why_not_done_by("linux-6.12", plan), "");
  EXPECT_EQ(why_not_done_by("native", plan), "");
}

TEST(Differential, what_a_machine_does_to_a_kernel_is_nothing_for_the_native_engine) {
  Plan plan = busy_mirror();
  plan.switches["linux.allocations"] = "steady";
  EXPECT_EQ(why_not_comparable(plan), "");
  plan.switches["linux.allocations"] = "reserves";
  EXPECT_EQ(why_not_done_by("linux-6.12+some-mutant", plan), "");
  EXPECT_EQ(why_not_comparable(plan),
            "it sets linux.allocations to 'reserves', which only the kernels' engines can do");
}

}  // namespace
}  // namespace dmsim
