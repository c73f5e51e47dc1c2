// Each pass alone: what it takes away from a crash made for it, and that what is left is still that crash.
#include "crash-replay/minimise/passes.h"

#include <gtest/gtest.h>

#include "crash-replay/crash_file.h"
#include "crash-replay/minimise/plan_parts.h"
#include "crash-replay/minimise/test_crashes.h"
#include "harness/afterlife.h"
#include "harness/engine_factory.h"
#include "harness/oracle_names.h"
#include "harness/test_lvm_plans.h"

namespace dmsim {
namespace {

using test::unmarked_plan;

// A pass at work on the crash that exploring `plan` finds.
class Bench {
 public:
  explicit Bench(const Plan& plan, std::function<void(Crash&)> prepare = nullptr)
      : crash_(test::find_crash(plan, workshop_)) {
    if (prepare != nullptr) prepare(crash_);
    shrink_.emplace(crash_, workshop_, test::whole_vocabulary(), Shrink::Limits{});
    CHECK(shrink_->reproduced());
    wanted_ = signature(crash_.violations.front());
    before_ = shrink_->size();
  }
  // Afterwards the best crash replays as its file would.
  Plan after(void (*pass)(Shrink&), unsigned effort = 0) {
    shrink_->set_effort(effort);
    pass(*shrink_);
    const Crash& best = shrink_->best();
    const ReplayResult replay = replay_crash(best, workshop_);
    EXPECT_TRUE(replay.same_fingerprint);
    EXPECT_EQ(replay.departures, 0u) << replay.first_departure;
    EXPECT_EQ(replay.unused, 0u);
    EXPECT_EQ(signature(replay.run.violations.front()), wanted_);
    EXPECT_FALSE(before_ < shrink_->size());
    return best.plan;
  }
  Shrink& shrink() { return *shrink_; }
  const CrashSize& before() const { return before_; }
  const CrashSize& size() const { return shrink_->size(); }

 private:
  Workshop workshop_;
  Crash crash_;
  std::optional<Shrink> shrink_;
  std::string wanted_;
  CrashSize before_;
};

TEST(drop_tasks, a_task_that_makes_no_difference_goes_with_the_steps_that_wait_for_it) {
  Plan plan = unmarked_plan();
  plan.tasks.push_back(test::reader(5));
  DmsetupTask admin;
  DmsetupStep step;
  step.verb = DmsetupStep::Verb::kWaitTask;
  step.text = "reader";
  admin.steps = {step};
  step.verb = DmsetupStep::Verb::kStatus;
  step.device = "lv";
  step.text.clear();
  admin.steps.push_back(step);
  plan.tasks.push_back({"admin", admin});
  Bench bench(plan);
  const Plan after = bench.after(shrink_pass::drop_tasks, 1);
  ASSERT_EQ(after.tasks.size(), 1u);
  EXPECT_EQ(after.tasks[0].name, "writer");
}

TEST(drop_dangling, steps_that_wait_for_a_task_that_is_gone_go_and_others_stay) {
  Plan plan = unmarked_plan();
  DmsetupTask admin;
  admin.steps.resize(2);
  admin.steps[0].verb = DmsetupStep::Verb::kWaitTask;
  admin.steps[0].text = "nobody";
  admin.steps[1].device = "lv";
  plan.tasks.push_back({"admin", admin});
  drop_dangling(plan);
  const auto& steps = std::get<DmsetupTask>(plan.tasks[1].body).steps;
  ASSERT_EQ(steps.size(), 1u);
  EXPECT_EQ(steps[0].verb, DmsetupStep::Verb::kStatus);
}

TEST(drop_faults, a_fault_that_makes_no_difference_goes) {
  Plan plan = unmarked_plan();
  plan.faults = {test::fault("leg0", FaultKind::kDiscardError), test::fault("leg1", FaultKind::kDiscardError)};
  EXPECT_TRUE(Bench(plan).after(shrink_pass::drop_faults).faults.empty());
}

TEST(drop_devices, a_third_leg_and_a_device_that_nobody_needs_go_with_their_disks) {
  Plan plan = unmarked_plan();
  plan.disks.push_back(test::disk("leg2", 1024));
  plan.disks.push_back(test::disk("spare", 64));
  plan.devices[0].table = "0 1024 mirror disk 2 log0 128 3 leg0 0 leg1 0 leg2 0 1 handle_errors";
  plan.devices.push_back({"other", "0 64 linear spare 0", true});
  Bench bench(plan);
  const Plan after = bench.after(shrink_pass::drop_devices, 2);
  EXPECT_EQ(after.devices.size(), 1u);
  EXPECT_EQ(after.disks.size(), 3u);
  EXPECT_EQ(mirror_words(table_words(after.devices[0].table)[0]).leg_count, 2u);
}

TEST(drop_steps, verbs_that_make_no_difference_go) {
  Plan plan = test::bugs_of_a_plain_life()[0].plan;
  plan.switches = test::bugs_of_a_plain_life()[0].faulty;
  auto& steps = std::get<DmsetupTask>(plan.tasks[1].body).steps;
  DmsetupStep status;
  status.device = "lv";
  steps.insert(steps.begin(), 3, status);
  steps.insert(steps.end(), 3, status);
  const Plan after = Bench(plan).after(shrink_pass::drop_steps, 2);
  EXPECT_LE(std::get<DmsetupTask>(after.tasks[1].body).steps.size(), 2u);
}

TEST(shrink_devices, a_mirror_of_eight_regions_becomes_one_of_a_page) {
  Bench bench(unmarked_plan());
  const Plan after = bench.after(shrink_pass::shrink_devices, 2);
  EXPECT_EQ(after.devices[0].table, "0 8 mirror disk 2 log0 8 2 leg0 0 leg1 0 1 handle_errors");
}

TEST(shrink_memory, there_are_as_few_pages_as_there_can_be) {
  EXPECT_EQ(Bench(unmarked_plan()).after(shrink_pass::shrink_memory).machine.memory.pages, 8u);
}

TEST(shrink_disks, disks_become_as_large_as_their_tables_need) {
  Plan plan = unmarked_plan();
  for (DiskOptions& disk : plan.disks) disk.sectors = 4096;
  Bench bench(plan);
  const Plan after = bench.after(shrink_pass::shrink_disks);
  EXPECT_EQ(after.disks[0].sectors, 1024u);
  EXPECT_EQ(after.disks[1].sectors, 1024u);
  EXPECT_EQ(after.disks[2].sectors, 8u);
}

// A copy that a discard does not wait for, on either engine: the metadata play no part.
Plan clone_racer() {
  Plan plan;
  plan.scenario = "clone";
  for (const char* name : {"src", "dest", "meta"}) {
    DiskOptions disk;
    disk.name = name;
    disk.sectors = 256;
    disk.content = std::string_view(name) == "meta" ? DiskContent::kZero : DiskContent::kOwn;
    plan.disks.push_back(disk);
  }
  plan.devices.push_back({"lv", "0 128 clone meta dest src 16 1 no_hydration", true});
  IoTask task;
  task.device = "lv";
  task.script = "W64+1 D64+16 c(D64+16) W70+4 c(W70+4) c(W64+1) R70+4";
  plan.tasks.push_back({"racer", task});
  plan.switches["clone.discard_waits"] = "off";
  plan.checks = {std::string(oracle::kReadYourWrites)};
  return plan;
}

TEST(shrink_disks, the_metadata_of_a_clone_become_small_on_the_native_engine_and_stay_on_a_kernels) {
  Bench native(clone_racer());
  EXPECT_LT(native.after(shrink_pass::shrink_disks).disks[2].sectors, 256u);
  if (!why_no_engine("linux-6.12").empty()) GTEST_SKIP() << why_no_engine("linux-6.12");
  Plan plan = clone_racer();
  plan.engine = "linux-6.12";
  plan.switches.clear();
  Bench linux_bench(plan);
  const Plan after = linux_bench.after(shrink_pass::shrink_disks);
  EXPECT_EQ(after.disks[2].sectors, 256u);
  EXPECT_LT(after.disks[0].sectors, 256u);
}

TEST(defaults_back, a_power_cut_that_makes_no_difference_takes_its_instant_along) {
  Plan plan = clone_racer();
  plan.power_cut.when = PowerCutPlan::When::kAt;
  plan.power_cut.at = Duration::seconds(5);
  Bench bench(plan);
  const Plan after = bench.after(shrink_pass::defaults_back, 2);
  EXPECT_EQ(after.power_cut.when, PowerCutPlan::When::kNever);
  EXPECT_EQ(after.power_cut.at, Duration());
}

TEST(drop_rounds, one_write_is_enough) {
  Bench bench(unmarked_plan());
  const Plan after = bench.after(shrink_pass::drop_rounds, 1);
  EXPECT_EQ(std::get<WriteTask>(after.tasks[0].body).pace.count, 1u);
}

TEST(shrink_areas, writes_all_over_the_device_become_writes_to_one_place) {
  Bench bench(unmarked_plan());
  const Plan after = bench.after(shrink_pass::shrink_areas, 1);
  const Area& area = std::get<WriteTask>(after.tasks[0].body).area;
  EXPECT_EQ(area.block_sectors, 1u);
  EXPECT_EQ(area.range, (SectorRange{0, 1}));
}

TEST(shorten_waits, pauses_that_make_no_difference_go) {
  Bench bench(unmarked_plan());
  const Plan after = bench.after(shrink_pass::shorten_waits, 1);
  EXPECT_EQ(std::get<WriteTask>(after.tasks[0].body).pace.every, (DurationRange{{}, {}}));
}

TEST(explicit_scripts, a_task_of_one_write_becomes_a_script) {
  Bench bench(unmarked_plan(1));
  const Plan after = bench.after(shrink_pass::explicit_scripts, 1);
  const auto* script = std::get_if<IoTask>(&after.tasks[0].body);
  ASSERT_NE(script, nullptr);
  EXPECT_EQ(script->script[0], 'W');
}

TEST(script_words, words_go_and_extents_become_small) {
  Plan plan = unmarked_plan();
  plan.tasks = {test::script("R0+8 c(R0+8) W512+64 F R8+8")};
  Bench bench(plan);
  const Plan after = bench.after(shrink_pass::script_words, 2);
  EXPECT_EQ(std::get<IoTask>(after.tasks[0].body).script, "W0+1");
}

TEST(plainer_tasks, a_file_system_becomes_stores_or_writes_to_a_page) {
  Plan plan = test::unstable_page_plan();
  plan.switches["mirror.buffer"] = "shared";
  plan.machine.pdflush = PdflushOptions{Duration::milliseconds(2), Duration::milliseconds(4)};
  Ext2Task files;
  files.device = "lv";
  files.start = test::after_sync();
  files.files = 40;
  files.file_bytes = 2048;
  files.every = {Duration::microseconds(100), Duration::milliseconds(1)};
  plan.tasks = {{"files", files}};
  plan.runs = 40;
  Bench bench(plan);
  const Plan after = bench.after(shrink_pass::plainer_tasks, 4);
  EXPECT_TRUE(std::holds_alternative<MmapStoreTask>(after.tasks[0].body));
}

TEST(defaults_back, options_that_make_no_difference_go_back) {
  Plan plan = unmarked_plan();
  plan.disks[0].discard_supported = false;
  plan.disks[1].transfer_steps = 2;
  plan.machine.preemption = Ratio{1, 10};
  auto& write = std::get<WriteTask>(plan.tasks[0].body);
  write.in_flight = 2;
  write.area.sequential = true;
  Bench bench(plan);
  const Plan after = bench.after(shrink_pass::defaults_back, 2);
  EXPECT_TRUE(after.disks[0].discard_supported);
  EXPECT_EQ(after.disks[1].transfer_steps, 1u);
  EXPECT_EQ(after.machine.preemption, (Ratio{0, 1}));
  EXPECT_EQ(std::get<WriteTask>(after.tasks[0].body).in_flight, 1u);
  EXPECT_FALSE(std::get<WriteTask>(after.tasks[0].body).area.sequential);
}

TEST(drop_checks, only_the_broken_promise_stays) {
  EXPECT_EQ(Bench(unmarked_plan()).after(shrink_pass::drop_checks).checks,
            std::vector<std::string>{std::string(oracle::kLegsIdentical)});
}

std::uint64_t cut_of(const Crash& crash) {
  CHECK(crash.choices.front().point == kCutAt.name);
  return crash.choices.front().value;
}

TEST(earlier_cut, no_earlier_one_shows_it) {
  Bench bench(unmarked_plan());
  bench.after(shrink_pass::earlier_cut);
  const std::uint64_t cut = cut_of(bench.shrink().best());
  std::vector<LabelledChoice> choices = bench.shrink().best().choices;
  for (std::uint64_t at = 0; at < cut; ++at) {
    choices.front().value = at;
    EXPECT_FALSE(bench.shrink().try_choices(choices)) << at;
  }
}

std::size_t survivors_of(const Crash& crash) {
  std::size_t count = 0;
  for (const LabelledChoice& choice : crash.choices) {
    if (choice.point == kSurvivor.name && choice.value != 0) ++count;
  }
  return count;
}

TEST(fewer_survivors, one_sector_that_survives_is_enough) {
  Plan plan = unmarked_plan(30);
  plan.power_cut.survivors = SurvivorPolicy::kChosen;
  Bench bench(plan);
  bench.after(shrink_pass::fewer_survivors);
  EXPECT_EQ(survivors_of(bench.shrink().best()), 1u);
}

TEST(zero_choices, what_makes_no_difference_is_plain) {
  Bench bench(unmarked_plan());
  bench.after(shrink_pass::zero_choices);
  EXPECT_LT(bench.size().not_plain * 10, bench.before().not_plain);
}

TEST(delete_choices, later_choices_move_up) {
  Bench bench(unmarked_plan());
  bench.after(shrink_pass::delete_choices);
  EXPECT_LT(bench.size().not_plain, bench.before().not_plain);
}

TEST(halve_choices, values_come_closer_to_nothing) {
  Bench bench(unmarked_plan());
  bench.after(shrink_pass::zero_choices);
  const CrashSize zeroed = bench.size();
  bench.after(shrink_pass::halve_choices);
  EXPECT_LE(bench.size().sum, zeroed.sum);
  for (const LabelledChoice& choice : bench.shrink().best().choices) {
    EXPECT_LT(choice.value, 100'000u) << choice.point;
  }
}

// Two processes at one mirror, in a group with more than that takes.
Plan crowded_group() {
  Plan plan = test::snapshot_of_mirror_plan();
  plan.disks.push_back({.name = "pv3", .sectors = 4096});
  VolumeGroupPlan& group = plan.volume_groups[0];
  group.disks.push_back("pv3");
  group.volumes[0].on.push_back("pv3");
  group.volumes.push_back({"other", {"pv3"}, "", 2, 64});
  plan.disks.push_back({.name = "spare", .sectors = 1024});
  group.disks.push_back("spare");
  plan.tasks.push_back({"dmeventd-2", DmeventdTask{"vg", Duration()}});
  FaultOptions fault;
  fault.disk = "pv0";
  fault.kind = FaultKind::kDies;
  fault.from = Duration::seconds(3);
  plan.faults.push_back(fault);
  plan.switches["lvm.lock"] = "none";
  plan.checks = {std::string(oracle::kOneSuspender)};
  return plan;
}

TEST(drop_devices, a_group_keeps_what_its_fault_needs) {
  Bench bench(crowded_group());
  const Plan after = bench.after(shrink_pass::drop_devices);
  ASSERT_EQ(after.volume_groups.size(), 1u);
  const VolumeGroupPlan& group = after.volume_groups[0];
  EXPECT_EQ(group.volumes.size(), 1u) << "the other volume makes no difference";
  EXPECT_LE(group.volumes[0].on.size(), 2u);
  EXPECT_LT(group.volumes[0].extents, 16u);
  EXPECT_LT(after.disks.size(), 5u);
  EXPECT_EQ(std::count_if(after.tasks.begin(), after.tasks.end(),
                          [](const TaskPlan& task) { return std::holds_alternative<JournalFsTask>(task.body); }),
            1)
      << "who uses a volume does not go with a disk";
}

TEST(plan_parts, tasks_and_volumes_go_with_the_disks_that_they_stand_on) {
  Plan plan = crowded_group();
  std::erase_if(plan.disks, [](const DiskOptions& disk) { return disk.name == "pv3" || disk.name == "spare"; });
  drop_dangling(plan);
  EXPECT_TRUE(plan.volume_groups.empty()) << "both volumes of vg stood on it";
  EXPECT_TRUE(plan.tasks.empty());
  Plan kept = crowded_group();
  std::erase_if(kept.disks, [](const DiskOptions& disk) { return disk.name == "spare"; });
  drop_dangling(kept);
  ASSERT_EQ(kept.volume_groups.size(), 1u);
  EXPECT_EQ(kept.volume_groups[0].disks.size(), 4u) << "without the spare one";
  EXPECT_EQ(kept.tasks.size(), 4u);
  EXPECT_EQ(sectors_of(kept, "vg-lv"), 2048u);
}

TEST(plan_parts, moves_go_with_their_disks_and_to_what_is_left_of_them) {
  Plan plan;
  for (const char* name : {"pv0", "pv1", "pv2"}) plan.disks.push_back({.name = name, .sectors = 4096});
  plan.volume_groups = {{"vg", {"pv0", "pv1", "pv2"}, 64, {{"lv", {"pv0"}, "", 1, 64}}, "", GroupFormat::kLvm2}};
  PvmoveTask move;
  move.group = "vg";
  move.from = "pv0";
  move.to = {"pv1", "pv2"};
  PvmoveTask back = move;
  back.from = "pv2";
  back.to = {"pv0"};
  PvmoveTask abort;
  abort.group = "vg";
  abort.abort = true;
  plan.tasks = {{"there", move}, {"back", back}, {"abort", abort}};
  plan.disks.pop_back();
  drop_dangling(plan);
  ASSERT_EQ(plan.tasks.size(), 2u);
  EXPECT_EQ(std::get<PvmoveTask>(plan.tasks[0].body).to, (std::vector<std::string>{"pv1"}));
  EXPECT_EQ(plan.tasks[1].name, "abort");
}

TEST(plan_parts, a_table_taken_apart_and_put_together_is_the_same) {
  const std::string table = "0 64 linear a 0\n64 128 mirror core 1 64 2 b 0 c 8 1 handle_errors";
  EXPECT_EQ(table_text(table_words(table)), table);
  TableWords words = table_words(table);
  words.erase(words.begin());
  EXPECT_EQ(table_text(words), "0 128 mirror core 1 64 2 b 0 c 8 1 handle_errors");
  const MirrorWords mirror = mirror_words(words[0]);
  EXPECT_EQ(mirror.leg_count, 2u);
  EXPECT_EQ(words[0][mirror.region_size], "64");
  EXPECT_EQ(words[0][mirror.features], "1");
}

TEST(plan_parts, what_works_beyond_a_devices_end_moves_to_its_end) {
  Plan plan = unmarked_plan();
  std::get<WriteTask>(plan.tasks[0].body).area = {{512, 1024}, 64, false};
  plan.tasks.push_back(test::script("W1016+8 c(W1016+8) R0+4"));
  plan.devices[0].table = "0 32 mirror disk 2 log0 8 2 leg0 0 leg1 0";
  fit_ranges(plan);
  EXPECT_EQ(std::get<WriteTask>(plan.tasks[0].body).area.range, (SectorRange{0, 32}));
  EXPECT_EQ(std::get<WriteTask>(plan.tasks[0].body).area.block_sectors, 32u);
  EXPECT_EQ(std::get<IoTask>(plan.tasks[1].body).script, "W24+8 c(W24+8) R0+4");
}

}  // namespace
}  // namespace dmsim
