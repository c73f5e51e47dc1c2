#include "engine/native/mirror/region_copier.h"

#include <algorithm>
#include <cstring>

#include "base/reached.h"

namespace dmsim::native {

void RegionCopier::copy(const Request& request, Done done, void* context) {
  CHECK(!busy());
  CHECK(request.destinations > 0 && request.destinations <= kMaxDestinations);
  CHECK(request.sectors > 0);
  request_ = request;
  outcome_ = Outcome{};
  done_ = done;
  context_ = context;
  next_sector_ = 0;
  piece_limit_ = std::min(kPieceSectors, request.from.device->limits().max_sectors);
  for (std::uint32_t i = 0; i < request.destinations; ++i) {
    piece_limit_ = std::min(piece_limit_, request.to[i].device->limits().max_sectors);
  }
  const std::uint64_t wanted = (request.sectors + piece_limit_ - 1) / piece_limit_;
  const auto at_once = static_cast<std::uint32_t>(std::min<std::uint64_t>(wanted, kPiecesAtOnce));
  while (pieces_.size() < at_once) pieces_.emplace_back().copier = this;
  // The copy itself holds one until all have begun, so that it cannot end before.
  ++pieces_busy_;
  for (std::uint32_t i = 0; i < at_once; ++i) {
    ++pieces_busy_;
    if (!begin_next(pieces_[i])) --pieces_busy_;
  }
  if (--pieces_busy_ == 0) done_(context_, outcome_);
}

// False: nothing is left to do, or an error has made the rest pointless.
bool RegionCopier::begin_next(Piece& piece) {
  if (next_sector_ == request_.sectors || (!outcome_.ok() && !request_.ignore_errors)) return false;
  piece.first = next_sector_;
  piece.sectors = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(piece_limit_, request_.sectors - next_sector_));
  next_sector_ += piece.sectors;
  prepare_frames(piece);
  Bio* bio = make_bio(piece, Op::kRead, request_.from);
  bio->end_io = &RegionCopier::on_read;
  request_.from.device->submit(*bio);
  return true;
}

void RegionCopier::prepare_frames(Piece& piece) {
  const std::size_t frame_count = (piece.sectors + kPageSectors - 1) / kPageSectors;
  if (piece.frames.size() < frame_count) {
    piece.frames.resize(frame_count);
    piece.segments.resize(frame_count);
  }
  for (std::size_t i = 0; i < frame_count; ++i) {
    const auto left = piece.sectors - static_cast<std::uint32_t>(i) * kPageSectors;
    piece.segments[i] = {&piece.frames[i], nullptr, 0, std::min(left, kPageSectors) * kSectorBytes};
  }
}

Bio* RegionCopier::make_bio(Piece& piece, Op op, const Place& place) {
  Bio* bio = bios_.allocate();
  bio->op = op;
  bio->sector = place.sector + piece.first;
  bio->sectors = piece.sectors;
  bio->segments = piece.segments.data();
  bio->segment_count = (piece.sectors + kPageSectors - 1) / kPageSectors;
  bio->context = &piece;
  bio->issuer = static_cast<std::uint32_t>(issuer_);
  return bio;
}

void RegionCopier::on_read(Bio& bio) {
  Piece& piece = *static_cast<Piece*>(bio.context);
  RegionCopier& copier = *piece.copier;
  const BlockStatus status = bio.status;
  copier.bios_.free(&bio);
  if (!status.ok()) {
    copier.outcome_.read_failed = true;
    copier.outcome_.injected |= status.injected;
    if (!copier.request_.ignore_errors) return copier.end_piece(piece);
    REACHED("recovery writes what it could not read");
  }
  copier.write_out(piece);
}

void RegionCopier::write_out(Piece& piece) {
  for (std::size_t i = 0; i * kPageSectors < piece.sectors; ++i) {
    if (!piece.frames[i].empty()) continue;
    std::byte* bytes = nullptr;
    PageRef page = pages_.make(&bytes);
    std::memset(bytes, std::to_integer<int>(kNeverRead), kPageBytes);
    piece.frames[i].set(std::move(page));
  }
  piece.writes_pending = request_.destinations;
  for (std::uint32_t i = 0; i < request_.destinations; ++i) {
    Bio* bio = make_bio(piece, Op::kWrite, request_.to[i]);
    bio->end_io = &RegionCopier::on_write;
    bio->argument = i;
    request_.to[i].device->submit(*bio);
  }
}

void RegionCopier::on_write(Bio& bio) {
  Piece& piece = *static_cast<Piece*>(bio.context);
  RegionCopier& copier = *piece.copier;
  if (!bio.status.ok()) {
    copier.outcome_.failed_destinations |= std::uint64_t{1} << bio.argument;
    copier.outcome_.injected |= bio.status.injected;
  }
  copier.bios_.free(&bio);
  if (--piece.writes_pending == 0) copier.end_piece(piece);
}

void RegionCopier::end_piece(Piece& piece) {
  for (Frame& frame : piece.frames) frame.set(PageRef());
  if (begin_next(piece)) return;
  if (--pieces_busy_ == 0) done_(context_, outcome_);
}

}  // namespace dmsim::native
