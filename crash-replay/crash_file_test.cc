// Crash files: what exploring found is written, read and replayed without loss; damaged files are told.
#include "crash-replay/crash_file.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <string>

#include "crash-replay/minimise/crash_size.h"
#include "harness/engine_factory.h"
#include "harness/test_plans.h"

namespace dmsim {
namespace {

const Vocabulary& vocabulary() {
  static const std::vector<std::string_view> oracles = [] {
    std::vector<std::string_view> names;
    for (const OracleInfo& info : oracle_table()) names.push_back(info.name);
    return names;
  }();
  static const Vocabulary words{oracles, all_switches(), engine_names()};
  return words;
}

// A file that goes when the test does.
class ScratchFile {
 public:
  explicit ScratchFile(const std::string& text = "") {
    path_ = testing::TempDir() + "dmsim-crash-" +
            testing::UnitTest::GetInstance()->current_test_info()->name() + ".yaml";
    for (char& letter : path_) {
      if (letter == '/' && &letter > path_.data() + testing::TempDir().size()) letter = '-';
    }
    write(text);
  }
  ~ScratchFile() { std::remove(path_.c_str()); }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  const std::string& path() const { return path_; }
  void write(const std::string& text) const { std::ofstream(path_, std::ios::binary) << text; }

 private:
  std::string path_;
};

std::optional<Crash> find_crash(const Plan& plan, std::uint64_t seed = 1) {
  Workshop workshop;
  RunOptions options;
  options.seed = seed;
  return run_variant(plan, workshop, options).crash;
}

void expect_same(const Violation& a, const Violation& b) {
  EXPECT_EQ(a.oracle, b.oracle);
  EXPECT_EQ(a.blame, b.blame);
  EXPECT_EQ(a.device, b.device);
  EXPECT_EQ(a.state, b.state);
  EXPECT_EQ(a.sentence, b.sentence);
  EXPECT_EQ(a.sectors, b.sectors);
  EXPECT_EQ(a.details, b.details);
  EXPECT_EQ(a.at, b.at);
  EXPECT_EQ(a.event, b.event);
  EXPECT_EQ(a.life, b.life);
}

// Through a file and back, then run: the same violations, letter for letter, and the same fingerprint.
void expect_replays(const Crash& crash, const std::string& what) {
  SCOPED_TRACE(what);
  ScratchFile file;
  ASSERT_TRUE(save_crash(crash, file.path()).ok());
  auto read = read_crash(file.path(), vocabulary());
  ASSERT_TRUE(read.ok()) << read.error().to_string();
  EXPECT_EQ(read->plan, crash.plan);
  EXPECT_EQ(read->choices, crash.choices);
  EXPECT_EQ(read->fingerprint, crash.fingerprint);
  EXPECT_EQ(read->seed, crash.seed);
  Workshop workshop;
  const ReplayResult replay = replay_crash(*read, workshop);
  EXPECT_TRUE(replay.reproduced);
  EXPECT_TRUE(replay.same_fingerprint);
  EXPECT_EQ(replay.departures, 0u) << replay.first_departure;
  EXPECT_EQ(replay.unused, 0u);
  ASSERT_EQ(replay.run.violations.size(), crash.violations.size());
  for (std::size_t i = 0; i < crash.violations.size(); ++i) {
    expect_same(replay.run.violations[i], crash.violations[i]);
    expect_same(read->violations[i], crash.violations[i]);
  }
}

class EveryCrash : public testing::TestWithParam<test::PlantedBug> {};

TEST_P(EveryCrash, replays_to_the_same_violation_and_fingerprint) {
  const Plan plan = test::with(GetParam().plan, GetParam().faulty);
  int found = 0;
  for (const std::uint64_t seed : {1u, 50u, 100u, 150u}) {
    const auto crash = find_crash(plan, seed);
    if (!crash) continue;
    ++found;
    expect_replays(*crash, fmt::format("seed {}", seed));
  }
  EXPECT_GT(found, 0);
}

// Cuts of recovery, with everything else as it was.
TEST_P(EveryCrash, replays_when_recovery_is_cut_again) {
  Plan plan = test::with(GetParam().plan, GetParam().faulty);
  if (plan.power_cut.when == PowerCutPlan::When::kNever) test::cut_anywhere(plan);
  plan.power_cut.depth = 3;
  int found = 0;
  for (const std::uint64_t seed : {1u, 50u, 100u, 150u}) {
    const auto crash = find_crash(plan, seed);
    if (!crash) continue;
    ++found;
    expect_replays(*crash, fmt::format("seed {}", seed));
  }
  EXPECT_GT(found, 0);
}

INSTANTIATE_TEST_SUITE_P(Planted, EveryCrash, testing::ValuesIn(test::planted_bugs()),
                         [](const auto& tested) {
                           std::string name = tested.param.name;
                           for (char& letter : name) {
                             if (letter == '-') letter = '_';
                           }
                           return name;
                         });

TEST(CrashFile, replays_violations_of_every_life) {
  std::set<std::uint32_t> lives;
  for (const test::PlantedBug& bug : test::planted_bugs()) {
    Plan plan = test::with(bug.plan, bug.faulty);
    if (plan.power_cut.when == PowerCutPlan::When::kNever) continue;
    plan.power_cut.depth = 4;
    plan.power_cut.states_per_cut = 2;
    for (std::uint64_t seed = 1000; seed < 1100; seed += 5) {
      const auto crash = find_crash(plan, seed);
      if (!crash) continue;
      const std::uint32_t life = crash->violations.front().life;
      if (!lives.insert(life).second && life < 2) continue;
      expect_replays(*crash, fmt::format("{} seed {} life {}", bug.name, seed, life));
    }
  }
  EXPECT_TRUE(lives.contains(1));
  EXPECT_TRUE(lives.contains(2));
}

// A write's submission is an opportunity of its own, in the very slice in which the script cuts.
TEST(CrashFile, replays_a_cut_in_the_slice_of_an_opportunity) {
  Plan plan;
  plan.scenario = "liar";
  plan.disks = {test::disk("sda", 64)};
  plan.devices = {{"lv", "0 64 linear sda 0", true}};
  plan.tasks = {test::script("W0+1 c(W0+1) F c(F) W8+1 *", Duration::milliseconds(1))};
  plan.faults = {test::fault("sda", FaultKind::kLyingFlush)};
  plan.faults[0].from = Duration();
  plan.checks = {std::string(oracle::kDurability)};
  plan.expect = {Expectation::Verdict::kViolates, plan.checks, Blame::kDisk};
  const auto crash = find_crash(plan);
  ASSERT_TRUE(crash);
  expect_replays(*crash, "a lying disk");
}

TEST(CrashFile, replays_cuts_that_the_plan_or_a_script_lays_down) {
  using When = PowerCutPlan::When;
  for (const When when : {When::kAt, When::kAtEnd, When::kNever, When::kAny}) {
    Plan plan = test::mirror_plan();
    plan.switches["mirror.forward_flush"] = "off";
    plan.switches["mirror.leg_flush_before_clean"] = "off";
    plan.checks = {std::string(oracle::kDurability)};
    plan.power_cut.when = when;
    if (when == When::kAt) plan.power_cut.at = test::after_sync() + Duration::milliseconds(30);
    plan.tasks = {test::script("W0+8 c(W0+8) F c(F) W8+8")};
    if (when == When::kNever) plan.tasks = {test::script("W0+8 c(W0+8) F c(F) W8+8 *")};
    if (when == When::kAny) {  // its own cuts come before the script's
      plan.tasks = {test::script("W0+8 c(W0+8) W8+8 *")};
      plan.switches["mirror.mark_dirty"] = "off";
      plan.checks = {std::string(oracle::kLegsIdentical)};
    }
    const auto crash = find_crash(plan);
    ASSERT_TRUE(crash) << static_cast<int>(when);
    EXPECT_EQ(crash->violations.front().life, 1u);
    expect_replays(*crash, fmt::format("when {}", static_cast<int>(when)));
  }
}

// A disk that dies and comes back old, or refuses things by chance, must do so again in a replay.
TEST(CrashFile, replays_with_faults_that_outlive_the_cut) {
  int found = 0;
  for (const FaultKind kind : {FaultKind::kRevives, FaultKind::kDies, FaultKind::kReadError,
                               FaultKind::kWriteError, FaultKind::kFlushError}) {
    Plan plan = test::mirror_plan("0");
    plan.tasks = {test::writer(40, test::after_sync(), 3)};
    test::cut_anywhere(plan);
    plan.power_cut.depth = 2;
    plan.faults = {test::fault("leg1", kind)};
    plan.faults[0].from = test::after_sync() + Duration::milliseconds(5);
    plan.faults[0].probability = {1, 3};
    plan.faults[0].after_reboot = true;
    plan.switches["mirror.forward_flush"] = "off";
    plan.switches["mirror.mark_dirty"] = "off";
    for (const std::uint64_t seed : {1u, 20u, 40u}) {
      const auto crash = find_crash(plan, seed);
      if (!crash) continue;
      ++found;
      expect_replays(*crash, fmt::format("fault {} seed {}", static_cast<int>(kind), seed));
    }
  }
  EXPECT_GE(found, 5);
}

Crash small_crash() {
  Crash crash;
  crash.plan = test::mirror_plan();
  crash.plan.tasks = {test::script("W0+8 c(W0+8)")};
  Violation violation;
  violation.oracle = "durability";
  violation.device = "lv";
  violation.sentence = "sector 3: \"lost\", 'gone' # for good";
  violation.details = {"- a: b", "", "back\\slash"};
  violation.sectors = {3, 4};
  violation.at = Instant::at_ns(1234567);
  violation.event = 77;
  violation.life = 2;
  violation.state = "stale: yes";
  crash.violations = {violation};
  crash.fingerprint = 0xFEDCBA9876543210;
  crash.seed = 0xFFFFFFFFFFFFFFFF;
  crash.choices = {{"sched.next", "cache lv", 3, 2},
                   {"power.survivor", "leg0: #1", 2, 1},
                   {"disk.transfer", "-", ~std::uint64_t{0}, ~std::uint64_t{0} - 1},
                   {"task.block", "", 2, 0},
                   {"task.block", "a@b", 2, 0}};
  return crash;
}

TEST(CrashFile, odd_names_and_extreme_numbers_come_back_as_they_were) {
  const Crash crash = small_crash();
  ScratchFile file(write_crash(crash));
  const auto read = read_crash(file.path(), vocabulary());
  ASSERT_TRUE(read.ok()) << read.error().to_string();
  EXPECT_EQ(read->choices, crash.choices);
  EXPECT_EQ(read->plan, crash.plan);
  EXPECT_EQ(read->seed, crash.seed);
  EXPECT_EQ(read->fingerprint, crash.fingerprint);
  ASSERT_EQ(read->violations.size(), 1u);
  expect_same(read->violations[0], crash.violations[0]);
  EXPECT_EQ(write_crash(*read), write_crash(crash));
}

TEST(CrashFile, a_file_cut_off_anywhere_is_refused_and_says_where) {
  const std::string whole = write_crash(small_crash());
  for (std::size_t length = 0; length + 1 < whole.size(); ++length) {
    const auto read = parse_crash(whole.substr(0, length), "a.yaml", vocabulary());
    ASSERT_FALSE(read.ok()) << "of " << whole.size() << " bytes only " << length;
    const std::string message = read.error().to_string();
    EXPECT_NE(message.find("a.yaml:"), std::string::npos) << message;
    const bool nothing = message.find("found nothing but comments") != std::string::npos ||
                         message.find("empty") != std::string::npos;
    EXPECT_TRUE(nothing || (read.error().line > 0 && read.error().column > 0)) << message;
    EXPECT_GT(read.error().message.size(), 10u) << message;
  }
  EXPECT_TRUE(parse_crash(whole.substr(0, whole.size() - 1), "a.yaml", vocabulary()).ok())
      << "only the last newline is missing";
}

// Any byte may be wrong: the answer is a crash or an error with a place, never an abort.
TEST(CrashFile, a_file_with_one_wrong_byte_is_read_or_refused) {
  const std::string whole = write_crash(small_crash());
  std::size_t refused = 0;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const char wrong : {'\0', '\n', ':', '[', '9'}) {
      std::string text = whole;
      text[at] = wrong;
      const auto read = parse_crash(text, "a.yaml", vocabulary());
      if (read.ok()) continue;
      ++refused;
      EXPECT_FALSE(read.error().message.empty());
    }
  }
  EXPECT_GT(refused, whole.size());
}

struct Damage {
  const char* from;
  const char* to;
  const char* message;
};

TEST(CrashFile, each_wrong_value_has_its_own_message) {
  const Damage damages[] = {
      {"dmsim-crash: 1", "dmsim-crash: 2", ":2:14: crash format '2' is not known, expected 1"},
      {"dmsim-crash: 1\n", "", ":1:1: not a crash file: it has no key 'dmsim-crash'"},
      {"'fedcba9876543210'", "nonsense", ":3:14: expected 16 hexadecimal digits, found 'nonsense'"},
      {"seed: 18446744073709551615", "seed: -1", "expected a seed, found '-1'"},
      {"seed: 18446744073709551615\n", "", "the key 'seed' is missing"},
      {"blame: engine", "blame: nobody",
       "unknown blame 'nobody', expected engine, application or disk"},
      {"sectors: 3..4", "sectors: 4..3", "this cannot be the 'sectors' of a violation"},
      {"2/3 sched.next", "3/3 sched.next", "expected a choice 'VALUE/BOUND POINT@WHO'"},
      {"2/3 sched.next", "2 sched.next", "expected a choice 'VALUE/BOUND POINT@WHO'"},
      {"complete: true", "complete: maybe", "'complete' must be 'true'"},
      {"plan:\n", "plan: none\nplain:\n", "'plan' must be a map"},
  };
  for (const Damage& damage : damages) {
    std::string text = write_crash(small_crash());
    const std::size_t at = text.find(damage.from);
    ASSERT_NE(at, std::string::npos) << damage.from;
    text.replace(at, std::string(damage.from).size(), damage.to);
    const auto read = parse_crash(text, "a.yaml", vocabulary());
    ASSERT_FALSE(read.ok()) << damage.to;
    EXPECT_NE(read.error().to_string().find(damage.message), std::string::npos)
        << read.error().to_string();
  }
}

TEST(CrashFile, a_file_that_cannot_be_read_or_written_is_named) {
  const auto read = read_crash("/nowhere/at/all.yaml", vocabulary());
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().to_string(), "/nowhere/at/all.yaml: cannot be read");
  const auto saved = save_crash(small_crash(), "/proc/nowhere/crash.yaml");
  ASSERT_FALSE(saved.ok());
  EXPECT_EQ(saved.error().to_string(), "/proc/nowhere/crash.yaml: cannot be written");
}

// Written by this format once and kept: whatever becomes of the machine's timing, the file is understood
// and the promise is broken again.
TEST(CrashFile, a_kept_file_still_shows_its_violation) {
  const auto crash = read_crash(
      "crash-replay/testdata/a_flush_kept_to_itself_loses_the_write.yaml", vocabulary());
  ASSERT_TRUE(crash.ok()) << crash.error().to_string();
  EXPECT_EQ(crash->violations.front().oracle, oracle::kDurability);
  Workshop workshop;
  EXPECT_TRUE(replay_crash(*crash, workshop).reproduced);
  Crash mended = *crash;
  mended.plan.switches.clear();
  EXPECT_FALSE(replay_crash(mended, workshop).reproduced);
}

// Seeds 1 and 2, as small as the minimiser made them.
TEST(CrashFile, the_first_two_seeds_are_kept_in_a_dozen_events_and_still_break_their_promise) {
  struct Kept {
    const char* name;
    const char* cure;   // switch
    const char* value;  // mends it; empty: the switch's absence does
  };
  for (const Kept& kept : {Kept{"a_page_stored_to_between_its_two_legs", "mirror.buffer", "bounce"},
                           Kept{"a_write_before_its_region_is_copied_makes_it_clean",
                                "mirror.dec_promotes_nosync", ""}}) {
    const auto crash = read_crash(std::string("crash-replay/testdata/") + kept.name + ".yaml", vocabulary());
    ASSERT_TRUE(crash.ok()) << crash.error().to_string();
    EXPECT_EQ(crash->violations.front().oracle, oracle::kLegsIdentical);
    Workshop workshop;
    const ReplayResult replay = replay_crash(*crash, workshop);
    EXPECT_TRUE(replay.reproduced) << kept.name;
    EXPECT_LE(count_io_events(replay.run.lives.back()->trace()), 12u) << kept.name;
    Crash mended = *crash;
    mended.plan.switches.erase(kept.cure);
    if (*kept.value != 0) mended.plan.switches[kept.cure] = kept.value;
    EXPECT_FALSE(replay_crash(mended, workshop).reproduced) << kept.name;
  }
}

// What fuzzing has found in the engine, and what it was mended for.
TEST(CrashFile, a_fault_that_was_mended_stays_mended) {
  const auto crash = read_crash(
      "crash-replay/testdata/a_log_whose_creation_failed_vouches_for_old_bits.yaml", vocabulary());
  ASSERT_TRUE(crash.ok()) << crash.error().to_string();
  Workshop workshop;
  const ReplayResult replay = replay_crash(*crash, workshop);
  EXPECT_EQ(replay.run.lives.size(), 2u) << "the power is cut all the same";
  EXPECT_TRUE(replay.run.violations.empty());
}

class TolerantReplay : public testing::Test {
 protected:
  void SetUp() override {
    auto found = find_crash(test::with(test::unstable_page_plan(), {}));
    ASSERT_TRUE(found);
    crash_ = std::move(*found);
    ASSERT_GT(crash_.choices.size(), 20u);
  }
  ReplayResult replay() { return replay_crash(crash_, workshop_); }
  Workshop workshop_;
  Crash crash_;
};

TEST_F(TolerantReplay, unknown_choices_are_left_over_and_reported) {
  crash_.choices.insert(crash_.choices.begin() + 5, {"future.point", "nobody known", 7, 3});
  crash_.choices.push_back({"future.point", "nobody known", 7, 3});
  const ReplayResult result = replay();
  EXPECT_TRUE(result.reproduced);
  EXPECT_GE(result.unused, 1u);
}

TEST_F(TolerantReplay, missing_choices_are_taken_as_the_plainest_and_reported) {
  const std::size_t before = crash_.choices.size();
  for (std::size_t i = before / 2; i < crash_.choices.size(); i += 7) {
    crash_.choices.erase(crash_.choices.begin() + static_cast<std::ptrdiff_t>(i));
  }
  const ReplayResult result = replay();
  EXPECT_GT(result.departures, 0u);
  EXPECT_FALSE(result.first_departure.empty());
  EXPECT_FALSE(result.same_fingerprint);
}

TEST_F(TolerantReplay, a_label_that_has_changed_departs_there) {
  crash_.choices[3].point += "-renamed";
  const ReplayResult result = replay();
  EXPECT_GT(result.departures, 0u);
  EXPECT_GE(result.unused, 1u);
}

TEST_F(TolerantReplay, without_any_choices_the_plainest_run_is_over_without_a_cut) {
  crash_.choices.clear();
  const ReplayResult result = replay();
  EXPECT_EQ(result.run.lives.size(), 1u);
  EXPECT_FALSE(result.reproduced);
  EXPECT_GT(result.departures, 0u);
}

TEST_F(TolerantReplay, stops_at_the_event_that_was_asked_for) {
  LinearOptions options;
  options.until = 100;
  const ReplayResult result = replay_crash(crash_, workshop_, options);
  EXPECT_GE(result.run.lives.back()->trace().last_id(), 100u);
  EXPECT_LT(result.run.lives.back()->trace().last_id(), 140u);
  EXPECT_FALSE(result.reproduced);
}

}  // namespace
}  // namespace dmsim
