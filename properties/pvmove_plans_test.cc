// pvmove of LVM2 over generated plans: the fixed form keeps every promise, also over both kernels' own mirrors; each
// planted fault of the command is found from a random start, seeds 1, 2, 3, ...
#include "engine/lvm/pvmove_switches.h"
#include "harness/engine_factory.h"
#include "harness/known_faults.h"
#include "properties/planted.h"

namespace dmsim {
namespace {

const GeneratedRuns kRuns{{PlanSubject::kPvmove}, 40};
constexpr std::uint64_t kKernelPlans = 14;

TEST(PvmovePlans, are_understood_by_the_loader_and_written_without_loss) { expect_round_trip(kRuns, 500); }

TEST(PvmovePlans, are_kept_by_the_fixed_form) { expect_no_finding(kRuns, 200); }

// The kernels' own mirrors below the fixed command: what breaks is known of Linux.
class PvmoveOfAKernel : public ::testing::TestWithParam<const char*> {};

TEST_P(PvmoveOfAKernel, keeps_the_promises_or_shows_what_is_known) {
  if (!why_not_available(GetParam()).empty()) GTEST_SKIP() << why_not_available(GetParam());
  Workshop workshop;
  for (std::uint64_t seed = 1; seed <= kKernelPlans; ++seed) {
    RandomChoices choices(seed);
    GeneratorOptions generator;
    generator.about = {PlanSubject::kPvmove};
    generator.engine_has_switches = false;
    Plan plan = generate_plan(choices, generator);
    plan.engine = GetParam();
    const VariantResult result = run_once(plan, seed, 5, workshop);
    ASSERT_TRUE(result.refused.empty()) << "seed " << seed << ": " << result.refused;
    for (const Violation& violation : result.verdict.violations) {
      EXPECT_NE(known_fault(plan, violation, workshop), "") << "seed " << seed << ": " << violation.sentence;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Linux, PvmoveOfAKernel, ::testing::Values("linux-6.1", "linux-6.12"),
                         [](const auto& engine) { return test_name(engine.param); });

constexpr PlantedBug kBugs[] = {
    {"pvmove.mirror_resume", "at-once", 50},
    {"pvmove.suspend_order", "lower-first", 50},
    {"pvmove.suspended", "first-tree", 140},
    {"pvmove.commit", "after-resume", 160},
    {"pvmove.checkpoint", "none", 50},
    {"pvmove.restart", "off", 50},
    {"pvmove.activation", "mirror-last", 70},
    {"pvmove.mirror_creation", "after-commit", 50},
    {"pvmove.finish_tree", "components", 50},
    {"pvmove.abort_image", "next-image", 50},
    {"pvmove.poll", "percent", 50},
    {"pvmove.errors", "ignored", 50},
    {"pvmove.retreat", "none", 50},
    {"pvmove.reload", "what-differs", 50},
};

constexpr NotPlanted kNotFound[] = {
    {"pvmove.flush", "also-mirrors"},  // no plan has a mirror fail under a move (pvmove/mirror-leg-fails.yaml)
    {"pvmove.flush", "off"},  // no fault by itself: what is above the mirror is drained first (pvmove/noflush.yaml)
};

class PlantedInPvmove : public ::testing::TestWithParam<PlantedBug> {};
TEST_P(PlantedInPvmove, is_found_from_a_random_start) { expect_found(kRuns, GetParam()); }
INSTANTIATE_TEST_SUITE_P(Generated, PlantedInPvmove, ::testing::ValuesIn(kBugs), name_of_bug);

TEST(PlantedInPvmoveList, holds_every_switch) { expect_listed(lvm::pvmove_switches(), kBugs, kNotFound); }

}  // namespace
}  // namespace dmsim
