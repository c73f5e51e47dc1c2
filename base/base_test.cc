#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <string>
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

TEST(Check, a_condition_that_holds_evaluates_its_values_never) {
  int evaluated = 0;
  CHECK(true, ++evaluated);
  EXPECT_EQ(evaluated, 0);
}

TEST(Check, a_failed_check_prints_the_context_of_the_innermost_world_once) {
  struct Context final : FailureContext {
    void print_context() override {
      std::fprintf(stderr, "tail of the trace\n");
      CHECK(false, "while printing");
    }
  };
  const auto fails_in_a_world = [] {
    Context context;
    exchange_failure_context(&context);
    CHECK(false, "first");
  };
  EXPECT_DEATH(fails_in_a_world(), "first\ntail of the trace\n.*while printing");
}

TEST(Check, a_context_that_is_put_back_is_the_one_that_was_there) {
  struct Context final : FailureContext {
    void print_context() override {}
  } outer, inner;
  FailureContext* const before = exchange_failure_context(&outer);
  EXPECT_EQ(exchange_failure_context(&inner), &outer);
  EXPECT_EQ(exchange_failure_context(&outer), &inner);
  EXPECT_EQ(exchange_failure_context(before), &outer);
}

TEST(Result, an_error_says_as_much_as_is_known) {
  EXPECT_EQ((InputError{"", 0, 0, "unknown option", -1}).to_string(), "unknown option");
  EXPECT_EQ((InputError{"a.yaml", 0, 0, "cannot be read", -1}).to_string(), "a.yaml: cannot be read");
  EXPECT_EQ((InputError{"a.yaml", 4, 0, "bad", -1}).to_string(), "a.yaml:4: bad");
}

TEST(Result, a_value_can_be_moved_out) {
  Result<std::string> result = std::string("value");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->size(), 5u);
  EXPECT_EQ(std::move(result).value(), "value");
  EXPECT_DEATH((void)Result<int>(1).error(), "CHECK failed");
}

TEST(Fingerprint, one_bit_of_one_word_matters_wherever_it_is) {
  const auto of = [](std::uint64_t altered_word, int altered_bit) {
    Fingerprint f;
    for (std::uint64_t i = 0; i < 8; ++i) {
      f.fold(i == altered_word ? i ^ (std::uint64_t{1} << altered_bit) : i);
    }
    return f.value();
  };
  const std::uint64_t plain = of(8, 0);
  for (std::uint64_t word = 0; word < 8; ++word) {
    for (int bit = 0; bit < 64; ++bit) EXPECT_NE(of(word, bit), plain) << word << " " << bit;
  }
}

TEST(Fingerprint, a_stream_of_zeros_has_a_length) {
  Fingerprint one, two;
  one.fold(0);
  two.fold(0), two.fold(0);
  EXPECT_NE(one.value(), two.value());
  EXPECT_NE(one.value(), Fingerprint().value());
}

TEST(HashName, is_the_published_fnv_1a_value) {
  static_assert(hash_name("", 0) == 0xCBF29CE484222325ull);
  EXPECT_EQ(hash_name("a", 1), 0xAF63DC4C8601EC8Cull);
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

TEST(Digest, has_one_value_whatever_the_alignment) {
  std::array<unsigned char, 4096 + 64> bytes{};
  std::uint64_t first = 0;
  for (std::size_t offset = 0; offset < 64; ++offset) {
    for (std::size_t i = 0; i < 4096; ++i) bytes[offset + i] = static_cast<unsigned char>(i * 7);
    const std::uint64_t digest = digest_bytes(bytes.data() + offset, 4096);
    if (offset == 0) first = digest;
    EXPECT_EQ(digest, first) << offset;
  }
}

TEST(Nearest, the_first_of_equals_is_taken_and_the_far_are_not) {
  constexpr std::array<std::string_view, 3> names{"leg0", "leg1", "x"};
  EXPECT_EQ(nearest_name("leg2", names), "leg0");
  EXPECT_EQ(nearest_name("y", names), "");
  EXPECT_EQ(nearest_name("", names), "");
  EXPECT_EQ(nearest_name("leg1", {}), "");
}

TEST(Reached, the_list_names_place_and_sentence) {
  REACHED("the list has this line");
  EXPECT_NE(render_reached_marks().find("1\tbase/base_test.cc:"), std::string::npos)
      << render_reached_marks();
  EXPECT_NE(render_reached_marks().find("\tthe list has this line\n"), std::string::npos);
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
