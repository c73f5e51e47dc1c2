#include "sim/event_queue.h"

#include <gtest/gtest.h>

#include <queue>
#include <vector>

#include "sim/choice.h"

namespace dmsim {
namespace {

constexpr ChoicePoint kTestDraw{"test.draw"};

struct Later {
  bool operator()(const Event& a, const Event& b) const {
    return a.at_ns != b.at_ns ? a.at_ns > b.at_ns : a.argument > b.argument;
  }
};

// The queue and the obvious specification of it, side by side: `argument` is the order of scheduling.
class Compared {
 public:
  void push(std::int64_t at_ns) {
    const Event event{at_ns, nullptr, nullptr, ++number_, 0};
    queue_.push(event);
    reference_.push(event);
    agree();
  }
  std::int64_t pop() {
    const Event event = queue_.pop();
    EXPECT_EQ(event.at_ns, reference_.top().at_ns);
    EXPECT_EQ(event.argument, reference_.top().argument);
    reference_.pop();
    agree();
    return event.at_ns;
  }
  bool empty() const { return reference_.empty(); }

 private:
  void agree() {
    EXPECT_EQ(queue_.size(), reference_.size());
    EXPECT_EQ(queue_.empty(), reference_.empty());
    EXPECT_EQ(queue_.next_ns(), reference_.empty() ? EventQueue::kNever : reference_.top().at_ns);
  }
  EventQueue queue_;
  std::priority_queue<Event, std::vector<Event>, Later> reference_;
  std::uint64_t number_ = 0;
};

// Delays of many sizes: none, within a few nanoseconds, anywhere up to 2^bits.
std::int64_t draw_delay(ChoiceSource& choices, std::uint64_t bits) {
  const auto draw = [&](std::uint64_t bound) { return choices.draw(kTestDraw, Actor::kNobody, bound); };
  switch (draw(4)) {
    case 0: return 0;
    case 1: return static_cast<std::int64_t>(draw(4));
    default: return static_cast<std::int64_t>(draw((std::uint64_t{1} << draw(bits + 1)) + 1));
  }
}

TEST(EventQueue, any_load_leaves_in_the_order_of_the_reference) {
  for (std::uint64_t seed = 0; seed < 60 && !testing::Test::HasFailure(); ++seed) {
    RandomChoices choices(seed);
    Compared queue;
    std::int64_t now = 0;
    const std::uint64_t pushes_of_ten = 3 + seed % 5;
    for (int i = 0; i < 3000; ++i) {
      if (queue.empty() || choices.draw(kTestDraw, Actor::kNobody, 10) < pushes_of_ten) {
        queue.push(now + draw_delay(choices, seed % 45));
      } else {
        now = queue.pop();
      }
    }
    while (!queue.empty()) queue.pop();
  }
  EXPECT_FALSE(testing::Test::HasFailure());
}

TEST(EventQueue, events_of_one_instant_leave_as_they_came_even_when_more_arrive_meanwhile) {
  Compared queue;
  for (int i = 0; i < 200; ++i) queue.push(7);
  for (int i = 0; i < 500; ++i) {
    EXPECT_EQ(queue.pop(), 7);
    if (i < 300) queue.push(7);
  }
  EXPECT_TRUE(queue.empty());
}

TEST(EventQueue, a_front_that_overflows_is_spread_and_stays_in_order) {
  Compared queue;
  queue.push(1'000'000);
  queue.push(1'000'100);
  EXPECT_EQ(queue.pop(), 1'000'000);
  for (std::int64_t i = 0; i < 300; ++i) queue.push(1'000'000 + (i * 37) % 101);
  std::int64_t last = 0;
  while (!queue.empty()) {
    const std::int64_t at = queue.pop();
    EXPECT_GE(at, last);
    last = at;
  }
  EXPECT_EQ(last, 1'000'100);
}

TEST(EventQueue, instants_at_both_ends_of_time_are_in_order) {
  Compared queue;
  for (const std::int64_t at : {EventQueue::kNever - 1, std::int64_t{1} << 62, std::int64_t{0},
                                std::int64_t{1}, (std::int64_t{1} << 62) - 1}) {
    queue.push(at);
  }
  std::vector<std::int64_t> order;
  while (!queue.empty()) order.push_back(queue.pop());
  EXPECT_EQ(order.front(), 0);
  EXPECT_EQ(order.back(), EventQueue::kNever - 1);
}

TEST(EventQueue, scheduling_into_the_past_is_our_bug) {
  EventQueue queue;
  queue.push({100, nullptr, nullptr, 0, 0});
  queue.pop();
  EXPECT_DEATH(queue.push({99, nullptr, nullptr, 0, 0}), "CHECK failed");
}

TEST(EventQueue, popping_an_empty_queue_is_our_bug) {
  EventQueue queue;
  EXPECT_DEATH((void)queue.pop(), "CHECK failed");
}

TEST(EventQueue, after_clear_it_starts_at_zero_again) {
  EventQueue queue;
  for (std::int64_t i = 0; i < 100; ++i) queue.push({1000 + i, nullptr, nullptr, 0, 0});
  queue.pop();
  queue.clear();
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.next_ns(), EventQueue::kNever);
  queue.push({0, nullptr, nullptr, 5, 0});
  EXPECT_EQ(queue.pop().argument, 5u);
}

}  // namespace
}  // namespace dmsim
