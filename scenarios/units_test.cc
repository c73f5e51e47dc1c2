#include "scenarios/units.h"

#include <gtest/gtest.h>

#include "sim/choice.h"

namespace dmsim {
namespace {

constexpr ChoicePoint kAny{"test.any"};

std::string size_error(std::string_view text) { return parse_size(text).error().message; }

TEST(Units, sizes_have_binary_units_bytes_and_sectors) {
  EXPECT_EQ(*parse_size("8MiB"), 8u << 20);
  EXPECT_EQ(*parse_size("64KiB"), 64u << 10);
  EXPECT_EQ(*parse_size("512B"), 512u);
  EXPECT_EQ(*parse_size("2048s"), 1u << 20);
  EXPECT_EQ(*parse_size("3GiB"), std::uint64_t{3} << 30);
  EXPECT_EQ(*parse_size("0B"), 0u);
  EXPECT_EQ(*parse_sectors("2TiB"), std::uint64_t{2} << 31);
}

TEST(Units, an_s_is_sectors_in_a_size_and_seconds_in_a_duration) {
  EXPECT_EQ(*parse_sectors("30s"), 30u);
  EXPECT_EQ(*parse_duration("30s"), Duration::seconds(30));
}

TEST(Units, a_size_without_unit_with_a_wrong_one_or_too_large_is_refused) {
  EXPECT_EQ(size_error("8"),
            "found '8' without a unit, expected a size such as 8MiB, 64KiB, 512B or 2048s (sectors)");
  EXPECT_EQ(size_error("16777216TiB"),
            "found '16777216TiB' (too large), expected a size such as 8MiB, 64KiB, 512B or 2048s "
            "(sectors)");
  for (const char* wrong : {"", "MiB", "8MB", "8mib", "8 MiB", " 8MiB", "8MiB ", "-8MiB", "+8MiB",
                            "8.5MiB", "0x8B", "8KiBs", "99999999999999999999B"}) {
    EXPECT_FALSE(parse_size(wrong).ok()) << wrong;
  }
  EXPECT_TRUE(parse_size("8388607TiB").ok());
  EXPECT_FALSE(parse_size("8388608TiB").ok());  // 2^63
}

TEST(Units, a_part_of_a_sector_is_refused_where_sectors_are_expected) {
  EXPECT_EQ(*parse_sectors("1024B"), 2u);
  EXPECT_EQ(parse_sectors("700B").error().message,
            "found '700B', expected a whole number of sectors of 512B");
}

TEST(Units, durations_are_whole_nanoseconds) {
  EXPECT_EQ(*parse_duration("1ms"), Duration::milliseconds(1));
  EXPECT_EQ(*parse_duration("5us"), Duration::microseconds(5));
  EXPECT_EQ(*parse_duration("100ns"), Duration::nanoseconds(100));
  EXPECT_EQ(*parse_duration("0s"), Duration());
  for (const char* wrong : {"", "0", "1", "1m", "1min", "1.5s", "s", "-1s", "9223372037s"}) {
    EXPECT_FALSE(parse_duration(wrong).ok()) << wrong;
  }
}

TEST(Units, a_duration_range_is_one_duration_or_two_in_order) {
  const DurationRange exact{Duration::microseconds(100), Duration::microseconds(100)};
  const DurationRange range{Duration::microseconds(20), Duration::milliseconds(2)};
  EXPECT_EQ(*parse_duration_range("100us"), exact);
  EXPECT_EQ(*parse_duration_range("20us..2ms"), range);
  for (const char* wrong : {"", "..", "20us..", "..20us", "2ms..20us", "20..200us", "1us...2us"}) {
    EXPECT_FALSE(parse_duration_range(wrong).ok()) << wrong;
  }
}

TEST(Units, a_range_is_half_open_in_any_unit_of_whole_sectors_and_never_empty) {
  EXPECT_EQ(*parse_range("8s..16s"), (SectorRange{8, 16}));
  EXPECT_EQ(*parse_range("4KiB..1MiB"), (SectorRange{8, 2048}));
  for (const char* wrong : {"", "8s", "8..16", "16s..8s", "8s..8s", "8s..16", "1B..2s", "8s-16s"}) {
    EXPECT_FALSE(parse_range(wrong).ok()) << wrong;
  }
}

TEST(Units, a_ratio_lies_between_none_and_all_and_stays_as_it_is_written) {
  EXPECT_EQ(*parse_ratio("3/100"), (Ratio{3, 100}));
  EXPECT_EQ(*parse_ratio("2/4"), (Ratio{2, 4}));
  EXPECT_EQ(*parse_ratio("0/1"), (Ratio{0, 1}));
  for (const char* wrong : {"", "1", "0.03", "3%", "1/0", "2/1", "/2", "1/", "-1/2", "1/5000000000"}) {
    EXPECT_FALSE(parse_ratio(wrong).ok()) << wrong;
  }
}

TEST(Units, formatting_picks_the_largest_unit_that_is_exact) {
  EXPECT_EQ(format_size(8u << 20), "8MiB");
  EXPECT_EQ(format_size(std::uint64_t{1} << 40), "1TiB");
  EXPECT_EQ(format_size(1536), "1536B");
  EXPECT_EQ(format_size(100), "100B");
  EXPECT_EQ(format_size(0), "0B");
  EXPECT_EQ(format_sectors(2048), "1MiB");
  EXPECT_EQ(format_sectors(3), "3s");
  EXPECT_EQ(format_duration(Duration::milliseconds(1500)), "1500ms");
  EXPECT_EQ(format_duration(Duration()), "0s");
  EXPECT_EQ(format_range({8, 16}), "8s..16s");
  EXPECT_EQ(format_ratio({3, 100}), "3/100");
}

TEST(Units, every_formatter_is_the_inverse_of_its_parser) {
  RandomChoices choices(7);
  const auto number = [&](std::uint64_t factor) {
    return choices.draw(kAny, Actor::kNobody, 1'000'000) * factor;
  };
  for (const std::uint64_t factor : {1u, 3u, 512u, 1000u, 1024u, 1u << 20, 1'000'000u}) {
    for (int i = 0; i < 100; ++i) {
      const std::uint64_t value = number(factor);
      EXPECT_EQ(*parse_size(format_size(value)), value);
      EXPECT_EQ(*parse_sectors(format_sectors(value)), value);
      const auto ns = Duration::nanoseconds(static_cast<std::int64_t>(value));
      EXPECT_EQ(*parse_duration(format_duration(ns)), ns);
      const DurationRange durations{ns, ns + Duration::nanoseconds(i)};
      EXPECT_EQ(*parse_duration_range(format_duration_range(durations)), durations);
      const SectorRange range{value, value + 1 + number(1)};
      EXPECT_EQ(*parse_range(format_range(range)), range);
      const auto numerator = static_cast<std::uint32_t>(i);
      const Ratio ratio{numerator, numerator + 1 + static_cast<std::uint32_t>(number(1))};
      EXPECT_EQ(*parse_ratio(format_ratio(ratio)), ratio);
    }
  }
}

}  // namespace
}  // namespace dmsim
