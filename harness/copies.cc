#include "harness/copies.h"

#include <algorithm>
#include <charconv>

#include "base/check.h"

namespace dmsim {
namespace {

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    if (end > 0) out.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::optional<std::uint64_t> number(std::string_view word) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return value;
}

struct Place {
  std::string_view device;
  Sector begin;
};

// Of a mirror's words: where the legs stand, and the log's device.
struct MirrorWords {
  std::vector<Place> legs;
  std::string_view log_device;  // empty: core log
};

MirrorWords read_mirror(const std::vector<std::string_view>& words) {
  MirrorWords out;
  if (words.size() < 6) return out;
  const auto log_words = number(words[4]);
  if (!log_words || *log_words > words.size() || words.size() < 6 + *log_words) return out;
  if (words[3] != "core" && *log_words > 0) out.log_device = words[5];
  const auto legs = number(words[5 + *log_words]);
  if (!legs) return out;
  for (std::uint64_t i = 0; i < *legs; ++i) {
    const std::size_t at = 6 + *log_words + 2 * i;
    if (at + 1 >= words.size()) break;
    const auto offset = number(words[at + 1]);
    if (offset) out.legs.push_back({words[at], *offset});
  }
  return out;
}

std::vector<Place> places_of(const std::vector<std::string_view>& words) {
  const std::string_view type = words[2];
  if (type == "mirror") return read_mirror(words).legs;
  if (type == "linear" || type == "delay") {
    if (words.size() >= 5) {
      const auto offset = number(words[4]);
      if (offset) return {{words[3], *offset}};
    }
    return {};
  }
  if (type == "snapshot-origin" && words.size() >= 4) return {{words[3], 0}};
  if (type == "clone" && words.size() >= 7) return {{words[5], 0}, {words[4], 0}};
  return {};
}

void follow(SectorRange range, const Place& place, const TableOf& table_of, Sector target_begin,
            int depth, std::vector<Extent>* out);
void resolve(std::string_view device, const TableOf& table_of, int depth, std::vector<Extent>* out);

// To each extent of a clone.
void add_metadata_disks(std::string_view device, const TableOf& table_of, int depth,
                        std::vector<Extent>* extents) {
  std::vector<std::string> disks;
  if (!table_of(device)) disks.emplace_back(device);
  std::vector<Extent> lower;
  resolve(device, table_of, depth + 1, &lower);
  for (const Extent& extent : lower) {
    for (const Extent::Copy& copy : extent.copies) disks.push_back(copy.disk);
  }
  for (Extent& extent : *extents) {
    extent.metadata_disks.insert(extent.metadata_disks.end(), disks.begin(), disks.end());
  }
}

void resolve(std::string_view device, const TableOf& table_of, int depth, std::vector<Extent>* out) {
  CHECK(depth < 16, "devices stacked in a circle");
  const auto table = table_of(device);
  if (!table) return;
  for (const std::string_view line : split(*table, '\n')) {
    const auto words = split(line, ' ');
    if (words.size() < 3) continue;
    const auto begin = number(words[0]);
    const auto length = number(words[1]);
    if (!begin || !length) continue;
    const SectorRange range{*begin, *begin + *length};
    const auto places = places_of(words);
    if (places.empty()) {
      out->push_back({range, {}});
      continue;
    }
    std::vector<Extent> merged;
    follow(range, places[0], table_of, *begin, depth, &merged);
    const bool clone = words[2] == "clone";
    for (Extent& extent : merged) {
      for (Extent::Copy& copy : extent.copies) copy.from_source = copy.from_source || clone;
    }
    for (std::size_t i = 1; i < places.size(); ++i) {
      std::vector<Extent> other;
      follow(range, places[i], table_of, *begin, depth, &other);
      // Further copies are added where the split agrees; a leg of several extents splits the run.
      std::vector<Extent> finer;
      for (const Extent& a : merged) {
        for (const Extent& b : other) {
          const SectorRange both = a.range.intersection(b.range);
          if (both.empty()) continue;
          Extent extent{both, a.copies, a.metadata_disks};
          extent.metadata_disks.insert(extent.metadata_disks.end(), b.metadata_disks.begin(),
                                       b.metadata_disks.end());
          for (Extent::Copy& copy : extent.copies) copy.begin += both.begin - a.range.begin;
          for (Extent::Copy copy : b.copies) {
            copy.begin += both.begin - b.range.begin;
            extent.copies.push_back(copy);
          }
          finer.push_back(std::move(extent));
        }
      }
      merged = std::move(finer);
    }
    if (clone) add_metadata_disks(words[3], table_of, depth, &merged);
    out->insert(out->end(), merged.begin(), merged.end());
  }
}

void follow(SectorRange range, const Place& place, const TableOf& table_of, Sector target_begin,
            int depth, std::vector<Extent>* out) {
  const Sector lower_begin = place.begin + (range.begin - target_begin);
  if (!table_of(place.device)) {
    out->push_back({range, {{std::string(place.device), lower_begin}}});
    return;
  }
  std::vector<Extent> lower;
  resolve(place.device, table_of, depth + 1, &lower);
  for (Extent& extent : lower) {
    const SectorRange part =
        extent.range.intersection({lower_begin, lower_begin + range.count()});
    if (part.empty()) continue;
    for (Extent::Copy& copy : extent.copies) copy.begin += part.begin - extent.range.begin;
    const Sector begin = range.begin + (part.begin - lower_begin);
    out->push_back({{begin, begin + part.count()}, std::move(extent.copies),
                    std::move(extent.metadata_disks)});
  }
}

}  // namespace

std::vector<Extent> resolve_copies(std::string_view device, const TableOf& table_of) {
  std::vector<Extent> out;
  resolve(device, table_of, 0, &out);
  return out;
}

std::optional<SnapshotLine> read_snapshot(std::string_view table) {
  const auto words = split(table.substr(0, table.find('\n')), ' ');
  if (words.size() < 7 || (words[2] != "snapshot" && words[2] != "snapshot-merge")) {
    return std::nullopt;
  }
  SnapshotLine line;
  line.origin = words[3];
  line.cow = words[4];
  line.merges = words[2] == "snapshot-merge";
  line.persistent = words[5] == "P" || words[5] == "PO";
  line.overflows = words[5] == "PO";
  line.sized = words[6] != "0";
  return line;
}

std::vector<Extent> resolve_contents(std::string_view device, const TableOf& table_of) {
  const TableOf without_snapshots = [&](std::string_view name) {
    auto table = table_of(name);
    const auto snapshot = table ? read_snapshot(*table) : std::nullopt;
    if (snapshot) {
      const auto words = split(*table, ' ');
      table = std::string(words[0]) + " " + std::string(words[1]) + " linear " + snapshot->origin + " 0";
    }
    return table;
  };
  return resolve_copies(device, without_snapshots);
}

std::vector<std::string> log_disks(std::string_view device, const TableOf& table_of) {
  std::vector<std::string> out;
  const auto table = table_of(device);
  if (!table) return out;
  for (const std::string_view line : split(*table, '\n')) {
    const auto words = split(line, ' ');
    if (words.size() >= 7 && words[2] == "clone") out.emplace_back(words[3]);
    if (words.size() < 3 || words[2] != "mirror") continue;
    const std::string_view log = read_mirror(words).log_device;
    if (!log.empty()) out.emplace_back(log);
  }
  return out;
}

bool has_clone(std::string_view table) {
  for (const std::string_view line : split(table, '\n')) {
    const auto words = split(line, ' ');
    if (words.size() >= 7 && words[2] == "clone") return true;
  }
  return false;
}

bool names_device(std::string_view table, std::string_view device) {
  for (const std::string_view line : split(table, '\n')) {
    const auto words = split(line, ' ');
    if (std::find(words.begin(), words.end(), device) != words.end()) return true;
  }
  return false;
}

std::vector<DiskRange> disk_ranges(const std::vector<Extent>& extents, SectorRange range) {
  std::vector<DiskRange> out;
  for (const Extent& extent : extents) {
    const SectorRange part = extent.range.intersection(range);
    if (part.empty()) continue;
    for (const Extent::Copy& copy : extent.copies) {
      const Sector begin = copy.begin + (part.begin - extent.range.begin);
      out.push_back({copy.disk, {begin, begin + part.count()}});
    }
  }
  return out;
}

std::vector<SectorRange> device_ranges(const std::vector<Extent>& extents, std::string_view disk,
                                       SectorRange sectors) {
  std::vector<SectorRange> out;
  for (const Extent& extent : extents) {
    for (const Extent::Copy& copy : extent.copies) {
      const SectorRange all{copy.begin, copy.begin + extent.range.count()};
      const SectorRange part = all.intersection(sectors);
      if (copy.disk != disk || part.empty()) continue;
      const Sector begin = extent.range.begin + (part.begin - copy.begin);
      out.push_back({begin, begin + part.count()});
    }
  }
  return out;
}

}  // namespace dmsim
