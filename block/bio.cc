#include "block/bio.h"

#include <fmt/format.h>

#include <algorithm>

namespace dmsim {
namespace {
constexpr std::size_t kSlabBios = 64;
}

std::string_view op_name(Op op) { return kOpNames[static_cast<std::size_t>(op)]; }

std::string_view status_name(BlockStatus::Code code) {
  return kStatusNames[static_cast<std::size_t>(code)];
}

std::string bio_notation(Op op, bool fua, Sector sector, std::uint32_t sectors) {
  const char* mark = fua ? "!" : "";
  switch (op) {
    case Op::kRead: return fmt::format("R{}+{}", sector, sectors);
    case Op::kWrite: return fmt::format("W{}+{}{}", sector, sectors, mark);
    case Op::kDiscard: return fmt::format("D{}+{}", sector, sectors);
    case Op::kFlush: return "F";
  }
  UNMODELLED("operation");
}

Bio* BioPool::allocate() {
  if (free_.empty()) {
    Bio* slab = new Bio[kSlabBios];
    slabs_.push_back(slab);
    for (std::size_t i = kSlabBios; i-- > 0;) free_.push_front(slab[i]);
  }
  Bio* bio = free_.pop_front();
  *bio = Bio{};
  ++live_;
  return bio;
}

void BioPool::free(Bio* bio) {
  CHECK(live_ > 0);
  --live_;
  free_.push_front(*bio);
}

Bio* BioPool::clone(const Bio& bio, std::uint32_t first, std::uint32_t sectors) {
  CHECK(first + sectors <= bio.sectors, first, sectors, bio.sectors);
  Bio* clone = allocate();
  clone->op = bio.op;
  clone->fua = bio.fua;
  clone->sector = bio.sector + first;
  clone->sectors = sectors;
  clone->segments = bio.segments;
  clone->segment_count = bio.segment_count;
  clone->data_offset = bio.data_offset + first * kSectorBytes;
  clone->issuer = bio.issuer;
  clone->trace_id = bio.trace_id;
  return clone;
}

BioPool::~BioPool() {
  for (Bio* slab : slabs_) delete[] slab;
}

DataCursor::DataCursor(const Bio& bio)
    : segment_(bio.segments), used_(bio.data_offset), sector_(bio.sector), sectors_left_(bio.sectors) {
  CHECK(bio.segments != nullptr || bio.sectors == 0);
  while (sectors_left_ > 0 && used_ >= segment_->length) {
    used_ -= segment_->length;
    ++segment_;
  }
}

bool DataCursor::next(DataPiece* piece) {
  if (sectors_left_ == 0) return false;
  const std::uint32_t offset = segment_->offset + used_;
  const auto in_segment = (segment_->length - used_) / kSectorBytes;
  const auto in_device_page = kPageSectors - static_cast<std::uint32_t>(sector_ % kPageSectors);
  const auto in_frame = kPageSectors - (offset / kSectorBytes) % kPageSectors;
  const std::uint32_t sectors = std::min({sectors_left_, in_segment, in_device_page, in_frame});
  CHECK(sectors > 0, offset, segment_->length);
  *piece = {segment_, offset, sector_, sectors};
  sector_ += sectors;
  sectors_left_ -= sectors;
  used_ += sectors * kSectorBytes;
  if (used_ == segment_->length && sectors_left_ > 0) {
    used_ = 0;
    ++segment_;
  }
  return true;
}

bool piece_is_whole_page(const DataPiece& piece) {
  return piece.sectors == kPageSectors && piece.device_sector % kPageSectors == 0 &&
         (piece.segment->frame == nullptr || piece.segment_offset == 0);
}

PageRef sample_page(const DataPiece& piece, PageSpace& space) {
  if (piece.segment->frame != nullptr) return piece.segment->frame->page();
  std::byte* bytes = nullptr;
  PageRef page = space.make(&bytes);
  std::memcpy(bytes, piece.segment->bytes + piece.segment_offset, kPageBytes);
  return page;
}

void read_piece(const DataPiece& piece, std::byte* out) {
  const std::byte* from = piece.segment->frame != nullptr ? piece.segment->frame->page().bytes()
                                                          : piece.segment->bytes;
  std::memcpy(out, from + piece.segment_offset, piece.sectors * kSectorBytes);
}

void write_piece(const DataPiece& piece, PageSpace& space, const std::byte* in) {
  const std::uint32_t size = piece.sectors * kSectorBytes;
  if (piece.segment->frame == nullptr) {
    std::memcpy(piece.segment->bytes + piece.segment_offset, in, size);
    return;
  }
  Frame& frame = *piece.segment->frame;
  if (frame.empty()) {
    std::byte* bytes = nullptr;
    PageRef page = space.make(&bytes);
    std::memset(bytes, 0, kPageBytes);
    frame.set(std::move(page));
  }
  frame.store(space, piece.segment_offset, in, size);
}

void deliver_page(const DataPiece& piece, PageSpace& space, const PageRef& page) {
  if (piece.segment->frame != nullptr) {
    piece.segment->frame->set(page);
  } else {
    write_piece(piece, space, page.bytes());
  }
}

}  // namespace dmsim
