// RegionCopier: copies a region from one leg to the others (what kcopyd does for a mirror).
//
// A copy is cut into pieces of at most half a MiB, a few of which are under way at a time: each is
// read into frames, then written from those frames to every destination at once. Pages move by
// reference. Everything after the start runs in interrupt context. One copy at a time.
//
// With ignore_errors (a mirror without handle_errors) a failed read does not end the copy: whatever
// the frames hold is written, which for a page that nothing was ever read into is a pattern that
// is easy to recognise.
//
// Not modelled: throttling of recovery, and running short of pages for it.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <vector>

#include "block/device.h"
#include "sim/scheduler.h"

namespace dmsim::native {

class RegionCopier {
 public:
  static constexpr std::uint32_t kPieceSectors = 1024;
  static constexpr std::uint32_t kPiecesAtOnce = 8;
  static constexpr std::uint32_t kMaxDestinations = 8;
  static constexpr std::byte kNeverRead{0xA7};  // what a page holds that no read has filled

  struct Place {
    BlockDevice* device = nullptr;
    Sector sector = 0;
  };
  struct Outcome {
    bool read_failed = false;
    std::uint64_t failed_destinations = 0;  // bit n: destination n
    bool injected = false;                  // some failure was a fault's
    bool ok() const { return !read_failed && failed_destinations == 0; }
  };
  struct Request {
    Place from;
    std::array<Place, kMaxDestinations> to;
    std::uint32_t destinations = 0;
    std::uint64_t sectors = 0;
    bool ignore_errors = false;
  };
  using Done = void (*)(void* context, const Outcome& outcome);

  RegionCopier(BioPool& bios, PageSpace& pages, Actor issuer)
      : bios_(bios), pages_(pages), issuer_(issuer) {}
  RegionCopier(const RegionCopier&) = delete;
  RegionCopier& operator=(const RegionCopier&) = delete;

  bool busy() const { return pieces_busy_ > 0; }
  // Requires !busy(). `done` runs in interrupt context, or before this returns if all fails at
  // once.
  void copy(const Request& request, Done done, void* context);

 private:
  struct Piece {
    RegionCopier* copier = nullptr;
    Sector first = 0;  // from the region's start
    std::uint32_t sectors = 0;
    std::uint32_t writes_pending = 0;
    std::vector<Frame> frames;
    std::vector<Segment> segments;
  };
  static void on_read(Bio& bio);
  static void on_write(Bio& bio);
  bool begin_next(Piece& piece);
  void prepare_frames(Piece& piece);
  void write_out(Piece& piece);
  void end_piece(Piece& piece);
  Bio* make_bio(Piece& piece, Op op, const Place& place);

  BioPool& bios_;
  PageSpace& pages_;
  Actor issuer_;
  std::deque<Piece> pieces_;
  Request request_;
  Outcome outcome_;
  Done done_ = nullptr;
  void* context_ = nullptr;
  std::uint32_t piece_limit_ = kPieceSectors;  // of this copy
  std::uint64_t next_sector_ = 0;              // of the region, not yet given to a piece
  std::uint32_t pieces_busy_ = 0;
};

}  // namespace dmsim::native
