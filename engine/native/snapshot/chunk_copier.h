// ChunkCopier: copies and zeroes chunks for one snapshot, many at a time (what kcopyd does for it).
//
// A job is cut into pieces of at most half a MiB, a few of which are under way at a time: each is read
// into frames, then written from those. Pages move by reference. What a job leads to is done by one
// worker fiber, in the order in which jobs end, one after the other: it may block.
//
// Not modelled: running short of pages, throttling by time.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "block/device.h"
#include "engine/native/mirror/mirror_worker.h"
#include "sim/scheduler.h"

namespace dmsim::native {

class ChunkCopier final : private MirrorWorker::Job {
 public:
  static constexpr std::uint32_t kPieceSectors = 1024;
  static constexpr std::uint32_t kPiecesAtOnce = 8;

  struct Place {
    BlockDevice* device = nullptr;
    Sector sector = 0;
  };
  struct Outcome {
    bool failed = false;
    bool injected = false;  // some failure was a fault's
  };
  // Runs in the worker's fiber and may block.
  using Done = void (*)(void* context, Outcome outcome);

  ChunkCopier(Scheduler& scheduler, BioPool& bios, PageSpace& pages, Actor actor, std::string name);
  ChunkCopier(const ChunkCopier&) = delete;
  ChunkCopier& operator=(const ChunkCopier&) = delete;

  // Any context. Without sectors there is nothing to do, and `done` hears of success, as kcopyd has it.
  void copy(Place from, Place to, std::uint64_t sectors, Done done, void* context);
  void zero(Place to, std::uint64_t sectors, Done done, void* context);
  // `done` comes in its turn, without a copy.
  void post(Outcome outcome, Done done, void* context);
  // Waits until everything that has ended has also been done.
  void flush() { worker_.flush(); }
  std::uint64_t jobs() const { return jobs_in_use_; }

 private:
  struct CopyJob;
  struct Piece {
    CopyJob* job = nullptr;
    Sector first = 0;  // from the job's start
    std::uint32_t sectors = 0;
    std::vector<Frame> frames;
    std::vector<Segment> segments;
  };
  struct CopyJob {
    ChunkCopier* copier = nullptr;
    Place from;  // no device: zeroes are written
    Place to;
    std::uint64_t sectors = 0;
    Sector next_sector = 0;  // not yet given to a piece
    std::uint32_t piece_limit = 0;
    std::uint32_t pieces_busy = 0;
    Outcome outcome;
    Done done = nullptr;
    void* context = nullptr;
    std::deque<Piece> pieces;
    CopyJob* next = nullptr;  // in the free list or the list of those that have ended
  };

  void run_pass() override;
  CopyJob& take_job(Done done, void* context);
  void start(CopyJob& job);
  bool begin_next(Piece& piece);
  void prepare_frames(Piece& piece);
  void fill_empty_frames(Piece& piece);
  void submit(Piece& piece, Op op, const Place& place, EndIo end_io);
  static void on_read(Bio& bio);
  static void on_write(Bio& bio);
  void end_piece(Piece& piece);
  void ended(CopyJob& job);

  BioPool& bios_;
  PageSpace& pages_;
  Actor actor_;
  std::deque<CopyJob> storage_;
  CopyJob* free_ = nullptr;
  CopyJob* ended_first_ = nullptr;
  CopyJob* ended_last_ = nullptr;
  std::uint64_t jobs_in_use_ = 0;
  MirrorWorker worker_;
};

}  // namespace dmsim::native
