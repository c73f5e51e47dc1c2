// What users do: any mix of kinds of tasks, from the first instant on (so that they meet the first
// synchronisation) or after it, on the same few blocks or all over the device.
#include <algorithm>

#include <fmt/format.h>

#include "harness/generate_draft.h"

namespace dmsim::generate {
namespace {

constexpr ChoicePoint kTaskCount{"plan.tasks"};
constexpr ChoicePoint kKindEnabled{"plan.task.enabled"};
constexpr ChoicePoint kKind{"plan.task.kind"};
constexpr ChoicePoint kStart{"plan.task.start"};
constexpr ChoicePoint kStartLate{"plan.task.start-late"};
constexpr ChoicePoint kEvery{"plan.task.every"};
constexpr ChoicePoint kRounds{"plan.task.rounds"};
constexpr ChoicePoint kBlock{"plan.task.block"};
constexpr ChoicePoint kPlace{"plan.task.place"};
constexpr ChoicePoint kHot{"plan.task.hot"};
constexpr ChoicePoint kSequential{"plan.task.sequential"};
constexpr ChoicePoint kFua{"plan.task.fua"};
constexpr ChoicePoint kPreflush{"plan.task.preflush"};
constexpr ChoicePoint kInFlight{"plan.task.in-flight"};
constexpr ChoicePoint kFlushEvery{"plan.task.flush-every"};
constexpr ChoicePoint kScribbles{"plan.task.scribble"};
constexpr ChoicePoint kStoreSize{"plan.task.store"};
constexpr ChoicePoint kScriptLength{"plan.task.script"};
constexpr ChoicePoint kScriptWord{"plan.task.word"};
constexpr ChoicePoint kScriptSector{"plan.task.sector"};
constexpr ChoicePoint kScriptWaits{"plan.task.waits"};

enum class Kind : std::uint8_t { kWrite, kBuffered, kMmap, kRead, kFlush, kDiscard, kScript, kBufferedRead };
constexpr std::uint64_t kKinds = 8;

Pace draw_pace(Draft& draft) {
  using D = Duration;
  Pace pace;
  pace.start = draft.among<D>(kStart, {D(), D::milliseconds(1), D::milliseconds(5), draft.synced,
                                       draft.synced + D::milliseconds(10)});
  // A first leg that fails while others are not yet copied takes data with it, and legs that die while
  // writes are under way hold them for ever: Linux promises nothing else.
  if (draft.trouble == Trouble::kFirstLeg) pace.start = std::max(pace.start, draft.synced);
  if (draft.trouble == Trouble::kAllDie) {
    pace.start = std::max(pace.start, draft.synced + D::milliseconds(10));
  }
  // Also as the first synchronisation, which takes about half of the time it is given, comes to its end.
  if (draft.trouble == Trouble::kRecovery && draft.odds(kStartLate, 1, 2)) {
    const auto most = static_cast<std::uint64_t>(draft.synced.count_ns() / 1'500'000);
    pace.start = D::milliseconds(static_cast<std::int64_t>(draft.pick(kStart, most + 1)));
  }
  if (!draft.beside.empty()) pace.start = std::min(pace.start, D::milliseconds(5));
  pace.every = draft.among<DurationRange>(kEvery, {{D::microseconds(50), D::milliseconds(1)},
                                                   {D::microseconds(50), D::milliseconds(1)},
                                                   {D(), D()},
                                                   {D::milliseconds(1), D::milliseconds(5)}});
  pace.count = draft.between(kRounds, 5, 40);
  // A suspend and resume does not forgive a leg: writes to what is not copied yet would be held once more,
  // and the copy would wait for them.
  if (draft.trouble == Trouble::kMomentary && draft.errors == Errors::kHandled) {
    pace.start = std::max(pace.start, draft.synced * 2 + D::milliseconds(30));
  }
  draft.last_start = std::max(draft.last_start, pace.start);
  return pace;
}

// Whole pages somewhere: everywhere, or where it gets crowded.
SectorRange draw_range(Draft& draft, std::uint32_t least_sectors) {
  if (draft.beside.count() >= least_sectors && !draft.odds(kHot, 1, 4)) return draft.beside;
  const std::uint64_t size = draft.among<std::uint64_t>(kHot, {0, 128, 8, 32});
  if (size == 0 || size < least_sectors || size >= draft.user_sectors) return {};
  const std::uint64_t places = (draft.user_sectors - size) / kPageSectors + 1;
  const Sector begin = draft.pick(kPlace, places) * kPageSectors;
  return {begin, begin + size};
}

Area draw_area(Draft& draft) {
  Area area;
  area.block_sectors = draft.among<std::uint32_t>(kBlock, {8, 8, 8, 1, 16, 4, 24});
  area.range = draw_range(draft, area.block_sectors);
  area.sequential = draft.odds(kSequential, 1, 4);
  return area;
}

WriteTask draw_write(Draft& draft, Path path) {
  WriteTask task;
  task.device = draft.user;
  task.path = path;
  task.area = draw_area(draft);
  task.pace = draw_pace(draft);
  task.flush_every = draft.among<std::uint64_t>(kFlushEvery, {0, 0, 1, 3});
  if (path == Path::kBuffered) return task;
  task.fua = draft.odds(kFua, 1, 4);
  task.preflush = draft.odds(kPreflush, 1, draft.beside.empty() ? 6 : 2);
  // What is durable by itself does not depend on a flush.
  if (!draft.beside.empty() && task.preflush) task.fua = false;
  task.in_flight = draft.among<std::uint32_t>(kInFlight, {1, 1, 4, 16});
  task.scribble = draft.odds(kScribbles, 1, 16);
  return task;
}

ReadTask draw_read(Draft& draft, Path path) {
  ReadTask task;
  task.device = draft.user;
  task.path = path;
  task.area = draw_area(draft);
  task.pace = draw_pace(draft);
  if (path == Path::kDirect) task.in_flight = draft.among<std::uint32_t>(kInFlight, {1, 1, 4});
  return task;
}

// Requests that start one after the other; waits for some of them where all must succeed.
IoTask draw_script(Draft& draft) {
  IoTask task;
  task.device = draft.user;
  task.start = draw_pace(draft).start;
  const std::uint64_t words = draft.between(kScriptLength, 2, 10);
  for (std::uint64_t i = 0; i < words; ++i) {
    const Sector sector = draft.pick(kScriptSector, 6) * 4;
    const std::string where = fmt::format("{}+{}", sector, draft.among(kBlock, {8, 4, 1}));
    const std::string request =
        draft.among<std::string>(kScriptWord, {"W" + where, "W" + where + "!", "R" + where, "F"});
    task.script += (task.script.empty() ? "" : " ") + request;
    if (draft.trouble == Trouble::kNone && draft.odds(kScriptWaits, 1, 2)) {
      task.script += " c(" + request + ")";
    }
  }
  return task;
}

TaskBody draw_body(Draft& draft, Kind kind) {
  switch (kind) {
    case Kind::kWrite: return draw_write(draft, Path::kDirect);
    case Kind::kBuffered: return draw_write(draft, Path::kBuffered);
    case Kind::kRead: return draw_read(draft, Path::kDirect);
    case Kind::kBufferedRead: return draw_read(draft, Path::kBuffered);
    case Kind::kScript: return draw_script(draft);
    case Kind::kMmap: {
      MmapStoreTask task;
      task.device = draft.user;
      task.range = draw_range(draft, 8);
      task.store_bytes = draft.among<std::uint32_t>(kStoreSize, {512, 4096, 64});
      task.pace = draw_pace(draft);
      return task;
    }
    case Kind::kFlush: {
      FlushTask task;
      task.device = draft.user;
      task.path = draft.among(kPlace, {Path::kDirect, Path::kDirect, Path::kBuffered});
      task.pace = draw_pace(draft);
      return task;
    }
    case Kind::kDiscard: {
      DiscardTask task;
      task.device = draft.user;
      task.area = draw_area(draft);
      task.pace = draw_pace(draft);
      return task;
    }
  }
  UNMODELLED("kind of task");
}

}  // namespace

void make_tasks(Draft& draft) {
  std::vector<Kind> kinds{Kind::kWrite};
  for (std::uint64_t kind = 1; kind < kKinds; ++kind) {
    // Discards cost the checks of the legs: less often.
    const bool rare = static_cast<Kind>(kind) == Kind::kDiscard;
    if (draft.odds(kKindEnabled, 1, rare ? 6 : 2)) kinds.push_back(static_cast<Kind>(kind));
  }
  const std::uint64_t count = draft.between(kTaskCount, 1, 4);
  const bool wants_discards = draft.trouble == Trouble::kDiscards;
  for (std::uint64_t i = 0; i < count; ++i) {
    const Kind kind = wants_discards && i == 0       ? Kind::kDiscard
                      : !draft.beside.empty() && i == 0 ? Kind::kWrite
                                                        : kinds[draft.pick(kKind, kinds.size())];
    draft.plan.tasks.push_back({fmt::format("user-{}", i + 1), draw_body(draft, kind)});
  }
}

}  // namespace dmsim::generate
