#include "engine/lvm/volume_group.h"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "base/digest.h"

namespace dmsim::lvm {
namespace {

// Which extents of each physical volume are in use, to find one that is used twice.
class ExtentUse {
 public:
  void add(const std::string& physical, Extents first, Extents count, const std::string& by,
           std::vector<std::string>& out) {
    std::map<Extents, Use>& uses = uses_[physical];
    const auto next = uses.lower_bound(first);
    const bool before = next != uses.begin() && std::prev(next)->second.end > first;
    const auto clash = before ? std::prev(next)
                       : next != uses.end() && next->first < first + count ? next
                                                                           : uses.end();
    if (clash != uses.end()) {
      out.push_back(fmt::format("extent {} of {} belongs to {} and to {}",
                                std::max(first, clash->first), physical, clash->second.by, by));
      return;
    }
    uses.emplace(first, Use{first + count, by});
  }

 private:
  struct Use {
    Extents end;
    std::string by;
  };
  std::map<std::string, std::map<Extents, Use>> uses_;
};

}  // namespace

bool LogicalVolume::has_status(std::string_view word) const {
  return std::find(status.begin(), status.end(), word) != status.end();
}

void LogicalVolume::set_status(std::string_view word, bool on) {
  const auto found = std::find(status.begin(), status.end(), word);
  if (on && found == status.end()) status.emplace_back(word);
  if (!on && found != status.end()) status.erase(found);
}

const PhysicalVolume* VolumeGroup::physical(std::string_view volume) const {
  for (const PhysicalVolume& found : physical_volumes) {
    if (found.name == volume) return &found;
  }
  return nullptr;
}

const LogicalVolume* VolumeGroup::logical(std::string_view volume) const {
  for (const LogicalVolume& found : logical_volumes) {
    if (found.name == volume) return &found;
  }
  return nullptr;
}

LogicalVolume* VolumeGroup::logical(std::string_view volume) {
  return const_cast<LogicalVolume*>(std::as_const(*this).logical(volume));
}

std::vector<std::string> VolumeGroup::complaints() const {
  std::vector<std::string> out;
  ExtentUse use;
  for (const LogicalVolume& volume : logical_volumes) {
    Extents at = 0;
    for (const Segment& segment : volume.segments) {
      if (segment.first != at || segment.count == 0) {
        out.push_back(fmt::format("{}: a segment begins at extent {}, expected {}", volume.name,
                                  segment.first, at));
      }
      at = segment.first + segment.count;
      for (const Area& area : segment.areas) {
        const PhysicalVolume* const below = physical(area.volume);
        const LogicalVolume* const under = logical(area.volume);
        const Extents size = below != nullptr ? below->extent_count : under != nullptr ? under->extents() : 0;
        if (below == nullptr && under == nullptr) {
          out.push_back(fmt::format("{}: there is no volume '{}'", volume.name, area.volume));
        } else if (area.first + segment.count > size) {
          out.push_back(fmt::format("{}: extents {} to {} lie beyond {}", volume.name, area.first,
                                    area.first + segment.count, area.volume));
        } else if (below != nullptr) {
          use.add(area.volume, area.first, segment.count, volume.name, out);
        }
      }
      for (const std::string* named : {&segment.log, &segment.origin, &segment.cow}) {
        if (!named->empty() && logical(*named) == nullptr) {
          out.push_back(fmt::format("{}: there is no logical volume '{}'", volume.name, *named));
        }
      }
    }
  }
  return out;
}

std::string make_id(std::string_view name) {
  static constexpr std::string_view kLetters =
      "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  static constexpr int kGroups[] = {6, 4, 4, 4, 4, 4, 6};
  std::string out;
  std::uint64_t drawn = 0;
  std::string seed(name);
  for (const int group : kGroups) {
    if (!out.empty()) out += '-';
    for (int i = 0; i < group; ++i) {
      if (drawn < kLetters.size()) {
        seed += '+';
        drawn = digest_bytes(seed.data(), seed.size());
      }
      out += kLetters[drawn % kLetters.size()];
      drawn /= kLetters.size();
    }
  }
  return out;
}

std::string id_without_dashes(std::string_view id) {
  std::string out;
  for (const char c : id) {
    if (c != '-') out += c;
  }
  CHECK(out.size() == 32, id);
  return out;
}

}  // namespace dmsim::lvm
