#include "crash-replay/story_chronicle.h"

#include <algorithm>
#include <map>

#include "crash-replay/story_contents.h"
#include "crash-replay/story_focus.h"
#include "harness/world.h"

namespace dmsim {
namespace {

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
    follow_contents(&chronicle, workshop);
    look_at_the_end(last, &chronicle);
    hold_against_digests(&chronicle);
  }
  return chronicle;
}

}  // namespace dmsim
