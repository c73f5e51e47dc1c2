#include "harness/recorded_mirror.h"

#include <algorithm>
#include <bit>
#include <charconv>

#include <fmt/format.h>

#include "engine/native/mirror/log_format.h"

namespace dmsim {
namespace {

constexpr std::uint64_t kMostLegs = 9;            // as in the kernel
constexpr Sector kMostSectors = Sector{1} << 53;  // no product of these can overflow

// A table's words, taken one by one. Every refusal names the word by its place.
class TableWords {
 public:
  explicit TableWords(std::string_view table) {
    for (std::size_t at = 0; at < table.size();) {
      const std::size_t end = std::min(table.find_first_of(" \t\n", at), table.size());
      if (end > at) words_.push_back(table.substr(at, end - at));
      at = end + 1;
    }
  }
  bool word(const char* what, std::string_view* into) {
    if (next_ == words_.size()) return fail(fmt::format("ends where {} is expected", what));
    *into = words_[next_++];
    return true;
  }
  bool literal(std::string_view expected) {
    std::string_view found;
    if (!word(fmt::format("'{}'", expected).c_str(), &found)) return false;
    return found == expected || wrong(fmt::format("'{}'", expected));
  }
  bool number(const char* what, std::uint64_t least, std::uint64_t most, std::uint64_t* into) {
    std::string_view text;
    if (!word(what, &text)) return false;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *into);
    const bool good = error == std::errc() && end == text.data() + text.size() && *into >= least &&
                      *into <= most;
    return good || wrong(fmt::format("{}, a number from {} to {}", what, least, most));
  }
  // Says that the word just taken is not what it should be.
  bool wrong(const std::string& expected) {
    return fail(fmt::format("word {}: found '{}', expected {}", next_, words_[next_ - 1], expected));
  }
  bool fail(std::string message) {
    if (error_.empty()) error_ = "the table " + std::move(message);
    return false;
  }
  bool at_end() const { return next_ == words_.size(); }
  const std::string& error() const { return error_; }

 private:
  std::vector<std::string_view> words_;
  std::size_t next_ = 0;
  std::string error_;
};

bool parse_log_words(TableWords& words, RecordedMirror* mirror) {
  std::string_view type;
  std::uint64_t count = 0;
  if (!words.word("the type of log", &type)) return false;
  if (type != "disk") return words.wrong("'disk': only such a log leaves a record");
  std::string_view device;
  if (!words.number("the number of log arguments", 2, 4, &count) ||
      !words.word("the log device", &device) ||
      !words.number("the region size", 2, kMostSectors, &mirror->region_sectors)) {
    return false;
  }
  if (!std::has_single_bit(mirror->region_sectors)) return words.wrong("a power of two");
  for (std::uint64_t i = 2; i < count; ++i) {
    std::string_view option;
    if (!words.word("a log option", &option)) return false;
    if (option != "sync" && option != "nosync" && option != "block_on_error") {
      return words.wrong("sync, nosync or block_on_error");
    }
  }
  return true;
}

bool parse_leg_words(TableWords& words, const std::vector<SectorRange>& slices,
                     RecordedMirror* mirror) {
  std::uint64_t count = 0;
  if (!words.number("the number of legs", 2, kMostLegs, &count)) return false;
  if (count != slices.size()) {
    return words.wrong(fmt::format("{}, as that many ranges of legs are given", slices.size()));
  }
  for (const SectorRange slice : slices) {
    std::string_view device;
    Sector offset = 0;
    if (!words.word("a leg's device", &device) ||
        !words.number("a leg's offset", 0, kMostSectors, &offset)) {
      return false;
    }
    if (offset + mirror->length > slice.count()) {
      return words.fail(fmt::format("needs sectors {} to {} of leg {}, whose range has {}", offset,
                                    offset + mirror->length, device, slice.count()));
    }
    mirror->legs.push_back({slice.begin + offset, slice.begin + offset + mirror->length});
  }
  return true;
}

bool parse_feature_words(TableWords& words) {
  if (words.at_end()) return true;
  std::uint64_t count = 0;
  if (!words.number("the number of features", 0, 2, &count)) return false;
  for (std::uint64_t i = 0; i < count; ++i) {
    std::string_view feature;
    if (!words.word("a feature", &feature)) return false;
    if (feature != "handle_errors" && feature != "keep_log") {
      return words.wrong("handle_errors or keep_log");
    }
  }
  return words.at_end() || words.fail("goes on after its features");
}

Failure<InputError> refuse(std::string message) {
  return Failure{InputError{{}, 0, 0, std::move(message), -1}};
}

std::string range_text(SectorRange range) { return fmt::format("{}s..{}s", range.begin, range.end); }

Outcome<> check_ranges(const std::vector<SectorRange>& slices) {
  for (std::size_t i = 0; i < slices.size(); ++i) {
    if (slices[i].begin >= slices[i].end || slices[i].end > kMostSectors) {
      return refuse(fmt::format("the range {} is not one: expected a begin below its end",
                                range_text(slices[i])));
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (!slices[i].overlaps(slices[j])) continue;
      return refuse(fmt::format("the ranges {} and {} overlap", range_text(slices[j]),
                                range_text(slices[i])));
    }
  }
  return Done{};
}

}  // namespace

Result<RecordedMirror> parse_recorded_mirror(std::string_view table,
                                             const std::vector<SectorRange>& legs, SectorRange log) {
  RecordedMirror mirror;
  mirror.log = log;
  mirror.slices = legs;
  mirror.slices.push_back(log);
  const Outcome<> ranges = check_ranges(mirror.slices);
  if (!ranges.ok()) return Failure{ranges.error()};
  TableWords words(table);
  Sector start = 0;
  if (!words.number("the start", 0, kMostSectors, &start) ||
      !words.number("the length", 1, kMostSectors, &mirror.length) || !words.literal("mirror") ||
      !parse_log_words(words, &mirror) || !parse_leg_words(words, legs, &mirror) ||
      !parse_feature_words(words)) {
    return refuse(words.error());
  }
  if (const auto needs = mirror_log::log_sectors(mirror.regions(), 1); needs > log.count()) {
    return refuse(fmt::format("the log of {} regions takes {} sectors, its range {} has {}",
                              mirror.regions(), needs, range_text(log), log.count()));
  }
  return mirror;
}

Outcome<> check_slices(const WriteLog& log, const std::string& name, const RecordedMirror& mirror,
                       std::uint64_t device_sectors) {
  for (const SectorRange slice : mirror.slices) {
    const std::uint64_t known = device_sectors != 0 ? device_sectors : log.device_sectors();
    if (device_sectors != 0 ? slice.end > known : slice.begin >= known) {
      return Failure{InputError{name, 0, 0,
                                fmt::format("the range {} lies outside the recorded device: it has "
                                            "{} sectors{}",
                                            range_text(slice), known,
                                            device_sectors != 0 ? "" : " as far as the log tells"),
                                -1}};
    }
  }
  for (std::size_t i = 0; i < log.entries().size(); ++i) {
    const LogEntry& entry = log.entries()[i];
    const SectorRange range{entry.sector, entry.sector + entry.sectors};
    for (const SectorRange slice : mirror.slices) {
      if (entry.is_discard() || !range.overlaps(slice)) continue;
      if (slice.begin <= range.begin && range.end <= slice.end) continue;
      return Failure{InputError{name, 0, 0,
                                fmt::format("entry {} writes {}, across the border of the "
                                            "range {}",
                                            i, range_text(range), range_text(slice)),
                                static_cast<long long>(entry.offset)}};
    }
  }
  return Done{};
}

}  // namespace dmsim
