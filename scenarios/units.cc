#include "scenarios/units.h"

#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <span>

#include <fmt/format.h>

namespace dmsim {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};
// Largest first: that is the order in which a formatter tries them.
constexpr std::array<Unit, 6> kSizeUnits{{{"TiB", std::uint64_t{1} << 40},
                                          {"GiB", std::uint64_t{1} << 30},
                                          {"MiB", std::uint64_t{1} << 20},
                                          {"KiB", std::uint64_t{1} << 10},
                                          {"s", kSectorBytes},
                                          {"B", 1}}};
constexpr std::array<Unit, 4> kTimeUnits{
    {{"s", 1'000'000'000}, {"ms", 1'000'000}, {"us", 1'000}, {"ns", 1}}};

constexpr std::string_view kSizeExpected = "a size such as 8MiB, 64KiB, 512B or 2048s (sectors)";
constexpr std::string_view kTimeExpected = "a duration such as 30s, 10ms, 200us or 500ns";
constexpr std::string_view kRangeExpected = "a range such as 8s..16s, its end after its begin";
constexpr std::string_view kTimeRangeExpected =
    "a duration such as 100us, or from the least to the most as in 20us..200us";
constexpr std::string_view kRatioExpected = "a ratio such as 3/100, from 0/1 to 1/1";

Failure<InputError> unexpected(std::string_view text, std::string_view expected,
                               std::string_view because = {}) {
  InputError error;
  error.message = fmt::format("found '{}'{}, expected {}", text, because, expected);
  return Failure{error};
}

// The digits at the start of `text`, moved past; nothing when there are none or they do not fit.
std::optional<std::uint64_t> take_number(std::string_view& text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

Result<std::uint64_t> parse_with_unit(std::string_view text, std::span<const Unit> units,
                                      std::uint64_t most, std::string_view expected) {
  std::string_view rest = text;
  const std::optional<std::uint64_t> number = take_number(rest);
  if (!number) {
    const bool digits = !text.empty() && text[0] >= '0' && text[0] <= '9';
    return unexpected(text, expected, digits ? " (too large)" : "");
  }
  if (rest.empty()) return unexpected(text, expected, " without a unit");
  if (rest[0] == '.' && rest.substr(0, 2) != "..") {
    return unexpected(text, expected, " (not a whole number)");
  }
  for (const Unit& unit : units) {
    if (rest != unit.name) continue;
    if (*number > most / unit.factor) return unexpected(text, expected, " (too large)");
    return *number * unit.factor;
  }
  return unexpected(text, expected);
}

// In the first unit that says `value` exactly; the last one always does.
std::string format_with_unit(std::uint64_t value, std::span<const Unit> units) {
  std::size_t i = 0;
  while (i + 1 < units.size() && value % units[i].factor != 0) ++i;
  CHECK(value % units[i].factor == 0, value, units[i].name);
  return fmt::format("{}{}", value / units[i].factor, units[i].name);
}

struct Halves {
  std::string_view first;
  std::string_view second;
};
std::optional<Halves> split(std::string_view text, std::string_view separator) {
  const std::size_t at = text.find(separator);
  if (at == std::string_view::npos) return std::nullopt;
  return Halves{text.substr(0, at), text.substr(at + separator.size())};
}

}  // namespace

Result<std::uint64_t> parse_count(std::string_view text) {
  std::string_view rest = text;
  const std::optional<std::uint64_t> number = take_number(rest);
  if (!number || !rest.empty()) return unexpected(text, "a whole number without a unit");
  return *number;
}

Result<std::uint64_t> parse_size(std::string_view text) {
  return parse_with_unit(text, kSizeUnits, std::numeric_limits<std::int64_t>::max(),
                         kSizeExpected);
}

Result<std::uint64_t> parse_sectors(std::string_view text) {
  const Result<std::uint64_t> bytes = parse_size(text);
  if (!bytes) return bytes;
  if (*bytes % kSectorBytes != 0) {
    return unexpected(text, "a whole number of sectors of 512B");
  }
  return *bytes / kSectorBytes;
}

Result<Duration> parse_duration(std::string_view text) {
  const Result<std::uint64_t> ns = parse_with_unit(
      text, kTimeUnits, std::numeric_limits<std::int64_t>::max(), kTimeExpected);
  if (!ns) return Failure{ns.error()};
  return Duration::nanoseconds(static_cast<std::int64_t>(*ns));
}

Result<DurationRange> parse_duration_range(std::string_view text) {
  const std::optional<Halves> ends = split(text, "..");
  if (!ends) {
    const Result<Duration> exact = parse_duration(text);
    if (!exact) return Failure{exact.error()};
    return DurationRange{*exact, *exact};
  }
  const Result<Duration> least = parse_duration(ends->first);
  const Result<Duration> most = parse_duration(ends->second);
  if (!least || !most) return unexpected(text, kTimeRangeExpected);
  if (*least > *most) return unexpected(text, kTimeRangeExpected, ", which ends before it begins");
  return DurationRange{*least, *most};
}

Result<SectorRange> parse_range(std::string_view text) {
  const std::optional<Halves> ends = split(text, "..");
  if (!ends) return unexpected(text, kRangeExpected);
  const Result<std::uint64_t> begin = parse_sectors(ends->first);
  const Result<std::uint64_t> end = parse_sectors(ends->second);
  if (!begin || !end) return unexpected(text, kRangeExpected);
  if (*begin == *end) return unexpected(text, kRangeExpected, ", which is empty");
  if (*begin > *end) return unexpected(text, kRangeExpected, ", which ends before it begins");
  return SectorRange{*begin, *end};
}

Result<Ratio> parse_ratio(std::string_view text) {
  const std::optional<Halves> halves = split(text, "/");
  if (!halves) return unexpected(text, kRatioExpected);
  const Result<std::uint64_t> numerator = parse_count(halves->first);
  const Result<std::uint64_t> denominator = parse_count(halves->second);
  if (!numerator || !denominator) return unexpected(text, kRatioExpected);
  if (*denominator == 0) return unexpected(text, kRatioExpected, ", which divides by zero");
  if (*denominator > std::numeric_limits<std::uint32_t>::max()) {
    return unexpected(text, kRatioExpected, " (too large)");
  }
  if (*numerator > *denominator) return unexpected(text, kRatioExpected, ", which is above one");
  return Ratio{static_cast<std::uint32_t>(*numerator), static_cast<std::uint32_t>(*denominator)};
}

std::string format_size(std::uint64_t bytes) {
  if (bytes % (std::uint64_t{1} << 10) != 0) return fmt::format("{}B", bytes);
  return format_sectors(bytes / kSectorBytes);
}

std::string format_sectors(std::uint64_t sectors) {
  if (sectors == 0) return "0B";
  return format_with_unit(sectors * kSectorBytes, std::span(kSizeUnits).first<5>());
}

std::string format_duration(Duration duration) {
  CHECK(duration >= Duration(), duration.count_ns());
  return format_with_unit(static_cast<std::uint64_t>(duration.count_ns()), kTimeUnits);
}

std::string format_duration_range(DurationRange range) {
  if (range.least == range.most) return format_duration(range.least);
  return format_duration(range.least) + ".." + format_duration(range.most);
}

std::string format_range(SectorRange range) {
  return fmt::format("{}s..{}s", range.begin, range.end);
}

std::string format_ratio(Ratio ratio) {
  return fmt::format("{}/{}", ratio.numerator, ratio.denominator);
}

}  // namespace dmsim
