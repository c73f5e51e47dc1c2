#include "sim/choice.h"

#include <gtest/gtest.h>

#include <array>

namespace dmsim {
namespace {

constexpr ChoicePoint kDelay{"test.delay"};
constexpr ChoicePoint kFault{"test.fault"};

class ReplayedChoicesTest : public testing::Test {
 protected:
  ActorNames names_;
  Actor leg0_ = names_.intern("leg0");
  Actor leg1_ = names_.intern("leg1");
};

TEST(RandomChoices, equal_seeds_draw_equal_values_and_other_seeds_others) {
  RandomChoices one(7), same(7), other(8);
  int differences = 0;
  for (int i = 0; i < 100; ++i) {
    const std::uint64_t value = one.draw(kDelay, Actor::kNobody, 1'000'000);
    EXPECT_EQ(same.draw(kDelay, Actor::kNobody, 1'000'000), value);
    differences += other.draw(kDelay, Actor::kNobody, 1'000'000) != value ? 1 : 0;
  }
  EXPECT_GT(differences, 95);
}

TEST(RandomChoices, draws_the_same_values_on_every_machine) {
  RandomChoices choices(1);
  EXPECT_EQ(choices.draw(kDelay, Actor::kNobody, 1u << 20), 594082u);
  EXPECT_EQ(choices.draw(kDelay, Actor::kNobody, 1u << 20), 782008u);
}

TEST(RandomChoices, every_value_below_the_bound_comes_and_none_beyond) {
  RandomChoices choices(3);
  std::array<int, 7> seen{};
  for (int i = 0; i < 7000; ++i) ++seen.at(choices.draw(kDelay, Actor::kNobody, 7));
  for (const int count : seen) {
    EXPECT_GT(count, 850);
    EXPECT_LT(count, 1150);
  }
}

TEST(ChoiceSource, a_draw_with_one_outcome_is_no_choice) {
  RandomChoices choices(1);
  EXPECT_EQ(choices.draw(kDelay, Actor::kNobody, 1), 0u);
  EXPECT_FALSE(choices.chance(kFault, Actor::kNobody, {0, 10}));
  EXPECT_TRUE(choices.chance(kFault, Actor::kNobody, {10, 10}));
  EXPECT_TRUE(choices.record().empty());
}

TEST(ChoiceSource, a_draw_without_an_outcome_is_our_bug) {
  PlainChoices choices;
  EXPECT_DEATH(choices.draw(kDelay, Actor::kNobody, 0), "CHECK failed");
}

TEST(ChoiceSource, the_plainest_run_has_no_fault_and_the_shortest_delay) {
  PlainChoices choices;
  EXPECT_FALSE(choices.chance(kFault, Actor::kNobody, {9, 10}));
  EXPECT_EQ(choices.duration(kDelay, Actor::kNobody, Duration::nanoseconds(5),
                             Duration::nanoseconds(9)),
            Duration::nanoseconds(5));
}

TEST(ChoiceSource, a_chance_of_three_in_a_hundred_strikes_that_often) {
  RandomChoices choices(11);
  int struck = 0;
  for (int i = 0; i < 100'000; ++i) struck += choices.chance(kFault, Actor::kNobody, {3, 100}) ? 1 : 0;
  EXPECT_GT(struck, 2800);
  EXPECT_LT(struck, 3200);
}

TEST(ChoiceSource, a_duration_reaches_both_of_its_ends) {
  RandomChoices choices(5);
  bool least = false, most = false;
  for (int i = 0; i < 200; ++i) {
    const auto ns = choices.duration(kDelay, Actor::kNobody, Duration::nanoseconds(2),
                                     Duration::nanoseconds(5)).count_ns();
    EXPECT_GE(ns, 2);
    EXPECT_LE(ns, 5);
    least |= ns == 2;
    most |= ns == 5;
  }
  EXPECT_TRUE(least && most);
}

TEST_F(ReplayedChoicesTest, a_record_replays_in_order_without_departures) {
  RandomChoices first(9);
  for (int i = 0; i < 50; ++i) first.draw(i % 3 == 0 ? kFault : kDelay, i % 2 == 0 ? leg0_ : leg1_, 10);
  ReplayedChoices again(label_choices(first.record(), names_), names_);
  for (const Choice& choice : first.record()) {
    EXPECT_EQ(again.draw(*choice.point, choice.who, choice.bound), choice.value);
  }
  EXPECT_EQ(again.departures(), 0u);
  EXPECT_EQ(again.unused(), 0u);
}

TEST_F(ReplayedChoicesTest, each_label_goes_on_with_its_own_next_value) {
  ReplayedChoices choices({{"test.delay", "leg0", 10, 1},
                           {"test.delay", "leg1", 10, 2},
                           {"test.delay", "leg0", 10, 3}},
                          names_);
  EXPECT_EQ(choices.draw(kDelay, leg1_, 10), 2u);
  EXPECT_EQ(choices.departures(), 1u);
  EXPECT_EQ(choices.first_departure(), "draw 0 (test.delay@leg1): recorded at another place");
  EXPECT_EQ(choices.draw(kDelay, leg0_, 10), 1u);
  EXPECT_EQ(choices.draw(kDelay, leg0_, 10), 3u);
  EXPECT_EQ(choices.departures(), 1u);
  EXPECT_EQ(choices.unused(), 0u);
}

TEST_F(ReplayedChoicesTest, an_unknown_draw_is_the_plainest_and_a_departure) {
  ReplayedChoices choices({{"test.delay", "leg0", 10, 4}}, names_);
  EXPECT_EQ(choices.draw(kFault, leg0_, 10), 0u);
  EXPECT_EQ(choices.departures(), 1u);
  EXPECT_EQ(choices.first_departure(), "draw 0 (test.fault@leg0): not recorded");
  EXPECT_EQ(choices.draw(kDelay, leg0_, 10), 4u);
  EXPECT_EQ(choices.draw(kDelay, leg0_, 10), 0u);
  EXPECT_EQ(choices.departures(), 2u);
}

TEST_F(ReplayedChoicesTest, a_value_beyond_its_bound_is_the_plainest_and_a_departure) {
  ReplayedChoices choices({{"test.delay", "leg0", 100, 50}, {"test.delay", "leg0", 10, 9}}, names_);
  EXPECT_EQ(choices.draw(kDelay, leg0_, 10), 0u);
  EXPECT_EQ(choices.departures(), 1u);
  EXPECT_EQ(choices.first_departure(),
            "draw 0 (test.delay@leg0): recorded value is out of range now");
  EXPECT_EQ(choices.draw(kDelay, leg0_, 10), 9u);
}

TEST_F(ReplayedChoicesTest, another_bound_is_a_departure_even_when_the_value_fits) {
  ReplayedChoices choices({{"test.delay", "leg0", 100, 5}}, names_);
  EXPECT_EQ(choices.draw(kDelay, leg0_, 10), 5u);
  EXPECT_EQ(choices.departures(), 1u);
}

TEST_F(ReplayedChoicesTest, what_nothing_asked_for_is_counted) {
  ReplayedChoices choices({{"test.delay", "leg0", 10, 1}, {"test.delay", "leg1", 10, 2}}, names_);
  EXPECT_EQ(choices.draw(kDelay, leg0_, 10), 1u);
  EXPECT_EQ(choices.unused(), 1u);
}

TEST(ActorNames, a_name_has_one_number_and_nobody_is_a_dash) {
  ActorNames names;
  EXPECT_EQ(names.name(Actor::kNobody), "-");
  const Actor leg = names.intern("leg0");
  EXPECT_EQ(names.intern("leg1"), static_cast<Actor>(2));
  EXPECT_EQ(names.intern("leg0"), leg);
  EXPECT_EQ(names.size(), 3u);
}

}  // namespace
}  // namespace dmsim
