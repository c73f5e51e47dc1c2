#include "scenarios/scenario_loader.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "scenarios/test_vocabulary.h"

namespace dmsim {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kUnstablePage = R"(scenario: mirror-unstable-page
about: A page is stored to while both legs are being written from it.
source: dm-devel 2008-04-02, desynchronized raid1
disks:
  leg0: &leg {size: 8MiB, cache: write-back, evict-every: 10ms}
  leg1: *leg
  log0: {size: 64KiB, atomic: 4KiB}
devices:
  lv: "0 16384 mirror disk 2 log0 1024 2 leg0 0 leg1 0 1 handle_errors"
memory: {pages: 256}
pdflush: {interval: 5s, expire: 30s}
tasks:
  - mmap-store: {device: lv, page: 3, every: 1ms, count: 4}
  - name: writer
    write: {device: lv, path: buffered, range: 0s..64s, every: 1ms..2ms, count: 10, flush-every: 5}
power-cut: {when: any}
check: [legs-identical-where-clean, stable-read]
switches: {mirror.buffer: shared}
expect: violates legs-identical-where-clean or stable-read
variants:
  as-2008: {}
  stable-pages: {memory: {stable-pages: true}, expect: holds}
  bounce-copy: {switches: {mirror.buffer: bounce}, expect: holds}
  no-crash: {power-cut: null, expect: holds}
  linux-6.1: {engine: linux-6.1, switches: null}
)";

constexpr std::string_view kRepair = R"Y(scenario: leg-fails-and-is-replaced
disks: {leg0: {}, leg1: {}, spare: {size: 16MiB}, log0: {size: 64KiB}}
faults:
  - {disk: leg1, kind: write-error, range: {at: 1024s, count: 8s}, from: 1ms, count: 3}
  - {disk: leg0, kind: lying-flush, range: 4KiB..8KiB, heals: 2s, probability: 3/100, skip: 2,
     after-reboot: true}
devices:
  low:
    - 0 8192 linear leg0 0
    - 8192 8192 linear spare 0
  lv: {table: "0 16384 mirror disk 2 log0 1024 2 low 0 leg1 0 1 handle_errors"}
  late: {boot: false}
tasks:
  - io: {device: lv, script: "W0+8 c(W0+8) F c(F) W8+4! R0+8 e(R0+8,EIO)"}
  - name: admin
    dmsetup:
      start: 5ms
      steps:
        - wait-task: io-1
        - wait-status: {device: lv, contains: 1 AD, every: 2ms}
        - suspend: {device: lv, noflush: true, interrupted-after: 5ms, answer: EINTR}
        - load: {device: lv, table: 0 32768 linear spare 0}
        - load: {device: lv, table: nonsense, answer: EINVAL}
        - resume: {device: lv}
        - load: {device: lv}
        - message: {device: lv, sector: 8s, text: hello there}
        - sleep: 5ms
        - create: {device: late}
        - remove: {device: late, answer: any}
  - write: {device: lv, range: 16384s..32768s, in-flight: 4, fua: true}
  - discard: {device: lv, block: 64KiB, sequential: true}
  - flush: {device: lv, path: buffered, every: 1ms, count: 9}
  - read: {device: leg0}
  - ext2: {device: lv, block: 4KiB, files: 3, file-size: 3000B, unmount: false}
scheduler: {preemption: 1/10, patience: 20s}
kswapd: false
power-cut: {when: 30ms, survivors: none, states: 2, depth: 2, fail-over: true}
check: [liveness, no-false-sync]
runs: 3
expect: violates liveness by disk
)Y";

// A folder of its own, removed at the end.
class ScenarioLoader : public ::testing::Test {
 protected:
  ScenarioLoader() : folder_(fs::path(::testing::TempDir()) / unique_name()) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~ScenarioLoader() override { fs::remove_all(folder_); }

  static std::string unique_name() {
    return std::string("dmsim-loader-") +
           ::testing::UnitTest::GetInstance()->current_test_info()->name();
  }
  std::string write(const std::string& name, std::string_view text) {
    const fs::path path = folder_ / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    return path.string();
  }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::vector<Plan> load(const std::string& name, std::string_view text) {
    auto plans = load_scenario(write(name, text), test_vocabulary());
    EXPECT_TRUE(plans.ok()) << (plans.ok() ? "" : plans.error().to_string());
    return plans.ok() ? *plans : std::vector<Plan>();
  }
  // The error without the folder.
  std::string error_of(const std::string& name, std::string_view text) {
    const auto plans = load_scenario(write(name, text), test_vocabulary());
    if (plans.ok()) return "accepted";
    return plans.error().to_string().substr(folder_.string().size() + 1);
  }

  fs::path folder_;
};

TEST_F(ScenarioLoader, a_scenario_gives_one_plan_per_variant_in_the_order_of_the_file) {
  const std::vector<Plan> plans = load("mirror-unstable-page.yaml", kUnstablePage);
  ASSERT_EQ(plans.size(), 5u);
  EXPECT_EQ(plans[0].variant, "as-2008");
  EXPECT_EQ(plans[4].variant, "linux-6.1");
  for (const Plan& plan : plans) {
    EXPECT_EQ(plan.scenario, "mirror-unstable-page");
    EXPECT_EQ(plan.directory, folder_.string());
    ASSERT_EQ(plan.disks.size(), 3u);
    EXPECT_EQ(plan.disks[1].name, "leg1");
    EXPECT_EQ(plan.disks[1].evict_every, Duration::milliseconds(10));
    EXPECT_EQ(plan.disks[2].sectors, 128u);
    EXPECT_EQ(plan.disks[2].atomic_sectors, 8u);
    EXPECT_EQ(plan.machine.memory.pages, 256u);
  }
}

TEST_F(ScenarioLoader, a_variant_changes_what_it_names_and_nothing_else) {
  const std::vector<Plan> plans = load("mirror-unstable-page.yaml", kUnstablePage);
  ASSERT_EQ(plans.size(), 5u);
  EXPECT_FALSE(plans[0].machine.memory.stable_pages);
  EXPECT_EQ(plans[0].expect.oracles,
            (std::vector<std::string>{"legs-identical-where-clean", "stable-read"}));
  EXPECT_TRUE(plans[1].machine.memory.stable_pages);
  EXPECT_EQ(plans[1].expect, Expectation());
  EXPECT_EQ(plans[1].switches.at("mirror.buffer"), "shared");
  EXPECT_EQ(plans[2].switches.at("mirror.buffer"), "bounce");
  EXPECT_EQ(plans[2].power_cut.when, PowerCutPlan::When::kAny);
  EXPECT_EQ(plans[3].power_cut.when, PowerCutPlan::When::kNever);
  EXPECT_EQ(plans[4].engine, "linux-6.1");
  EXPECT_TRUE(plans[4].switches.empty());
}

TEST_F(ScenarioLoader, a_scenario_without_variants_gives_one_plan_without_a_name) {
  const std::vector<Plan> plans = load("leg-fails-and-is-replaced.yaml", kRepair);
  ASSERT_EQ(plans.size(), 1u);
  EXPECT_EQ(plans[0].variant, "");
}

TEST_F(ScenarioLoader, faults_devices_and_power_arrive_as_they_were_written) {
  const std::vector<Plan> plans = load("leg-fails-and-is-replaced.yaml", kRepair);
  ASSERT_EQ(plans.size(), 1u);
  const Plan& plan = plans[0];
  ASSERT_EQ(plan.faults.size(), 2u);
  EXPECT_EQ(plan.faults[0].kind, FaultKind::kWriteError);
  EXPECT_EQ(plan.faults[0].range, (SectorRange{1024, 1032}));
  EXPECT_EQ(plan.faults[0].count, 3u);
  EXPECT_EQ(plan.faults[0].heals, std::nullopt);
  EXPECT_EQ(plan.faults[1].range, (SectorRange{8, 16}));
  EXPECT_EQ(plan.faults[1].probability, (Ratio{3, 100}));
  EXPECT_EQ(plan.faults[1].count, std::nullopt);
  EXPECT_TRUE(plan.faults[1].after_reboot);
  EXPECT_EQ(plan.devices[0].table, "0 8192 linear leg0 0\n8192 8192 linear spare 0");
  EXPECT_FALSE(plan.devices[2].boot);
  EXPECT_EQ(plan.power_cut.when, PowerCutPlan::When::kAt);
  EXPECT_EQ(plan.power_cut.at, Duration::milliseconds(30));
  EXPECT_EQ(plan.power_cut.depth, 2u);
  EXPECT_FALSE(plan.machine.kswapd);
  EXPECT_EQ(plan.expect.blame, Blame::kDisk);
}

TEST_F(ScenarioLoader, tasks_arrive_as_they_were_written_and_have_names) {
  const std::vector<Plan> plans = load("leg-fails-and-is-replaced.yaml", kRepair);
  ASSERT_EQ(plans.size(), 1u);
  const std::vector<TaskPlan>& tasks = plans[0].tasks;
  ASSERT_EQ(tasks.size(), 7u);
  EXPECT_EQ(tasks[0].name, "io-1");
  EXPECT_EQ(tasks[1].name, "admin");
  EXPECT_EQ(tasks[2].name, "write-1");
  const auto& admin = std::get<DmsetupTask>(tasks[1].body);
  ASSERT_EQ(admin.steps.size(), 11u);
  EXPECT_EQ(admin.start, Duration::milliseconds(5));
  EXPECT_EQ(admin.steps[1].duration, Duration::milliseconds(2));
  EXPECT_EQ(admin.steps[1].text, "1 AD");
  EXPECT_TRUE(admin.steps[2].suspend.noflush);
  EXPECT_EQ(admin.steps[2].answer, "EINTR");
  EXPECT_EQ(admin.steps[2].interrupted_after, Duration::milliseconds(5));
  EXPECT_EQ(admin.steps[6].text, plans[0].devices[1].table) << "a load without table takes its own";
  EXPECT_EQ(admin.steps[7].sector, 8u);
  EXPECT_EQ(admin.steps[8].verb, DmsetupStep::Verb::kSleep);
  EXPECT_EQ(std::get<WriteTask>(tasks[2].body).area.range, (SectorRange{16384, 32768}))
      << "the range fits the longer table that the administrator loads";
  EXPECT_EQ(std::get<Ext2Task>(tasks[6].body).block_bytes, 4096u);
}

TEST_F(ScenarioLoader, page_is_short_for_the_range_of_a_page) {
  const std::vector<Plan> plans = load("mirror-unstable-page.yaml", kUnstablePage);
  ASSERT_EQ(plans.size(), 5u);
  EXPECT_EQ(std::get<MmapStoreTask>(plans[0].tasks[0].body).range, (SectorRange{24, 32}));
}

TEST_F(ScenarioLoader, files_that_tasks_name_are_looked_for_beside_the_scenario) {
  const std::string_view text = "scenario: s\ndisks: {d: {}}\ncheck: [liveness]\n"
                                "tasks: [{fio-iolog: {device: d, file: logs/a.log}}]\n";
  EXPECT_NE(error_of("s.yaml", text), "accepted");
  write("logs/a.log", "fio version 2 iolog\n");
  EXPECT_EQ(load("s.yaml", text).size(), 1u);
}

TEST_F(ScenarioLoader, an_error_of_the_base_does_not_blame_a_variant) {
  EXPECT_EQ(error_of("s.yaml", "scenario: s\ndisks: {d: {size: 1}}\ncheck: [liveness]\n"
                               "variants: {a: {}, b: {runs: 3}}\n"),
            "s.yaml:2:19: size: found '1' without a unit, expected a size such as 8MiB, 64KiB, 512B "
            "or 2048s (sectors)");
  EXPECT_EQ(error_of("s.yaml", "scenario: s\ndisks: {d: {}}\ncheck: [liveness]\n"
                               "variants: {a: {}, b: {runs: 0}}\n"),
            "s.yaml:4:29: runs: found '0', expected at least 1 (in variant 'b')");
}

TEST_F(ScenarioLoader, a_file_that_cannot_be_read_is_named_with_its_nearest_neighbour) {
  write("mirror-unstable-page.yaml", kUnstablePage);
  const std::string wanted = path("mirror-unstable-pages.yaml");
  const auto missing = load_scenario(wanted, test_vocabulary());
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().to_string(),
            wanted + ": found no such file, did you mean 'mirror-unstable-page.yaml'?");
  const auto folder = load_scenario(folder_.string(), test_vocabulary());
  ASSERT_FALSE(folder.ok());
  EXPECT_EQ(folder.error().message, "found a folder, expected a scenario file");
}

TEST_F(ScenarioLoader, folders_are_searched_in_order_and_bad_ones_passed_by) {
  for (const char* name : {"b/two.yaml", "b/one.yaml", "a.yaml", "b/bad/no.yaml", "b/notes.txt",
                           "b/c/three.yaml"}) {
    write(name, "scenario: x\n");
  }
  const auto found = find_scenarios(std::vector<std::string>{folder_.string(), path("a.yaml")});
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(*found, (std::vector<std::string>{path("a.yaml"), path("b/c/three.yaml"),
                                              path("b/one.yaml"), path("b/two.yaml")}));
  const auto bad = find_scenarios(std::vector<std::string>{path("b/bad")});
  ASSERT_TRUE(bad.ok());
  EXPECT_EQ(*bad, std::vector<std::string>{path("b/bad/no.yaml")}) << "named, it is meant";
}

TEST_F(ScenarioLoader, a_path_that_does_not_exist_or_holds_nothing_is_an_error) {
  write("seeds/x.yaml", "scenario: x\n");
  write("empty/x.txt", "");
  for (const char* wrong : {"seed", "seed/"}) {
    const auto missing = find_scenarios(std::vector<std::string>{path(wrong)});
    ASSERT_FALSE(missing.ok());
    EXPECT_EQ(missing.error().message, "found no such file or folder, did you mean 'seeds'?");
  }
  const auto empty = find_scenarios(std::vector<std::string>{path("empty")});
  ASSERT_FALSE(empty.ok());
  EXPECT_EQ(empty.error().message, "found no scenario (*.yaml) in this folder");
}

}  // namespace
}  // namespace dmsim
