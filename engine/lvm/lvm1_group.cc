#include "engine/lvm/lvm1_group.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "base/check.h"
#include "base/digest.h"

namespace dmsim::lvm1 {
namespace {

// docs/LVM1_METADATA.md, byte for byte.
constexpr char kMagic[8] = {'D', 'M', 'S', 'L', 'V', 'M', '1', '\0'};
constexpr std::size_t kChecksumAt = 8;
constexpr std::size_t kCheckedFrom = 16;
constexpr std::size_t kNameBytes = 32;

// Little-endian integers and names, one after the other.
class Writer {
 public:
  explicit Writer(std::byte* page) : page_(page) {}
  void number(std::uint64_t value, std::size_t bytes) {
    CHECK(at_ + bytes <= kPageBytes, "a map of LVM1 does not fit into its page");
    for (std::size_t i = 0; i < bytes; ++i) page_[at_++] = static_cast<std::byte>(value >> (8 * i));
  }
  void name(std::string_view name) {
    CHECK(name.size() < kNameBytes, name);
    CHECK(at_ + kNameBytes <= kPageBytes, "a map of LVM1 does not fit into its page");
    std::memcpy(page_ + at_, name.data(), name.size());
    at_ += kNameBytes;
  }
  void seek(std::size_t at) { at_ = at; }

 private:
  std::byte* page_;
  std::size_t at_ = 0;
};

class Reader {
 public:
  explicit Reader(const std::byte* page) : page_(page) {}
  std::uint64_t number(std::size_t bytes) {
    std::uint64_t out = 0;
    if (!has(bytes)) return 0;
    for (std::size_t i = 0; i < bytes; ++i) out |= std::to_integer<std::uint64_t>(page_[at_++]) << (8 * i);
    return out;
  }
  std::string name() {
    if (!has(kNameBytes)) return {};
    const char* const text = reinterpret_cast<const char*>(page_ + at_);
    at_ += kNameBytes;
    return {text, strnlen(text, kNameBytes)};
  }
  void seek(std::size_t at) { at_ = at; }
  bool ok() const { return ok_; }

 private:
  bool has(std::size_t bytes) { return ok_ = ok_ && at_ + bytes <= kPageBytes; }
  const std::byte* page_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

}  // namespace

std::string device_name(std::string_view group, std::string_view volume) { return fmt::format("{}-{}", group, volume); }

std::optional<std::uint16_t> Group::find_disk(std::string_view disk) const {
  for (std::size_t i = 0; i < disks.size(); ++i) {
    if (disks[i].name == disk) return static_cast<std::uint16_t>(i);
  }
  return std::nullopt;
}

LogicalVolume* Group::find(std::string_view volume) {
  const auto found = std::find_if(volumes.begin(), volumes.end(),
                                  [&](const LogicalVolume& each) { return each.name == volume; });
  return found == volumes.end() ? nullptr : &*found;
}

std::optional<Place> Group::free_extent(std::uint16_t disk) const {
  for (std::uint32_t extent = 0; extent < disks[disk].extents; ++extent) {
    const Place place{disk, static_cast<std::uint16_t>(extent)};
    const bool used = std::any_of(volumes.begin(), volumes.end(), [&](const LogicalVolume& volume) {
      return std::find(volume.map.begin(), volume.map.end(), place) != volume.map.end();
    });
    if (!used) return place;
  }
  return std::nullopt;
}

std::string Group::table(const LogicalVolume& volume) const {
  std::string out;
  for (std::size_t i = 0; i < volume.map.size(); ++i) {
    const Place place = volume.map[i];
    out += fmt::format("{}{} {} linear {} {}", i == 0 ? "" : "\n", i * extent_sectors, extent_sectors,
                       disks[place.disk].name, sector_of(place));
  }
  return out;
}

std::vector<std::byte> encode(const Group& group) {
  std::vector<std::byte> page(kPageBytes);
  Writer out(page.data());
  out.seek(kCheckedFrom);
  out.number(group.sequence, 8);
  out.number(group.extent_sectors, 4);
  out.number(group.first_extent, 4);
  out.number(group.disks.size(), 4);
  out.number(group.volumes.size(), 4);
  out.name(group.name);
  for (const PhysicalVolume& disk : group.disks) {
    out.name(disk.name);
    out.number(disk.extents, 4);
  }
  for (const LogicalVolume& volume : group.volumes) {
    out.name(volume.name);
    out.number(volume.map.size(), 4);
    for (const Place place : volume.map) {
      out.number(place.disk, 2);
      out.number(place.extent, 2);
    }
  }
  std::memcpy(page.data(), kMagic, sizeof kMagic);
  out.seek(kChecksumAt);
  out.number(digest_bytes(page.data() + kCheckedFrom, kPageBytes - kCheckedFrom), 8);
  return page;
}

std::optional<Group> decode(const std::byte* page) {
  if (std::memcmp(page, kMagic, sizeof kMagic) != 0) return std::nullopt;
  Reader in(page);
  in.seek(kChecksumAt);
  if (in.number(8) != digest_bytes(page + kCheckedFrom, kPageBytes - kCheckedFrom)) return std::nullopt;
  Group group;
  group.sequence = in.number(8);
  group.extent_sectors = static_cast<std::uint32_t>(in.number(4));
  group.first_extent = in.number(4);
  const std::uint64_t disks = in.number(4);
  const std::uint64_t volumes = in.number(4);
  group.name = in.name();
  for (std::uint64_t i = 0; i < disks && in.ok(); ++i) {
    PhysicalVolume disk{in.name(), 0};
    disk.extents = static_cast<std::uint32_t>(in.number(4));
    group.disks.push_back(std::move(disk));
  }
  for (std::uint64_t i = 0; i < volumes && in.ok(); ++i) {
    LogicalVolume volume{in.name(), {}};
    const std::uint64_t extents = in.number(4);
    for (std::uint64_t j = 0; j < extents && in.ok(); ++j) {
      Place place;
      place.disk = static_cast<std::uint16_t>(in.number(2));
      place.extent = static_cast<std::uint16_t>(in.number(2));
      if (place.disk >= group.disks.size() || place.extent >= group.disks[place.disk].extents) return std::nullopt;
      volume.map.push_back(place);
    }
    group.volumes.push_back(std::move(volume));
  }
  if (!in.ok() || group.extent_sectors == 0) return std::nullopt;
  return group;
}

std::optional<Group> newest(std::string_view group, const std::vector<std::string>& disks, const ReadPage& read) {
  std::optional<Group> best;
  std::vector<std::byte> page(kPageBytes);
  for (const std::string& disk : disks) {
    for (std::uint64_t copy = 0; copy < 2; ++copy) {
      if (!read(disk, map_sector(copy), page.data())) continue;
      auto found = decode(page.data());
      if (!found || found->name != group || !found->find_disk(disk)) continue;
      if (!best || found->sequence > best->sequence) best = std::move(found);
    }
  }
  return best;
}

}  // namespace dmsim::lvm1
