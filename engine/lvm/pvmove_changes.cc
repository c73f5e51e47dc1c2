#include "engine/lvm/pvmove_changes.h"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "engine/lvm/device_tree.h"
#include "engine/lvm/mirror_status.h"

namespace dmsim::lvm {
namespace {

constexpr std::string_view kPvmove = "PVMOVE";
constexpr std::string_view kLocked = "LOCKED";
constexpr std::uint32_t kLeastRegionSectors = 8;

struct Run {
  std::string physical;
  Extents first = 0;
  Extents count = 0;
};

// What is free of a physical volume, from its begin on.
std::vector<Run> free_runs(const VolumeGroup& group, const PhysicalVolume& physical) {
  std::map<Extents, Extents> used;  // first to end
  for (const LogicalVolume& volume : group.logical_volumes) {
    for (const Segment& segment : volume.segments) {
      for (const Area& area : segment.areas) {
        if (area.volume == physical.name) used[area.first] = area.first + segment.count;
      }
    }
  }
  used[physical.extent_count] = physical.extent_count;
  std::vector<Run> out;
  Extents at = 0;
  for (const auto& [first, end] : used) {
    if (first > at) out.push_back({physical.name, at, first - at});
    at = std::max(at, end);
  }
  return out;
}

Result<std::vector<Run>, std::string> room_for(const VolumeGroup& group, const MoveRequest& request) {
  std::vector<Run> out;
  std::vector<std::string> names = request.to;
  if (names.empty()) {
    for (const PhysicalVolume& each : group.physical_volumes) names.push_back(each.name);
  }
  for (const std::string& name : names) {
    const PhysicalVolume* const physical = group.physical(name);
    if (physical == nullptr) return Failure{fmt::format("there is no physical volume '{}'", name)};
    if (name == request.from) continue;
    const std::vector<Run> free = free_runs(group, *physical);
    out.insert(out.end(), free.begin(), free.end());
  }
  return out;
}

// The volume itself and what it is made of: images, log, stores of its snapshots.
std::vector<std::string> parts_of(const VolumeGroup& group, const std::string& volume) {
  std::vector<std::string> out{volume};
  for (std::size_t i = 0; i < out.size(); ++i) {
    const LogicalVolume* const at = group.logical(out[i]);
    if (at == nullptr) continue;
    for (const Segment& segment : at->segments) {
      for (const Area& area : segment.areas) {
        if (group.logical(area.volume) != nullptr) out.push_back(area.volume);
      }
      if (!segment.log.empty()) out.push_back(segment.log);
    }
  }
  return out;
}

std::uint32_t region_for(const VolumeGroup& group) {
  const std::uint32_t dividing = group.extent_sectors & (~group.extent_sectors + 1);  // the largest power of two
  return std::max(dividing / 4, kLeastRegionSectors);
}

LogicalVolume hidden_volume(std::string name, std::vector<Segment> segments) {
  LogicalVolume out;
  out.id = make_id(name);
  out.name = std::move(name);
  out.status = {"READ", "WRITE"};
  out.segments = std::move(segments);
  return out;
}

LogicalVolume& must_have(VolumeGroup& group, std::string_view name) {
  LogicalVolume* const found = group.logical(name);
  CHECK(found != nullptr, name);
  return *found;
}
const LogicalVolume& must_have(const VolumeGroup& group, std::string_view name) {
  const LogicalVolume* const found = group.logical(name);
  CHECK(found != nullptr, name);
  return *found;
}

// One image each of the segments of `move`, as a volume of its own.
void make_atomic(VolumeGroup& group, LogicalVolume& move) {
  Segment whole;
  whole.count = move.extents();
  whole.type = Segment::Type::kMirror;
  whole.region_sectors = region_for(group);
  for (std::size_t image = 0; image < 2; ++image) {
    std::vector<Segment> segments;
    for (const Segment& piece : move.segments) {
      Segment linear;
      linear.first = piece.first;
      linear.count = piece.count;
      linear.areas = {piece.areas[image]};
      segments.push_back(std::move(linear));
    }
    LogicalVolume below = hidden_volume(fmt::format("{}_mimage_{}", move.name, image), std::move(segments));
    whole.areas.push_back({below.name, 0});
    group.logical_volumes.push_back(std::move(below));
  }
  move.segments = {whole};
}

// The extents that `count` extents of the move from `first` on lie upon, in pieces.
std::vector<Segment> extents_below(const VolumeGroup& group, const LogicalVolume& move, std::size_t segment,
                                   std::size_t image, Extents first, Extents count) {
  const Segment& mirror = move.segments[segment];
  const Area& area = mirror.areas[image];
  const Extents begin = area.first + (first - mirror.first);
  std::vector<Segment> out;
  const LogicalVolume* const below = group.logical(area.volume);
  if (below == nullptr) {
    Segment piece;
    piece.count = count;
    piece.areas = {{area.volume, begin}};
    return {piece};
  }
  for (const Segment& lower : below->segments) {
    const Extents from = std::max(begin, lower.first);
    const Extents to = std::min(begin + count, lower.first + lower.count);
    if (from >= to) continue;
    Segment piece;
    piece.count = to - from;
    piece.areas = {{lower.areas[0].volume, lower.areas[0].first + (from - lower.first)}};
    out.push_back(std::move(piece));
  }
  return out;
}

// Appends a linear segment, as one with the last if it goes on where that ends.
void append(std::vector<Segment>& to, Segment piece) {
  piece.first = to.empty() ? 0 : to.back().first + to.back().count;
  const bool both = !to.empty() && to.back().type == Segment::Type::kStriped && piece.type == Segment::Type::kStriped;
  if (both && to.back().areas[0].volume == piece.areas[0].volume &&
      to.back().areas[0].first + to.back().count == piece.areas[0].first) {
    to.back().count += piece.count;
    return;
  }
  to.push_back(std::move(piece));
}

std::size_t image_kept(const Segment& segment, bool atomic, MoveEnd end) {
  const bool done = segment.extents_copied == segment.count;
  if (!end.abort || (done && !atomic)) return 1;
  return end.wrong_image ? 1 : 0;
}

}  // namespace

bool is_move(const LogicalVolume& volume) { return volume.has_status(kPvmove); }

std::vector<std::string> moves_of(const VolumeGroup& group) {
  std::vector<std::string> out;
  for (const LogicalVolume& volume : group.logical_volumes) {
    if (is_move(volume)) out.push_back(volume.name);
  }
  return out;
}

bool is_in_use(const VolumeGroup& group, std::string_view move) {
  return std::any_of(group.logical_volumes.begin(), group.logical_volumes.end(), [&](const LogicalVolume& volume) {
    return std::any_of(volume.segments.begin(), volume.segments.end(), [&](const Segment& segment) {
      return std::any_of(segment.areas.begin(), segment.areas.end(),
                         [&](const Area& area) { return area.volume == move; });
    });
  });
}

bool is_atomic(const VolumeGroup& group, std::string_view move) {
  const std::vector<Segment>& segments = must_have(group, move).segments;
  return !segments.empty() && !segments[0].areas.empty() && group.logical(segments[0].areas[0].volume) != nullptr;
}

Result<std::string, std::string> insert_move(VolumeGroup& group, const MoveRequest& request) {
  if (group.physical(request.from) == nullptr) {
    return Failure{fmt::format("there is no physical volume '{}'", request.from)};
  }
  auto room = room_for(group, request);
  if (!room) return Failure{room.error()};
  const std::vector<std::string> wanted =
      request.volume.empty() ? std::vector<std::string>() : parts_of(group, request.volume);
  std::size_t number = 0;
  while (group.logical(fmt::format("pvmove{}", number)) != nullptr) ++number;
  LogicalVolume move = hidden_volume(fmt::format("pvmove{}", number), {});
  move.set_status(kPvmove, true);
  move.set_status(kLocked, true);
  std::vector<LogicalVolume> volumes = group.logical_volumes;
  for (LogicalVolume& volume : volumes) {
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), volume.name) == wanted.end()) continue;
    const bool moving = volume.has_status(kLocked) || is_move(volume);
    for (Segment& segment : volume.segments) {
      if (segment.type != Segment::Type::kStriped || segment.areas[0].volume != request.from || moving) continue;
      const Area old = segment.areas[0];
      segment.areas = {{move.name, move.extents()}};
      volume.set_status(kLocked, true);
      for (Extents done = 0; done < segment.count;) {
        while (!room->empty() && room->front().count == 0) room->erase(room->begin());
        if (room->empty()) return Failure{fmt::format("there is no room for {} of {}", volume.name, request.from)};
        Run& run = room->front();
        Segment mirror;
        mirror.first = move.extents();
        mirror.count = std::min(segment.count - done, run.count);
        mirror.type = Segment::Type::kMirror;
        mirror.region_sectors = region_for(group);
        mirror.areas = {{old.volume, old.first + done}, {run.physical, run.first}};
        run.first += mirror.count;
        run.count -= mirror.count;
        done += mirror.count;
        move.segments.push_back(std::move(mirror));
      }
    }
  }
  if (move.segments.empty()) return Failure{fmt::format("there is nothing to move on {}", request.from)};
  group.logical_volumes = std::move(volumes);
  if (request.atomic) make_atomic(group, move);
  const std::string name = move.name;
  group.logical_volumes.push_back(std::move(move));
  return name;
}

std::optional<std::size_t> running_segment(const VolumeGroup& group, std::string_view move) {
  const std::vector<Segment>& segments = must_have(group, move).segments;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    if (segments[i].extents_copied != segments[i].count) return i;
  }
  return std::nullopt;
}

void set_segment_done(VolumeGroup& group, std::string_view move, std::size_t segment) {
  Segment& done = must_have(group, move).segments[segment];
  done.extents_copied = done.count;
}

void detach_move(VolumeGroup& group, std::string_view name, MoveEnd end) {
  const LogicalVolume move = must_have(group, name);
  const bool atomic = is_atomic(group, name);
  const VolumeGroup old = group;
  for (LogicalVolume& volume : group.logical_volumes) {
    std::vector<Segment> segments;
    bool used = false;
    for (const Segment& segment : volume.segments) {
      if (segment.areas.size() != 1 || segment.areas[0].volume != name) {
        append(segments, segment);
        continue;
      }
      used = true;
      const Extents begin = segment.areas[0].first;
      for (std::size_t i = 0; i < move.segments.size(); ++i) {
        const Segment& mirror = move.segments[i];
        const Extents from = std::max(begin, mirror.first);
        const Extents to = std::min(begin + segment.count, mirror.first + mirror.count);
        if (from >= to) continue;
        const std::size_t image = image_kept(mirror, atomic, end);
        for (Segment& piece : extents_below(old, move, i, image, from, to - from)) append(segments, std::move(piece));
      }
    }
    if (!used) continue;
    volume.segments = std::move(segments);
    volume.set_status(kLocked, false);
  }
  LogicalVolume& left = must_have(group, name);
  Segment error;
  error.count = move.extents();
  error.type = Segment::Type::kError;
  left.segments = {error};
  for (const Segment& segment : move.segments) {
    for (const Area& area : segment.areas) {
      if (!atomic) continue;
      std::erase_if(group.logical_volumes, [&](const LogicalVolume& each) { return each.name == area.volume; });
    }
  }
}

void remove_move(VolumeGroup& group, std::string_view move) {
  CHECK(!is_in_use(group, move), move);
  std::erase_if(group.logical_volumes, [&](const LogicalVolume& each) { return each.name == move; });
}

std::string move_table(const VolumeGroup& group, std::string_view name, MoveTable how) {
  const std::vector<Segment>& segments = must_have(group, name).segments;
  const std::optional<std::size_t> running = running_segment(group, name);
  std::string out;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const Segment& segment = segments[i];
    if (!out.empty()) out += '\n';
    out += fmt::format("{} {} ", segment.first * group.extent_sectors, segment.count * group.extent_sectors);
    if (segment.type == Segment::Type::kError) {
      out += "error";
      continue;
    }
    if (i != running || how.retreats) {
      out += "linear " + device_place(group, segment.areas[running && i >= *running ? 0 : 1]);
      continue;
    }
    out += fmt::format("mirror core 1 {} {}", segment.region_sectors, segment.areas.size());
    for (const Area& area : segment.areas) out += " " + device_place(group, area);
    if (how.handle_errors) out += " 1 handle_errors";
  }
  return out;
}

MoveProgress move_progress(std::string_view status) {
  MoveProgress out;
  while (!status.empty()) {
    const std::size_t end = std::min(status.find('\n'), status.size());
    const std::optional<MirrorStatus> mirror = read_mirror_status(status.substr(0, end));
    status.remove_prefix(std::min(end + 1, status.size()));
    if (!mirror) continue;
    out.has_mirror = true;
    out.copied = mirror->copied;
    out.regions = mirror->regions;
    out.healthy = mirror->letters.find_first_not_of('A') == std::string_view::npos;
  }
  return out;
}

}  // namespace dmsim::lvm
