#include "crash-replay/timeline_layout.h"

#include <fmt/format.h>

#include <algorithm>

#include "crash-replay/timeline_builder.h"

namespace dmsim {
namespace {

constexpr double kRowHeight = 25;
constexpr double kGapHeight = 24;
constexpr double kCutHeight = 34;
constexpr double kHead = 58;
constexpr double kLabelWidth = 80;
constexpr double kPlainLabelWidth = 92;
constexpr double kInstantWidth = 62;
constexpr double kBadgeWidth = 20;
// Idle time that is marked as such.
constexpr Duration kIdle = Duration::microseconds(400);

}  // namespace

Timeline Layout::run() {
  choose();
  make_lanes();
  make_rows();
  make_bars();
  make_marks();
  make_stretches();
  place();
  return std::move(t_);
}

// --- what is shown -------------------------------------------------------------------------------

void Layout::choose() {
  std::set<std::size_t> told;
  for (const StoryStep& step : s_.steps) told.insert(step.requests.begin(), step.requests.end());
  for (std::size_t i = 0; i < c_.disk_requests.size(); ++i) {
    const DiskStory& request = c_.disk_requests[i];
    const UserStory* user = request.user ? &c_.users[*request.user] : nullptr;
    const bool by_story = told.count(i) > 0;
    const bool of_page = request.touches_page && in_window(request.submit) &&
                         (request.op != "read" || request.recovery || is_told(request));
    const bool of_shown_user = user != nullptr && user->touches_region &&
                               c_.is_leg(request.disk) && steps_at_.count(user->submit) > 0 &&
                               request.op != "read";
    if (by_story || of_page || of_shown_user) requests_.push_back(i);
  }
  for (std::size_t i = 0; i < c_.users.size(); ++i) {
    const UserStory& user = c_.users[i];
    if (user.device != f_.device || !in_window(user.submit)) continue;
    const bool told_of = steps_at_.count(user.submit) > 0;
    if (told_of || (user.touches_page && user.op != "read")) users_.push_back(i);
  }
}

// --- lanes ---------------------------------------------------------------------------------------

std::size_t Layout::lane(LaneKind kind, const std::string& name) {
  for (std::size_t i = 0; i < t_.lanes.size(); ++i) {
    if (t_.lanes[i].kind == kind && t_.lanes[i].name == name) return i;
  }
  t_.lanes.push_back({kind, name, name, "", 1, 0, 0});
  return t_.lanes.size() - 1;
}

std::optional<std::size_t> Layout::find_lane(const std::string& name) const {
  for (std::size_t i = 0; i < t_.lanes.size(); ++i) {
    const TimelineLane& known = t_.lanes[i];
    if (known.name == name && known.kind != LaneKind::kRegion) return i;
  }
  return std::nullopt;
}

std::optional<std::size_t> Layout::find_lane(LaneKind kind) const {
  for (std::size_t i = 0; i < t_.lanes.size(); ++i) {
    if (t_.lanes[i].kind == kind) return i;
  }
  return std::nullopt;
}

bool Layout::is_task(const std::string& name) const {
  return std::any_of(c_.crash->plan.tasks.begin(), c_.crash->plan.tasks.end(),
                     [&](const TaskPlan& task) { return task.name == name; });
}

bool Layout::acts(const StoryEvent& event) const {
  return event.is("cache.store") || event.is("cache.write") || event.is("cache.writeback") ||
         event.is("direct.scribble") || event.kind.rfind("dm.", 0) == 0;
}

void Layout::make_lanes() {
  std::set<std::string> tasks, daemons;
  bool cached = false;
  for (const auto& [index, steps] : steps_at_) {
    const StoryEvent& event = c_.event(index);
    if (!acts(event) || event.is("dm.submit") || event.is("dm.complete")) continue;
    if (event.actor == f_.device || event.actor == "boot" || event.is("dm.map")) continue;
    (is_task(event.actor) ? tasks : daemons).insert(event.actor);
    cached = cached || event.kind.rfind("cache.", 0) == 0;
  }
  for (const std::size_t i : users_) {
    const UserStory& user = c_.users[i];
    if (user.who.rfind("cache ", 0) != 0) (is_task(user.who) ? tasks : daemons).insert(user.who);
    cached = cached || user.by_cache;
  }
  for (const std::string& name : tasks) {
    t_.lanes[lane(LaneKind::kTask, name)].subtitle = "task";
  }
  if (cached && !f_.cache.empty()) {
    TimelineLane& made = t_.lanes[lane(LaneKind::kCache, f_.cache)];
    made.title = "page cache";
    made.subtitle = fmt::format("page {} in memory", f_.cache_page);
  }
  for (const std::string& name : daemons) {
    t_.lanes[lane(LaneKind::kDaemon, name)].subtitle = name == "checker" ? "reader" : "daemon";
  }
  t_.lanes[lane(LaneKind::kDevice, f_.device)].subtitle = "mapped device";
  if (f_.region) {
    TimelineLane& made = t_.lanes[lane(LaneKind::kRegion, f_.mirror)];
    made.title = fmt::format("region {}", *f_.region);
    made.subtitle = "state in memory";
  }
  for (const StoryFocus::Leg& leg : f_.legs) {
    t_.lanes[lane(LaneKind::kLeg, leg.disk)].subtitle = fmt::format("page {} on it", f_.page);
  }
  if (!f_.log_disk.empty()) {
    t_.lanes[lane(LaneKind::kLog, f_.log_disk)].subtitle = "on disk, region is";
  }
}

// --- rows ----------------------------------------------------------------------------------------

void Layout::make_rows() {
  for (const auto& [index, steps] : steps_at_) wanted_[index];
  for (const std::size_t i : users_) {
    const UserStory& user = c_.users[i];
    const auto device = find_lane(f_.device);
    want(user.submit, *device);
    if (user.complete) want(*user.complete, *device);
  }
  for (const std::size_t i : requests_) {
    const DiskStory& request = c_.disk_requests[i];
    const auto disk = find_lane(request.disk);
    if (!disk) continue;
    want(request.submit, *disk);
    if (request.transfer && request.touches_page) want(*request.transfer, *disk);
    if (request.complete) want(*request.complete, *disk);
  }
  for (std::size_t i = s_.first_event; i <= end_; ++i) {
    const StoryEvent& event = c_.event(i);
    if (c_.about_region(event) && event.is("mirror.region")) {
      want(i, *find_lane(LaneKind::kRegion));
    }
    if (event.is("power.cut")) wanted_[i];
  }
  for (const auto& [index, steps] : steps_at_) {
    const StoryEvent& event = c_.event(index);
    const auto actor = mark_lane(event);
    if (actor && has_mark(event)) want(index, *actor);
  }
  for (const LogWord& word : s_.log_words) {
    if (in_window(word.event) && find_lane(LaneKind::kLog)) {
      want(word.event, *find_lane(LaneKind::kLog));
    }
  }
  std::set<std::size_t> taken;  // lanes with a label in the last row
  std::size_t badges = 0;
  for (const auto& [index, lanes] : wanted_) {
    const StoryEvent& event = c_.event(index);
    const bool cut = event.is("power.cut");
    bool fresh = t_.rows.empty() || t_.rows.back().at != event.at || cut || t_.rows.back().cut;
    for (const std::size_t in_lane : lanes) fresh = fresh || taken.count(in_lane) > 0;
    const auto steps = steps_at_.find(index);
    const std::size_t here = steps == steps_at_.end() ? 0 : steps->second.size();
    if (fresh || badges + here > 3) {
      t_.rows.push_back({index, event.at, 0, "", 0, cut});
      taken.clear();
      badges = 0;
    }
    taken.insert(lanes.begin(), lanes.end());
    row_of_[index] = t_.rows.size() - 1;
    for (std::size_t i = 0; i < here; ++i) {
      t_.badges.push_back({t_.rows.size() - 1, steps->second[i] + 1, badges++});
    }
  }
}

std::size_t Layout::row(std::size_t event) const {
  const auto found = row_of_.lower_bound(event);
  if (found == row_of_.end()) return t_.rows.empty() ? 0 : t_.rows.size() - 1;
  return found->second;
}

std::size_t Layout::end_row(std::size_t event) const {
  for (std::size_t i = event; i < c_.events.size() && i <= end_; ++i) {
    if (c_.event(i).is("power.cut")) return row(i);
  }
  return t_.rows.empty() ? 0 : t_.rows.size() - 1;
}

// --- places --------------------------------------------------------------------------------------

void Layout::place() {
  std::size_t most_badges = 1;
  for (const TimelineBadge& badge : t_.badges)
    most_badges = std::max(most_badges, badge.place + 1);
  t_.axis_width = kInstantWidth + kBadgeWidth * static_cast<double>(most_badges) + 6;
  t_.head_height = kHead;
  double x = t_.axis_width;
  for (TimelineLane& lane : t_.lanes) {
    const bool plain = lane.kind == LaneKind::kTask || lane.kind == LaneKind::kDaemon;
    lane.x = x;
    lane.width =
        plain ? 14 + kPlainLabelWidth
              : 8 + kStripWidth + kSlotWidth * static_cast<double>(lane.slots) + kLabelWidth;
    x += lane.width;
  }
  t_.width = x + 4;
  double y = kHead + 8;
  for (std::size_t i = 0; i < t_.rows.size(); ++i) {
    TimelineRow& row = t_.rows[i];
    if (i > 0 && row.at - t_.rows[i - 1].at >= kIdle) {
      row.gap = duration_words(row.at - t_.rows[i - 1].at);
      row.gap_y = y + kGapHeight / 2;
      y += kGapHeight;
    }
    const double height = row.cut ? kCutHeight : kRowHeight;
    row.y = y + height / 2;
    y += height;
  }
  t_.height = y + 10;
}

Timeline lay_out(const Chronicle& chronicle, Story& story) { return Layout(chronicle, story).run(); }

}  // namespace dmsim
