#include "engine/lvm/metadata_steps.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/reached.h"

namespace dmsim::lvm {

MetadataSteps::MetadataSteps(SectorIo& io, std::vector<BlockDevice*> devices, std::string_view group, bool flush)
    : io_(io), group_name_(group), flush_(flush) {
  for (BlockDevice* device : devices) {
    volumes_.emplace_back();
    volumes_.back().device = device;
  }
}

Result<VolumeGroup> MetadataSteps::read_volume(Volume& volume) {
  const ReadSectors read = [&](Sector first, std::uint32_t count, std::byte* out) {
    if (first + count > volume.device->sectors()) return false;
    return io_.read(*volume.device, first, {out, std::size_t{count} * kSectorBytes});
  };
  const std::string& name = volume.device->name();
  volume.usable = false;
  const Result<LabelFound> label = read_label(read, name);
  if (!label) return Failure{label.error()};
  volume.id = label->id;
  volume.area = label->area;
  const Result<AreaHeader> header = read_header(read, volume.area, name);
  if (!header) return Failure{header.error()};
  volume.header = *header;
  volume.usable = true;
  const Result<std::string> text = read_text(read, volume.area, volume.header.committed, name);
  if (!text) return Failure{text.error()};
  return volume_group_from_text(*text, name);
}

Result<VolumeGroup> MetadataSteps::read() {
  VolumeGroup newest;
  newest.sequence = 0;
  InputError error{"", 0, 0, "there is no physical volume", -1};
  for (Volume& volume : volumes_) {
    Result<VolumeGroup> found = read_volume(volume);
    volume.sequence = found ? found->sequence : 0;
    if (!found) {
      error = found.error();
      continue;
    }
    if (found->name != group_name_) {
      REACHED("a disk holds the metadata of another volume group");
      volume.usable = false;
      error = {volume.device->name(), 0, 0, fmt::format("it belongs to volume group '{}'", found->name), -1};
      continue;
    }
    if (newest.sequence != 0 && found->sequence != newest.sequence) {
      REACHED("physical volumes hold different versions of the metadata");
    }
    if (found->sequence > newest.sequence) newest = std::move(*found);
  }
  if (newest.sequence == 0) return Failure{error};
  leave_others_alone(newest);
  return newest;
}

// A volume whose text cannot be read is told by its UUID.
void MetadataSteps::leave_others_alone(const VolumeGroup& group) {
  for (Volume& volume : volumes_) {
    if (!volume.usable) continue;
    volume.usable = std::any_of(
        group.physical_volumes.begin(), group.physical_volumes.end(),
        [&](const PhysicalVolume& each) { return id_without_dashes(each.id) == volume.id; });
  }
}

bool MetadataSteps::any_usable() const {
  return std::any_of(volumes_.begin(), volumes_.end(), [](const Volume& each) { return each.usable; });
}

bool MetadataSteps::flush_all() {
  if (!flush_) return any_usable();
  for (Volume& volume : volumes_) {
    if (volume.usable && !io_.flush(*volume.device)) volume.usable = false;
  }
  return any_usable();
}

bool MetadataSteps::write(const VolumeGroup& group, std::string_view description) {
  const std::string text = to_text(group, description);
  for (Volume& volume : volumes_) {
    if (!volume.usable) continue;
    const auto placed = place_text(volume.header, volume.area, text);
    CHECK(placed.ok(), placed.ok() ? "" : placed.error());
    for (const SectorWrite& part : placed->writes) {
      if (volume.usable) volume.usable = io_.write(*volume.device, part.first, part.bytes);
    }
    volume.written = placed->slot;
  }
  return flush_all();
}

bool MetadataSteps::put_header(Volume& volume, const AreaHeader& header) {
  const SectorBytes bytes = make_header(header, volume.area);
  volume.usable = io_.write(*volume.device, volume.area.begin_sector(), bytes);
  if (volume.usable) volume.header = header;
  return volume.usable;
}

bool MetadataSteps::precommit() {
  for (Volume& volume : volumes_) {
    if (volume.usable) put_header(volume, {volume.header.committed, volume.written});
  }
  return flush_all();
}

bool MetadataSteps::commit() {
  for (Volume& volume : volumes_) {
    if (volume.usable) put_header(volume, {volume.written, {}});
  }
  return flush_all();
}

void MetadataSteps::revert() {
  for (Volume& volume : volumes_) {
    if (volume.usable) put_header(volume, {volume.header.committed, {}});
  }
  flush_all();
}

std::vector<SectorWrite> fresh_volume(const VolumeGroup& group, const PhysicalVolume& volume,
                                      const MetadataArea& area) {
  const auto whole = [](const SectorBytes& bytes) { return std::vector<std::byte>(bytes.begin(), bytes.end()); };
  auto placed = place_text({}, area, to_text(group, "Created *after* executing 'vgcreate'"));
  CHECK(placed.ok(), placed.ok() ? "" : placed.error());
  std::vector<SectorWrite> out = std::move(placed->writes);
  out.push_back({area.begin_sector(), whole(make_header({placed->slot, {}}, area))});
  out.push_back({kLabelSector, whole(make_label(volume, area))});
  return out;
}

}  // namespace dmsim::lvm
