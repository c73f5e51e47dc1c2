// Volume groups over generated plans: the fixed engine and the fixed commands keep every promise, each planted
// fault of the commands is found from a random start, seeds 1, 2, 3, ...
#include "engine/lvm/lvm_switches.h"
#include "properties/planted.h"

namespace dmsim {
namespace {

const GeneratedRuns kRuns{{PlanSubject::kVolumeGroup}, 20};

TEST(LvmPlans, are_understood_by_the_loader_and_written_without_loss) { expect_round_trip(kRuns, 500); }

TEST(LvmPlans, are_kept_by_the_fixed_engine) { expect_no_finding(kRuns, 500); }

constexpr PlantedBug kBugs[] = {
    {"lvm.lock", "none", 50},
    {"lvm.snapshot_flush", "off", 50},
    {"lvm.snapshot_lockfs", "off", 50},
    {"lvm.resume_order", "origin-first", 374},
    {"lvm.repair_suspend", "flush", 50},
    {"lvm.repair_commit", "after-resume", 446},
    {"lvm.scan", "reads-suspended", 50},
    {"lvm.memory", "allocated", 222},
    {"lvm.backup", "while-suspended", 50},
    {"lvm.metadata_flush", "off", 646},
    {"lvm.temporary", "zero", 56},
    {"lvm.resync_monitor", "left-on", 50},
    {"snapshot.create", "header-first", 70},  // on extents that were something else before
};

constexpr NotPlanted kNotFound[] = {
    {"lvm.lock", "device"},     // half of a cure
    {"lvm.passthrough", "on"},  // a cure
    {"lvm.snapshot_failure", "left"},   // takes a store that cannot be read
    {"lvm.repairs", "one-at-a-time"},  // takes two volume groups
};

class PlantedLvm : public ::testing::TestWithParam<PlantedBug> {};
TEST_P(PlantedLvm, is_found_from_a_random_start) { expect_found(kRuns, GetParam()); }
INSTANTIATE_TEST_SUITE_P(Generated, PlantedLvm, ::testing::ValuesIn(kBugs), name_of_bug);

TEST(PlantedLvms, are_all_in_one_of_the_two_lists) { expect_listed(lvm::lvm_switches(), kBugs, kNotFound); }

}  // namespace
}  // namespace dmsim
