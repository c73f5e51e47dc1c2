// StoryEvent: one event of a trace as its text form says it, by name and not by kind.
//
// Stories, timelines and comparisons read traces through the text form (docs/TRACE_FORMAT.md), as a
// person would: they know events by their names, so they do not depend on which engine or model wrote
// them, and work on a trace that was written to a file by another version of the tool.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "block/sector.h"
#include "sim/trace.h"

namespace dmsim {

struct StoryEvent {
  TraceId id = 0;
  Instant at;
  TraceId cause = 0;
  std::string actor;
  std::string kind;                                       // "disk.submit"
  std::vector<std::pair<std::string, std::string>> args;  // in the trace's order, quotes removed

  bool is(std::string_view name) const { return kind == name; }
  // Empty, or 0: the event has no such argument.
  std::string_view text(std::string_view name) const;
  std::uint64_t number(std::string_view name) const;
  // sector and count, of events that have both.
  SectorRange range() const;
};

// One line of a trace; nothing: it is not one.
std::optional<StoryEvent> parse_trace_line(std::string_view line);
// Everything that the trace has kept, oldest first.
std::vector<StoryEvent> story_events(const Trace& trace);

// "12.345 ms": milliseconds with microseconds.
std::string instant_words(Instant at);
// "850 us", "12.3 ms", "1.5 s".
std::string duration_words(Duration duration);

}  // namespace dmsim
