#include "crash-replay/story_before.h"

#include <fmt/format.h>

#include <set>

#include "crash-replay/story_clone.h"
#include "crash-replay/story_lvm1.h"
#include "crash-replay/story_snapshot.h"
#include "crash-replay/story_steps.h"
#include "harness/tasks/task_host.h"

namespace dmsim {
namespace {

constexpr std::size_t kMostVerbs = 4;

// The last of what somebody did to the device in focus; a resume's own suspend is a part of that.
std::vector<std::string> verbs_before(const Chronicle& c, std::size_t first) {
  std::vector<std::string> out;
  ResumeUnderWay resume;
  for (std::size_t i = 0; i < first; ++i) {
    const StoryEvent& event = c.event(i);
    const std::string_view device = event.text("device");
    if (device != c.focus.device && device != c.focus.mirror) continue;
    if (resume.suspends(event) || event.actor == "boot") continue;
    const auto add = [&](const std::string& what) {
      out.push_back(fmt::format("Before: at {} {}.", instant_words(event.at), what));
    };
    if (event.is("dm.suspend")) add(fmt::format("{} began to suspend {}", who_words(c, event.actor), device));
    if (event.is("dm.suspended")) {
      const auto error = static_cast<int>(event.number("errno"));
      add(error == 0 ? fmt::format("{} was suspended", device)
                     : fmt::format("the suspend of {} ended with {}", device, errno_name(error)));
    }
  }
  if (out.size() > kMostVerbs) out.erase(out.begin(), out.end() - kMostVerbs);
  return out;
}

}  // namespace

std::string plural(std::uint64_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

std::size_t count_before(const Chronicle& c, std::size_t end,
                         const std::function<bool(const StoryEvent&)>& counts) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < end; ++i) count += counts(c.event(i)) ? 1 : 0;
  return count;
}

// Leg failures, regions copied, stores and writes before the story begins.
std::vector<std::string> tell_before(const Chronicle& c, std::size_t first) {
  std::vector<std::string> out;
  const StoryFocus& f = c.focus;
  if (f.clone) {
    out.push_back(clone_before(c));
  } else if (f.move) {
    out.push_back(move_before(c));
  } else if (f.snapshot) {
    out.push_back(snapshot_before(c));
  } else if (f.legs.size() > 1) {
    std::string legs;
    for (const StoryFocus::Leg& leg : f.legs) {
      legs += (legs.empty() ? "" : &leg == &f.legs.back() ? " and " : ", ") + leg.disk;
    }
    out.push_back(
        fmt::format("{} is mirrored on {}{}.{}", f.device, legs,
                    f.log_disk.empty() ? "" : fmt::format(", its dirty log is on {}", f.log_disk),
                    f.region ? fmt::format(" Page {} lies in region {}.", f.page, *f.region) : ""));
  }
  const auto mirror = [&](const StoryEvent& event) {
    return event.actor == f.mirror || event.actor == "kmirrord " + f.mirror;
  };
  const std::size_t copied = count_before(c, first, [&](const StoryEvent& event) {
    return mirror(event) && event.text("phase") == "copied";
  });
  const bool ours = count_before(c, first, [&](const StoryEvent& event) {
                      return c.about_region(event) && event.text("phase") == "copied";
                    }) > 0;
  if (copied > 0) {
    out.push_back(fmt::format("Before: recovery has copied {}{}.",
                              plural(copied, "region", "regions"),
                              ours       ? fmt::format(", region {} among them", *f.region)
                              : f.region ? fmt::format(", not region {}", *f.region)
                                         : ""));
  }
  const std::size_t stores = count_before(c, first, [&](const StoryEvent& event) {
    return (event.is("cache.store") || event.is("cache.write")) && c.about_cached_page(event);
  });
  if (stores > 0)
    out.push_back(
        fmt::format("Before: {} of page {}.", plural(stores, "change", "changes"), f.page));
  std::set<std::uint64_t> failed;  // legs; a second failure of another kind adds nothing
  for (std::size_t i = 0; i < first; ++i) {
    const StoryEvent& event = c.event(i);
    if (!event.is("mirror.leg_failed") || !mirror(event)) continue;
    const std::uint64_t leg = event.number("leg");
    if (!failed.insert(leg).second) continue;
    out.push_back(fmt::format("Before: at {} {} was marked as failed.", instant_words(event.at),
                              leg < f.legs.size() ? f.legs[leg].disk : fmt::format("leg {}", leg)));
  }
  const std::vector<std::string> verbs = verbs_before(c, first);
  out.insert(out.end(), verbs.begin(), verbs.end());
  return out;
}

}  // namespace dmsim
