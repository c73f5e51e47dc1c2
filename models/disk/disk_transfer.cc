// The transfer: data moves between frames and the disk. Whole aligned pages move by reference; anything
// else is merged with the page's current content, which costs a copy.
#include <algorithm>
#include <cstring>

#include "models/disk/disk.h"
#include "models/disk/request.h"

namespace dmsim {
namespace {

// A step ends at a page boundary and takes an even share of the pages still to go.
Sector end_of_step(const DiskRequest& request) {
  if (request.steps_left == 1) return request.range.end;
  const SectorRange rest{request.range.begin + request.moved, request.range.end};
  const std::uint64_t share = (pages_touched(rest) + request.steps_left - 1) / request.steps_left;
  return std::min(rest.end, (rest.begin / kPageSectors + share) * kPageSectors);
}

}  // namespace

void Disk::transfer(DiskRequest& request) {
  if (request.phase == DiskRequest::Phase::kWaiting) {
    decide(request, request.op);
    request.phase = DiskRequest::Phase::kMoving;
  }
  CHECK(request.phase == DiskRequest::Phase::kMoving);
  CHECK(request.steps_left > 0);
  if (request.op != Op::kRead) ++generation_;
  const std::uint32_t before = request.moved;
  std::uint64_t version = 0;
  if (request.op == Op::kDiscard) {
    transfer_discard(request);
  } else {
    const Sector stop = end_of_step(request);
    const Sector last = request.range.begin + request.fate.moved_sectors;
    const Sector from = request.range.begin + before;
    if (last > from) {
      version = transfer_data(request, static_cast<std::uint32_t>(std::min(stop, last) - from));
    }
    if (stop >= last) request.steps_left = 1;
  }
  --request.steps_left;
  scheduler_.trace().emit_caused(kDiskTransfer, actor_, request.submit, op_text(request.op),
                                 request.range.begin + before, request.moved - before, version);
  if (request.steps_left > 0) return schedule_transfer(request);
  request.phase = DiskRequest::Phase::kTransferred;
  scheduler_.at(request.completes, DiskEvents::complete, &request);
}

// Moves the next sectors; returns the version of the content if they lie in one page.
std::uint64_t Disk::transfer_data(DiskRequest& request, std::uint32_t sectors) {
  const Bio part = part_of(request, sectors);
  std::uint64_t version = 0;
  std::uint32_t pieces = 0;
  DataCursor cursor(part);
  for (DataPiece piece; cursor.next(&piece); ++pieces) {
    const PageRef content =
        request.op == Op::kRead ? transfer_read(piece) : transfer_write(request, piece);
    if (!piece_is_whole_page(piece) || piece.segment->frame == nullptr) {
      stats_.bytes_copied += piece.sectors * kSectorBytes;
    }
    version = content.version();
  }
  request.moved += sectors;
  (request.op == Op::kRead ? stats_.sectors_read : stats_.sectors_written) += sectors;
  return pieces == 1 ? version : 0;
}

PageRef Disk::transfer_read(const DataPiece& piece) {
  const std::uint64_t index = piece.device_sector / kPageSectors;
  PageRef content = cache_.current(index);
  if (!faults_.rotten().empty()) content = rotted(index, std::move(content));
  if (piece_is_whole_page(piece)) {
    deliver_page(piece, space_, content);
  } else {
    const auto first = static_cast<std::uint32_t>(piece.device_sector % kPageSectors);
    write_piece(piece, space_, content.sector_bytes(first));
  }
  return content;
}

PageRef Disk::transfer_write(DiskRequest& request, const DataPiece& piece) {
  const SectorRange part{piece.device_sector, piece.device_sector + piece.sectors};
  PageRef content;
  if (piece_is_whole_page(piece)) {
    content = sample_page(piece, space_);
  } else {
    content = cache_.current(piece.device_sector / kPageSectors);
    const auto first = static_cast<std::uint32_t>(piece.device_sector % kPageSectors);
    read_piece(piece, space_.change(content) + first * kSectorBytes);
  }
  put(request, part, content);
  return content;
}

void Disk::put(DiskRequest& request, SectorRange part, PageRef content) {
  if (!faults_.rotten().empty()) faults_.heal(part);
  CachedWrite* write = cache_.put(part.begin / kPageSectors, sector_mask(part), std::move(content),
                                  request.submit, request.fua);
  write->next = request.first_write;
  request.first_write = write;
}

void Disk::transfer_discard(DiskRequest& request) {
  const SectorRange range{request.range.begin, request.range.begin + request.fate.moved_sectors};
  request.moved = request.fate.moved_sectors;
  if (range.empty()) return;
  const std::uint64_t outcome = scheduler_.choices().draw(kDiskDiscarded, actor_, 3);
  const PageRef page = discarded_page(outcome);
  if (!page) return;
  for (Sector sector = range.begin; sector < range.end;) {
    const SectorRange part = first_page_of({sector, range.end});
    PageRef content = page;
    if (part.count() < kPageSectors) {
      content = cache_.current(sector / kPageSectors);
      const auto first = static_cast<std::uint32_t>(sector % kPageSectors);
      std::memcpy(space_.change(content) + first * kSectorBytes, page.sector_bytes(first),
                  part.count() * kSectorBytes);
    }
    put(request, part, std::move(content));
    sector = part.end;
  }
}

// Null: the old data stays.
PageRef Disk::discarded_page(std::uint64_t outcome) {
  if (outcome == 1) return PageRef();
  PageRef& page = outcome == 0 ? zeros_ : garbage_;
  if (page) return page;
  std::byte* bytes = nullptr;
  page = space_.make(&bytes);
  std::memset(bytes, outcome == 0 ? 0 : 0xDD, kPageBytes);
  if (outcome == 2) {
    const std::string stamp = fmt::format("discarded {:.40}\n", name());
    for (std::uint32_t sector = 0; sector < kPageSectors; ++sector) {
      std::memcpy(bytes + sector * kSectorBytes, stamp.data(), stamp.size());
    }
  }
  return page;
}

// What a read delivers of a page with rotten bits.
PageRef Disk::rotted(std::uint64_t index, PageRef honest) {
  std::byte* bytes = nullptr;
  for (const RottenBit& rot : faults_.rotten()) {
    if (rot.sector / kPageSectors != index) continue;
    // The first flip leaves the honest page, which the media or the cache hold, and works on a copy.
    if (bytes == nullptr) bytes = space_.change(honest);
    const auto at = static_cast<std::uint32_t>(rot.sector % kPageSectors) * kSectorBytes + rot.bit / 8;
    bytes[at] ^= std::byte{1} << (rot.bit % 8);
  }
  return honest;
}

}  // namespace dmsim
