// A volume group as LVM2 writes it down, and read back: sections of names and values, the format of vgcfgbackup.
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "engine/lvm/config_text.h"
#include "engine/lvm/volume_group.h"

namespace dmsim::lvm {
namespace {

constexpr std::string_view kContents = "Text Format Volume Group";
// Nothing in a simulated machine knows a date. LVM2 wants one that is not zero.
constexpr std::int64_t kCreationTime = 1;
constexpr std::string_view kHost = "dmsim";

ConfigList words(const std::vector<std::string>& from) {
  return ConfigList(from.begin(), from.end());
}

std::string_view type_name(Segment::Type type) {
  switch (type) {
    case Segment::Type::kStriped: return "striped";
    case Segment::Type::kMirror: return "mirror";
    case Segment::Type::kSnapshot: return "snapshot";
    case Segment::Type::kError: return "error";
  }
  UNMODELLED("segment type");
}

void add_areas(ConfigSection& to, std::string_view name, const std::vector<Area>& areas) {
  ConfigList list;
  for (const Area& area : areas) {
    list.emplace_back(area.volume);
    list.emplace_back(static_cast<std::int64_t>(area.first));
  }
  to.add(std::string(name), std::move(list));
}

// Of a move, also none that is copied is written down: that is how its segments are known.
void add_segment(ConfigSection& to, const Segment& segment, bool moves) {
  to.add("start_extent", static_cast<std::int64_t>(segment.first));
  to.add("extent_count", static_cast<std::int64_t>(segment.count));
  to.add("type", std::string(type_name(segment.type)));
  switch (segment.type) {
    case Segment::Type::kStriped:
      to.add("stripe_count", static_cast<std::int64_t>(segment.areas.size()));
      add_areas(to, "stripes", segment.areas);
      return;
    case Segment::Type::kMirror:
      to.add("mirror_count", static_cast<std::int64_t>(segment.areas.size()));
      if (moves || segment.extents_copied != 0) {
        to.add("extents_moved", static_cast<std::int64_t>(segment.extents_copied));
      }
      if (!segment.log.empty()) to.add("mirror_log", segment.log);
      if (segment.region_sectors != 0) {
        to.add("region_size", static_cast<std::int64_t>(segment.region_sectors));
      }
      add_areas(to, "mirrors", segment.areas);
      return;
    case Segment::Type::kSnapshot:
      to.add("chunk_size", static_cast<std::int64_t>(segment.chunk_sectors));
      to.add("origin", segment.origin);
      to.add("cow_store", segment.cow);
      return;
    case Segment::Type::kError:
      return;
  }
}

// Takes entries out of a section one by one and remembers the first that was not as expected.
class SectionReader {
 public:
  SectionReader(const ConfigSection& section, std::string path, InputError* error)
      : section_(section), path_(std::move(path)), error_(error) {}

  bool ok() const { return error_->message.empty(); }
  bool has(std::string_view name) const { return section_.find(name) != nullptr; }

  std::uint64_t number(std::string_view name, std::uint64_t most) {
    const ConfigEntry* const entry = single(name);
    if (entry == nullptr) return 0;
    const auto* const value = std::get_if<std::int64_t>(&entry->values.front());
    if (value == nullptr || *value < 0 || static_cast<std::uint64_t>(*value) > most) {
      fail(entry->line, fmt::format("{}/{}: expected a number up to {}", path_, name, most));
      return 0;
    }
    return static_cast<std::uint64_t>(*value);
  }
  std::string text(std::string_view name) {
    const ConfigEntry* const entry = single(name);
    if (entry == nullptr) return {};
    const auto* const value = std::get_if<std::string>(&entry->values.front());
    if (value == nullptr) fail(entry->line, fmt::format("{}/{}: expected a string", path_, name));
    return value == nullptr ? std::string() : *value;
  }
  std::vector<std::string> text_list(std::string_view name) {
    std::vector<std::string> out;
    const ConfigEntry* const entry = list(name);
    if (entry == nullptr) return out;
    for (const ConfigScalar& value : entry->values) {
      const auto* const word = std::get_if<std::string>(&value);
      if (word == nullptr) {
        fail(entry->line, fmt::format("{}/{}: expected strings only", path_, name));
        return {};
      }
      out.push_back(*word);
    }
    return out;
  }
  std::vector<Area> areas(std::string_view name, std::uint64_t count) {
    std::vector<Area> out;
    const ConfigEntry* const entry = list(name);
    if (entry == nullptr) return out;
    bool good = entry->values.size() == 2 * count;
    for (std::size_t i = 0; good && i < entry->values.size(); i += 2) {
      const auto* const volume = std::get_if<std::string>(&entry->values[i]);
      const auto* const first = std::get_if<std::int64_t>(&entry->values[i + 1]);
      good = volume != nullptr && first != nullptr && *first >= 0;
      if (good) out.push_back({*volume, static_cast<Extents>(*first)});
    }
    if (!good) {
      fail(entry->line,
           fmt::format("{}/{}: expected {} pairs of a volume and an extent", path_, name, count));
      return {};
    }
    return out;
  }
  void fail(int line, std::string message) {
    if (!ok()) return;
    error_->line = line;
    error_->message = std::move(message);
  }

 private:
  const ConfigEntry* entry(std::string_view name) {
    const ConfigEntry* const found = section_.find(name);
    if (found == nullptr) fail(0, fmt::format("{}: '{}' is missing", path_, name));
    return found;
  }
  const ConfigEntry* single(std::string_view name) {
    const ConfigEntry* const found = entry(name);
    if (found == nullptr) return nullptr;
    if (found->section == nullptr && !found->is_list && found->values.size() == 1) return found;
    fail(found->line, fmt::format("{}/{}: expected a single value", path_, name));
    return nullptr;
  }
  const ConfigEntry* list(std::string_view name) {
    const ConfigEntry* const found = entry(name);
    if (found == nullptr) return nullptr;
    if (found->section == nullptr && found->is_list) return found;
    fail(found->line, fmt::format("{}/{}: expected a list", path_, name));
    return nullptr;
  }

  const ConfigSection& section_;
  std::string path_;
  InputError* error_;
};

constexpr std::uint64_t kMost = 1ull << 48;
constexpr std::uint64_t kMostSmall = 1u << 30;

Segment read_segment(const ConfigSection& section, const std::string& path, InputError* error) {
  SectionReader from(section, path, error);
  Segment out;
  out.first = from.number("start_extent", kMost);
  out.count = from.number("extent_count", kMost);
  const std::string type = from.text("type");
  if (type == "striped" || type == "linear") {
    const std::uint64_t stripes = from.number("stripe_count", 128);
    if (from.ok() && stripes != 1) from.fail(0, fmt::format("{}: {} stripes are not modelled", path, stripes));
    out.areas = from.areas("stripes", stripes);
  } else if (type == "mirror") {
    out.type = Segment::Type::kMirror;
    const std::uint64_t legs = from.number("mirror_count", 128);
    out.areas = from.areas("mirrors", legs);
    if (from.has("extents_moved")) out.extents_copied = from.number("extents_moved", kMost);
    if (from.has("mirror_log")) out.log = from.text("mirror_log");
    if (from.has("region_size")) {
      out.region_sectors = static_cast<std::uint32_t>(from.number("region_size", kMostSmall));
    }
  } else if (type == "snapshot") {
    out.type = Segment::Type::kSnapshot;
    out.chunk_sectors = static_cast<std::uint32_t>(from.number("chunk_size", kMostSmall));
    out.origin = from.text("origin");
    out.cow = from.text("cow_store");
  } else if (type == "error") {
    out.type = Segment::Type::kError;
  } else if (from.ok()) {
    from.fail(0, fmt::format("{}: segments of type '{}' are not modelled", path, type));
  }
  return out;
}

LogicalVolume read_logical(const ConfigEntry& entry, InputError* error) {
  const std::string path = "logical_volumes/" + entry.name;
  SectionReader from(*entry.section, path, error);
  LogicalVolume out;
  out.name = entry.name;
  out.id = from.text("id");
  out.status = from.text_list("status");
  if (from.has("flags")) out.flags = from.text_list("flags");
  const std::uint64_t count = from.number("segment_count", 1u << 20);
  for (std::uint64_t i = 1; from.ok() && i <= count; ++i) {
    const std::string name = fmt::format("segment{}", i);
    const ConfigSection* const section = entry.section->section(name);
    if (section == nullptr) {
      from.fail(entry.line, fmt::format("{}: '{}' is missing", path, name));
    } else {
      out.segments.push_back(read_segment(*section, path + "/" + name, error));
    }
  }
  return out;
}

PhysicalVolume read_physical(const ConfigEntry& entry, InputError* error) {
  SectionReader from(*entry.section, "physical_volumes/" + entry.name, error);
  PhysicalVolume out;
  out.name = entry.name;
  out.id = from.text("id");
  if (from.has("device")) out.device = from.text("device");
  out.status = from.text_list("status");
  out.device_sectors = from.has("dev_size") ? from.number("dev_size", kMost) : 0;
  out.first_extent = from.number("pe_start", kMost);
  out.extent_count = from.number("pe_count", kMost);
  return out;
}

// The group's own section: the only one at the top.
const ConfigEntry* group_entry(const ConfigSection& top) {
  for (const ConfigEntry& entry : top.entries()) {
    if (entry.section != nullptr) return &entry;
  }
  return nullptr;
}

}  // namespace

std::string to_text(const VolumeGroup& group, std::string_view description) {
  ConfigSection top;
  ConfigSection& body = top.add_section(group.name);
  body.add("id", group.id);
  body.add("seqno", static_cast<std::int64_t>(group.sequence));
  body.add("format", std::string("lvm2"));
  body.add("status", words(group.status));
  body.add("flags", ConfigList());
  body.add("extent_size", static_cast<std::int64_t>(group.extent_sectors));
  body.add("max_lv", std::int64_t{0});
  body.add("max_pv", std::int64_t{0});
  body.add("metadata_copies", std::int64_t{0});
  ConfigSection& physical = body.add_section("physical_volumes");
  for (const PhysicalVolume& volume : group.physical_volumes) {
    ConfigSection& to = physical.add_section(volume.name);
    to.add("id", volume.id);
    to.add("device", volume.device);
    to.add("status", words(volume.status));
    to.add("flags", ConfigList());
    to.add("dev_size", static_cast<std::int64_t>(volume.device_sectors));
    to.add("pe_start", static_cast<std::int64_t>(volume.first_extent));
    to.add("pe_count", static_cast<std::int64_t>(volume.extent_count));
  }
  if (!group.logical_volumes.empty()) {
    ConfigSection& logical = body.add_section("logical_volumes");
    for (const LogicalVolume& volume : group.logical_volumes) {
      ConfigSection& to = logical.add_section(volume.name);
      to.add("id", volume.id);
      to.add("status", words(volume.status));
      to.add("flags", words(volume.flags));
      to.add("creation_time", kCreationTime);
      to.add("creation_host", std::string(kHost));
      to.add("segment_count", static_cast<std::int64_t>(volume.segments.size()));
      for (std::size_t i = 0; i < volume.segments.size(); ++i) {
        add_segment(to.add_section(fmt::format("segment{}", i + 1)), volume.segments[i],
                    volume.has_status("PVMOVE"));
      }
    }
  }
  top.add("contents", std::string(kContents));
  top.add("version", std::int64_t{1});
  top.add("description", std::string(description));
  top.add("creation_host", std::string(kHost));
  top.add("creation_time", kCreationTime);
  return top.to_text();
}

Result<VolumeGroup> volume_group_from_text(std::string_view text, std::string_view file) {
  Result<ConfigSection> parsed = ConfigSection::parse(text, file);
  if (!parsed) return Failure{parsed.error()};
  InputError error;
  SectionReader top(*parsed, "metadata", &error);
  if (top.text("contents") != kContents && top.ok()) top.fail(0, "'contents' is not a volume group's");
  if (top.number("version", 1) != 1 && top.ok()) top.fail(0, "expected version 1");
  const ConfigEntry* const entry = group_entry(*parsed);
  if (entry == nullptr) top.fail(0, "there is no volume group in it");
  VolumeGroup group;
  if (top.ok()) {
    SectionReader from(*entry->section, entry->name, &error);
    group.name = entry->name;
    group.id = from.text("id");
    group.sequence = from.number("seqno", kMost);
    group.status = from.text_list("status");
    group.extent_sectors = static_cast<std::uint32_t>(from.number("extent_size", kMostSmall));
    if (from.ok() && group.extent_sectors == 0) from.fail(entry->line, "extent_size is 0");
    for (const std::string_view part : {"physical_volumes", "logical_volumes"}) {
      const ConfigSection* const volumes = entry->section->section(part);
      if (volumes == nullptr) continue;
      for (const ConfigEntry& volume : volumes->entries()) {
        if (volume.section == nullptr) {
          from.fail(volume.line, fmt::format("{}/{}: expected a section", part, volume.name));
        } else if (part == "physical_volumes") {
          group.physical_volumes.push_back(read_physical(volume, &error));
        } else {
          group.logical_volumes.push_back(read_logical(volume, &error));
        }
      }
    }
  }
  if (error.message.empty()) {
    const std::vector<std::string> complaints = group.complaints();
    if (complaints.empty()) return group;
    error.message = complaints.front();
  }
  error.file = std::string(file);
  return Failure{error};
}

}  // namespace dmsim::lvm
