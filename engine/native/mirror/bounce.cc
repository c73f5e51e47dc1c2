#include "engine/native/mirror/bounce.h"

#include <array>
#include <cstring>

#include "base/reached.h"
#include "engine/native/mirror/mirror_trace.h"

namespace dmsim::native {
namespace {
constexpr std::array<Duration, 4> kPauses{Duration(), Duration::microseconds(1),
                                          Duration::microseconds(10), Duration::microseconds(100)};
}

BounceBuffer& BouncePool::take() {
  ++in_use_;
  if (free_ == nullptr) return storage_.emplace_back();
  BounceBuffer& buffer = *free_;
  free_ = buffer.next;
  return buffer;
}

BounceBuffer& BouncePool::copy(const Bio& write) {
  BounceBuffer& buffer = take();
  // A piece lies in one page of the device: an unaligned write has one more than it has pages.
  const std::size_t most = write.sectors / kPageSectors + 2 + write.segment_count * 2;
  if (buffer.frames.size() < most) {
    buffer.frames.resize(most);
    buffer.segments.resize(most);
  }
  buffer.segment_count = 0;
  DataCursor cursor(write);
  DataPiece piece;
  while (cursor.next(&piece)) {
    const std::uint32_t n = buffer.segment_count++;
    CHECK(n < most, n, most);
    bool torn = false;
    PageRef page = copy_piece(piece, &torn);
    scheduler_.trace().emit(kTraceBounce, actor_, piece.device_sector, piece.sectors,
                            page.version(), torn ? 1 : 0);
    buffer.frames[n].set(std::move(page));
    buffer.segments[n] = {&buffer.frames[n], nullptr, piece.segment_offset % kPageBytes,
                          piece.sectors * kSectorBytes};
  }
  return buffer;
}

// A page that holds the piece where the piece has it in its own page.
PageRef BouncePool::copy_piece(const DataPiece& piece, bool* torn) {
  const std::uint32_t size = piece.sectors * kSectorBytes;
  const std::uint32_t half = (piece.sectors + 1) / 2 * kSectorBytes;
  bytes_copied_ += size;
  const Frame* frame = piece.segment->frame;
  if (frame != nullptr) {
    const PageRef before = frame->page();
    pause();
    const PageRef after = frame->page();
    if (after.same_content(before)) return before;
    const std::byte* was = before.bytes() + piece.segment_offset;
    const std::byte* is = after.bytes() + piece.segment_offset;
    if (std::memcmp(was + half, is + half, size - half) == 0) return before;
    if (std::memcmp(was, is, half) == 0) return after;
    REACHED("a page is torn while it is being copied to a bounce buffer");
    *torn = true;
    PageRef mixture = before;
    std::memcpy(pages_.change(mixture) + piece.segment_offset + half, is + half, size - half);
    return mixture;
  }
  std::byte* bytes = nullptr;
  PageRef page = pages_.make(&bytes);
  std::memset(bytes, 0, kPageBytes);
  bytes += piece.segment_offset % kPageBytes;
  const std::byte* from = piece.segment->bytes + piece.segment_offset;
  std::memcpy(bytes, from, half);
  pause();
  std::memcpy(bytes + half, from + half, size - half);
  return page;
}

void BouncePool::pause() {
  const Duration length = kPauses[scheduler_.choices().draw(kBouncePause, actor_, kPauses.size())];
  if (length > Duration()) scheduler_.sleep(length);
}

void BouncePool::release(BounceBuffer& buffer) {
  for (std::uint32_t i = 0; i < buffer.segment_count; ++i) buffer.frames[i].set(PageRef());
  CHECK(in_use_ > 0);
  --in_use_;
  buffer.next = free_;
  free_ = &buffer;
}

}  // namespace dmsim::native
