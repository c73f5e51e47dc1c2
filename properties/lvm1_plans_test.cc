// LVM1 over generated plans: the fixed form keeps every promise, each planted bug is found from a random start, seeds
// 1, 2, 3, ...
#include "engine/lvm/lvm1_switches.h"
#include "properties/planted.h"

namespace dmsim {
namespace {

const GeneratedRuns kRuns{{PlanSubject::kLvm1}};

TEST(Lvm1Plans, are_understood_by_the_loader_and_written_without_loss) { expect_round_trip(kRuns, 500); }

TEST(Lvm1Plans, are_kept_by_the_fixed_form) { expect_no_finding(kRuns, 300); }

constexpr PlantedBug kBugs[] = {
    {"lvm1.locked_copy", "absent", 50},      {"lvm1.drain", "fsync-dev", 50},
    {"lvm1.copy", "buffered", 110},          {"lvm1.copy_memory", "allocated", 600},
    {"lvm1.map_commit", "after-unlock", 200},
};

class PlantedInLvm1 : public ::testing::TestWithParam<PlantedBug> {};
TEST_P(PlantedInLvm1, is_found_from_a_random_start) { expect_found(kRuns, GetParam()); }
INSTANTIATE_TEST_SUITE_P(Generated, PlantedInLvm1, ::testing::ValuesIn(kBugs), name_of_bug);

TEST(PlantedInLvm1List, holds_every_switch) { expect_listed(lvm1::lvm1_switches(), kBugs); }

}  // namespace
}  // namespace dmsim
