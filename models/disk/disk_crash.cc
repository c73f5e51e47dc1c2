// What oracles and power cuts see of a disk: contents without latency or faults.
#include <cstring>

#include "models/disk/disk.h"
#include "models/disk/request.h"

namespace dmsim {

Image Disk::current_image() const {
  Image image = media_;
  for (const DirtyPage* page : cache_.dirty()) image.set_page(page->index, page->current);
  return image;
}

void Disk::crash_space(PageSpace& scratch, CrashSpace* out) const {
  out->media = media_;
  for (const DirtyPage* page : cache_.dirty()) crash_.add_versions(*page);
  for (const DiskRequest* request = first_; request != nullptr; request = request->after) {
    add_untransferred(*request, scratch);
  }
  crash_.build(options_.atomic_sectors, scratch, out);
}

// What the request would move if it did so now.
void Disk::add_untransferred(const DiskRequest& request, PageSpace& scratch) const {
  const bool moves = request.phase == DiskRequest::Phase::kWaiting ||
                     request.phase == DiskRequest::Phase::kMoving;
  if (!moves || request.op == Op::kRead) return;
  if (request.op == Op::kDiscard) {
    add_untransferred_discard(request, scratch);
    return;
  }
  const Bio part = part_of(request, request.fate.moved_sectors - request.moved);
  DataCursor cursor(part);
  for (DataPiece piece; cursor.next(&piece);) {
    const SectorRange range{piece.device_sector, piece.device_sector + piece.sectors};
    PageRef content;
    if (piece_is_whole_page(piece)) {
      content = sample_page(piece, scratch);
    } else {
      std::byte* bytes = nullptr;
      content = scratch.make(&bytes);
      std::memset(bytes, 0, kPageBytes);
      read_piece(piece, bytes + range.begin % kPageSectors * kSectorBytes);
    }
    crash_.add(range.begin / kPageSectors, sector_mask(range),
               {std::move(content), request.submit, CrashCandidate::Progress::kSubmitted, request.fua});
  }
}

// A discard that was cut off leaves old data or zeros.
void Disk::add_untransferred_discard(const DiskRequest& request, PageSpace& scratch) const {
  std::byte* bytes = nullptr;
  const PageRef zeros = scratch.make(&bytes);
  std::memset(bytes, 0, kPageBytes);
  for (Sector sector = request.range.begin; sector < request.range.end;) {
    const SectorRange part = first_page_of({sector, request.range.end});
    crash_.add(sector / kPageSectors, sector_mask(part),
               {zeros, request.submit, CrashCandidate::Progress::kSubmitted, false});
    sector = part.end;
  }
}

}  // namespace dmsim
