// The judge's watch over clones: at every instant, each region whose bit is durable in the metadata is
// durable on the destination.
//
// Durable metadata are what an activation would read from the media as they are; the engine's own reader says
// which regions it would believe. They are looked at again only when those media have changed. A region is
// durable when each of its sectors holds, on the media of the destination, a content that may be there after
// a power cut: that of the source at first boot where nobody has written, else one of the writes that no
// flush has made obsolete.
//
// And what the loss of such a region means for its users: the author of the fix of 2019 lists four
// consequences; verdicts tell them apart.
#include <algorithm>
#include <cstring>

#include "base/reached.h"
#include "harness/judge.h"
#include "harness/oracle_names.h"
#include "harness/world.h"

namespace dmsim {
namespace {

// Where sectors of a user's device lie on a disk.
struct Piece {
  SectorRange range;  // of the user's device
  Sector begin;       // on the disk
};

std::vector<Piece> stretches_on(const std::vector<Extent>& extents, const DiskRange& disk) {
  std::vector<Piece> out;
  for (const Extent& extent : extents) {
    for (const Extent::Copy& copy : extent.copies) {
      const SectorRange all{copy.begin, copy.begin + extent.range.count()};
      if (copy.disk != disk.disk || copy.from_source || !all.overlaps(disk.sectors)) continue;
      const SectorRange part = all.intersection(disk.sectors);
      const Sector first = extent.range.begin + (part.begin - copy.begin);
      out.push_back({{first, first + part.count()}, part.begin});
    }
  }
  return out;
}

// The sectors of `page` of a user's device that lie within the stretch, with what the media hold there.
PageRef durable_page(const Image& media, const Piece& stretch, std::uint64_t page,
                     PageSpace& scratch, std::uint8_t* mask) {
  const Sector first = page * kPageSectors;
  const SectorRange part = stretch.range.intersection({first, first + kPageSectors});
  const Sector there = stretch.begin + (part.begin - stretch.range.begin);
  const auto from = static_cast<unsigned>(part.begin - first);
  *mask = static_cast<std::uint8_t>(((1u << part.count()) - 1u) << from);
  if (part.count() == kPageSectors && there % kPageSectors == 0) {
    return media.page(there / kPageSectors);
  }
  std::byte* bytes = nullptr;
  PageRef made = scratch.make(&bytes);
  std::memset(bytes, 0, kPageBytes);
  media.read({there, there + part.count()},
             {bytes + from * kSectorBytes, part.count() * kSectorBytes});
  return made;
}

constexpr std::string_view kUnderFlush = "lost although a user's flush was under way";
constexpr std::string_view kNeverWritten = "sectors lost that users never wrote";
constexpr std::string_view kBlockTorn = "a write of one block is neither old nor new";
constexpr std::string_view kNoMixture = "a write is no mixture of old and new";

}  // namespace

// A disk is all of itself.
std::vector<Extent> Judge::extents_of(std::string_view device) {
  if (const Disk* disk = world_.disk(device)) {
    return {{{0, disk->sectors()}, {{std::string(device), 0}}, {}}};
  }
  return copies(device);
}

void Judge::check_clones() {
  const auto& views = world_.clone_views();
  bool same = views.size() == clones_.size();
  for (std::size_t i = 0; same && i < views.size(); ++i) same = views[i].view == clones_[i].view;
  if (!same) {
    clones_.clear();
    copies_.clear();
    for (const auto& [device, view] : views) {
      clones_.push_back({view, device, false, 0, 0, std::vector<bool>(view->region_count(), false)});
    }
  }
  for (CloneWatch& watch : clones_) check_clone(watch);
}

void Judge::check_clone(CloneWatch& watch) {
  const std::vector<Extent> extents = extents_of(watch.view->metadata_device());
  std::uint64_t generation = 0;
  for (const Extent& extent : extents) {
    if (extent.copies.empty()) continue;
    const Disk* disk = world_.disk(extent.copies[0].disk);
    if (disk != nullptr) generation += disk->generation();
  }
  if (watch.seen && generation == watch.generation) return;
  watch.generation = generation;
  std::uint64_t fingerprint = 0;
  for (const Extent& extent : extents) {
    if (extent.copies.empty()) continue;
    const Disk* disk = world_.disk(extent.copies[0].disk);
    if (disk != nullptr) fingerprint = mix_words(fingerprint, disk->media().fingerprint());
  }
  if (watch.seen && fingerprint == watch.fingerprint) return;
  watch.seen = true;
  watch.fingerprint = fingerprint;
  const auto read = [&](Sector first, std::uint32_t count, std::byte* out) {
    for (const DiskRange& part : disk_ranges(extents, {first, first + count})) {
      const Disk* disk = world_.disk(part.disk);
      CHECK(disk != nullptr, part.disk);
      disk->media().read(part.sectors, {out, part.sectors.count() * kSectorBytes});
      out += part.sectors.count() * kSectorBytes;
    }
  };
  const auto hydrated = watch.view->hydrated_by(read);
  if (!hydrated.ok()) {
    Violation violation;
    violation.oracle = oracle::kCommittedDurable;
    violation.state = "durable metadata would be refused";
    violation.device = watch.device;
    violation.blame = blame_for(watch.device, {});
    violation.sentence = fmt::format("the metadata of {} that are durable on {} would be refused: {}",
                                     watch.device, watch.view->metadata_device(), hydrated.error());
    return report(std::move(violation));
  }
  for (std::uint64_t region = 0; region < hydrated->size(); ++region) {
    const bool before = watch.durable[region];
    watch.durable[region] = (*hydrated)[region];
    if (!before && watch.durable[region]) check_committed_region(watch, region);
  }
}

void Judge::check_committed_region(const CloneWatch& watch, std::uint64_t region) {
  const CloneView& view = *watch.view;
  const Sector begin = region * view.region_sectors();
  const SectorRange range{begin, std::min<Sector>(begin + view.region_sectors(), view.sectors())};
  PageSpace scratch(world_.workshop().pages(), 0);
  for (const DiskRange& there : disk_ranges(extents_of(view.destination_device()), range)) {
    const Disk* disk = world_.disk(there.disk);
    if (disk == nullptr) continue;
    for (const std::string& user : world_.checked_devices()) {
      const Reference& reference = *world_.reference(user);
      for (const Piece& stretch : stretches_on(copies(user), there)) {
        std::vector<Mismatch> wrong;
        for (std::uint64_t page = stretch.range.begin / kPageSectors;
             page * kPageSectors < stretch.range.end && page * kPageSectors < reference.sectors(); ++page) {
          std::uint8_t mask = 0;
          const PageRef found = durable_page(disk->media(), stretch, page, scratch, &mask);
          reference.check_after_cut(page, found, mask, &wrong);
        }
        if (wrong.empty()) continue;
        const Sector sector = wrong.front().sector;
        Violation violation;
        violation.oracle = oracle::kCommittedDurable;
        violation.state = clone_consequence(user, wrong.front());
        violation.device = user;
        violation.sectors = {sector, sector + 1};
        violation.blame = blame_for(user, violation.sectors);
        violation.sentence = fmt::format(
            "the metadata of {} that are durable call region {} valid, but {} of its sectors, {} of {} the "
            "first, are not durable on {}",
            watch.device, region, wrong.size(), sector, user, there.disk);
        violation.details.push_back(violation.state);
        report(std::move(violation));
        return;
      }
    }
  }
}

std::string_view Judge::clone_consequence(std::string_view device, const Mismatch& mismatch) {
  const Reference* reference = world_.reference(device);
  if (reference == nullptr) return {};
  std::uint32_t block = 0;
  for (const Extent& extent : copies(device)) {
    if (!extent.is_clone() || !extent.range.contains(mismatch.sector)) continue;
    const BlockDevice* mapped = world_.mapper().find(device);
    block = mapped == nullptr ? 1 : mapped->limits().logical_block_sectors;
  }
  if (block == 0) return {};
  const auto write = reference->newest_write(mismatch.sector);
  if (mismatch.kind == Mismatch::Kind::kUntouched || !write) {
    REACHED("sectors of a clone are lost that nobody ever wrote");
    return kNeverWritten;
  }
  // The author's fourth: the commit that the flush brought about came before the flush itself.
  if (reference->flushes_under_way() > 0) {
    REACHED("a region of a clone is lost while a flush is under way");
    return kUnderFlush;
  }
  if (write->sectors <= block) {
    REACHED("a write of one block to a clone is neither old nor new");
    return kBlockTorn;
  }
  REACHED("a write to a clone is no mixture of old and new");
  return kNoMixture;
}

}  // namespace dmsim
