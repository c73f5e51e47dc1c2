#include "crash-replay/timeline_layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "crash-replay/story_steps.h"

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

class Layout {
 public:
  Layout(const Chronicle& chronicle, Story& story) : c_(chronicle), f_(chronicle.focus), s_(story) {
    for (std::size_t i = 0; i < s_.steps.size(); ++i) steps_at_[s_.steps[i].event].push_back(i);
    end_ = s_.last_event;
  }

  Timeline run() {
    choose();
    make_lanes();
    make_rows();
    make_bars();
    make_marks();
    make_stretches();
    place();
    return std::move(t_);
  }

 private:
  // --- what is shown ----------------------------------------------------------------------------

  void choose() {
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
  bool in_window(std::size_t event) const { return event >= s_.first_event && event <= end_; }
  bool is_told(const DiskStory& request) const {
    return request.transfer && steps_at_.count(*request.transfer) > 0;
  }

  // --- lanes ------------------------------------------------------------------------------------

  std::size_t lane(LaneKind kind, const std::string& name) {
    for (std::size_t i = 0; i < t_.lanes.size(); ++i) {
      if (t_.lanes[i].kind == kind && t_.lanes[i].name == name) return i;
    }
    t_.lanes.push_back({kind, name, name, "", 1, 0, 0});
    return t_.lanes.size() - 1;
  }
  std::optional<std::size_t> find_lane(const std::string& name) const {
    for (std::size_t i = 0; i < t_.lanes.size(); ++i) {
      const TimelineLane& known = t_.lanes[i];
      if (known.name == name && known.kind != LaneKind::kRegion) return i;
    }
    return std::nullopt;
  }
  std::optional<std::size_t> find_lane(LaneKind kind) const {
    for (std::size_t i = 0; i < t_.lanes.size(); ++i) {
      if (t_.lanes[i].kind == kind) return i;
    }
    return std::nullopt;
  }
  bool is_task(const std::string& name) const {
    return std::any_of(c_.crash->plan.tasks.begin(), c_.crash->plan.tasks.end(),
                       [&](const TaskPlan& task) { return task.name == name; });
  }
  bool acts(const StoryEvent& event) const {
    return event.is("cache.store") || event.is("cache.write") || event.is("cache.writeback") ||
           event.is("direct.scribble") || event.kind.rfind("dm.", 0) == 0;
  }

  void make_lanes() {
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

  // --- rows -------------------------------------------------------------------------------------

  // A label that needs a place of its own: an event and the lane it will stand in.
  void want(std::size_t event, std::size_t in_lane) { wanted_[event].insert(in_lane); }

  void make_rows() {
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
  std::size_t row(std::size_t event) const {
    const auto found = row_of_.lower_bound(event);
    if (found == row_of_.end()) return t_.rows.empty() ? 0 : t_.rows.size() - 1;
    return found->second;
  }
  // The row of the first power cut after `event`, or the last row.
  std::size_t end_row(std::size_t event) const {
    for (std::size_t i = event; i < c_.events.size() && i <= end_; ++i) {
      if (c_.event(i).is("power.cut")) return row(i);
    }
    return t_.rows.empty() ? 0 : t_.rows.size() - 1;
  }

  // --- bars -------------------------------------------------------------------------------------

  void make_bars() {
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

  void add_user_bar(const UserStory& user) {
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

  void add_disk_bar(const DiskStory& request) {
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

  std::string ended_words(std::optional<std::size_t> complete, const std::string& status) const {
    if (!complete) return "\nnever ended";
    return fmt::format("\nended {} ({})", instant_words(c_.event(*complete).at), status);
  }
  std::string events_words(std::vector<std::size_t> events,
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

  // --- marks ------------------------------------------------------------------------------------

  // Events that are no request and no strip of their own, and have a word to say in a lane.
  static bool has_mark(const StoryEvent& event) { return !mark_word(event).empty(); }
  static std::string mark_word(const StoryEvent& event) {
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
  std::optional<std::size_t> mark_lane(const StoryEvent& event) const {
    if (event.is("mirror.leg_failed")) {
      const std::uint64_t leg = event.number("leg");
      return leg < f_.legs.size() ? find_lane(f_.legs[leg].disk) : std::nullopt;
    }
    if (event.is("mirror.hold") || event.is("mirror.requeue") || event.is("dm.defer")) {
      return find_lane(LaneKind::kDevice);
    }
    return find_lane(event.actor);
  }

  void make_marks() {
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

  // --- strips -----------------------------------------------------------------------------------

  // The row in which a change becomes visible: what is there after a power cut, from the cut on.
  std::size_t change_row(std::size_t event) const {
    if (!c_.event(event).is("power.on")) return row(event);
    for (std::size_t i = event; i-- > 0;) {
      if (c_.event(i).is("power.cut")) return row(i);
      if (!c_.event(i).is("power.survived")) break;
    }
    return row(event);
  }

  // A change of what a strip shows.
  struct Change {
    std::size_t event;
    StoryContent content;
    std::string word;
  };

  void add_stretches(std::size_t in_lane, const std::vector<Change>& changes,
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

  // A version that the story does not mention.
  bool is_untold(const StoryContent& content) const {
    const bool version = content.kind == StoryContent::Kind::kVersion ||
                         content.kind == StoryContent::Kind::kMixture;
    return version && s_.names.number(content) == 0;
  }

  std::optional<std::size_t> last_event_of(std::string_view kind) const {
    std::optional<std::size_t> found;
    for (std::size_t i = 0; i < c_.events.size() && i <= end_; ++i) {
      if (c_.event(i).is(kind)) found = i;
    }
    return found;
  }

  void make_stretches() {
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

  void add_leg_strip(const std::string& disk) {
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

  void add_clone_region_strip(std::size_t in_lane, std::optional<std::size_t> cut) {
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

  void add_region_strip(std::size_t in_lane, std::optional<std::size_t> cut) {
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

  // --- places -----------------------------------------------------------------------------------

  void place() {
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

  const Chronicle& c_;
  const StoryFocus& f_;
  Story& s_;
  Timeline t_;
  std::size_t end_ = 0;                                       // last event shown
  std::map<std::size_t, std::vector<std::size_t>> steps_at_;  // by event: indices into story.steps
  std::vector<std::size_t> users_;                            // shown
  std::vector<std::size_t> requests_;                         // shown
  std::map<std::size_t, std::set<std::size_t>> wanted_;       // by event: lanes with a label
  std::map<std::size_t, std::size_t> row_of_;                 // by event
};

}  // namespace

Timeline lay_out(const Chronicle& chronicle, Story& story) {
  return Layout(chronicle, story).run();
}

}  // namespace dmsim
