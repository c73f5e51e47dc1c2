// A generated plan is a plan like any other.
#include "properties/planted.h"
#include "sim/choice.h"

namespace dmsim {
namespace {

TEST(GeneratedPlans, are_understood_by_the_loader_and_written_without_loss) {
  expect_round_trip(GeneratedRuns{}, 4000);
}

TEST(GeneratedPlans, are_the_same_when_their_draws_are_replayed) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    RandomChoices choices(seed);
    const Plan plan = generate_plan(choices);
    const ActorNames names;
    ReplayedChoices replay(label_choices(choices.record(), names), names);
    EXPECT_EQ(generate_plan(replay), plan) << "seed " << seed;
    EXPECT_EQ(replay.departures(), 0u) << replay.first_departure();
    EXPECT_EQ(replay.unused(), 0u);
  }
}

TEST(GeneratedPlans, are_as_plain_as_can_be_when_all_draws_are_zero) {
  PlainChoices plain;
  const Plan plan = generate_plan(plain);
  EXPECT_EQ(plan.tasks.size(), 1u);
  EXPECT_EQ(plan.devices.size(), 1u);
  EXPECT_TRUE(plan.faults.empty());
  EXPECT_EQ(plan.power_cut.when, PowerCutPlan::When::kNever);
}

TEST(GeneratedPlans, let_pages_change_under_a_write_only_where_the_buffer_is_what_matters) {
  std::uint64_t unstable = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    RandomChoices choices(seed);
    EXPECT_TRUE(generate_plan(choices).machine.memory.stable_pages) << "seed " << seed;
    RandomChoices again(seed);
    const Plan plan = generate_plan(again, {{{"mirror.buffer", "shared"}}});
    unstable += plan.machine.memory.stable_pages ? 0 : 1;
  }
  EXPECT_GT(unstable, 100u);
}

}  // namespace
}  // namespace dmsim
