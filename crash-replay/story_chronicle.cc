#include "crash-replay/story_chronicle.h"

#include <algorithm>
#include <array>
#include <set>

#include "crash-replay/story_contents.h"
#include "crash-replay/story_focus.h"
#include "harness/world.h"

namespace dmsim {
namespace {

// Replays that make_chronicle() may spend on contents that the trace does not tell.
constexpr int kMostLookUps = 40;

// Puts requests together from their events.
class RequestCollector {
 public:
  explicit RequestCollector(Chronicle& chronicle) : c_(chronicle) {}

  void run() {
    std::uint32_t life = 0;
    for (std::size_t i = 0; i < c_.events.size(); ++i) {
      const StoryEvent& event = c_.events[i];
      if (event.is("power.on")) life = static_cast<std::uint32_t>(event.number("life"));
      if (event.is("dm.submit")) add_user(i, life);
      if (event.is("dm.complete")) end_user(i);
      if (event.is("disk.submit")) add_disk_request(i, life);
      if (event.is("disk.fault")) {
        if (DiskStory* request = request_of(event)) request->fault = event.text("fault");
      }
      if (event.is("disk.transfer")) {
        if (DiskStory* request = request_of(event)) request->transfer = i;
      }
      if (event.is("disk.complete")) {
        if (DiskStory* request = request_of(event)) {
          request->complete = i;
          request->status = event.text("status");
        }
      }
    }
  }

 private:
  DiskStory* request_of(const StoryEvent& event) {
    const auto found = c_.by_submit.find(event.cause);
    return found == c_.by_submit.end() ? nullptr : &c_.disk_requests[found->second];
  }

  void add_user(std::size_t index, std::uint32_t life) {
    const StoryEvent& event = c_.event(index);
    UserStory user;
    user.device = event.actor;
    user.who = event.text("issuer");
    user.op = event.text("op");
    user.fua = event.number("fua") != 0;
    user.range = event.range();
    user.life = life;
    user.submit = index;
    user.by_cache = user.who.rfind("cache ", 0) == 0;
    user.touches_page = user.device == c_.focus.device && user.range.overlaps(c_.focus.page_range);
    user.touches_region =
        user.device == c_.focus.device && user.range.overlaps(c_.focus.region_range);
    if (user.by_cache) find_writeback(index, &user);
    user_of_[event.id] = c_.users.size();
    c_.users.push_back(std::move(user));
  }

  // The request of a user that this one is a part of, through all mapped devices above.
  std::size_t topmost(std::size_t index) const {
    std::size_t top = index;
    for (auto at = c_.index_of(c_.event(index).cause); at; at = c_.index_of(c_.event(*at).cause)) {
      if (c_.event(*at).is("dm.submit")) top = *at;
    }
    return top;
  }

  // A page cache takes pages for writeback and submits them at once.
  void find_writeback(std::size_t index, UserStory* user) {
    const std::size_t top = topmost(index);
    const Sector in_top =
        c_.event(top).number("sector") - user->range.begin + c_.focus.page_range.begin;
    const std::uint64_t page = in_top / kPageSectors;
    if (user->touches_page && c_.focus.cache.empty()) {
      c_.focus.cache = user->who;
      c_.focus.cache_page = page;
    }
    for (std::size_t i = top; user->op == "write" && i-- > 0;) {
      const StoryEvent& before = c_.event(i);
      if (!before.is("cache.writeback") || before.at != c_.event(top).at) break;
      if (!user->writeback || before.number("page") == page) user->writeback = i;
      user->who = before.actor;
    }
    if (!user->writeback || !user->touches_page) return;
    const StoryEvent& taken = c_.event(*user->writeback);
    if (taken.number("page") == page) {
      user->content = StoryContent::of_version(taken.number("version"));
    }
  }

  void end_user(std::size_t index) {
    const auto found = user_of_.find(c_.event(index).cause);
    if (found == user_of_.end()) return;
    UserStory& user = c_.users[found->second];
    user.complete = index;
    user.status = c_.event(index).text("status");
  }

  // The request that an event was caused by, if any: that to the device in focus, or the nearest.
  std::optional<std::size_t> user_behind(const StoryEvent& event) const {
    std::optional<std::size_t> nearest;
    for (auto at = c_.index_of(event.cause); at; at = c_.index_of(c_.event(*at).cause)) {
      const auto found = user_of_.find(c_.event(*at).id);
      if (found == user_of_.end()) continue;
      if (!nearest || c_.users[found->second].device == c_.focus.device) nearest = found->second;
    }
    return nearest;
  }

  void add_disk_request(std::size_t index, std::uint32_t life) {
    const StoryEvent& event = c_.event(index);
    DiskStory request;
    request.disk = event.actor;
    request.op = event.text("op");
    request.fua = event.number("fua") != 0;
    request.range = event.range();
    request.life = life;
    request.submit = index;
    request.user = user_behind(event);
    const bool leg = c_.is_leg(request.disk);
    for (const StoryFocus::Leg& focus : c_.focus.legs) {
      const SectorRange page{focus.page_begin, focus.page_begin + kPageSectors};
      if (focus.disk == request.disk && request.range.overlaps(page)) request.touches_page = true;
    }
    request.recovery = leg && !request.user && request.op != "flush";
    const bool whole_device = request.op == "flush" && leg;
    const bool log = !c_.focus.log_disk.empty() && request.disk == c_.focus.log_disk;
    request.in_focus = request.touches_page || whole_device || log ||
                       (leg && request.user && c_.users[*request.user].touches_region);
    if (request.user) c_.users[*request.user].parts.push_back(c_.disk_requests.size());
    c_.by_submit[event.id] = c_.disk_requests.size();
    c_.disk_requests.push_back(std::move(request));
  }

  Chronicle& c_;
  std::map<TraceId, std::size_t> user_of_;  // by dm.submit
};

// Follows what the page in focus holds on each leg.
class ContentFollower {
 public:
  ContentFollower(Chronicle& chronicle, Workshop& workshop) : c_(chronicle), workshop_(workshop) {
    for (const StoryFocus::Leg& leg : c_.focus.legs) {
      Track track;
      track.now.fill(StoryContent::initial_of(leg.disk));
      track.completed = track.durable = track.now;
      track.write_through = is_write_through(leg.disk);
      tracks_.push_back(std::move(track));
    }
    for (const StoryEvent& event : c_.events) {
      if (event.is("power.survived") || event.text("version").empty()) continue;
      seen_versions_.insert(event.number("version"));
    }
  }

  void run() {
    for (std::size_t i = 0; i < c_.events.size(); ++i) {
      const StoryEvent& event = c_.events[i];
      if (event.is("power.cut")) cut();
      if (event.is("power.survived")) survived(event);
      if (event.is("power.on")) remember_start(event);
      if (event.is("disk.evict")) evicted(event);
      const bool of_request =
          event.is("disk.submit") || event.is("disk.transfer") || event.is("disk.complete");
      if (!of_request) continue;
      const auto found = c_.by_submit.find(event.is("disk.submit") ? event.id : event.cause);
      if (found == c_.by_submit.end()) continue;
      DiskStory& request = c_.disk_requests[found->second];
      const auto leg = leg_of(request.disk);
      if (!leg) continue;
      if (event.is("disk.submit")) submitted(*leg, request);
      if (event.is("disk.transfer")) transferred(*leg, request, event);
      if (event.is("disk.complete")) completed(*leg, request);
    }
    for (std::size_t i = 0; i < tracks_.size(); ++i) c_.legs[i].at_end = whole(tracks_[i].now);
  }

 private:
  using Sectors = std::array<StoryContent, kPageSectors>;
  struct Track {
    Sectors now;        // newest, cache first
    Sectors completed;  // of writes that have completed
    Sectors durable;
    std::map<std::size_t, Sectors> flushes;  // by submit index: what had completed then
    bool write_through = false;
  };

  bool is_write_through(const std::string& name) const {
    for (const DiskOptions& disk : c_.crash->plan.disks) {
      if (disk.name == name) return disk.cache != CacheMode::kWriteBack;
    }
    return false;
  }

  std::optional<std::size_t> leg_of(std::string_view disk) const {
    for (std::size_t i = 0; i < c_.focus.legs.size(); ++i) {
      if (c_.focus.legs[i].disk == disk) return i;
    }
    return std::nullopt;
  }

  // Visits the sectors of the page that a range of a leg covers, as indices into the page.
  template <typename Visit>
  void each_sector(std::size_t leg, SectorRange range, Visit visit) const {
    const Sector begin = c_.focus.legs[leg].page_begin;
    for (std::uint32_t i = 0; i < kPageSectors; ++i) {
      if (range.contains(begin + i)) visit(i);
    }
  }

  // One content for the page, judged by the sector that the promise is about.
  StoryContent whole(const Sectors& sectors) const {
    const Sector in_page = c_.focus.sectors.begin - c_.focus.page_range.begin;
    const StoryContent& judged = sectors[in_page];
    const bool equal = std::all_of(sectors.begin(), sectors.end(),
                                   [&](const StoryContent& other) { return other == judged; });
    if (equal || judged.kind != StoryContent::Kind::kVersion) return judged;
    StoryContent mixture = judged;
    mixture.kind = StoryContent::Kind::kMixture;
    return mixture;
  }

  // A write to the leg that the cut caught before its data moved.
  const DiskStory* in_flight(std::size_t leg, const StoryEvent& survived) const {
    const DiskStory* newest = nullptr;
    for (const DiskStory& request : c_.disk_requests) {
      if (c_.event(request.submit).id >= survived.id) break;
      const bool caught = request.op == "write" && !request.transfer && !request.complete && request.life == life_;
      if (caught && request.disk == c_.focus.legs[leg].disk && request.range.overlaps(survived.range()))
        newest = &request;
    }
    return newest;
  }

  // The disk knows what a transfer of several pages brought to this one: a replay up to there tells.
  StoryContent look_up(const DiskStory& request, std::size_t leg, TraceId transfer) {
    const Sector begin = c_.focus.legs[leg].page_begin;
    if (begin % kPageSectors != 0 || look_ups_++ >= kMostLookUps) return {};
    LinearOptions options;
    options.keep = Trace::Keep::kTail;
    options.until = transfer;
    const ReplayResult replay = replay_crash(*c_.crash, workshop_, options);
    const Disk* disk = replay.run.lives.back()->disk(request.disk);
    if (disk == nullptr) return {};
    return StoryContent::of_version(disk->current_page(begin / kPageSectors).version());
  }

  void submitted(std::size_t leg, const DiskStory& request) {
    if (request.op == "flush") tracks_[leg].flushes[request.submit] = tracks_[leg].completed;
  }

  void transferred(std::size_t leg, DiskStory& request, const StoryEvent& event) {
    if (!request.touches_page) return;
    Track& track = tracks_[leg];
    if (request.op == "read") {
      request.content = whole(track.now);
      if (request.recovery) recovered_from_ = track.now;
      return;
    }
    const SectorRange moved{request.range.begin, request.range.begin + event.number("moved")};
    if (request.op == "discard") {
      each_sector(leg, moved, [&](std::uint32_t i) { track.now[i] = {StoryContent::Kind::kDiscarded, {}, 0}; });
      return;
    }
    if (request.op != "write" || moved.empty()) return;
    if (request.recovery && event.number("version") == 0) {
      each_sector(leg, request.range, [&](std::uint32_t i) { track.now[i] = recovered_from_[i]; });
      request.content = whole(track.now);
      return;
    }
    request.content = event.number("version") != 0
                          ? StoryContent::of_version(event.number("version"))
                          : look_up(request, leg, event.id);
    each_sector(leg, moved, [&](std::uint32_t i) { track.now[i] = request.content; });
    UserStory* user = request.user ? &c_.users[*request.user] : nullptr;
    if (user != nullptr && user->content.kind == StoryContent::Kind::kUnknown) {
      user->content = request.content;
    }
  }

  void completed(std::size_t leg, const DiskStory& request) {
    Track& track = tracks_[leg];
    if (request.op == "flush") {
      const auto flush = track.flushes.find(request.submit);
      if (request.status == "ok" && request.fault.empty() && flush != track.flushes.end()) {
        track.durable = flush->second;
      }
      track.flushes.erase(request.submit);
      return;
    }
    const bool changes = request.op == "write" || request.op == "discard";
    if (!request.touches_page || !changes || request.status != "ok") return;
    each_sector(leg, request.range, [&](std::uint32_t i) {
      track.completed[i] = track.now[i];
      if (request.fua || track.write_through) track.durable[i] = track.now[i];
    });
  }

  void evicted(const StoryEvent& event) {
    const auto leg = leg_of(event.actor);
    if (!leg) return;
    const Sector first = event.number("sector");
    each_sector(*leg, {first, first + kPageSectors},
                [&](std::uint32_t i) { tracks_[*leg].durable[i] = tracks_[*leg].now[i]; });
  }

  void cut() {
    for (Track& track : tracks_) {
      before_cut_.push_back(track.now);
      track.now = track.completed = track.durable;
      track.flushes.clear();
    }
    before_cut_.erase(before_cut_.begin(),
                      before_cut_.end() - static_cast<std::ptrdiff_t>(tracks_.size()));
  }

  void survived(const StoryEvent& event) {
    const auto leg = leg_of(event.actor);
    if (!leg) return;
    const std::uint64_t version = event.number("version");
    const DiskStory* caught = in_flight(*leg, event);
    each_sector(*leg, event.range(), [&](std::uint32_t i) {
      Track& track = tracks_[*leg];
      const bool cached = !(before_cut_[*leg][i] == track.durable[i]);
      if (seen_versions_.count(version) != 0 && version != 0) {
        track.now[i] = StoryContent::of_version(version);
      } else if (caught == nullptr) {
        track.now[i] = before_cut_[*leg][i];  // put together for the cut: it stands for the newest
      } else {
        track.now[i] = cached ? StoryContent() : content_in_flight(*caught, version);
      }
      track.completed[i] = track.durable[i] = track.now[i];
    });
  }

  // What a write brought that the trace has not seen arrive before the cut.
  StoryContent content_in_flight(const DiskStory& request, std::uint64_t version) {
    if (!request.user) return {};
    StoryContent& content = c_.users[*request.user].content;
    if (content.kind == StoryContent::Kind::kUnknown && version != 0) content = StoryContent::of_version(version);
    return content;
  }

  void remember_start(const StoryEvent& event) {
    life_ = static_cast<std::uint32_t>(event.number("life"));
    for (std::size_t i = 0; i < tracks_.size(); ++i) c_.legs[i].after_cut = whole(tracks_[i].now);
  }

  Chronicle& c_;
  Workshop& workshop_;
  std::vector<Track> tracks_;        // parallel to the focus's legs
  std::vector<Sectors> before_cut_;  // likewise
  Sectors recovered_from_;
  std::uint32_t life_ = 0;
  std::set<std::uint64_t> seen_versions_;
  int look_ups_ = 0;
};

}  // namespace

bool Chronicle::is_leg(std::string_view disk) const {
  return std::any_of(focus.legs.begin(), focus.legs.end(),
                     [&](const StoryFocus::Leg& leg) { return leg.disk == disk; });
}

bool Chronicle::about_cached_page(const StoryEvent& event) const {
  return !focus.cache.empty() && event.text("cache") == focus.cache &&
         event.number("page") == focus.cache_page && !event.text("page").empty();
}

bool Chronicle::about_region(const StoryEvent& event) const {
  return focus.region && event.number("region") == *focus.region &&
         (event.is("mirror.region") || event.is("mirror.recover")) &&
         (event.actor == focus.mirror || event.actor == "kmirrord " + focus.mirror);
}

Chronicle make_chronicle(const Crash& crash, const ReplayResult& replay, Workshop& workshop) {
  Chronicle chronicle;
  chronicle.crash = &crash;
  chronicle.reproduced = replay.reproduced;
  chronicle.lives = static_cast<std::uint32_t>(replay.run.lives.size());
  const Violation& recorded = crash.violations.front();
  bool found = false;
  for (const Violation& seen : replay.run.violations) {
    const bool same = seen.oracle == recorded.oracle && seen.device == recorded.device;
    if (same && !found) {
      chronicle.violation = seen;
      found = true;
    } else {
      chronicle.others.push_back(seen);
    }
  }
  if (!found) chronicle.violation = recorded;
  World& last = *replay.run.lives.back();
  chronicle.events = story_events(last.trace());
  chronicle.focus = find_focus(chronicle, last);
  for (const StoryFocus::Leg& leg : chronicle.focus.legs)
    chronicle.legs.push_back({leg.disk, {}, {}, {}});
  RequestCollector(chronicle).run();
  if (chronicle.focus.has_page()) {
    ContentFollower(chronicle, workshop).run();
    look_at_the_end(last, &chronicle);
    hold_against_digests(&chronicle);
  }
  return chronicle;
}

}  // namespace dmsim
