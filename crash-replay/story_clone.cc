#include "crash-replay/story_clone.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/oracle_names.h"

namespace dmsim {
namespace {

using Weight = StoryStep::Weight;

class CloneTeller {
 public:
  explicit CloneTeller(const Chronicle& chronicle)
      : c_(chronicle), f_(chronicle.focus), clone_(*chronicle.focus.clone) {}

  std::optional<StoryStep> tell(std::size_t at, bool* durable) const {
    const StoryEvent& event = c_.event(at);
    if (event.is("clone.hydrate") && is_ours(event)) return hydrate(at);
    if (event.is("clone.hydrated") && is_ours(event)) {
      return event.number("ok") != 0
                 ? step(at, fmt::format("{} copied to the destination: what {} has of it is in its cache, and "
                                        "from now on it is read from there",
                                        Region(), clone_.destination))
                 : step(at, fmt::format("The hydration of {} fails", region()));
    }
    if (event.is("clone.committed") && is_ours(event)) {
      *durable = true;
      return step(at, fmt::format("Bit of {} made durable: {} says that it is on {}", region(),
                                  clone_.metadata, clone_.destination));
    }
    if (event.is("clone.commit")) return commit(at);
    if (event.is("clone.mode")) {
      return step(at, fmt::format("The metadata of {} are {} from now on", f_.mirror, event.text("mode")));
    }
    return std::nullopt;
  }

  // The last hydration of the region in the first life.
  std::optional<std::size_t> start() const {
    std::optional<std::size_t> found;
    for (std::size_t i = 0; i < c_.events.size() && !c_.event(i).is("power.cut"); ++i) {
      if (c_.event(i).is("clone.hydrate") && is_ours(c_.event(i))) found = i;
    }
    if (!found || c_.event(*found).text("way") == "background") return found;
    std::size_t cause = *found;
    for (const UserStory& user : c_.users) {
      if (user.submit < *found && user.touches_region && user.op != "read" && user.life == 0) {
        cause = user.submit;
      }
    }
    return cause;
  }

  std::optional<StoryStep> end() const {
    if (c_.violation.oracle != oracle::kCommittedDurable || c_.events.empty()) return std::nullopt;
    return step(c_.events.size() - 1,
                fmt::format("Now {} says for good that {} is on {}, where it would be lost with the cache",
                            clone_.metadata, region(), clone_.destination));
  }

  std::string before() const {
    return fmt::format("{} is a clone of {} on {}, its metadata are on {}.{}", f_.mirror, clone_.source,
                       clone_.destination, clone_.metadata,
                       f_.region ? fmt::format(" Page {} lies in {}.", f_.page, region()) : "");
  }

 private:
  StoryStep step(std::size_t at, std::string text, Weight weight = Weight::kEssential) const {
    return {at, c_.event(at).at, std::move(text), "", weight, {}};
  }
  std::string region() const { return fmt::format("region {}", f_.region.value_or(0)); }
  std::string Region() const { return fmt::format("Region {}", f_.region.value_or(0)); }
  bool is_ours(const StoryEvent& event) const {
    if (event.actor != f_.mirror && event.actor != "dm-clone " + f_.mirror) return false;
    const std::uint64_t first = event.number("region");
    const std::uint64_t count = std::max<std::uint64_t>(1, event.number("count"));
    return f_.region && first <= *f_.region && *f_.region < first + count;
  }

  std::optional<StoryStep> hydrate(std::size_t at) const {
    const std::string_view way = c_.event(at).text("way");
    if (way == "background") {
      return step(at, fmt::format("In the background {} begins to copy {} from {} to {}", f_.mirror, region(),
                                  clone_.source, clone_.destination));
    }
    if (way == "overwrite") {
      return step(at, fmt::format("The write covers {} whole: it goes to {}, and nothing is copied", region(),
                                  clone_.destination));
    }
    if (way == "discard") {
      return step(at, fmt::format("{} is discarded: it is hydrated without a copy", Region()));
    }
    return step(at, fmt::format("{} is not hydrated: before the write {} copies it from {} to {}", Region(),
                                f_.mirror, clone_.source, clone_.destination));
  }

  // The commit that `at` belongs to brings the region's bit to disk, or might have when the power went.
  bool matters(std::size_t at) const {
    for (std::size_t i = at; i < c_.events.size(); ++i) {
      const StoryEvent& event = c_.event(i);
      if (event.is("clone.committed") && is_ours(event)) return true;
      if (event.is("power.cut")) return true;
      if (i > at && event.is("clone.commit") && event.text("step") == "begins") return false;
    }
    return c_.violation.oracle == oracle::kCommittedDurable;
  }

  std::size_t begin_of_commit(std::size_t at) const {
    while (at > 0 && !(c_.event(at).is("clone.commit") && c_.event(at).text("step") == "begins")) --at;
    return at;
  }

  // The latest flush of the destination before `at`, if it belongs to the commit.
  const DiskStory* flush_of_commit(std::size_t at) const {
    const std::size_t begin = begin_of_commit(at);
    const DiskStory* flush = nullptr;
    for (const DiskStory& request : c_.disk_requests) {
      const bool inside = request.submit > begin && request.submit < at;
      if (inside && request.op == "flush" && request.disk == clone_.destination) flush = &request;
    }
    return flush;
  }

  // The region has become hydrated after the flush was sent.
  bool missed(const DiskStory& flush, std::size_t at) const {
    for (std::size_t i = flush.submit; i < at; ++i) {
      if (c_.event(i).is("clone.hydrated") && is_ours(c_.event(i))) return true;
    }
    return false;
  }

  std::optional<StoryStep> commit(std::size_t at) const {
    const std::string_view what = c_.event(at).text("step");
    if (what == "failed") return step(at, fmt::format("The commit of the metadata of {} fails", f_.mirror));
    if (!matters(at)) return std::nullopt;
    if (what == "begins") return step(at, fmt::format("{} begins to commit its metadata", f_.mirror));
    if (what == "destination flushed") {
      const DiskStory* flush = flush_of_commit(at);
      const bool without = flush != nullptr && missed(*flush, at);
      return step(at, fmt::format("{} has been flushed{}", clone_.destination,
                                  without ? fmt::format(": for what it held when the flush was sent, and {} "
                                                        "came later",
                                                        region())
                                          : ""));
    }
    if (what == "bitmap written" && flush_of_commit(at) == nullptr) {
      return step(at, fmt::format("The bitmap is written to {}, and nobody has flushed {}", clone_.metadata,
                                  clone_.destination));
    }
    if (what == "bitmap written") {
      return step(at, fmt::format("The bitmap is written to {}", clone_.metadata), Weight::kUseful);
    }
    return std::nullopt;
  }

  const Chronicle& c_;
  const StoryFocus& f_;
  const StoryFocus::Clone& clone_;
};

}  // namespace

std::string clone_before(const Chronicle& chronicle) { return CloneTeller(chronicle).before(); }

std::optional<std::size_t> clone_story_start(const Chronicle& chronicle) {
  return CloneTeller(chronicle).start();
}

std::optional<StoryStep> tell_clone_end(const Chronicle& chronicle) {
  return CloneTeller(chronicle).end();
}

std::optional<StoryStep> tell_clone_event(const Chronicle& chronicle, std::size_t event, bool* durable) {
  return CloneTeller(chronicle).tell(event, durable);
}

}  // namespace dmsim
