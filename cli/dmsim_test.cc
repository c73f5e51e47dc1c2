// The program itself, as a user runs it: exit codes, what it prints where, files it writes.
#include "cli/program_test.h"

#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

namespace dmsim {
namespace {

using test::contents;
namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

// A small mirror that holds, and variants that do not.
constexpr const char* kScenario = R"(scenario: small
about: A test of the program.
disks:
  leg0: {size: 512KiB}
  leg1: {size: 512KiB}
  log0: {size: 32KiB, content: zero}
devices:
  lv: "0 1024 mirror disk 2 log0 128 2 leg0 0 leg1 0 1 handle_errors"
tasks:
  - write: {device: lv, start: 40ms, every: 50us..1ms, count: 30}
power-cut: {when: any, states: 3}
runs: 3
check: [legs-identical-where-clean, durability, liveness, no-leak]
variants:
  holds: {}
  caught:
    switches: {mirror.mark_dirty: "off"}
    expect: violates legs-identical-where-clean
  surprise: {switches: {mirror.mark_dirty: "off"}}
  missed: {expect: violates durability}
  canary: {check: [canary], expect: violates canary}
  endless: {runs: 100000000}
)";

class Program : public test::ProgramTest {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    scenario_ = file("small.yaml", kScenario);
  }
  std::string scenario_;
};

TEST_F(Program, ends_with_0_when_everything_is_as_expected) {
  for (const char* variant : {"holds", "caught", "canary"}) {
    const Output output = run({"run", scenario_, "--variant", variant});
    EXPECT_EQ(output.code, 0) << output.out << output.err;
    EXPECT_HAS(output.out, std::string("small/") + variant);
  }
}

TEST_F(Program, ends_with_1_and_a_replay_command_when_a_promise_is_broken) {
  const Output output = run({"run", scenario_, "--variant", "surprise"});
  EXPECT_EQ(output.code, 1);
  EXPECT_HAS(output.out, "<-- not as expected");
  EXPECT_HAS(output.out, "./dmsim replay crashes/small.surprise.yaml");
  const Output replay = run({"replay", "crashes/small.surprise.yaml"});
  EXPECT_EQ(replay.code, 1);
  EXPECT_HAS(replay.out, "the recorded violation occurs; fingerprint ");
  EXPECT_HAS(replay.out, ", as recorded");
}

TEST_F(Program, ends_many_variants_with_those_that_are_not_as_expected) {
  std::string text(kScenario);
  text.erase(text.find("  missed:"));
  const Output with_surprise = run({"run", file("small.yaml", text)});
  EXPECT_HAS(with_surprise.out, "\n3 variants; not as expected:\n  small/surprise\n");
  text.erase(text.find("  surprise:"));
  const Output without = run({"run", file("small.yaml", text)});
  EXPECT_HAS(without.out, "\n2 variants: all as expected\n");
}

TEST_F(Program, ends_with_5_when_a_planted_bug_is_missed) {
  const Output output = run({"run", scenario_, "--variant", "missed"});
  EXPECT_EQ(output.code, 5) << output.err;
  EXPECT_HAS(output.out, "nothing was broken");
}

TEST_F(Program, ends_with_2_and_a_suggestion_for_what_it_does_not_know) {
  struct Case {
    std::vector<std::string> arguments;
    const char* message;
  };
  const Case cases[] = {
      {{"rnu"}, "'rnu' is not known here, did you mean 'run'?"},
      {{"run", scenario_, "--varient", "x"}, "'--varient' is not known here, did you mean '--variant'?"},
      {{"run", scenario_, "--variant", "hold"}, "did you mean 'holds'?"},
      {{"run", scenario_, "--cuts", "few"}, "--cuts"},
      {{"run", scenario_, "--seed", "-1"}, "found '-1', expected a whole number up to 18446744073709551615"},
      {{"run", scenario_, "--seed", "18446744073709551616"}, "expected a whole number"},
      {{"run", scenario_, "--runs", "0"}, "--runs"},
      {{"run"}, "dmsim run: paths is required\nTry 'dmsim run --help'."},
      {{"replay", "."}, ".: is a folder"},
      {{"run", "nowhere.yaml"}, "nowhere.yaml"},
      {{"list", "swiches"}, "did you mean 'switches'?"},
      {{"show", scenario_, "--variant", "hold"}, "did you mean 'holds'?"},
      {{"export", scenario_, "--out", "images"}, "name one with --variant"},
      {{"replay", scenario_}, "not a crash file"},
      {{"replay", "nowhere.yaml"}, "nowhere.yaml: cannot be read"},
      {{}, "subcommand"},
  };
  for (const Case& each : cases) {
    const Output output = run(each.arguments);
    EXPECT_EQ(output.code, 2) << each.message;
    EXPECT_HAS(output.err, each.message);
    EXPECT_EQ(output.out, "") << each.message;
  }
}

TEST_F(Program, says_of_a_variant_whose_bug_its_engine_does_not_have_that_this_is_why_it_is_not_run) {
  for (const char* command : {"run", "fuzz"}) {
    const Output output = run({command, scenario_, "--variant", "caught", "--engine", "linux-6.12"});
    EXPECT_EQ(output.code, 2);
    EXPECT_HAS(output.err,
               "small/caught cannot be run by linux-6.12: it sets mirror.mark_dirty to 'off', which only the native "
               "engine can do. It is left out: nothing is left to run");
    EXPECT_EQ(output.out, "");
  }
  std::string text(kScenario);
  text.replace(text.find("holds: {}"), 9, "holds: {engine: native}");
  const Output named = run({"run", file("small.yaml", text), "--variant", "holds", "--engine", "linux-6.12"});
  EXPECT_EQ(named.code, 2);
  EXPECT_HAS(named.err, "small/holds cannot be run by linux-6.12: it is about the engine native. It is left out");
  const Output typo = run({"fuzz", scenario_, "--variant", "cought"});
  EXPECT_EQ(typo.code, 2);
  EXPECT_HAS(typo.err, "no variant named 'cought' in these scenarios, did you mean 'caught'?");
}

TEST_F(Program, lists_the_engines_and_says_of_a_folder_that_it_is_no_kernel_tree) {
  const Output listed = run({"list", "engines"});
  EXPECT_EQ(listed.code, 0);
  EXPECT_EQ(listed.out.substr(0, 7), "native\n");
  EXPECT_NE(listed.out.find("linux-6.12"), std::string::npos);
  const Output tree = run({"run", "small.yaml", "--kernel-tree", "nowhere"});
  EXPECT_EQ(tree.code, 2);
  EXPECT_NE(tree.err.find("nowhere is no kernel tree"), std::string::npos) << tree.err;
  EXPECT_EQ(run({"fuzz", "--engine", "linux-7", "--runs", "1"}).code, 2);
}

TEST_F(Program, a_scenario_with_a_mistake_is_told_by_file_line_and_column) {
  std::string text = kScenario;
  text.replace(text.find("mirror.mark_dirty"), 17, "mirror.mark_drity");
  const std::string path = file("small.yaml", text);
  const Output output = run({"run", path});
  EXPECT_EQ(output.code, 2);
  EXPECT_HAS(output.err, path + ":17:16: ");
  EXPECT_HAS(output.err, "did you mean 'mirror.mark_dirty'?");
}

TEST_F(Program, a_table_that_the_engine_refuses_is_bad_input) {
  std::string text = kScenario;
  text.replace(text.find("log0 128"), 8, "log0 100");
  const Output output = run({"run", file("small.yaml", text), "--variant", "holds"});
  EXPECT_EQ(output.code, 2) << output.out << output.err;
  EXPECT_HAS(output.err, "small/holds: device lv does not come up: EINVAL");
}

TEST_F(Program, lists_what_a_scenario_can_name) {
  EXPECT_HAS(run({"list", "switches"}).out, "mirror.dec_promotes_nosync = off|on");
  EXPECT_HAS(run({"list", "oracles"}).out, "legs-identical-where-clean");
  EXPECT_HAS(run({"list", "faults"}).out, "lying-flush");
  EXPECT_HAS(run({"list", "tasks"}).out, "mmap-store");
  const Output scenarios = run({"list", "scenarios", folder_.string()});
  EXPECT_EQ(scenarios.code, 0);
  EXPECT_HAS(scenarios.out, "small/caught  native  violates legs-identical-where-clean");
}

TEST_F(Program, what_show_prints_of_a_crash_runs_again_with_the_same_result) {
  run({"run", scenario_, "--variant", "surprise"});
  const Output shown = run({"show", "crashes/small.surprise.yaml"});
  EXPECT_EQ(shown.code, 0);
  EXPECT_HAS(shown.out, "# crash file, format 1, found with seed ");
  EXPECT_EQ(shown.out.find("found with seed 0"), std::string::npos) << "the seed was read";
  const Output plan = run({"show", scenario_, "--variant", "surprise"});
  EXPECT_EQ(plan.code, 0);
  EXPECT_HAS(shown.out, plan.out) << "the crash file holds the whole plan";
}

TEST_F(Program, exports_images_of_the_size_of_the_disks_before_and_after_recovery) {
  run({"run", scenario_, "--variant", "surprise"});
  const Output cut = run({"export", "crashes/small.surprise.yaml", "--out", "cut"});
  EXPECT_EQ(cut.code, 0) << cut.err;
  EXPECT_HAS(cut.out, "cut/leg0.img  1024 sectors, as the power cut left it");
  EXPECT_EQ(fs::file_size(folder_ / "cut/leg0.img"), 512u * 1024u);
  EXPECT_EQ(fs::file_size(folder_ / "cut/log0.img"), 32u * 1024u);
  EXPECT_NE(contents(folder_ / "cut/leg0.img"), contents(folder_ / "cut/leg1.img"))
      << "that is the violation";
  EXPECT_EQ(run({"export", "crashes/small.surprise.yaml", "--out", "after", "--after-recovery"}).code, 0);
  const Output end = run({"export", scenario_, "--variant", "holds", "--out", "end"});
  EXPECT_EQ(end.code, 0) << end.err;
  EXPECT_EQ(contents(folder_ / "end/leg0.img"), contents(folder_ / "end/leg1.img"));
}

TEST_F(Program, writes_json_that_says_what_the_table_says) {
  const Output output = run({"run", scenario_, "--variant", "caught", "--json", "out.json"});
  ASSERT_EQ(output.code, 0);
  const Json json = Json::parse(contents(folder_ / "out.json"));
  EXPECT_EQ(json.at("format"), 1);
  ASSERT_EQ(json.at("variants").size(), 1u);
  const Json& variant = json.at("variants")[0];
  EXPECT_EQ(variant.at("scenario"), "small");
  EXPECT_EQ(variant.at("variant"), "caught");
  EXPECT_EQ(variant.at("expected"), "violates legs-identical-where-clean");
  EXPECT_EQ(variant.at("got"), "violates legs-identical-where-clean");
  EXPECT_EQ(variant.at("as_expected"), true);
  EXPECT_EQ(variant.at("crash_file"), "crashes/small.caught.yaml");
  EXPECT_EQ(variant.at("violations")[0].at("blame"), "engine");
  EXPECT_GT(variant.at("statistics").at("power_cuts"), 0);
  EXPECT_EQ(variant.at("fingerprint").get<std::string>().size(), 16u);
}

TEST_F(Program, runs_everything_twice_when_asked_and_finds_no_difference) {
  const Output output = run({"run", scenario_, "--variant", "caught", "--check-twice"});
  EXPECT_EQ(output.code, 0) << output.out << output.err;
  EXPECT_EQ(output.err, "");
}

TEST_F(Program, the_result_does_not_depend_on_the_number_of_workers) {
  std::string text = kScenario;
  text.resize(text.find("  endless:"));
  const std::string path = file("small.yaml", text);
  std::vector<Json> results;
  for (const char* jobs : {"1", "4"}) {
    run({"run", path, "--jobs", jobs, "--json", "out.json"});
    results.push_back(Json::parse(contents(folder_ / "out.json")));
    for (Json& variant : results.back().at("variants")) variant.erase("seconds");
  }
  EXPECT_EQ(results[0], results[1]);
}

TEST_F(Program, several_variants_leave_a_trace_each) {
  std::string text = kScenario;
  text.resize(text.find("  missed:"));
  run({"run", file("small.yaml", text), "--trace", "t.txt"});
  for (const char* name : {"t.small.holds.txt", "t.small.caught.txt", "t.small.surprise.txt"}) {
    EXPECT_HAS(contents(folder_ / name), "dm.submit") << name;
  }
  EXPECT_FALSE(fs::exists(folder_ / "t.txt"));
  run({"run", scenario_, "--variant", "caught", "--trace", "t.txt"});
  EXPECT_EQ(contents(folder_ / "t.txt"), contents(folder_ / "t.small.caught.txt"));
}

TEST_F(Program, ctrl_c_ends_a_long_run_soon_and_prints_what_there_is) {
  const pid_t pid = start({"run", scenario_, "--variant", "endless"});
  std::this_thread::sleep_for(std::chrono::milliseconds(700));
  const auto begun = std::chrono::steady_clock::now();
  kill(pid, SIGINT);
  const Output output = finish(pid);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(4));
  EXPECT_EQ(output.code, 130) << output.out << output.err;
  EXPECT_HAS(output.out, "small/endless");
  EXPECT_HAS(output.out, "(interrupted)");
  EXPECT_HAS(output.err, "interrupted: 1 of 1 variants");
}

TEST_F(Program, a_variant_that_takes_too_long_is_ended_with_4) {
  const Output output = run({"run", scenario_, "--variant", "endless", "--time-limit", "1"});
  EXPECT_EQ(output.code, 4) << output.out << output.err;
  EXPECT_HAS(output.out, "worker did not end within 1 s");
}

TEST_F(Program, a_limit_on_cuts_is_kept) {
  run({"run", scenario_, "--variant", "holds", "--cuts", "5", "--runs", "2", "--json", "out.json"});
  const Json json = Json::parse(contents(folder_ / "out.json"));
  EXPECT_EQ(json.at("variants")[0].at("statistics").at("power_cuts"), 10);
}

TEST_F(Program, a_file_that_cannot_be_written_is_told) {
  const Output output =
      run({"run", scenario_, "--variant", "holds", "--cuts", "1", "--json", "/proc/nowhere/out.json"});
  EXPECT_EQ(output.code, 2);
  EXPECT_HAS(output.err, "/proc/nowhere/out.json: cannot be written");
  // Likewise what only a worker writes.
  const Output crash = run({"run", scenario_, "--variant", "caught", "--crashes", "small.yaml"});
  EXPECT_EQ(crash.code, 2) << crash.out;
  EXPECT_HAS(crash.err, "small.yaml/small.caught.yaml: cannot be written");
  const Output trace = run({"run", scenario_, "--variant", "caught", "--trace", "/proc/nowhere/t"});
  EXPECT_EQ(trace.code, 2) << trace.out;
}

TEST_F(Program, a_crash_file_that_does_not_fit_on_the_disk_leaves_nothing_behind) {
  fs::create_directories(folder_ / "crashes/small.caught.yaml/in-its-place");
  const Output output = run({"run", scenario_, "--variant", "caught"});
  EXPECT_EQ(output.code, 2) << output.out;
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "crashes"), {}), 1);
}

TEST_F(Program, a_crash_file_whose_engine_is_not_here_is_bad_input_to_whoever_replays_it) {
  run({"run", scenario_, "--variant", "surprise"});
  std::string text = contents(folder_ / "crashes/small.surprise.yaml");
  text.replace(text.find("engine: native"), 14, "engine: linux:/nowhere");
  file("away.yaml", text);
  const std::vector<std::vector<std::string>> commands{
      {"replay", "away.yaml"}, {"explain", "away.yaml"}, {"minimise", "away.yaml"}, {"diff", "away.yaml", "away.yaml"}};
  for (const auto& command : commands) {
    const Output output = run(command);
    EXPECT_EQ(output.code, 2) << command[0] << output.err;
    EXPECT_HAS(output.err, "/nowhere is no kernel tree");
  }
}

TEST_F(Program, a_folder_whose_name_is_no_text_is_a_folder) {
  const Output output = run({"run", scenario_, "--variant", "caught", "--crashes", "n\xffn", "--json", "out.json"});
  EXPECT_EQ(output.code, 0) << output.out << output.err;
  EXPECT_TRUE(fs::exists(folder_ / "n\xffn/small.caught.yaml"));
  EXPECT_TRUE(Json::accept(contents(folder_ / "out.json")));
}

TEST_F(Program, no_folder_for_crash_files_is_the_one_it_is_called_in) {
  EXPECT_EQ(run({"run", scenario_, "--variant", "caught", "--crashes", ""}).code, 0);
  EXPECT_TRUE(fs::exists(folder_ / "small.caught.yaml"));
}

}  // namespace
}  // namespace dmsim
