#include "engine/lvm/sector_io.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>

#include <fmt/format.h>

#include "sim/wait.h"

namespace dmsim::lvm {
namespace {

constexpr std::align_val_t kAlignment{kPageBytes};

struct FreeAligned {
  void operator()(std::byte* bytes) const { ::operator delete(bytes, kAlignment); }
};
using AlignedBytes = std::unique_ptr<std::byte, FreeAligned>;

AlignedBytes aligned_bytes(std::size_t count) {
  return AlignedBytes(static_cast<std::byte*>(::operator new(count, kAlignment)));
}

// On the heap: an unwound fiber may leave its bio with a disk that never answers.
struct Request {
  Request(Scheduler& scheduler, std::string what, std::size_t count)
      : bytes(aligned_bytes(count)), ended(scheduler, std::move(what)) {}
  AlignedBytes bytes;
  Bio bio;
  Segment segment;
  Completion ended;
};

}  // namespace

bool SectorIo::read(BlockDevice& device, Sector first, std::span<std::byte> out) {
  return transfer(device, Op::kRead, first, out.data(), out.size());
}

bool SectorIo::write(BlockDevice& device, Sector first, std::span<const std::byte> bytes) {
  // A write only reads the bytes it is given; segments know but one kind of memory.
  return transfer(device, Op::kWrite, first, const_cast<std::byte*>(bytes.data()), bytes.size());
}

bool SectorIo::flush(BlockDevice& device) { return transfer(device, Op::kFlush, 0, nullptr, 0); }

bool SectorIo::transfer(BlockDevice& device, Op op, Sector first, std::byte* bytes, std::size_t count) {
  CHECK(count % kSectorBytes == 0, count);
  const std::size_t most = std::size_t{device.limits().max_sectors} * kSectorBytes;
  std::size_t done = 0;
  do {
    const std::size_t part = std::min(most, count - done);
    const auto sectors = static_cast<std::uint32_t>(part / kSectorBytes);
    const Sector sector = op == Op::kFlush ? 0 : first + done / kSectorBytes;
    const auto request = std::make_unique<Request>(
        scheduler_, fmt::format("{} of {}", bio_notation(op, false, sector, sectors), device.name()), part);
    Bio& bio = request->bio;
    bio.op = op;
    bio.sector = sector;
    bio.sectors = sectors;
    if (part > 0) {
      if (op == Op::kWrite) std::memcpy(request->bytes.get(), bytes + done, part);
      request->segment.bytes = request->bytes.get();
      request->segment.length = static_cast<std::uint32_t>(part);
      bio.segments = &request->segment;
      bio.segment_count = 1;
    }
    bio.issuer = static_cast<std::uint32_t>(scheduler_.current_actor());
    bio.context = &request->ended;
    bio.end_io = [](Bio& ended) { static_cast<Completion*>(ended.context)->complete(); };
    device.submit(bio);
    request->ended.wait();
    if (!bio.status.ok()) return false;
    if (op == Op::kRead) std::memcpy(bytes + done, request->bytes.get(), part);
    done += part;
  } while (done < count);
  return true;
}

}  // namespace dmsim::lvm
