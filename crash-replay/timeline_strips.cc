// Strips: what a leg, a page, a region or a log holds, from change to change.
#include <algorithm>

#include "crash-replay/timeline_builder.h"

namespace dmsim {

// --- strips --------------------------------------------------------------------------------------

std::size_t Layout::change_row(std::size_t event) const {
  if (!c_.event(event).is("power.on")) return row(event);
  for (std::size_t i = event; i-- > 0;) {
    if (c_.event(i).is("power.cut")) return row(i);
    if (!c_.event(i).is("power.survived")) break;
  }
  return row(event);
}

void Layout::add_stretches(std::size_t in_lane, const std::vector<Change>& changes,
                   std::optional<std::size_t> ends_at) {
  const std::size_t last_row = t_.rows.empty() ? 0 : t_.rows.size() - 1;
  const std::size_t end = ends_at ? row(*ends_at) : last_row;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    if (changes[i].event > end_) break;
    TimelineStretch stretch;
    stretch.lane = in_lane;
    stretch.labelled = changes[i].event >= s_.first_event;
    stretch.from_row = stretch.labelled ? change_row(changes[i].event) : 0;
    stretch.label_row = row(changes[i].event);
    const bool last = i + 1 == changes.size() || changes[i + 1].event > end_;
    stretch.to_row = last ? end : change_row(changes[i + 1].event);
    if (i + 1 < changes.size() && changes[i + 1].event < s_.first_event) continue;
    stretch.content = changes[i].content;
    stretch.word = changes[i].word;
    stretch.tooltip =
        t_.lanes[in_lane].title + ": " +
        (!stretch.word.empty()        ? stretch.word
         : is_untold(stretch.content) ? std::string("an earlier version")
                                      : s_.names.name(stretch.content, t_.lanes[in_lane].name));
    t_.stretches.push_back(std::move(stretch));
  }
}

bool Layout::is_untold(const StoryContent& content) const {
  const bool version = content.kind == StoryContent::Kind::kVersion ||
                       content.kind == StoryContent::Kind::kMixture;
  return version && s_.names.number(content) == 0;
}

std::optional<std::size_t> Layout::last_event_of(std::string_view kind) const {
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < c_.events.size() && i <= end_; ++i) {
    if (c_.event(i).is(kind)) found = i;
  }
  return found;
}

void Layout::make_stretches() {
  const auto cut = last_event_of("power.cut");
  for (const StoryFocus::Leg& leg : f_.legs) add_leg_strip(leg.disk);
  if (const auto cache = find_lane(LaneKind::kCache)) {
    std::vector<Change> changes;
    for (const auto& [index, steps] : steps_at_) {
      const StoryEvent& event = c_.event(index);
      if (event.is("cache.store") || event.is("cache.write")) {
        changes.push_back({index, StoryContent::of_version(event.number("version")), ""});
      }
    }
    add_stretches(*cache, changes, cut);
  }
  if (const auto region = find_lane(LaneKind::kRegion)) add_region_strip(*region, cut);
  if (const auto log = find_lane(LaneKind::kLog)) {
    std::vector<Change> changes;
    for (const LogWord& word : s_.log_words) {
      changes.push_back({word.event, {}, f_.clone ? "on " + f_.clone->destination
                                         : word.clean ? "clean"
                                                      : "dirty"});
    }
    add_stretches(*log, changes, std::nullopt);
  }
}

void Layout::add_leg_strip(const std::string& disk) {
  std::vector<Change> changes{{0, StoryContent::initial_of(disk), ""}};
  for (const DiskStory& request : c_.disk_requests) {
    if (request.disk != disk || !request.touches_page || request.op != "write") continue;
    if (!request.transfer || request.content.kind == StoryContent::Kind::kUnknown) continue;
    changes.push_back({*request.transfer, request.content, ""});
  }
  if (c_.lives > 1) {
    for (const LegState& leg : c_.legs) {
      if (leg.disk == disk) changes.push_back({*last_event_of("power.on"), leg.after_cut, ""});
    }
  }
  std::stable_sort(changes.begin(), changes.end(),
                   [](const Change& a, const Change& b) { return a.event < b.event; });
  add_stretches(*find_lane(disk), changes, std::nullopt);
}

void Layout::add_clone_region_strip(std::size_t in_lane, std::optional<std::size_t> cut) {
  std::vector<Change> changes{{0, {}, "on " + f_.clone->source}};
  for (std::size_t i = 0; i < c_.events.size() && i <= end_; ++i) {
    const StoryEvent& event = c_.event(i);
    const bool ours = event.is("clone.hydrated") && event.number("region") == f_.region &&
                      event.number("ok") != 0;
    if (ours) changes.push_back({i, {}, "on " + f_.clone->destination});
    if (cut && i > *cut && event.is("power.on") && c_.clean_after_cut) {
      changes.push_back(
          {i, {}, "on " + (*c_.clean_after_cut ? f_.clone->destination : f_.clone->source)});
    }
  }
  add_stretches(in_lane, changes, std::nullopt);
}

void Layout::add_region_strip(std::size_t in_lane, std::optional<std::size_t> cut) {
  if (f_.clone) return add_clone_region_strip(in_lane, cut);
  std::vector<Change> changes;
  for (std::size_t i = 0; i < c_.events.size() && i <= end_; ++i) {
    const StoryEvent& event = c_.event(i);
    if (cut && i > *cut && event.is("power.on") && c_.clean_after_cut) {
      changes.push_back({i, {}, *c_.clean_after_cut ? "clean" : "nosync"});
    }
    if (!c_.about_region(event) || !event.is("mirror.region")) continue;
    const std::string to(event.text("to"));
    const std::string word = to == "gone" ? "clean" : to;
    if (changes.empty() && i >= s_.first_event) {
      const std::string from(event.text("from"));
      changes.push_back({0, {}, from == "gone" ? "clean" : from});
    }
    if (changes.empty() || changes.back().word != word) changes.push_back({i, {}, word});
  }
  add_stretches(in_lane, changes, std::nullopt);
}

}  // namespace dmsim
