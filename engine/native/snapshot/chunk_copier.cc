#include "engine/native/snapshot/chunk_copier.h"

#include <algorithm>
#include <cstring>

namespace dmsim::native {

ChunkCopier::ChunkCopier(Scheduler& scheduler, BioPool& bios, PageSpace& pages, Actor actor,
                         std::string name)
    : bios_(bios),
      pages_(pages),
      actor_(actor),
      worker_(scheduler, actor, std::move(name), *this) {}

ChunkCopier::CopyJob& ChunkCopier::take_job(Done done, void* context) {
  if (free_ == nullptr) {
    storage_.emplace_back();
    free_ = &storage_.back();
  }
  CopyJob& job = *free_;
  free_ = job.next;
  job.copier = this;
  job.from = Place{};
  job.to = Place{};
  job.next_sector = 0;
  job.pieces_busy = 0;
  job.outcome = Outcome{};
  job.done = done;
  job.context = context;
  job.next = nullptr;
  ++jobs_in_use_;
  worker_.start();
  return job;
}

void ChunkCopier::copy(Place from, Place to, std::uint64_t sectors, Done done, void* context) {
  CopyJob& job = take_job(done, context);
  job.from = from;
  job.to = to;
  job.sectors = sectors;
  start(job);
}

void ChunkCopier::zero(Place to, std::uint64_t sectors, Done done, void* context) {
  CopyJob& job = take_job(done, context);
  job.to = to;
  job.sectors = sectors;
  start(job);
}

void ChunkCopier::post(Outcome outcome, Done done, void* context) {
  CopyJob& job = take_job(done, context);
  job.outcome = outcome;
  ended(job);
}

void ChunkCopier::start(CopyJob& job) {
  if (job.sectors == 0) return ended(job);
  job.piece_limit = std::min(kPieceSectors, job.to.device->limits().max_sectors);
  if (job.from.device != nullptr) {
    job.piece_limit = std::min(job.piece_limit, job.from.device->limits().max_sectors);
  }
  // A range beyond the end fails as the block layer would fail it.
  const bool fits = job.to.sector + job.sectors <= job.to.device->sectors() &&
                    (job.from.device == nullptr ||
                     job.from.sector + job.sectors <= job.from.device->sectors());
  if (!fits || job.piece_limit == 0) {
    job.outcome.failed = true;
    return ended(job);
  }
  const std::uint64_t wanted = (job.sectors + job.piece_limit - 1) / job.piece_limit;
  const auto at_once = static_cast<std::uint32_t>(std::min<std::uint64_t>(wanted, kPiecesAtOnce));
  while (job.pieces.size() < at_once) job.pieces.emplace_back().job = &job;
  // The job itself holds one until all have begun, so that it cannot end before.
  ++job.pieces_busy;
  for (std::uint32_t i = 0; i < at_once; ++i) {
    ++job.pieces_busy;
    if (!begin_next(job.pieces[i])) --job.pieces_busy;
  }
  if (--job.pieces_busy == 0) ended(job);
}

// False: nothing is left to do, or an error has made the rest pointless.
bool ChunkCopier::begin_next(Piece& piece) {
  CopyJob& job = *piece.job;
  if (job.next_sector == job.sectors || job.outcome.failed) return false;
  piece.first = job.next_sector;
  piece.sectors = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(job.piece_limit, job.sectors - job.next_sector));
  job.next_sector += piece.sectors;
  prepare_frames(piece);
  if (job.from.device != nullptr) {
    submit(piece, Op::kRead, job.from, &ChunkCopier::on_read);
  } else {
    fill_empty_frames(piece);
    submit(piece, Op::kWrite, job.to, &ChunkCopier::on_write);
  }
  return true;
}

void ChunkCopier::prepare_frames(Piece& piece) {
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

void ChunkCopier::fill_empty_frames(Piece& piece) {
  for (std::size_t i = 0; i * kPageSectors < piece.sectors; ++i) {
    std::byte* bytes = nullptr;
    PageRef page = pages_.make(&bytes);
    std::memset(bytes, 0, kPageBytes);
    piece.frames[i].set(std::move(page));
  }
}

void ChunkCopier::submit(Piece& piece, Op op, const Place& place, EndIo end_io) {
  Bio* bio = bios_.allocate();
  bio->op = op;
  bio->sector = place.sector + piece.first;
  bio->sectors = piece.sectors;
  bio->segments = piece.segments.data();
  bio->segment_count = (piece.sectors + kPageSectors - 1) / kPageSectors;
  bio->end_io = end_io;
  bio->context = &piece;
  bio->issuer = static_cast<std::uint32_t>(actor_);
  place.device->submit(*bio);
}

void ChunkCopier::on_read(Bio& bio) {
  Piece& piece = *static_cast<Piece*>(bio.context);
  CopyJob& job = *piece.job;
  ChunkCopier& copier = *job.copier;
  const BlockStatus status = bio.status;
  copier.bios_.free(&bio);
  if (!status.ok()) {
    job.outcome = {true, job.outcome.injected || status.injected};
    return copier.end_piece(piece);
  }
  copier.submit(piece, Op::kWrite, job.to, &ChunkCopier::on_write);
}

void ChunkCopier::on_write(Bio& bio) {
  Piece& piece = *static_cast<Piece*>(bio.context);
  CopyJob& job = *piece.job;
  ChunkCopier& copier = *job.copier;
  const BlockStatus status = bio.status;
  copier.bios_.free(&bio);
  if (!status.ok()) job.outcome = {true, job.outcome.injected || status.injected};
  copier.end_piece(piece);
}

void ChunkCopier::end_piece(Piece& piece) {
  for (Frame& frame : piece.frames) frame.set(PageRef());
  if (begin_next(piece)) return;
  CopyJob& job = *piece.job;
  if (--job.pieces_busy == 0) ended(job);
}

void ChunkCopier::ended(CopyJob& job) {
  job.next = nullptr;
  (ended_last_ == nullptr ? ended_first_ : ended_last_->next) = &job;
  ended_last_ = &job;
  worker_.wake();
}

void ChunkCopier::run_pass() {
  while (CopyJob* job = ended_first_) {
    ended_first_ = job->next;
    if (ended_first_ == nullptr) ended_last_ = nullptr;
    const Done done = job->done;
    void* const context = job->context;
    const Outcome outcome = job->outcome;
    job->next = free_;
    free_ = job;
    --jobs_in_use_;
    done(context, outcome);
  }
}

}  // namespace dmsim::native
