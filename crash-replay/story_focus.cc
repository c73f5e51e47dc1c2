#include "crash-replay/story_focus.h"

#include <cstring>
#include <set>

#include "crash-replay/story_details.h"
#include "crash-replay/story_lvm1.h"
#include "crash-replay/story_snapshot.h"
#include "engine/native/mirror/log_reader.h"
#include "harness/copies.h"
#include "harness/oracle_names.h"
#include "harness/world.h"

namespace dmsim {
namespace {

// The oldest request of a user that has not ended: what a run without progress is about.
const StoryEvent* oldest_unfinished(const std::vector<StoryEvent>& events) {
  std::set<TraceId> finished;
  TraceId this_life = 0;
  for (const StoryEvent& event : events) {
    if (event.is("dm.complete")) finished.insert(event.cause);
    if (event.is("power.on")) this_life = event.id;
  }
  for (const StoryEvent& event : events) {
    if (event.id > this_life && event.is("dm.submit") && finished.count(event.id) == 0)
      return &event;
  }
  return nullptr;
}

TableOf tables_of(World& last) {
  return [&last](std::string_view name) -> std::optional<std::string> {
    auto live = last.mapper().table(name, TableSlot::kLive);
    if (live.ok() && !live->empty()) return std::move(*live);
    for (const DevicePlan& device : last.plan().devices) {
      if (device.name == name) return device.table;
    }
    return std::nullopt;
  };
}

// The mirror that keeps `there` of `disk` on one of its legs.
void find_region(const World& last, const std::string& disk, Sector there, Sector sector,
                 StoryFocus* focus) {
  for (const auto& [device, view] : last.mirror_views()) {
    for (const MirrorView::Leg& leg : view->legs()) {
      if (leg.device != disk || there < leg.offset || there >= leg.offset + view->sectors())
        continue;
      const Sector in_target = there - leg.offset;
      focus->region = in_target / view->region_sectors();
      const Sector before = std::min<Sector>(sector, in_target % view->region_sectors());
      focus->region_range = {sector - before, sector - before + view->region_sectors()};
      focus->mirror = device;
      focus->log_disk = view->log_device();
      return;
    }
  }
}

// The clone that keeps `there` of `disk` on its source or its destination.
void find_clone_region(const World& last, const std::string& disk, Sector there, Sector sector,
                       StoryFocus* focus) {
  for (const auto& [device, view] : last.clone_views()) {
    const bool here = view->destination_device() == disk || view->source_device() == disk;
    if (!here || there >= view->sectors()) continue;
    focus->region = there / view->region_sectors();
    const Sector before = std::min<Sector>(sector, there % view->region_sectors());
    focus->region_range = {sector - before, sector - before + view->region_sectors()};
    focus->mirror = device;
    focus->log_disk = view->metadata_device();
    focus->clone = {view->source_device(), view->destination_device(), view->metadata_device()};
    return;
  }
}

// What metadata that hold this say of the region in focus.
std::optional<bool> says_hydrated(const World& last, const StoryFocus& focus,
                                  const std::function<PageRef(std::uint64_t)>& page_of) {
  for (const auto& [device, view] : last.clone_views()) {
    if (device != focus.mirror || view->destination_device() != focus.clone->destination) continue;
    const auto said = view->hydrated_by([&](Sector first, std::uint32_t count, std::byte* out) {
      for (Sector at = first; at < first + count; ++at, out += kSectorBytes) {
        const auto in_page = static_cast<std::uint32_t>(at % kPageSectors);
        std::memcpy(out, page_of(at / kPageSectors).sector_bytes(in_page), kSectorBytes);
      }
    });
    if (said.ok()) return (*said)[*focus.region];
  }
  return std::nullopt;
}

std::vector<std::byte> log_bytes(std::uint64_t region,
                                 const std::function<PageRef(std::uint64_t)>& page_of) {
  const std::uint64_t needed = mirror_log::kBitmapOffset + region / 8 + 8;
  std::vector<std::byte> bytes((needed + kPageBytes - 1) / kPageBytes * kPageBytes);
  for (std::uint64_t page = 0; page * kPageBytes < bytes.size(); ++page) {
    std::memcpy(bytes.data() + page * kPageBytes, page_of(page).bytes(), kPageBytes);
  }
  return bytes;
}

std::optional<bool> says_clean(const std::vector<std::byte>& log, std::uint64_t region) {
  const mirror_log::Header header = mirror_log::read_header(log);
  if (!mirror_log::is_valid(header) || region >= header.region_count) return std::nullopt;
  return mirror_log::read_clean_bit(log, region);
}

std::size_t disk_index(const World& world, std::string_view name) {
  for (std::size_t i = 0; i < world.disks().size(); ++i) {
    if (world.disks()[i]->name() == name) return i;
  }
  return world.disks().size();
}

}  // namespace

StoryFocus find_focus(const Chronicle& chronicle, World& last) {
  const Violation& violation = chronicle.violation;
  StoryFocus focus;
  focus.device = violation.device == "-" ? std::string() : violation.device;
  focus.sectors = violation.sectors;
  const StoryEvent* waiting = oldest_unfinished(chronicle.events);
  if (focus.sectors.empty() && waiting != nullptr &&
      (focus.device.empty() || focus.device == waiting->actor)) {
    focus.device = waiting->actor;
    focus.sectors = waiting->range();
  }
  if (const auto left_over = left_over_region(violation.details)) {
    for (const auto& [device, view] : last.mirror_views()) {
      if (device != left_over->device || left_over->region >= view->region_count()) continue;
      const Sector first = view->begin() + left_over->region * view->region_sectors();
      focus.device = device;
      focus.sectors = {first, first + 1};
    }
  }
  if (focus.device.empty() && !last.plan().devices.empty()) {
    focus.device = last.plan().devices.front().name;
  }
  if (waiting != nullptr && violation.oracle == oracle::kLiveness && focus.device == waiting->actor) {
    focus.snapshot = find_awaited_snapshot(chronicle.events, *waiting, last);
  }
  if (!focus.snapshot) focus.snapshot = find_snapshot(focus.device, focus.sectors.begin, last);
  if (focus.sectors.empty()) return focus;
  const Sector sector = focus.sectors.begin;
  focus.page = sector / kPageSectors;
  focus.page_range = {focus.page * kPageSectors, (focus.page + 1) * kPageSectors};
  for (const Extent& extent : resolve_copies(focus.device, tables_of(last))) {
    if (!extent.range.contains(sector)) continue;
    for (const Extent::Copy& copy : extent.copies) {
      const Sector there = copy.begin + (sector - extent.range.begin);
      const Sector in_page = sector - focus.page_range.begin;
      focus.legs.push_back({copy.disk, there >= in_page ? there - in_page : 0});
      if (!focus.region) find_region(last, copy.disk, there, sector, &focus);
      if (!focus.region) find_clone_region(last, copy.disk, there, sector, &focus);
    }
  }
  find_moved_extent(chronicle.events, last.plan(), &focus);
  return focus;
}

void look_at_the_end(const World& last, Chronicle* chronicle) {
  const StoryFocus& focus = chronicle->focus;
  const Sector in_page = focus.sectors.begin - focus.page_range.begin;
  std::vector<const Disk*> disks;
  for (const StoryFocus::Leg& leg : focus.legs) disks.push_back(last.disk(leg.disk));
  const auto digest = [&](std::size_t leg, Sector i) {
    const Sector there = focus.legs[leg].page_begin + i;
    return disks[leg]
        ->current_page(there / kPageSectors)
        .sector_digest(static_cast<std::uint32_t>(there % kPageSectors));
  };
  for (std::size_t leg = 0; leg < focus.legs.size(); ++leg) {
    if (disks[leg] == nullptr || focus.legs[leg].page_begin + in_page >= disks[leg]->sectors())
      continue;
    chronicle->legs[leg].digest = fmt::format("{:08x}", digest(leg, in_page) >> 32);
    for (Sector i = 0; leg > 0 && disks[0] != nullptr && i < kPageSectors; ++i) {
      if (focus.legs[leg].page_begin + i >= disks[leg]->sectors()) break;
      if (digest(0, i) == digest(leg, i)) continue;
      const Sector sector = focus.page_range.begin + i;
      auto& differing = chronicle->differing;
      if (differing.empty() || differing.back() < sector) differing.push_back(sector);
    }
  }
  if (focus.log_disk.empty() || !focus.region) return;
  const std::size_t log = disk_index(last, focus.log_disk);
  if (log == last.disks().size()) return;
  const Disk& disk = *last.disks()[log];
  if (focus.clone) {
    if (last.life() > 0) {
      const Image& media = last.first_media()[log];
      chronicle->clean_after_cut =
          says_hydrated(last, focus, [&](std::uint64_t page) { return media.page(page); });
    }
    chronicle->clean_at_end =
        says_hydrated(last, focus, [&](std::uint64_t page) { return disk.current_page(page); });
    return;
  }
  if (last.life() > 0) {
    const Image& media = last.first_media()[log];
    chronicle->clean_after_cut =
        says_clean(log_bytes(*focus.region, [&](std::uint64_t page) { return media.page(page); }),
                   *focus.region);
  }
  chronicle->clean_at_end = says_clean(
      log_bytes(*focus.region, [&](std::uint64_t page) { return disk.current_page(page); }),
      *focus.region);
}

}  // namespace dmsim
