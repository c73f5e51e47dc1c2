#include "crash-replay/story_lvm1.h"

#include <fmt/format.h>

#include <algorithm>

#include "crash-replay/story_steps.h"
#include "harness/oracle_names.h"
#include "harness/volume_groups.h"

namespace dmsim {
namespace {

using Weight = StoryStep::Weight;

class MoveTeller {
 public:
  explicit MoveTeller(const Chronicle& chronicle)
      : c_(chronicle), f_(chronicle.focus), move_(*chronicle.focus.move) {}

  std::optional<StoryStep> tell(std::size_t at) const {
    const StoryEvent& event = c_.event(at);
    const std::string who = who_words(c_, event.actor);
    if (event.is("lvm1.fallback")) {
      return step(at, fmt::format("The kernel has no ioctl that locks, copies and maps in one: {} remembers that, and "
                                  "does from now on what it did before there was one", who));
    }
    if (event.is("lvm1.hold") || event.is("lvm1.late")) {
      return event.actor == f_.device && event.range().overlaps(f_.page_range) ? request(at) : std::nullopt;
    }
    if (!is_ours(at)) return std::nullopt;
    if (event.is("lvm1.fsync_dev")) {
      return step(at, fmt::format("{} calls fsync_dev on {}, which writes dirty buffers and waits for those that the "
                                  "buffer cache knows of", who, f_.device));
    }
    if (event.is("lvm1.lock")) {
      return step(at, fmt::format("{} locks {}, which is on {}: new I/O to it is held", who, extent(),
                                  event.text("disk")));
    }
    if (event.is("lvm1.drained")) return drained(at);
    if (event.is("lvm1.needs_memory")) {
      return step(at, fmt::format("{} needs {} page frames to copy {}, which it has locked", who,
                                  event.number("frames"), extent()));
    }
    if (event.is("lvm1.copy")) {
      return step(at, fmt::format("{} begins to copy {} from {} to {}, past every cache", who, extent(),
                                  event.text("disk"), event.text("to")), notation(event));
    }
    if (event.is("lvm1.copy_buffered")) return copy_buffered(at);
    if (event.is("lvm1.commit")) {
      return step(at, fmt::format("Version {} of the map of extents is durable, and says where {} will be",
                                  event.number("sequence"), extent()), "", Weight::kUseful);
    }
    if (event.is("lvm1.remap")) {
      return step(at, fmt::format("From now on {} is on {}", extent(), event.text("disk")));
    }
    if (event.is("lvm1.unlock")) {
      return step(at, fmt::format("{} unlocks {}", who, extent()), "", Weight::kUseful);
    }
    return std::nullopt;
  }

  std::optional<std::size_t> start() const {
    const auto lock = last_of("lvm1.lock", c_.events.size());
    if (!lock) return std::nullopt;
    if (c_.violation.oracle == oracle::kLiveness) return sync_before(*lock);
    std::optional<std::size_t> found;
    for (const UserStory& user : c_.users) {
      if (user.submit < *lock && user.touches_page && user.op == "write") found = user.submit;
    }
    const auto copy = last_of("lvm1.copy_buffered", c_.events.size());
    const auto filled = copy ? cache_filled(*copy) : std::nullopt;
    if (filled && (!found || *filled < *found)) return filled;
    return found;
  }

  std::string before() const {
    return fmt::format("{} is a volume of LVM1. Page {} lies in its extent {}, which {}.", f_.device, f_.page,
                       move_.extent,
                       f_.legs.size() > 1 ? fmt::format("was on {} and is on {} at the end", f_.legs[1].disk,
                                                        f_.legs[0].disk)
                                          : fmt::format("is on {}", f_.legs.empty() ? "?" : f_.legs[0].disk));
  }

 private:
  StoryStep step(std::size_t at, std::string text, std::string notation = "",
                 Weight weight = Weight::kEssential) const {
    return {at, c_.event(at).at, std::move(text), std::move(notation), weight, {}};
  }
  std::string extent() const { return fmt::format("extent {} of {}", move_.extent, f_.device); }
  static std::string notation(const StoryEvent& event) {
    const SectorRange from{event.number("sector"), event.number("sector") + event.number("count")};
    const SectorRange to{event.number("to_sector"), event.number("to_sector") + event.number("count")};
    return fmt::format("{} {}", notation_of("read", false, from), notation_of("write", false, to));
  }

  // Events that name no extent belong to the lock around them; fsync_dev to the one that follows.
  bool is_ours(std::size_t at) const {
    const StoryEvent& event = c_.event(at);
    if (!event.text("extent").empty()) return is_extent(event);
    if (event.is("lvm1.fsync_dev")) {
      for (std::size_t i = at + 1; i < c_.events.size(); ++i) {
        if (c_.event(i).is("lvm1.lock")) return is_extent(c_.event(i));
      }
      return false;
    }
    for (std::size_t i = at; i-- > 0;) {
      if (c_.event(i).is("lvm1.lock")) return is_extent(c_.event(i));
    }
    return false;
  }
  bool is_extent(const StoryEvent& event) const {
    return event.text("device") == f_.device && event.number("extent") == move_.extent;
  }
  std::optional<std::size_t> last_of(std::string_view kind, std::size_t before) const {
    for (std::size_t i = before; i-- > 0;) {
      if (c_.event(i).is(kind) && is_ours(i)) return i;
    }
    return std::nullopt;
  }
  std::size_t sync_before(std::size_t lock) const {
    for (std::size_t i = lock; i-- > 0 && !c_.event(i).is("lvm1.lock");) {
      if (c_.event(i).is("lvm1.fsync_dev")) return i;
    }
    return lock;
  }

  const UserStory* in_flight(std::size_t at) const {
    const UserStory* found = nullptr;
    for (const UserStory& user : c_.users) {
      const bool open = user.submit < at && (!user.complete || *user.complete > at);
      if (open && user.touches_page && user.op == "write") found = &user;
    }
    return found;
  }

  std::optional<StoryStep> drained(std::size_t at) const {
    const StoryEvent& event = c_.event(at);
    if (event.number("tracked") != 0) {
      return step(at, fmt::format("Every request that was on its way to {} has ended ({} were)", extent(),
                                  event.number("waited_for")), "", Weight::kUseful);
    }
    const UserStory* const user = in_flight(at);
    if (user == nullptr) return std::nullopt;
    return step(at, fmt::format("Nobody waits for the write that is on its way to the extent: it is in no buffer that "
                                "is marked dirty, and fsync_dev knows of nothing else"),
                notation_of(user->op, user->fua, user->range));
  }

  // What brought the page into the buffer cache of the disk that it is copied from: the last event before the copy.
  std::optional<std::size_t> cache_filled(std::size_t copy) const {
    const std::string disk(c_.event(copy).text("disk"));
    for (const StoryFocus::Leg& leg : f_.legs) {
      if (leg.disk != disk) continue;
      for (std::size_t i = copy; i-- > 0;) {
        const StoryEvent& event = c_.event(i);
        const bool fills = event.is("cache.read") || event.is("cache.write");
        if (fills && event.text("cache") == "cache " + disk && event.number("page") == leg.page_begin / kPageSectors) {
          return i;
        }
      }
    }
    return std::nullopt;
  }

  std::optional<StoryStep> copy_buffered(std::size_t at) const {
    const StoryEvent& event = c_.event(at);
    const auto filled = cache_filled(at);
    std::string text = fmt::format("{} begins to copy {} from {} to {}, through the buffer caches of the disks",
                                   who_words(c_, event.actor), extent(), event.text("disk"), event.text("to"));
    if (filled) {
      text += fmt::format(": that of {} has had page {} since {}, and has heard of no write to {}", event.text("disk"),
                          f_.page, instant_words(c_.event(*filled).at), f_.device);
    }
    return step(at, text, notation(event));
  }

  std::optional<StoryStep> request(std::size_t at) const {
    const StoryEvent& event = c_.event(at);
    const std::string op(event.text("op"));
    const std::string words = notation_of(op, false, event.range());
    if (event.is("lvm1.hold")) {
      return step(at, fmt::format("{} holds a {} until the extent is unlocked", f_.device, op), words);
    }
    if (op != "write") return std::nullopt;
    return step(at, fmt::format("The write ends on {}, where the extent is no longer: it is lost", event.text("disk")),
                words);
  }

  const Chronicle& c_;
  const StoryFocus& f_;
  const StoryFocus::Move& move_;
};

}  // namespace

void find_moved_extent(const std::vector<StoryEvent>& events, const Plan& plan, StoryFocus* focus) {
  if (!focus->has_page()) return;
  for (const VolumeGroupPlan& group : plan.volume_groups) {
    if (group.format != GroupFormat::kLvm1) continue;
    const auto made = lvm1_group_of(group, plan.disks);
    const bool ours = std::any_of(group.volumes.begin(), group.volumes.end(), [&](const LogicalVolumePlan& volume) {
      return lvm1::device_name(group.name, volume.name) == focus->device;
    });
    if (!made.ok() || !ours) continue;
    const std::uint64_t extent = focus->page_range.begin / group.extent_sectors;
    bool locked = false;
    for (const StoryEvent& event : events) {
      if (!event.is("lvm1.lock") || event.text("device") != focus->device || event.number("extent") != extent) continue;
      locked = true;
      const std::string disk(event.text("disk"));
      const bool known = std::any_of(focus->legs.begin(), focus->legs.end(),
                                     [&](const StoryFocus::Leg& leg) { return leg.disk == disk; });
      if (known) continue;
      const Sector begin = made->first_extent + event.number("at") * group.extent_sectors;
      focus->legs.push_back({disk, begin + focus->page_range.begin % group.extent_sectors});
    }
    if (locked) focus->move = StoryFocus::Move{extent};
  }
}

std::string move_before(const Chronicle& chronicle) { return MoveTeller(chronicle).before(); }

std::optional<std::size_t> move_story_start(const Chronicle& chronicle) { return MoveTeller(chronicle).start(); }

std::optional<StoryStep> tell_move_event(const Chronicle& chronicle, std::size_t event) {
  return MoveTeller(chronicle).tell(event);
}

}  // namespace dmsim
