// Bio: one request of the block layer, from whoever submits it down to the simulated disks.
//
// A bio names its data, it does not carry it: segments point at frames of simulated memory (or, from
// the kernel engines, at plain bytes), and each disk samples them at an instant of its own. Clones and
// split-off parts share the submitter's segments and keep their own position in them.
//
// The submitter owns bio and segments until end_io runs; from then on nobody below may touch them.
// end_io runs in interrupt context and must not block.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "block/page.h"
#include "block/sector.h"

namespace dmsim {

enum class Op : std::uint8_t { kRead, kWrite, kFlush, kDiscard };

// How a bio ended, after Linux's blk_status_t. `injected` stays with an error that a fault made, all
// the way up: an error without it is the engine's own.
struct BlockStatus {
  enum class Code : std::uint8_t {
    kOk,
    kIoError,       // BLK_STS_IOERR, EIO
    kNotSupported,  // BLK_STS_NOTSUPP, EOPNOTSUPP
    kNoSpace,       // BLK_STS_NOSPC, ENOSPC
    kRequeue,       // BLK_STS_DM_REQUEUE: between a target and dm core only
    kTimeout,       // BLK_STS_TIMEOUT
    kMedium,        // BLK_STS_MEDIUM: a bad sector
  };
  Code code = Code::kOk;
  bool injected = false;

  bool ok() const { return code == Code::kOk; }
  static constexpr BlockStatus okay() { return {}; }
  static constexpr BlockStatus of(Code code) { return {code, false}; }
  friend bool operator==(BlockStatus, BlockStatus) = default;
};

std::string_view op_name(Op op);                     // "read"
// The names by value, for trace arguments of form kEnum.
inline constexpr std::string_view kOpNames[] = {"read", "write", "flush", "discard"};
inline constexpr std::string_view kStatusNames[] = {"ok",      "EIO",       "EOPNOTSUPP", "ENOSPC",
                                                    "REQUEUE", "ETIMEDOUT", "ENODATA"};
std::string_view status_name(BlockStatus::Code code);  // "EIO"

// `length` bytes of data at `offset` within a frame, or within plain memory. Multiples of 512.
struct Segment {
  Frame* frame = nullptr;      // sampled by reference where alignment allows
  std::byte* bytes = nullptr;  // used when `frame` is null; offset counts from here
  std::uint32_t offset = 0;
  std::uint32_t length = 0;
};

struct Bio;
using EndIo = void (*)(Bio& bio);

struct Bio {
  Op op = Op::kRead;
  bool fua = false;       // writes only: durable before completion
  bool preflush = false;  // writes only: flush the cache before writing
  Sector sector = 0;      // on the device it is submitted to
  std::uint32_t sectors = 0;  // 0 for a flush

  const Segment* segments = nullptr;  // null for flush and discard
  std::uint32_t segment_count = 0;
  std::uint32_t data_offset = 0;      // bytes of segments before this bio's first

  BlockStatus status;
  EndIo end_io = nullptr;
  void* context = nullptr;       // of end_io's owner
  std::uint64_t argument = 0;    // of end_io's owner

  std::uint64_t trace_id = 0;    // its bio.submit event at the latest device; the cause of what follows
  std::uint32_t issuer = 0;      // the actor that submitted it at the top
  Bio* next = nullptr;           // in a BioList; not used while submitted below dm core

  SectorRange range() const { return {sector, sector + sectors}; }
  void complete(BlockStatus result) {
    status = result;
    end_io(*this);
  }
};

// In the notation of docs/GLOSSARY.md: W8+4, R0+8, D16+8, F, W0+8!.
std::string bio_notation(Op op, bool fua, Sector sector, std::uint32_t sectors);
inline std::string bio_notation(const Bio& bio) {
  return bio_notation(bio.op, bio.fua, bio.sector, bio.sectors);
}

// FIFO of bios, linked through Bio::next. Owns nothing.
class BioList {
 public:
  bool empty() const { return first_ == nullptr; }
  std::size_t size() const { return size_; }
  Bio* first() const { return first_; }
  void push_back(Bio& bio) {
    bio.next = nullptr;
    (last_ == nullptr ? first_ : last_->next) = &bio;
    last_ = &bio;
    ++size_;
  }
  void push_front(Bio& bio) {
    bio.next = first_;
    first_ = &bio;
    if (last_ == nullptr) last_ = &bio;
    ++size_;
  }
  Bio* pop_front() {
    Bio* bio = first_;
    if (bio == nullptr) return nullptr;
    first_ = bio->next;
    if (first_ == nullptr) last_ = nullptr;
    bio->next = nullptr;
    --size_;
    return bio;
  }
  // Appends everything of `other`, which is empty afterwards.
  void take_all(BioList& other) {
    while (Bio* bio = other.pop_front()) push_back(*bio);
  }

 private:
  Bio* first_ = nullptr;
  Bio* last_ = nullptr;
  std::size_t size_ = 0;
};

// Bios for those who clone, kept for reuse. One per world: bios under way die with it.
class BioPool {
 public:
  // A bio with default fields.
  Bio* allocate();
  void free(Bio* bio);
  // A clone of the part [first, first + sectors) of `bio`, in sectors from its start, with the same
  // data, op, fua, issuer and trace_id; preflush is not cloned.
  Bio* clone(const Bio& bio, std::uint32_t first, std::uint32_t sectors);
  std::uint64_t live() const { return live_; }
  ~BioPool();
  BioPool() = default;
  BioPool(const BioPool&) = delete;
  BioPool& operator=(const BioPool&) = delete;

 private:
  BioList free_;
  std::vector<Bio*> slabs_;
  std::uint64_t live_ = 0;
};

// Walks a bio's data in pieces that lie in one segment and in one page of the *device*: whatever
// moves data between memory and disks goes through here.
struct DataPiece {
  const Segment* segment;
  std::uint32_t segment_offset;  // bytes from the frame's (or the plain memory's) start
  Sector device_sector;          // where the piece lies on the bio's device
  std::uint32_t sectors;         // >= 1; does not cross a 4 KiB boundary of device or frame
};

class DataCursor {
 public:
  explicit DataCursor(const Bio& bio);
  // False at the end of the bio.
  bool next(DataPiece* piece);

 private:
  const Segment* segment_;
  std::uint32_t used_;     // bytes of *segment_ already walked
  Sector sector_;
  std::uint32_t sectors_left_;
};

// The content of a piece that covers a whole, aligned page: by reference from a frame, copied from
// plain memory. Any other piece is copied sector by sector by the caller through read_piece.
bool piece_is_whole_page(const DataPiece& piece);
PageRef sample_page(const DataPiece& piece, PageSpace& space);
// Copies a piece out of simulated memory / into it.
void read_piece(const DataPiece& piece, std::byte* out);
void write_piece(const DataPiece& piece, PageSpace& space, const std::byte* in);
// Puts a whole page where a whole-page piece lies: by reference into a frame.
void deliver_page(const DataPiece& piece, PageSpace& space, const PageRef& page);

}  // namespace dmsim
