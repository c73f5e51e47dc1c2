// Volume groups over generated plans: the fixed engine and the fixed commands keep every promise, each planted
// fault of the commands is found from a random start, seeds 1, 2, 3, ...
#include "engine/lvm/lvm_switches.h"
#include "properties/planted.h"

namespace dmsim {
namespace {

const GeneratedRuns kRuns{{PlanSubject::kVolumeGroup}, 10};

TEST(LvmPlans, are_understood_by_the_loader_and_written_without_loss) { expect_round_trip(kRuns, 500); }

TEST(LvmPlans, are_kept_by_the_fixed_engine) { expect_no_finding(kRuns, 500); }

constexpr PlantedBug kBugs[] = {
    {"lvm.lock", "none", 50},
    {"lvm.snapshot_flush", "off", 50},
    {"lvm.snapshot_lockfs", "off", 50},
    {"lvm.resume_order", "origin-first", 54},
    {"lvm.repair_suspend", "flush", 50},
    {"lvm.scan", "reads-suspended", 50},
    {"lvm.backup", "while-suspended", 50},
    {"lvm.resync_monitor", "left-on", 88},
};

// Cures, and what generated plans do not show: scenarios do.
constexpr NotPlanted kNotFound[] = {
    {"lvm.lock", "device"},               // half of a cure
    {"lvm.passthrough", "on"},            // a cure
    {"lvm.temporary", "zero"},            // nobody has a leg open
    {"lvm.memory", "allocated"},          // hardly ever is memory full of the volume's pages
    {"lvm.repair_commit", "after-resume"},  // not in 1000 runs: the power must fail in one short moment
    {"lvm.metadata_flush", "off"},          // not in 1000 runs: the same
};

class PlantedLvm : public ::testing::TestWithParam<PlantedBug> {};
TEST_P(PlantedLvm, is_found_from_a_random_start) { expect_found(kRuns, GetParam()); }
INSTANTIATE_TEST_SUITE_P(Generated, PlantedLvm, ::testing::ValuesIn(kBugs), name_of_bug);

TEST(PlantedLvms, are_all_in_one_of_the_two_lists) { expect_listed(lvm::lvm_switches(), kBugs, kNotFound); }

}  // namespace
}  // namespace dmsim
