// Requests as bars from their submission to their end, and marks of what is no request.
#include <fmt/format.h>

#include <algorithm>

#include "crash-replay/story_steps.h"
#include "crash-replay/timeline_builder.h"

namespace dmsim {

// --- bars ----------------------------------------------------------------------------------------

void Layout::make_bars() {
  for (const std::size_t i : users_) add_user_bar(c_.users[i]);
  for (const std::size_t i : requests_) add_disk_bar(c_.disk_requests[i]);
  for (std::size_t in_lane = 0; in_lane < t_.lanes.size(); ++in_lane) {
    std::vector<TimelineBar*> bars;
    for (TimelineBar& bar : t_.bars) {
      if (bar.lane == in_lane) bars.push_back(&bar);
    }
    std::stable_sort(bars.begin(), bars.end(), [](const TimelineBar* a, const TimelineBar* b) {
      return a->from_row < b->from_row;
    });
    std::vector<std::size_t> free_from;  // per slot: the last row used
    for (TimelineBar* bar : bars) {
      std::size_t slot = 0;
      while (slot < free_from.size() && free_from[slot] >= bar->from_row) ++slot;
      if (slot == free_from.size()) free_from.push_back(0);
      free_from[slot] = bar->to_row;
      bar->slot = slot;
    }
    t_.lanes[in_lane].slots = std::max<std::size_t>(1, free_from.size());
  }
}

void Layout::add_user_bar(const UserStory& user) {
  TimelineBar bar;
  bar.lane = *find_lane(f_.device);
  bar.from_row = row(user.submit);
  bar.ended = user.complete.has_value() && *user.complete <= end_;
  bar.to_row = bar.ended ? row(*user.complete) : end_row(user.submit);
  bar.notation = notation_of(user.op, user.fua, user.range);
  bar.content = user.content;
  bar.from_lane = find_lane(user.who);
  if (!bar.from_lane && user.by_cache) bar.from_lane = find_lane(LaneKind::kCache);
  bar.failed = bar.ended && user.status != "ok";
  bar.end_label = bar.ended ? (bar.failed ? user.status : "done") : "";
  bar.tooltip = fmt::format("{} of {} to {}\nsubmitted {}{}\n{}", bar.notation, user.who,
                            user.device, instant_words(c_.event(user.submit).at),
                            ended_words(user.complete, user.status),
                            events_words({user.submit}, user.complete));
  t_.bars.push_back(std::move(bar));
}

void Layout::add_disk_bar(const DiskStory& request) {
  const auto disk = find_lane(request.disk);
  if (!disk) return;
  TimelineBar bar;
  bar.lane = *disk;
  bar.from_row = row(request.submit);
  bar.ended = request.complete.has_value() && *request.complete <= end_;
  bar.to_row = bar.ended ? row(*request.complete) : end_row(request.submit);
  bar.notation = notation_of(request.op, request.fua, request.range);
  bar.content = request.touches_page ? request.content : StoryContent{};
  if (request.transfer && request.touches_page) bar.moved_row = row(*request.transfer);
  const UserStory* user = request.user ? &c_.users[*request.user] : nullptr;
  bar.from_lane = user != nullptr ? find_lane(f_.device) : find_lane(LaneKind::kRegion);
  if (user != nullptr && user->by_cache && request.op == "write" && bar.moved_row &&
      request.status != "EIO") {
    bar.sampled_lane = find_lane(LaneKind::kCache);
  }
  bar.failed = bar.ended && request.status != "ok";
  bar.end_label = bar.ended ? (bar.failed ? request.status : "done") : "";
  std::string moved;
  if (request.transfer) {
    moved = fmt::format("\ndata moved {}{}", instant_words(c_.event(*request.transfer).at),
                        request.touches_page ? ": " + s_.names.label(request.content) : "");
  }
  bar.tooltip =
      fmt::format("{} to {}{}\nsubmitted {}{}{}{}\n{}", bar.notation, request.disk,
                  user != nullptr    ? fmt::format(" for {}", user->who)
                  : request.recovery ? " by recovery"
                                     : " by the mirror",
                  instant_words(c_.event(request.submit).at), moved,
                  ended_words(request.complete, request.status),
                  request.fault.empty() ? "" : "\nfault: " + request.fault,
                  events_words({request.submit, request.transfer.value_or(request.submit)},
                               request.complete));
  t_.bars.push_back(std::move(bar));
}

std::string Layout::ended_words(std::optional<std::size_t> complete, const std::string& status) const {
  if (!complete) return "\nnever ended";
  return fmt::format("\nended {} ({})", instant_words(c_.event(*complete).at), status);
}

std::string Layout::events_words(std::vector<std::size_t> events,
                         std::optional<std::size_t> complete) const {
  if (complete) events.push_back(*complete);
  std::set<TraceId> ids;
  for (const std::size_t index : events) ids.insert(c_.event(index).id);
  std::string out = ids.size() == 1 ? "trace event " : "trace events ";
  bool first = true;
  for (const TraceId id : ids) {
    out += fmt::format("{}{}", first ? "" : ", ", id);
    first = false;
  }
  return out;
}

// --- marks ---------------------------------------------------------------------------------------

std::string Layout::mark_word(const StoryEvent& event) {
  static const std::map<std::string, std::string> kWords{{"cache.store", "store"},
                                                         {"cache.write", "write"},
                                                         {"direct.scribble", "scribble"},
                                                         {"dm.suspend", "suspend"},
                                                         {"dm.suspended", "suspended"},
                                                         {"dm.resume", "resume"},
                                                         {"dm.load", "load"},
                                                         {"dm.remove", "remove"},
                                                         {"dm.message", "message"},
                                                         {"mirror.hold", "held"},
                                                         {"mirror.requeue", "requeued"},
                                                         {"dm.defer", "deferred"},
                                                         {"cache.stable_wait", "waits"}};
  if (event.is("mirror.leg_failed")) return "failed";
  const auto found = kWords.find(event.kind);
  return found == kWords.end() ? "" : found->second;
}

std::optional<std::size_t> Layout::mark_lane(const StoryEvent& event) const {
  if (event.is("mirror.leg_failed")) {
    const std::uint64_t leg = event.number("leg");
    return leg < f_.legs.size() ? find_lane(f_.legs[leg].disk) : std::nullopt;
  }
  if (event.is("mirror.hold") || event.is("mirror.requeue") || event.is("dm.defer")) {
    return find_lane(LaneKind::kDevice);
  }
  return find_lane(event.actor);
}

void Layout::make_marks() {
  for (const auto& [index, steps] : steps_at_) {
    const StoryEvent& event = c_.event(index);
    const auto in_lane = mark_lane(event);
    if (!in_lane || !has_mark(event)) continue;
    TimelineMark mark;
    mark.lane = *in_lane;
    mark.row = row(index);
    mark.label = mark_word(event);
    mark.tooltip = s_.steps[steps.front()].text +
                   fmt::format("\n{}\ntrace event {}", instant_words(event.at), event.id);
    mark.store =
        event.is("cache.store") || event.is("cache.write") || event.is("direct.scribble");
    if (mark.store) {
      mark.content = StoryContent::of_version(event.number("version"));
      mark.label += " " + s_.names.label(mark.content);
      mark.to_lane = find_lane(LaneKind::kCache);
    } else if (event.kind.rfind("dm.", 0) == 0 && event.actor != f_.device &&
               !event.is("dm.suspended")) {
      mark.to_lane = find_lane(LaneKind::kDevice);
    }
    t_.marks.push_back(std::move(mark));
  }
}

}  // namespace dmsim
