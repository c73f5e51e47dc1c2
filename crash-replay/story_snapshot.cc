#include "crash-replay/story_snapshot.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/words.h"
#include "crash-replay/story_steps.h"
#include "harness/copies.h"
#include "harness/world.h"

namespace dmsim {
namespace {

using Weight = StoryStep::Weight;

// The chunk size that a snapshot's table states, in sectors; 0: none.
std::uint64_t chunk_in(std::string_view table) {
  const auto words = words_of(table.substr(0, table.find('\n')));
  return words.size() < 7 ? 0 : std::strtoull(std::string(words[6]).c_str(), nullptr, 10);
}

class SnapshotTeller {
 public:
  explicit SnapshotTeller(const Chronicle& chronicle)
      : c_(chronicle), f_(chronicle.focus), snapshot_(*chronicle.focus.snapshot) {}

  std::optional<StoryStep> tell(std::size_t at) const {
    const StoryEvent& event = c_.event(at);
    if (event.is("dm.submit") && overwrites(event)) {
      return step(at,
                  fmt::format("{} writes to {}, over chunk {} of {}", who_words(c_, event.text("issuer")), event.actor,
                              snapshot_.chunk, snapshot_.device),
                  notation_of("write", event.number("fua") != 0, event.range()),
                  was_saved(at) ? Weight::kDetail : Weight::kEssential);
    }
    if (event.is("dm.complete")) return answer(at);
    if (event.is("snapshot.merge")) return merge(at);
    if (event.actor != snapshot_.device && event.actor != "kcopyd " + snapshot_.device) return std::nullopt;
    if (event.is("snapshot.invalid")) {
      return step(at, fmt::format("{} becomes invalid: {}", snapshot_.device, event.text("why")));
    }
    if (event.is("snapshot.overflow")) {
      return step(at, fmt::format("{} overflows: no more writes to it", snapshot_.device));
    }
    if (event.is("snapshot.header") && event.number("valid") == 0) {
      return step(at, fmt::format("The header that says so is written to {}{}", snapshot_.cow,
                                  event.number("fua") != 0 ? ", past its cache" : ", into its cache"));
    }
    if (event.is("snapshot.handover")) {
      return step(at, fmt::format("The store of {} goes to its new table{}", snapshot_.device,
                                  event.number("pending") != 0 ? ", while copies into it are under way" : ""));
    }
    if (event.is("snapshot.active")) {
      return step(at,
                  fmt::format("From now on {} saves what is overwritten on {}", snapshot_.device, snapshot_.origin));
    }
    if (event.is("snapshot.area") || event.is("snapshot.area_written")) return area(at);
    return event.number("chunk") == snapshot_.chunk ? of_chunk(at) : std::nullopt;
  }

  std::optional<std::size_t> start() const {
    for (std::size_t i = 0; i < c_.events.size(); ++i) {
      const StoryEvent& event = c_.event(i);
      if (event.is("power.cut")) return std::nullopt;
      const bool first = (event.is("dm.submit") && overwrites(event)) || event.is("snapshot.handover") ||
                         (event.is("snapshot.exception") && event.actor == snapshot_.device &&
                          event.number("chunk") == snapshot_.chunk) ||
                         event.is("snapshot.invalid") || (event.is("snapshot.merge") && merge(i));
      if (first) return i;
    }
    return std::nullopt;
  }

  std::string before() const {
    const SectorRange range = chunk_range();
    return fmt::format("{} is a snapshot of {}{}, its chunks are kept on {}.{}", snapshot_.device, snapshot_.origin,
                       snapshot_.merges ? ", being merged into it" : "", snapshot_.cow,
                       f_.has_page() ? fmt::format(" Sector {} lies in chunk {}, sectors {} to {}.", f_.sectors.begin,
                                                   snapshot_.chunk, range.begin, range.end - 1)
                                     : "");
  }

  // Of the chunk in focus, in the last life.
  std::string missing() const {
    for (std::size_t i = c_.events.size(); i-- > 0 && !c_.event(i).is("power.on");) {
      const StoryEvent& event = c_.event(i);
      if (!is_chunk(event)) continue;
      if (event.is("snapshot.copied")) return fmt::format("chunk {} has never been recorded", snapshot_.chunk);
      if (event.is("snapshot.exception")) return fmt::format("chunk {} has never been copied", snapshot_.chunk);
      if (event.is("snapshot.remapped")) break;
    }
    return {};
  }

 private:
  StoryStep step(std::size_t at, std::string text, std::string notation = "",
                 Weight weight = Weight::kEssential) const {
    return {at, c_.event(at).at, std::move(text), std::move(notation), weight, {}};
  }
  SectorRange chunk_range() const {
    return {snapshot_.chunk * snapshot_.chunk_sectors, (snapshot_.chunk + 1) * snapshot_.chunk_sectors};
  }
  // A user's write of the origin, over the chunk in focus. What concerns the device in focus is told elsewhere.
  bool overwrites(const StoryEvent& event) const {
    return f_.has_page() && event.actor != f_.device && event.text("op") == "write" &&
           event.range().overlaps(chunk_range()) &&
           std::find(snapshot_.users.begin(), snapshot_.users.end(), event.actor) != snapshot_.users.end();
  }

  // What overwrites a chunk that has been saved, or overwritten before, changes nothing any more.
  bool was_saved(std::size_t at) const {
    bool written = false;
    for (std::size_t i = at; i-- > 0;) {
      const StoryEvent& event = c_.event(i);
      if (event.is("snapshot.remapped") && is_chunk(event)) return true;
      written = written || (event.is("dm.submit") && overwrites(event));
      if (event.is("power.on")) break;
    }
    return written;
  }

  std::optional<StoryStep> answer(std::size_t at) const {
    const auto submit = c_.index_of(c_.event(at).cause);
    if (!submit || !c_.event(*submit).is("dm.submit") || !overwrites(c_.event(*submit))) return std::nullopt;
    const StoryEvent& request = c_.event(*submit);
    return step(at, fmt::format("That write has ended: {}", c_.event(at).text("status")),
                notation_of("write", request.number("fua") != 0, request.range()), Weight::kDetail);
  }

  std::optional<StoryStep> merge(std::size_t at) const {
    const StoryEvent& event = c_.event(at);
    for (const StoryFocus::Snapshot::Merge& merge : snapshot_.merge_devices) {
      if (event.actor != "kcopyd " + merge.device) continue;
      const Sector begin = event.number("chunk") * merge.chunk_sectors;
      const SectorRange range{begin, begin + event.number("count") * merge.chunk_sectors};
      if (!f_.has_page() || !range.overlaps(chunk_range())) return std::nullopt;
      const std::string_view phase = event.text("phase");
      if (phase == "copying") {
        return step(at, fmt::format("The merge into {} copies sectors {} to {} over {}", merge.device, range.begin,
                                    range.end - 1, snapshot_.origin));
      }
      if (phase == "origin flushed") {
        return step(at, fmt::format("{} has been flushed", snapshot_.origin), "", Weight::kUseful);
      }
      if (phase == "forgotten") {
        return step(at, fmt::format("What was merged is forgotten in the store, and read from {} alone",
                                    snapshot_.origin));
      }
      return std::nullopt;
    }
    return std::nullopt;
  }

  // The chunk has been copied and its record is not known to be there: the area's write is about it.
  bool awaits_record(std::size_t at) const {
    for (std::size_t i = at; i-- > 0;) {
      const StoryEvent& event = c_.event(i);
      if (event.is("snapshot.remapped") && is_chunk(event)) return false;
      if (event.is("snapshot.copied") && is_chunk(event)) return true;
      if (event.is("power.on")) return false;
    }
    return false;
  }
  bool is_chunk(const StoryEvent& event) const {
    return (event.actor == snapshot_.device || event.actor == "kcopyd " + snapshot_.device) &&
           event.number("chunk") == snapshot_.chunk;
  }

  std::optional<StoryStep> area(std::size_t at) const {
    if (!awaits_record(at)) return std::nullopt;
    const StoryEvent& event = c_.event(at);
    if (event.is("snapshot.area")) {
      return step(at, fmt::format("The record of chunk {} is written to {}{}{}", snapshot_.chunk, snapshot_.cow,
                                  event.number("preflush") != 0 ? ", behind a flush" : ", without a flush before",
                                  event.number("fua") != 0 ? "" : ", into its cache"));
    }
    return step(at, event.number("ok") != 0 ? "The record has been written" : "The record cannot be written", "",
                event.number("ok") != 0 ? Weight::kUseful : Weight::kEssential);
  }

  std::optional<StoryStep> of_chunk(std::size_t at) const {
    const StoryEvent& event = c_.event(at);
    if (event.is("snapshot.exception")) {
      return step(at, fmt::format("Chunk {} gets place {} on {}{}", snapshot_.chunk, event.number("place"),
                                  snapshot_.cow,
                                  event.number("whole") != 0 ? ": the write covers all of it, nothing is copied"
                                  : event.text("cause") == "snapshot write"
                                      ? ", to be written to: it is copied there first"
                                      : ": it is copied there before the origin changes"));
    }
    if (event.is("snapshot.origin_waits")) {
      return step(at, "The write waits until the chunk has been saved", "", Weight::kUseful);
    }
    if (event.is("snapshot.copied")) {
      return step(at, event.number("failed") != 0 ? fmt::format("Chunk {} cannot be copied", snapshot_.chunk)
                                                  : fmt::format("Chunk {} has been copied", snapshot_.chunk));
    }
    if (event.is("snapshot.remapped")) {
      return step(at, fmt::format("Chunk {} is read from {} from now on, and writes that waited may go on",
                                  snapshot_.chunk, snapshot_.cow));
    }
    return std::nullopt;
  }

  const Chronicle& c_;
  const StoryFocus& f_;
  const StoryFocus::Snapshot& snapshot_;
};

}  // namespace

std::optional<StoryFocus::Snapshot> find_snapshot(const std::string& device, Sector sector, World& last) {
  const auto table_of = [&last](const std::string& name) -> std::string {
    auto live = last.mapper().table(name, TableSlot::kLive);
    if (live.ok() && !live->empty()) return *live;
    for (const DevicePlan& each : last.plan().devices) {
      if (each.name == name) return each.table;
    }
    return {};
  };
  const std::string own = table_of(device);
  const auto line = read_snapshot(own);
  if (!line) return std::nullopt;
  StoryFocus::Snapshot out;
  out.device = device;
  out.origin = line->origin;
  out.cow = line->cow;
  out.merges = line->merges;
  out.chunk_sectors = std::max<std::uint64_t>(1, chunk_in(own));
  out.chunk = sector / out.chunk_sectors;
  for (const std::string& name : last.mapped_names()) {
    const std::string table = table_of(name);
    const auto other = read_snapshot(table);
    if (other && other->merges && other->origin == out.origin) {
      out.merge_devices.push_back({name, std::max<std::uint64_t>(1, chunk_in(table))});
    }
    const bool writes = (other && other->merges) || table.find(" snapshot-origin ") != std::string::npos;
    if (writes && names_device(table, out.origin)) out.users.push_back(name);
  }
  return out;
}

std::optional<StoryFocus::Snapshot> find_awaited_snapshot(const std::vector<StoryEvent>& events,
                                                          const StoryEvent& write, World& last) {
  for (auto event = events.rbegin(); event != events.rend() && event->id > write.id; ++event) {
    if (!event->is("snapshot.origin_waits") || !write.range().contains(event->number("sector"))) continue;
    auto found = find_snapshot(event->actor, event->number("sector"), last);
    if (!found) continue;
    const auto& users = found->users;
    if (std::find(users.begin(), users.end(), write.actor) != users.end()) return found;
  }
  return std::nullopt;
}

std::string missing_for_write(const Chronicle& chronicle) { return SnapshotTeller(chronicle).missing(); }

std::string snapshot_before(const Chronicle& chronicle) { return SnapshotTeller(chronicle).before(); }

std::optional<std::size_t> snapshot_story_start(const Chronicle& chronicle) {
  return SnapshotTeller(chronicle).start();
}

std::optional<StoryStep> tell_snapshot_event(const Chronicle& chronicle, std::size_t event) {
  return SnapshotTeller(chronicle).tell(event);
}

}  // namespace dmsim
