#include "crash-replay/trace_diff.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace dmsim {
namespace {

using testing::HasSubstr;
using testing::Not;

std::vector<std::string> trace_of(int count) {
  std::vector<std::string> out;
  for (int i = 1; i <= count; ++i) {
    out.push_back(fmt::format("{:>8} {:>15} {:<14} {:<18} cause=0 sector={}", i, i * 1000, "leg0",
                              "disk.evict", i * 8));
  }
  return out;
}

TEST(trace_diff, equal_traces_are_the_same) {
  const TraceDifference difference = compare_traces(trace_of(20), trace_of(20), "a", "b");
  EXPECT_TRUE(difference.same);
  EXPECT_EQ(difference.report, "the traces are the same: 20 events\n");
}

TEST(trace_diff, the_first_event_that_differs_is_named_with_the_column_and_five_lines_around) {
  auto other = trace_of(20);
  other[9].replace(other[9].find("sector=80"), 9, "sector=88");
  other[15] = "something else";
  const TraceDifference difference = compare_traces(trace_of(20), other, "a.trace", "b.trace");
  EXPECT_FALSE(difference.same);
  EXPECT_EQ(difference.line, 9u);
  EXPECT_THAT(difference.report, HasSubstr("part at event 10: they differ in sector\n"));
  EXPECT_THAT(difference.report, HasSubstr("sector=40"));  // the fifth before
  EXPECT_THAT(difference.report, Not(HasSubstr("sector=32")));
  EXPECT_THAT(difference.report, HasSubstr("a.trace:\n"));
  EXPECT_THAT(difference.report, HasSubstr("sector=120"));  // the fifth after
  EXPECT_THAT(difference.report, Not(HasSubstr("sector=128")));
}

TEST(trace_diff, a_trace_that_ends_early_differs_where_it_ends) {
  const TraceDifference difference = compare_traces(trace_of(3), trace_of(5), "short", "long");
  EXPECT_FALSE(difference.same);
  EXPECT_EQ(difference.line, 3u);
  EXPECT_THAT(difference.report, HasSubstr("same up to event 3, where short ends; long goes on"));
  EXPECT_THAT(difference.report, HasSubstr("(the trace ends here)"));
}

TEST(trace_diff, a_difference_in_the_first_event_needs_no_context_before) {
  auto other = trace_of(2);
  other[0].replace(other[0].find("1000"), 4, "1007");
  const TraceDifference difference = compare_traces(trace_of(2), other, "a", "b");
  EXPECT_EQ(difference.line, 0u);
  EXPECT_THAT(difference.report, HasSubstr("instant (by 7 ns)"));
  EXPECT_THAT(difference.report, Not(HasSubstr("both, before")));
}

}  // namespace
}  // namespace dmsim
