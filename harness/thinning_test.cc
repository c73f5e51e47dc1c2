#include "harness/thinning.h"

#include <gtest/gtest.h>

#include <set>

namespace dmsim {
namespace {

std::set<std::uint64_t> taken(std::optional<std::uint64_t> limit, std::uint64_t seed, std::uint64_t opportunities) {
  Thinning thinning(limit, seed);
  std::set<std::uint64_t> out;
  for (std::uint64_t i = 1; i <= opportunities; ++i) {
    if (thinning.take(i)) out.insert(i);
  }
  return out;
}

TEST(Thinning, without_a_limit_all_are_taken) { EXPECT_EQ(taken({}, 7, 500).size(), 500u); }

TEST(Thinning, a_limit_is_never_passed) {
  for (const std::uint64_t limit : {0u, 1u, 2u, 3u, 7u, 40u, 999u, 1000u, 5000u}) {
    for (std::uint64_t seed = 1; seed <= 32; ++seed) EXPECT_LE(taken(limit, seed, 100'000).size(), limit);
  }
}

TEST(Thinning, every_opportunity_is_taken_by_some_seed) {
  std::set<std::uint64_t> all;
  for (std::uint64_t seed = 1; seed <= 64; ++seed) all.merge(taken(40, seed, 120));
  EXPECT_EQ(all.size(), 120u);
}

TEST(Thinning, early_and_late_ones_are_taken) {
  for (std::uint64_t seed = 1; seed <= 32; ++seed) {
    const std::set<std::uint64_t> some = taken(40, seed, 2000);
    EXPECT_LE(*some.begin(), 8u);
    EXPECT_GE(*some.rbegin(), 100u);
  }
}

TEST(Thinning, a_large_limit_begins_with_every_one) {
  EXPECT_EQ(taken(Thinning::kDense, 3, 400).size(), 400u);
}

}  // namespace
}  // namespace dmsim
