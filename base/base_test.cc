#include <gtest/gtest.h>

#include <array>
#include <string_view>

#include "base/digest.h"
#include "base/fingerprint.h"
#include "base/nearest.h"
#include "base/reached.h"
#include "base/result.h"

namespace dmsim {
namespace {

TEST(Check, a_failed_check_prints_its_values) {
  EXPECT_DEATH(CHECK(1 + 1 == 3, 41, "sector"), "CHECK failed: 1 \\+ 1 == 3 -- 41 sector");
}

TEST(Check, what_is_not_modelled_aborts_by_name) {
  EXPECT_DEATH(UNMODELLED("zoned disks"), "not modelled: zoned disks");
}

TEST(Result, an_error_says_file_line_and_column) {
  const Result<int> result = Failure{InputError{"a.yaml", 3, 7, "no such key", -1}};
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().to_string(), "a.yaml:3:7: no such key");
}

TEST(Result, an_error_in_a_binary_file_says_the_offset) {
  const InputError error{"x.log", 0, 0, "bad magic", 512};
  EXPECT_EQ(error.to_string(), "x.log: at byte 512: bad magic");
}

TEST(Result, asking_a_failure_for_its_value_is_our_bug) {
  const Result<int> result = Failure{InputError{}};
  EXPECT_DEATH((void)result.value(), "CHECK failed");
}

TEST(Fingerprint, the_order_of_words_matters) {
  Fingerprint a, b;
  a.fold(1), a.fold(2);
  b.fold(2), b.fold(1);
  EXPECT_NE(a.value(), b.value());
}

TEST(Fingerprint, a_known_stream_has_a_known_value) {
  Fingerprint f;
  for (std::uint64_t i = 0; i < 100; ++i) f.fold(i * i);
  EXPECT_EQ(f.to_string(), "75deecf42fdac4f0");
}

TEST(Digest, is_the_published_xxh3_value_of_nothing) {
  EXPECT_EQ(digest_bytes(nullptr, 0), 0x2d06800538d394c2ull);
}

TEST(Nearest, a_slip_of_the_hand_is_recognised) {
  constexpr std::array<std::string_view, 3> names{"mirror", "linear", "delay"};
  EXPECT_EQ(did_you_mean("miror", names), ", did you mean 'mirror'?");
  EXPECT_EQ(did_you_mean("snapshot", names), "");
}

TEST(Reached, a_mark_is_known_and_counted) {
  for (int i = 0; i < 3; ++i) REACHED("the test reaches its own mark");
  std::uint64_t found = 0;
  for (const ReachedMark& mark : reached_marks()) {
    if (std::string_view(mark.text) == "the test reaches its own mark") found = mark.count;
  }
  EXPECT_EQ(found, 3u);
}

}  // namespace
}  // namespace dmsim
