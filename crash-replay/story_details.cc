// Details have few forms, each with fixed words between its parts; a form is matched by those words.
#include "crash-replay/story_details.h"

#include <fmt/format.h>

#include <charconv>
#include <initializer_list>
#include <string_view>

#include "crash-replay/story_events.h"

namespace dmsim {
namespace {

// What stands between the words, one part before each and one behind the last; none: they are not there.
std::optional<std::vector<std::string>> parts_between(std::string_view text,
                                                      std::initializer_list<std::string_view> words) {
  std::vector<std::string> parts;
  for (const std::string_view word : words) {
    const std::size_t at = text.find(word);
    if (at == std::string_view::npos) return std::nullopt;
    parts.emplace_back(text.substr(0, at));
    text.remove_prefix(at + word.size());
  }
  parts.emplace_back(text);
  return parts;
}

std::optional<std::int64_t> number(const std::string& text) {
  std::int64_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<LeftOverRegion> left_over(const std::string& detail) {
  const auto parts = parts_between(detail, {"an entry for region ", " in the region hash of "});
  if (!parts || !(*parts)[0].empty()) return std::nullopt;
  const auto region = number((*parts)[1]);
  if (!region) return std::nullopt;
  return LeftOverRegion{static_cast<std::uint64_t>(*region), (*parts)[2]};
}

}  // namespace

std::string sentence_of_detail(const std::string& detail) {
  if (const auto request = parts_between(detail, {"not answered: ", " of ", ", submitted at ", " ns"})) {
    if (const auto at = number((*request)[3])) {
      return fmt::format("{} has never answered {}, which came at {}.", (*request)[2], (*request)[1],
                         instant_words(Instant::at_ns(*at)));
    }
  }
  if (const auto wait = parts_between(detail, {" waits for "})) {
    const bool its_own = (*wait)[1] == "any request of " + (*wait)[0];
    return fmt::format("{} waits for {}.", (*wait)[0], its_own ? "one of its own requests to end" : (*wait)[1]);
  }
  if (const auto region = left_over(detail)) {
    return fmt::format("The region hash of {} still has an entry for region {}, where nothing is under way.",
                       region->device, region->region);
  }
  const std::size_t blank = detail.find(' ');
  const auto count = number(detail.substr(0, blank));
  if (!count || blank == std::string::npos) return detail;
  const std::string what = detail.substr(blank + 1);
  if (const auto mirror = parts_between(what, {" of mirror "})) {
    const std::string& name = (*mirror)[1];  // "lv (lv)"
    return fmt::format("The mirror {} still holds {} {}, and nobody will ever take {} back.",
                       name.substr(0, name.find(' ')), *count, (*mirror)[0], *count == 1 ? "it" : "them");
  }
  return fmt::format("Device-mapper still holds {} {}.", *count, what);
}

std::optional<LeftOverRegion> left_over_region(const std::vector<std::string>& details) {
  for (const std::string& detail : details) {
    if (const auto region = left_over(detail)) return region;
  }
  return std::nullopt;
}

}  // namespace dmsim
