// What a world knows of the contents of its mapped devices: what each held at first boot, read from the
// disks by the plan's tables, and which pages may be something else by now, so that after a power cut
// nothing needs to be read whose content is known already.
#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

#include "harness/volume_groups.h"
#include "harness/world.h"

namespace dmsim {

// Tables as every life boots them, whatever an administrator does later.
TableOf World::plan_tables() const {
  return [this](std::string_view name) -> std::optional<std::string> {
    for (const DevicePlan& plan : plan_.devices) {
      if (plan.name == name) return plan.table;
    }
    for (const DevicePlan& device : group_devices_) {
      if (device.name == name) return device.table;
    }
    return std::nullopt;
  };
}

// The plan's, and for a device of which the plan says nothing, the table it has now.
TableOf World::first_tables() const {
  return [this](std::string_view name) -> std::optional<std::string> {
    if (auto planned = plan_tables()(name); planned && !planned->empty()) return planned;
    auto live = mapper_->table(name, TableSlot::kLive);
    if (!live.ok() || live->empty()) return std::nullopt;
    return std::move(*live);
  };
}

// The content at boot of each page, gathered from the disks that hold it by the plan's tables.
Reference* World::make_reference(std::string_view device) {
  if (!judge_.compares_contents() || is_lvm1_disk(plan_, device)) return nullptr;
  auto extents = std::make_shared<std::vector<Extent>>(resolve_contents(device, first_tables()));
  if (const Disk* itself = disk(device); itself != nullptr) {
    extents->push_back({{0, itself->sectors()}, {{std::string(device), 0}}});
  }
  if (extents->empty()) return nullptr;
  const std::uint64_t sectors = extents->back().range.end;
  const auto initial = [this, extents](std::uint64_t page) {
    const Sector first = page * kPageSectors;
    std::byte* bytes = nullptr;
    PageRef made;
    for (const Extent& extent : *extents) {
      const SectorRange part = extent.range.intersection({first, first + kPageSectors});
      if (part.empty()) continue;
      const Image* image = nullptr;
      // At first boot a clone holds what its source does.
      const bool held =
          !extent.copies.empty() && (!extent.is_clone() || extent.copies[0].from_source);
      for (std::size_t i = 0; held && i < disks_.size(); ++i) {
        if (disks_[i]->name() == extent.copies[0].disk) image = &first_media_[i];
      }
      const Sector there =
          image == nullptr ? 0 : extent.copies[0].begin + (part.begin - extent.range.begin);
      if (image != nullptr && part.count() == kPageSectors && there % kPageSectors == 0) {
        return image->page(there / kPageSectors);
      }
      if (bytes == nullptr) {
        made = scratch_.make(&bytes);
        std::memset(bytes, 0, kPageBytes);
      }
      if (image == nullptr) continue;
      image->read({there, there + part.count()},
                  {bytes + (part.begin - first) * kSectorBytes, part.count() * kSectorBytes});
    }
    if (!made) {
      made = scratch_.make(&bytes);
      std::memset(bytes, 0, kPageBytes);
    }
    return made;
  };
  auto& reference = own_references_[std::string(device)];
  reference = std::make_unique<Reference>(sectors, initial);
  return reference.get();
}

// Whether a page is known to be what it was depends on what the media hold, not on when it was asked.
bool World::is_changed(const ChangedPages& changed, std::uint64_t disk_page) const {
  const Image& media = disks_[changed.disk]->media();
  const Extent& extent = changed.extent;
  if (extent.range.begin % kPageSectors != 0 || changed.begin % kPageSectors != 0) {
    return changed.destination || media.written(disk_page);
  }
  const std::uint64_t here =
      extent.range.begin / kPageSectors + (disk_page - changed.begin / kPageSectors);
  return !equal_bytes(media.page(disk_page), reference(changed.device)->initial_page(here));
}

// A clone's destination holds something else from the start.
void World::begin_with_destination(ChangedPages& changed) const {
  const std::uint64_t end =
      (changed.begin + changed.extent.range.count() + kPageSectors - 1) / kPageSectors;
  for (std::uint64_t page = changed.begin / kPageSectors; page < end; ++page) {
    if (is_changed(changed, page)) changed.disk_pages.push_back(page);
  }
  changed.seen = disks_[changed.disk]->media();
}

// A destination is read only where its clone says that it is valid.
bool World::is_read_from(const ChangedPages& changed, std::uint64_t disk_page) const {
  if (!changed.destination) return true;
  for (const auto& [device, view] : clone_views()) {
    if (view->destination_device() != disks_[changed.disk]->name()) continue;
    const std::uint64_t region = disk_page * kPageSectors / view->region_sectors();
    return region >= view->region_count() || view->hydrated(region);
  }
  return true;
}

// Devices that are clones have their contents checked also where no user comes: copying is enough to lose
// them. Of a stack it is the uppermost device that has a reference.
void World::watch_clones() {
  for (const DevicePlan& plan : plan_.devices) {
    const bool lower = std::any_of(plan_.devices.begin(), plan_.devices.end(), [&](const auto& other) {
      return other.name != plan.name && names_device(other.table, plan.name);
    });
    const std::vector<Extent> extents = copies_by_plan(plan.name);
    const bool clone = std::any_of(extents.begin(), extents.end(),
                                   [](const Extent& extent) { return extent.is_clone(); });
    if (clone && !lower) device(plan.name);
  }
}

// The pages that the copy's disk has stored otherwise since `seen`, if they really are something else.
void World::update(ChangedPages& changed) const {
  const Image& media = disks_[changed.disk]->media();
  const std::uint64_t first = changed.begin / kPageSectors;
  const std::uint64_t end =
      (changed.begin + changed.extent.range.count() + kPageSectors - 1) / kPageSectors;
  media.for_each_difference(changed.seen, [&](std::uint64_t page) {
    if (page < first || page >= end) return;
    const auto place = std::lower_bound(changed.disk_pages.begin(), changed.disk_pages.end(), page);
    const bool known = place != changed.disk_pages.end() && *place == page;
    if (is_changed(changed, page) == known) return;
    if (known) {
      changed.disk_pages.erase(place);
    } else {
      changed.disk_pages.insert(place, page);
    }
  });
  changed.seen = media;
}

// The pages of the device that lie, at least in part, in a changed page of the copy.
void World::add_device_pages(const ChangedPages& changed,
                             std::vector<std::uint64_t>* pages) const {
  const Extent& extent = changed.extent;
  for (const std::uint64_t page : changed.disk_pages) {
    if (!is_read_from(changed, page)) continue;
    const Sector there = std::max(page * kPageSectors, changed.begin);
    const Sector last =
        std::min((page + 1) * kPageSectors, changed.begin + extent.range.count()) - 1;
    const std::uint64_t here = (extent.range.begin + (there - changed.begin)) / kPageSectors;
    const std::uint64_t to = (extent.range.begin + (last - changed.begin)) / kPageSectors;
    for (std::uint64_t each = here; each <= to; ++each) pages->push_back(each);
  }
}

// A first life starts from what its disks held, for each device from its first use on; a later life from
// what was known of the one before.
std::vector<World::ChangedPages>& World::changed_pages() {
  if (before_ != nullptr) {
    if (changed_devices_ == 0) {
      changed_pages_ = before_->changed_pages_;
      changed_devices_ = 1;
    }
    return changed_pages_;
  }
  for (; changed_devices_ < used_devices_.size(); ++changed_devices_) {
    const std::string& device = used_devices_[changed_devices_];
    if (reference(device) == nullptr) continue;
    for (const Extent& extent : resolve_copies(device, plan_tables())) {
      for (const Extent::Copy& copy : extent.copies) {
        for (std::size_t i = 0; i < disks_.size(); ++i) {
          if (disks_[i]->name() != copy.disk) continue;
          const Image pristine(disks_[i]->media().pristine(), workshop_.disks().images);
          changed_pages_.push_back({device, i, extent, copy.begin,
                                    extent.is_clone() && !copy.from_source, pristine, {}});
          if (changed_pages_.back().destination) begin_with_destination(changed_pages_.back());
        }
      }
    }
  }
  return changed_pages_;
}

void World::note_changed_pages() {
  for (ChangedPages& changed : changed_pages()) update(changed);
}

std::vector<std::uint64_t> World::unknown_pages(std::string_view device) {
  const Reference* reference = this->reference(device);
  std::vector<std::uint64_t> pages;
  if (judge_.follows_snapshot(device) || judge_.follows_moves()) {
    // What it reads from where is the engine's to know: any page may be wrong.
    pages.resize((reference->sectors() + kPageSectors - 1) / kPageSectors);
    std::iota(pages.begin(), pages.end(), std::uint64_t{0});
    return pages;
  }
  pages = reference->touched_pages();
  for (ChangedPages& changed : changed_pages()) {
    if (changed.device != device) continue;
    update(changed);
    add_device_pages(changed, &pages);
  }
  std::sort(pages.begin(), pages.end());
  pages.erase(std::unique(pages.begin(), pages.end()), pages.end());
  const std::uint64_t end = (reference->sectors() + kPageSectors - 1) / kPageSectors;
  while (!pages.empty() && pages.back() >= end) pages.pop_back();
  return pages;
}
}  // namespace dmsim
