// Snapshots over generated plans: the fixed engine keeps every promise, each planted bug is found from a random
// start, seeds 1, 2, 3, ...
#include "engine/native/snapshot/snapshot_switches.h"
#include "properties/planted.h"

namespace dmsim {
namespace {

const GeneratedRuns kRuns{{PlanSubject::kSnapshot}};

TEST(SnapshotPlans, are_understood_by_the_loader_and_written_without_loss) { expect_round_trip(kRuns, 1000); }

TEST(SnapshotPlans, are_kept_by_the_fixed_engine) { expect_no_finding(kRuns, 4000); }

constexpr PlantedBug kBugs[] = {
    {"snapshot.sort_by_chunk", "off", 90},
    {"snapshot.sibling_lock", "off", 1096},
    {"snapshot.destroy_waits", "off", 52},
    {"snapshot.registration", "allocates-locked", 1282},
    {"snapshot.track_reads", "off", 50},
    {"snapshot.order_completion", "off", 50},
    {"snapshot.commit_on_copy_error", "off", 86},
    {"snapshot.own_header_buffer", "off", 270},
    {"snapshot.load_last_area", "off", 100},
    {"snapshot.area_preflush", "off", 50},
    {"snapshot.area_fua", "off", 50},
    {"snapshot.header_fua", "off", 74},
    {"snapshot.overflow", "invalidate", 138},
    {"snapshot.fail_reads_of_invalid", "off", 4634},
    {"snapshot.invalidate", "inline", 50},
    {"snapshot.throttle", "locked", 304},
    {"snapshot.suspend_on_handover", "off", 50},
    {"snapshot.drain_on_handover", "off", 8270},
    {"snapshot.active_before_origin", "off", 1388},
    {"snapshot.merge_flush", "off", 100},
    {"snapshot.merge_queue_writes", "off", 256},
    {"snapshot.merge_other_snaps", "off", 126},
};

constexpr NotPlanted kNotFound[] = {
    {"snapshot.create", "header-first"},  // a store on what was something else before: volume groups have them
    {"snapshot.registration", "allocates-first"},  // no fault: the same, with memory to be found
    {"snapshot.throttle", "low"},         // no fault: the same, with fewer copies at once
};

class PlantedSnapshot : public ::testing::TestWithParam<PlantedBug> {};
TEST_P(PlantedSnapshot, is_found_from_a_random_start) { expect_found(kRuns, GetParam()); }
INSTANTIATE_TEST_SUITE_P(Generated, PlantedSnapshot, ::testing::ValuesIn(kBugs), name_of_bug);

TEST(PlantedSnapshots, are_all_in_one_of_the_two_lists) { expect_listed(snapshot_switches(), kBugs, kNotFound); }

}  // namespace
}  // namespace dmsim
