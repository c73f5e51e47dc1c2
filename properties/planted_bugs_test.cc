// Every planted bug is found from a random start: within so many generated plans, seeds 1, 2, 3, ... The fixed
// engine goes through as many without a finding. Budgets are what was measured, doubled, at least 50.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "base/sanitizer.h"
#include "harness/engine_factory.h"
#include "harness/generate.h"
#include "harness/run.h"

namespace dmsim {
namespace {

struct PlantedBug {
  std::string_view name;
  std::string_view value;
  std::uint64_t runs;
};

constexpr PlantedBug kBugs[] = {
    {"mirror.dec_promotes_nosync", "on", 50},
    {"mirror.leg_flush_before_clean", "off", 50},
    {"mirror.log_flush_on_dirty", "off", 112},
    {"mirror.forward_flush", "off", 54},
    {"mirror.flush_error_sticky", "off", 20000},
    {"mirror.partial_write", "ack", 50},
    {"mirror.partial_write", "ignore", 58},
    {"mirror.failed_recovery_is_synced", "on", 50},
    {"mirror.requeue_phase", "postsuspend", 50},
    {"mirror.issue_on_log_fail_without_he", "off", 64},
    {"mirror.no_valid_leg", "hold", 50},
    {"mirror.read_retry", "none", 50},
    {"mirror.read_retry", "once", 400},
    {"mirror.read_retry", "keep-status", 284},
    {"mirror.read_retry", "livelock", 200},
    {"mirror.discard_error_degrades", "on", 200},
    {"mirror.resume_resets_cursor", "off", 50},
    {"mirror.resume_read_fail", "ignore", 210},
    {"mirror.bit_order", "native-swapped", 12000},
    {"mirror.recover_waits_for_pending", "off", 5000},
    {"mirror.nosync_entry", "free-early", 5000},
    {"mirror.nosync_entry", "never-reclaim", 50},
    {"mirror.log_size_check", "off", 50},
    {"mirror.mark_dirty", "off", 50},
    {"mirror.undo_presuspend", "off", 50},
    {"mirror.flush_failure_ends_recovery", "off", 20000},
    {"mirror.log_create", "at-once", 68},
    {"mirror.failed_flush", "forgiven", 478},
    {"mirror.unheard_failure", "forgiven", 40000},
    {"mirror.buffer", "shared", 50},
    {"core.preflush_error", "forgotten", 10000},
    {"core.flush", "refused", 50},
    {"core.flush", "linear-only", 52},
    {"core.flush", "ordered", 50},
};

#if defined(DMSIM_ADDRESS_SANITIZER)
constexpr std::uint64_t kLongSearch = 1000;  // runs
#endif

// Not faults, or not faults that a generated plan can show, and why.
constexpr PlantedBug kNotFound[] = {
    {"mirror.buffer", "bounce", 0},         // a cure of mirror.buffer=shared
    {"mirror.buffer", "stable", 0},         // a cure
    {"mirror.buffer", "delayed-clean", 0},  // a cure for power cuts alone
    {"mirror.read_balance", "round-robin", 0},  // a feature
    {"mirror.read_balance", "chosen", 0},       // a feature
    {"mirror.retry_region", "shifted", 0},      // takes 20,000 plans; `dmsim fuzz`, which changes them, finds it in 900
    {"mirror.self_sufficient", "on", 0},            // a cure
    {"mirror.failure_in_suspend", "push-back", 0},  // the core makes EIO of it, as the mirror would
    {"core.requeue_to_eio", "requeue-always", 0},  // kinder than Linux: nothing fails by it
    {"core.resize", "refused", 0},     // a cure
    {"core.resize", "inode-lock", 0},  // generated plans resize nothing
};

VariantResult run_seed(std::uint64_t seed, const SwitchValues& switches, Workshop& workshop) {
  RandomChoices choices(seed);
  const Plan plan = generate_plan(choices, {switches});
  RunOptions options;
  options.seed = seed;
  options.runs = 1;
  options.cuts = 40;
  return run_variant(plan, workshop, options);
}

class Planted : public ::testing::TestWithParam<PlantedBug> {};

TEST_P(Planted, is_found_from_a_random_start) {
  const PlantedBug& bug = GetParam();
#if defined(DMSIM_ADDRESS_SANITIZER)
  if (bug.runs > kLongSearch) GTEST_SKIP() << "a long search is done once, without a sanitizer";
#endif
  const SwitchValues switches{{std::string(bug.name), std::string(bug.value)}};
  Workshop workshop;
  for (std::uint64_t seed = 1; seed <= bug.runs; ++seed) {
    const VariantResult result = run_seed(seed, switches, workshop);
    ASSERT_TRUE(result.refused.empty()) << result.refused;
    if (result.crash) {
      RecordProperty("runs", static_cast<int>(seed));
      return;
    }
  }
  FAIL() << bug.name << "=" << bug.value << " is not found in " << bug.runs << " runs";
}

INSTANTIATE_TEST_SUITE_P(Generated, Planted, ::testing::ValuesIn(kBugs), [](const auto& bug) {
  std::string name = std::string(bug.param.name) + "_" + std::string(bug.param.value);
  std::replace_if(name.begin(), name.end(), [](char c) { return c == '.' || c == '-'; }, '_');
  return name;
});

TEST(PlantedBugs, are_all_in_one_of_the_two_lists) {
  std::set<std::pair<std::string_view, std::string_view>> listed;
  for (const PlantedBug& bug : kBugs) listed.insert({bug.name, bug.value});
  for (const PlantedBug& bug : kNotFound) listed.insert({bug.name, bug.value});
  for (const SwitchInfo& info : all_switches()) {
    if (info.name.starts_with("lvm.")) continue;  // lvm_plans_test.cc
    if (info.name.starts_with("pvmove.")) continue;  // generated plans move nothing yet
    if (info.name.starts_with("lvm1.")) continue;  // lvm1_plans_test.cc
    if (info.name.starts_with("clone.")) continue;  // clone_plans_test.cc
    if (info.name.starts_with("snapshot.")) continue;  // snapshot_plans_test.cc
    if (info.name.starts_with("linux.")) continue;  // what a kernel must bear, not what is wrong with it
    for (const std::string_view value : info.values.subspan(1)) {
      EXPECT_TRUE(listed.contains({info.name, value})) << info.name << "=" << value;
    }
  }
}

// DMSIM_PROPERTY_SECONDS (default 40): a machine does about 100 such runs a second.
TEST(FixedEngine, goes_through_the_same_plans_without_a_finding) {
  const char* said = std::getenv("DMSIM_PROPERTY_SECONDS");
  const std::uint64_t runs = 100 * (said != nullptr ? std::strtoull(said, nullptr, 10) : 40);
  Workshop workshop;
  for (std::uint64_t seed = 1; seed <= runs; ++seed) {
    const VariantResult result = run_seed(seed, {}, workshop);
    ASSERT_TRUE(result.refused.empty()) << "seed " << seed << ": " << result.refused;
    for (const Violation& violation : result.verdict.violations) {
      ADD_FAILURE() << "seed " << seed << ": " << signature(violation) << ": " << violation.sentence;
    }
  }
}

}  // namespace
}  // namespace dmsim
