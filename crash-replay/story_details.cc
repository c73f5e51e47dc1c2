#include "crash-replay/story_details.h"

#include <fmt/format.h>

#include <regex>

#include "crash-replay/story_events.h"

namespace dmsim {
namespace {

const std::regex& entry_pattern() {
  static const std::regex kPattern("an entry for region ([0-9]+) in the region hash of (\\S+)");
  return kPattern;
}

}  // namespace

std::string sentence_of_detail(const std::string& detail) {
  static const std::regex kUnanswered("not answered: (.+) of (\\S+), submitted at ([0-9]+) ns");
  static const std::regex kAnyOfItsOwn("(\\S+) waits for any request of (\\S+)");
  static const std::regex kWaits("(\\S+) waits for (.+)");
  static const std::regex kOfMirror("([0-9]+) (.+) of mirror (\\S+)(?: \\(\\S+\\))?");
  static const std::regex kCount("([0-9]+) (.+)");
  std::smatch found;
  if (std::regex_match(detail, found, kUnanswered)) {
    return fmt::format("{} has never answered {}, which came at {}.", found.str(2), found.str(1),
                       instant_words(Instant::at_ns(std::stoll(found.str(3)))));
  }
  if (std::regex_match(detail, found, kAnyOfItsOwn) && found.str(1) == found.str(2)) {
    return fmt::format("{} waits for one of its own requests to end.", found.str(1));
  }
  if (std::regex_match(detail, found, kWaits)) {
    return fmt::format("{} waits for {}.", found.str(1), found.str(2));
  }
  if (std::regex_match(detail, found, entry_pattern())) {
    return fmt::format("The region hash of {} still has an entry for region {}, where nothing is under way.",
                       found.str(2), found.str(1));
  }
  if (std::regex_match(detail, found, kOfMirror)) {
    return fmt::format("The mirror {} still holds {} {}, and nobody will ever take {} back.", found.str(3),
                       found.str(1), found.str(2), found.str(1) == "1" ? "it" : "them");
  }
  if (std::regex_match(detail, found, kCount)) {
    return fmt::format("Device-mapper still holds {} {}.", found.str(1), found.str(2));
  }
  return detail;
}

std::optional<LeftOverRegion> left_over_region(const std::vector<std::string>& details) {
  std::smatch found;
  for (const std::string& detail : details) {
    if (std::regex_match(detail, found, entry_pattern())) {
      return LeftOverRegion{std::stoull(found.str(1)), found.str(2)};
    }
  }
  return std::nullopt;
}

}  // namespace dmsim
