// Units: how sizes, durations, ranges and ratios are written, in scenario files and on the command line.
//
// A unit is mandatory, a number whole: `8MiB`, `512B`, `2048s` (sectors, where a size is expected),
// `30s` (seconds, where a duration is), `3/100`. Each parser's errors say what was found and what was
// expected, in InputError::message alone; whoever knows the place adds it. Each format_x is the exact
// inverse of parse_x.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/ratio.h"
#include "base/result.h"
#include "block/sector.h"
#include "models/options.h"
#include "sim/time.h"

namespace dmsim {

// A whole number without unit: "20".
Result<std::uint64_t> parse_count(std::string_view text);

// "8MiB", "64KiB", "512B", "2048s": TiB GiB MiB KiB B and s, sectors of 512 bytes. In bytes.
Result<std::uint64_t> parse_size(std::string_view text);
// A size that is a whole number of sectors. In sectors.
Result<std::uint64_t> parse_sectors(std::string_view text);

// "30s", "1ms", "5us", "100ns".
Result<Duration> parse_duration(std::string_view text);
// "100us" (exactly) or "20us..200us" (from .. to, both included).
Result<DurationRange> parse_duration_range(std::string_view text);

// "8s..16s", half-open, both ends sizes of whole sectors, the end after the begin.
Result<SectorRange> parse_range(std::string_view text);

// "3/100": numerator <= denominator, denominator >= 1.
Result<Ratio> parse_ratio(std::string_view text);

// With the largest unit that says it exactly: TiB to B for what counts bytes, TiB to s for what counts
// sectors; zero is "0B".
std::string format_size(std::uint64_t bytes);
std::string format_sectors(std::uint64_t sectors);
// With the largest unit that says it exactly; zero is "0s". Requires duration >= 0.
std::string format_duration(Duration duration);
std::string format_duration_range(DurationRange range);
// Always in sectors, as in the notation for I/O: "8s..16s".
std::string format_range(SectorRange range);
std::string format_ratio(Ratio ratio);

}  // namespace dmsim
