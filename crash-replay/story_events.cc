#include "crash-replay/story_events.h"

#include <fmt/format.h>

#include <charconv>

#include "base/check.h"

namespace dmsim {
namespace {

bool is_name_letter(char c) { return (c >= 'a' && c <= 'z') || c == '_'; }

// Where the next " name=" begins at or after `from`; npos: nowhere. Actors' names contain blanks.
std::size_t next_argument(std::string_view text, std::size_t from) {
  for (std::size_t at = text.find(' ', from); at != std::string_view::npos;
       at = text.find(' ', at + 1)) {
    std::size_t end = at + 1;
    while (end < text.size() && is_name_letter(text[end])) ++end;
    if (end > at + 1 && end < text.size() && text[end] == '=') return at;
  }
  return std::string_view::npos;
}

// The end of the value that begins at `from`. A quoted text ends at the quote before the next argument.
std::size_t end_of_value(std::string_view text, std::size_t from) {
  if (from >= text.size() || text[from] != '"') {
    return std::min(next_argument(text, from), text.size());
  }
  for (std::size_t at = next_argument(text, from); at != std::string_view::npos;
       at = next_argument(text, at + 1)) {
    if (at > from + 1 && text[at - 1] == '"') return at;
  }
  return text.size();
}

bool take_number(std::string_view* text, std::uint64_t* out) {
  while (!text->empty() && text->front() == ' ') text->remove_prefix(1);
  const auto parsed = std::from_chars(text->data(), text->data() + text->size(), *out);
  if (parsed.ec != std::errc()) return false;
  text->remove_prefix(static_cast<std::size_t>(parsed.ptr - text->data()));
  return !text->empty() && text->front() == ' ';
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

}  // namespace

std::string_view StoryEvent::text(std::string_view name) const {
  for (const auto& [key, value] : args) {
    if (key == name) return value;
  }
  return {};
}

std::uint64_t StoryEvent::number(std::string_view name) const {
  const std::string_view value = text(name);
  std::uint64_t out = 0;
  std::from_chars(value.data(), value.data() + value.size(), out);
  return out;
}

SectorRange StoryEvent::range() const {
  const Sector first = number("sector");
  return {first, first + number("count")};
}

std::optional<StoryEvent> parse_trace_line(std::string_view line) {
  StoryEvent event;
  std::uint64_t instant = 0;
  std::string_view rest = line;
  if (!take_number(&rest, &event.id) || !take_number(&rest, &instant)) return std::nullopt;
  event.at = Instant::at_ns(static_cast<std::int64_t>(instant));
  const std::size_t cause = rest.find(" cause=");
  if (cause == std::string_view::npos) return std::nullopt;
  const std::string_view head = trimmed(rest.substr(0, cause));
  const std::size_t split = head.rfind(' ');
  if (split == std::string_view::npos) return std::nullopt;
  event.actor = trimmed(head.substr(0, split));
  event.kind = head.substr(split + 1);
  std::size_t at = cause;
  while (at < rest.size()) {
    const std::size_t equals = rest.find('=', at);
    if (equals == std::string_view::npos) return std::nullopt;
    const std::string_view name = rest.substr(at + 1, equals - at - 1);
    const std::size_t end = end_of_value(rest, equals + 1);
    std::string_view value = rest.substr(equals + 1, end - equals - 1);
    if (value.size() >= 2 && value.front() == '"') value = value.substr(1, value.size() - 2);
    if (at == cause) {
      std::from_chars(value.data(), value.data() + value.size(), event.cause);
    } else {
      event.args.emplace_back(name, value);
    }
    at = end;
  }
  return event;
}

std::vector<StoryEvent> story_events(const Trace& trace) {
  std::vector<StoryEvent> out;
  for (const TraceEvent& event : trace.kept()) {
    const std::string line = trace.render(event);
    auto parsed = parse_trace_line(line);
    CHECK(parsed.has_value(), line);
    out.push_back(std::move(*parsed));
  }
  return out;
}

std::string instant_words(Instant at) {
  const std::int64_t us = at.ns() / 1000;
  return fmt::format("{}.{:03} ms", us / 1000, us % 1000);
}

std::string duration_words(Duration duration) {
  const std::int64_t us = duration.count_ns() / 1000;
  if (us < 1'000) return fmt::format("{} us", us);
  if (us < 1'000'000) return fmt::format("{}.{} ms", us / 1000, us % 1000 / 100);
  return fmt::format("{}.{} s", us / 1'000'000, us % 1'000'000 / 100'000);
}

}  // namespace dmsim
