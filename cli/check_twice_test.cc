#include "cli/check_twice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace dmsim {
namespace {

using ::testing::HasSubstr;
using Lines = std::vector<std::string>;

TEST(CheckTwice, the_first_run_that_differs_is_named) {
  EXPECT_EQ(first_differing_run({1, 2, 3}, {1, 2, 3}), 0u);
  EXPECT_EQ(first_differing_run({1, 2, 3}, {1, 7, 4}), 2u);
  EXPECT_EQ(first_differing_run({1, 2}, {1, 2, 3}), 3u);
  EXPECT_EQ(first_differing_run({1, 2, 3}, {1, 2}), 3u);
}

TEST(CheckTwice, the_first_event_that_differs_is_shown_with_both_versions_of_it) {
  const Lines first{"1 0 disk disk.submit cause=0 op=write", "2 5 disk disk.complete cause=1 status=ok"};
  Lines second = first;
  second[1] = "2 6 disk disk.complete cause=1 status=ok";
  const std::string said = describe_parting(8, first, second);
  EXPECT_THAT(said, HasSubstr("run 8: the traces part at event 2"));
  EXPECT_THAT(said, HasSubstr(first[1]));
  EXPECT_THAT(said, HasSubstr(second[1]));
}

TEST(CheckTwice, traces_that_are_the_same_are_not_called_different) {
  const Lines lines{"1 0 disk disk.submit cause=0 op=write"};
  EXPECT_THAT(describe_parting(2, lines, lines), HasSubstr("its first life was the same (1 events)"));
}

}  // namespace
}  // namespace dmsim
