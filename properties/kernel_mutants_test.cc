// Bugs planted into the kernel's own code (engine/linux/mutants) are found from a random start: within so many
// generated plans, seeds 1, 2, 3, ... The same trees unmutated go through as many, and show nothing but known
// faults of Linux (harness/known_faults.h). Budgets are what was measured, doubled, at least 20.
//
// One series, and no mutant that takes more than a hundred runs; DMSIM_KERNEL_MUTANTS=all asks for everything.
// Without the kernel's sources, or without spatch for the mutants, nothing is tried.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "base/sanitizer.h"
#include "harness/engine_factory.h"
#include "harness/generate.h"
#include "harness/known_faults.h"
#include "harness/run.h"
#include "properties/planted.h"

namespace dmsim {
namespace {

struct Mutant {
  std::string_view name;
  PlanSubject about;
  std::uint64_t runs;
};

constexpr Mutant kMutants[] = {
    {"clean-without-leg-flush", PlanSubject::kMirror, 20},
    {"log-no-dirty-mark", PlanSubject::kMirror, 20},
    {"nosync-promoted-to-clean", PlanSubject::kMirror, 58},
    {"recovery-error-counted-as-synced", PlanSubject::kMirror, 20},
    {"clone-no-destination-flush", PlanSubject::kClone, 20},
    {"snapshot-area-without-preflush", PlanSubject::kSnapshot, 20},
    {"merge-without-origin-flush", PlanSubject::kSnapshot, 404},
};

// What shows only on a machine that generated plans do not ask for: preemption at atomic operations, or at locks with
// several writers to one chunk, or no memory. scenarios/kernel has each of them found, and blind where it must be.
constexpr std::string_view kOnScarceMachines[] = {
    "dm-io-counted-in-two-steps",
    "kcopyd-gives-up-without-memory",
    "snapshot-no-second-look",
};

// What mends a fault of the kernel's own, for the scenario that shows it to be that fault.
constexpr std::string_view kCures[] = {"shadow-ablock-unlocks"};

bool everything() { return std::getenv("DMSIM_KERNEL_MUTANTS") != nullptr; }
bool is_chosen(const Mutant& mutant) { return everything() || mutant.runs <= 100; }

VariantResult run_seed(std::uint64_t seed, std::string_view engine, PlanSubject about, Workshop& workshop) {
  const GeneratedRuns runs{{about}};
  Plan plan = runs.plan(seed);
  plan.engine = engine;
  return run_once(plan, seed, runs.cuts, workshop);
}

// What no known fault explains, in words; empty: nothing.
std::string unexplained(const VariantResult& result, Workshop& workshop) {
  if (!result.crash) return {};
  for (const Violation& violation : result.crash->violations) {
    if (known_fault(result.crash->plan, violation, workshop).empty()) {
      return signature(violation) + ": " + violation.sentence;
    }
  }
  return {};
}

class Kernel : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (!everything() && GetParam() != "6.12") GTEST_SKIP() << "not asked for";
    const std::string why = why_not_available("linux-" + GetParam());
    if (!why.empty()) GTEST_SKIP() << why;
  }
  Workshop workshop_;
};
INSTANTIATE_TEST_SUITE_P(Linux, Kernel, ::testing::Values("6.1", "6.12"), [](const auto& series) {
  return "series_" + series.param.substr(0, 1) + "_" + series.param.substr(2);
});

TEST_P(Kernel, with_a_planted_bug_is_caught_from_a_random_start) {
#if defined(DMSIM_ADDRESS_SANITIZER)
  if (!everything()) GTEST_SKIP() << "an image of each mutant more, for the same answer";
#endif
  for (const Mutant& mutant : kMutants) {
    if (!is_chosen(mutant)) continue;
    const std::string engine = "linux-" + GetParam() + "+" + std::string(mutant.name);
    const std::string why = why_no_engine(engine);
    if (why.find("spatch") != std::string::npos) GTEST_SKIP() << why;
    ASSERT_EQ(why, "");
    std::uint64_t found = 0;
    for (std::uint64_t seed = 1; seed <= mutant.runs && found == 0; ++seed) {
      if (!unexplained(run_seed(seed, engine, mutant.about, workshop_), workshop_).empty()) found = seed;
    }
    EXPECT_NE(found, 0u) << mutant.name << " is not found in " << mutant.runs << " runs";
    RecordProperty(std::string(mutant.name), static_cast<int>(found));
  }
}

TEST_P(Kernel, without_one_shows_only_what_is_known) {
  const std::string engine = "linux-" + GetParam();
  ASSERT_EQ(why_no_engine(engine), "");
  for (const PlanSubject about : {PlanSubject::kMirror, PlanSubject::kClone, PlanSubject::kSnapshot}) {
    std::uint64_t runs = 0;
    for (const Mutant& mutant : kMutants) {
      if (mutant.about == about && is_chosen(mutant)) runs = std::max(runs, mutant.runs);
    }
    for (std::uint64_t seed = 1; seed <= runs; ++seed) {
      const VariantResult result = run_seed(seed, engine, about, workshop_);
      ASSERT_TRUE(result.refused.empty()) << "seed " << seed << ": " << result.refused;
      EXPECT_EQ(unexplained(result, workshop_), "") << "seed " << seed;
    }
  }
}

// A fault that the native engine does not have in any place of its switches is never explained away.
TEST(KnownFaults, do_not_explain_what_only_a_mutant_does) {
  if (!why_not_available("linux-6.12").empty()) GTEST_SKIP() << why_not_available("linux-6.12");
  Workshop workshop;
  RandomChoices choices(1);
  Plan plan = generate_plan(choices, {{}, {PlanSubject::kMirror}});
  plan.engine = "linux-6.12";
  Violation invented;
  invented.oracle = "untouched-sectors";
  invented.sentence = "nobody breaks this";
  EXPECT_EQ(known_fault(plan, invented, workshop), "");
  Violation beyond;
  beyond.oracle = "no-engine-bug";
  beyond.sentence = "the engine met a WARN: in_sync() goes beyond a bitmap: region 9 of 8";
  EXPECT_EQ(known_fault(plan, beyond, workshop), "mirror.retry_region=shifted");
  beyond.sentence = "the engine met a BUG at dm-snap-persistent.c:407: BUG_ON(index >= ps->exceptions_per_area)";
  EXPECT_EQ(known_fault(plan, beyond, workshop), "snapshot.drain_on_handover=off");
}

TEST(KernelMutants, are_all_in_the_list) {
  for (const auto& file : std::filesystem::directory_iterator("engine/linux/mutants")) {
    const std::string name = file.path().stem().string();
    const bool hunted = std::any_of(std::begin(kMutants), std::end(kMutants),
                                    [&](const Mutant& mutant) { return mutant.name == name; });
    EXPECT_TRUE(hunted || std::ranges::count(kOnScarceMachines, name) == 1 || std::ranges::count(kCures, name) == 1)
        << name;
  }
}

}  // namespace
}  // namespace dmsim
