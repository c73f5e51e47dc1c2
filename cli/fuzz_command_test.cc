// dmsim fuzz as a user runs it: what survives a kill -9, Ctrl-C, repetitions, and any number of workers.
#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "base/sanitizer.h"
#include "cli/program_test.h"
#include "harness/engine_factory.h"

namespace dmsim {
namespace {

using test::contents;
namespace fs = std::filesystem;

// Enough for one run at least, on a busy machine.
#if defined(DMSIM_ADDRESS_SANITIZER)
constexpr std::chrono::seconds kSomeRuns{12};
#else
constexpr std::chrono::seconds kSomeRuns{2};
#endif

class Fuzz : public test::ProgramTest {
 protected:
  // The first column of the first row that the query gives.
  std::string ask(const std::string& query) {
    sqlite3* db = nullptr;
    std::string answer;
    if (sqlite3_open_v2((folder_ / "f.sqlite").c_str(), &db, SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK) {
      sqlite3_stmt* row = nullptr;
      if (sqlite3_prepare_v2(db, query.c_str(), -1, &row, nullptr) == SQLITE_OK && sqlite3_step(row) == SQLITE_ROW) {
        answer = reinterpret_cast<const char*>(sqlite3_column_text(row, 0));
      }
      sqlite3_finalize(row);
    }
    sqlite3_close(db);
    return answer;
  }
  std::vector<std::string> fuzz(std::vector<std::string> more) {
    std::vector<std::string> words{"fuzz", "--db", "f.sqlite", "--cuts", "10", "--seed", "1"};
    if (std::find(more.begin(), more.end(), "--jobs") == more.end()) words.insert(words.end(), {"--jobs", "2"});
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  // A bug that many generated plans show.
  std::vector<std::string> hunt(std::vector<std::string> more) {
    more.insert(more.end(), {"--switch", "mirror.dec_promotes_nosync=on", "--minimise", "0"});
    return fuzz(std::move(more));
  }
};

TEST_F(Fuzz, makes_plans_about_what_it_is_told_to) {
  const Output all = run(fuzz({"--plans", "all", "--runs", "30"}));
  EXPECT_EQ(all.code, 0) << all.out;
  // A clone's plan has no dirty log to plant a bug into.
  const Output clones = run(fuzz({"--plans", "clone", "--runs", "30", "--switch", "mirror.mark_dirty=off"}));
  EXPECT_EQ(clones.code, 0) << clones.out;
  const Output wrong = run(fuzz({"--plans", "clones", "--runs", "1"}));
  EXPECT_EQ(wrong.code, 2);
  EXPECT_HAS(wrong.err, "did you mean 'clone'?");
}

TEST_F(Fuzz, what_a_kill_9_leaves_is_taken_up_and_ends_as_if_nothing_had_happened) {
  const pid_t pid = start(hunt({"--runs", "600"}));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (ask("select count(*) >= 256 from run") != "1" && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  kill(pid, SIGKILL);
  EXPECT_EQ(finish(pid).code, 1000 + SIGKILL);
  const Output resumed = run(hunt({"--runs", "600"}));
  EXPECT_EQ(resumed.code, 1);
  EXPECT_HAS(resumed.err, "goes on at seed ");
  EXPECT_EQ(ask("select count(*) from run"), "600");
  fs::rename(folder_ / "f.sqlite", folder_ / "killed.sqlite");
  const Output whole = run(hunt({"--runs", "600"}));
  EXPECT_EQ(whole.err.find("goes on at seed"), std::string::npos);
  EXPECT_EQ(resumed.out, whole.out);
}

TEST_F(Fuzz, ends_when_somebody_else_goes_on_with_the_same_campaign) {
  const pid_t pid = start(hunt({"--runs", "100000"}));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (ask("select count(*) >= 256 from run") != "1" && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  ask("update campaign set next_seed = next_seed + 256 returning next_seed");
  const Output output = finish(pid);
  EXPECT_EQ(output.code, 2) << output.out << output.err;
  EXPECT_HAS(output.err, "f.sqlite: another dmsim fuzz goes on with the same campaign; what was saved before stays");
}

TEST_F(Fuzz, a_scenario_that_was_changed_is_another_campaign) {
  const std::string text =
      "scenario: s\ndisks: {d: {size: 64KiB}}\ndevices: {lv: \"0 64 linear d 0\"}\n"
      "tasks: [write: {device: lv}]\ncheck: [liveness]\n";
  file("s.yaml", text);
  EXPECT_EQ(run(fuzz({"s.yaml", "--runs", "4"})).err.find("goes on at seed"), std::string::npos);
  EXPECT_HAS(run(fuzz({"s.yaml", "--runs", "4"})).err, "goes on at seed 5");
  file("s.yaml", text + "runs: 3\n");
  EXPECT_EQ(run(fuzz({"s.yaml", "--runs", "4"})).err.find("goes on at seed"), std::string::npos);
}

TEST_F(Fuzz, ctrl_c_ends_soon_with_130_and_loses_nothing) {
  const pid_t pid = start(fuzz({}));
  std::this_thread::sleep_for(kSomeRuns);
  const auto begun = std::chrono::steady_clock::now();
  kill(pid, SIGINT);
  const Output output = finish(pid);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(10));
  EXPECT_EQ(output.code, 130) << output.out << output.err;
  const std::string runs = output.out.substr(0, output.out.find(' '));
  EXPECT_EQ(ask("select count(*) from run"), runs);
  EXPECT_NE(runs, "0");
}

TEST_F(Fuzz, a_second_run_finds_nothing_new_and_repeats_the_report) {
  const Output first = run(hunt({"--runs", "300"}));
  EXPECT_EQ(first.code, 1);
  EXPECT_HAS(first.out, "./dmsim replay crashes/");
  const Output second = run(hunt({"--runs", "300"}));
  EXPECT_EQ(second.code, 1);
  EXPECT_EQ(second.out, first.out);
  EXPECT_EQ(ask("select count(*) from run"), "300");
  EXPECT_EQ(ask("select count(*) - count(distinct signature) from finding"), "0");
}

TEST_F(Fuzz, findings_do_not_depend_on_the_number_of_workers) {
  std::vector<std::string> reports;
  for (const char* jobs : {"1", "3"}) {
    fs::remove(folder_ / "f.sqlite");
    reports.push_back(run(hunt({"--runs", "300", "--jobs", jobs})).out);
  }
  EXPECT_HAS(reports[0], "no-false-sync/engine/clean");
  EXPECT_EQ(reports[0], reports[1]);
}

TEST_F(Fuzz, until_found_ends_at_the_run_that_found_it_however_many_workers_there_are) {
  for (const char* jobs : {"1", "3"}) {
    fs::remove(folder_ / "f.sqlite");
    const Output output = run(hunt({"--until-found", "--jobs", jobs}));
    EXPECT_EQ(output.code, 1);
    EXPECT_EQ(ask("select max(seed) from run"), ask("select first_seed from finding"));
    EXPECT_EQ(ask("select count(*) from finding"), "1");
  }
}

TEST_F(Fuzz, the_time_of_a_session_ends_it_in_the_middle_of_a_round) {
  const auto begun = std::chrono::steady_clock::now();
  // Thousands of power cuts in each run: 256 of them would take a minute.
  const Output output = run({"fuzz", "--db", "f.sqlite", "--jobs", "1", "--seconds", std::to_string(kSomeRuns.count()),
                             "--cuts", "100000"});
  EXPECT_EQ(output.code, 0) << output.out;
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(40));
  EXPECT_EQ(ask("select count(*) > 0 and count(*) % 256 <> 0 from run"), "1");
}

TEST_F(Fuzz, findings_are_minimised_and_replay) {
  const Output output = run(fuzz({"--runs", "64", "--switch", "mirror.forward_flush=off", "--minimise", "300"}));
  ASSERT_EQ(output.code, 1) << output.out << output.err;
  const std::size_t at = output.out.find("./dmsim replay ");
  const std::string path = output.out.substr(at + 15, output.out.find('\n', at) - at - 15);
  EXPECT_TRUE(path.ends_with(".min.yaml")) << path;
  const Output replay = run({"replay", path});
  EXPECT_EQ(replay.code, 1) << replay.err;
  EXPECT_HAS(replay.out, ", as recorded");
}

// In seed 66 the native engine does not meet the fault within a few tries, and does in what is left of it. Its run
// keeps the signature that it had, so that the next run with the same is looked at, too.
TEST_F(Fuzz, a_known_fault_of_linux_is_recognised_in_the_small_plan_if_not_in_the_whole_one) {
  if (!why_not_available("linux-6.12").empty()) GTEST_SKIP() << why_not_available("linux-6.12");
  const Output output = run({"fuzz", "--db", "f.sqlite", "--engine", "linux-6.12", "--plans", "all", "--seed", "66",
                             "--runs", "3", "--jobs", "1"});
  EXPECT_EQ(output.code, 0) << output.out << output.err;
  EXPECT_HAS(output.out, "known fault of Linux, clone.overwrite_fua=forgotten-below");
  EXPECT_HAS(output.out, ".min.yaml");
  EXPECT_EQ(ask("select count(*) from run where seed = 66 and signature like 'durability/%'"), "1");
  EXPECT_EQ(ask("select count(*) from finding where signature not like 'known/%'"), "0");
}

TEST_F(Fuzz, junit_names_each_finding_and_how_to_see_it_again) {
  run(hunt({"--runs", "300", "--junit", "broken.xml"}));
  const std::string broken = contents(folder_ / "broken.xml");
  EXPECT_HAS(broken, "<testsuite name=\"dmsim fuzz\"");
  EXPECT_HAS(broken, "<testcase classname=\"dmsim.fuzz\" name=\"no-false-sync/engine/clean");
  EXPECT_HAS(broken, "./dmsim replay crashes/");
  EXPECT_EQ(run(fuzz({"--runs", "16", "--junit", "whole.xml"})).code, 0);
  EXPECT_HAS(contents(folder_ / "whole.xml"), "failures=\"0\"");
}

TEST_F(Fuzz, a_switch_that_does_not_exist_is_bad_input) {
  const Output typo = run(fuzz({"--switch", "mirror.mark_drity=off"}));
  EXPECT_EQ(typo.code, 2);
  EXPECT_HAS(typo.err, "did you mean 'mirror.mark_dirty'?");
  EXPECT_EQ(run(fuzz({"--switch", "mirror.mark_dirty=of"})).code, 2);
}

}  // namespace
}  // namespace dmsim
