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
    {"lvm.lock", "none", 9999},
    {"lvm.snapshot_flush", "off", 9999},
    {"lvm.snapshot_lockfs", "off", 9999},
    {"lvm.resume_order", "origin-first", 9999},
    {"lvm.repair_suspend", "flush", 9999},
    {"lvm.repair_commit", "after-resume", 9999},
    {"lvm.scan", "reads-suspended", 9999},
    {"lvm.memory", "allocated", 9999},
    {"lvm.backup", "while-suspended", 9999},
    {"lvm.metadata_flush", "off", 9999},
    {"lvm.temporary", "zero", 9999},
    {"lvm.resync_monitor", "left-on", 9999},
    {"mirror.unread_log", "ignored", 9999},  // a log that comes back under a volume that is changed meanwhile
};

constexpr NotPlanted kNotFound[] = {
    {"lvm.lock", "device"},     // half of a cure
    {"lvm.passthrough", "on"},  // a cure
};

class PlantedLvm : public ::testing::TestWithParam<PlantedBug> {};
TEST_P(PlantedLvm, is_found_from_a_random_start) { expect_found(kRuns, GetParam()); }
INSTANTIATE_TEST_SUITE_P(Generated, PlantedLvm, ::testing::ValuesIn(kBugs), name_of_bug);

TEST(PlantedLvms, are_all_in_one_of_the_two_lists) { expect_listed(lvm::lvm_switches(), kBugs, kNotFound); }

}  // namespace
}  // namespace dmsim
