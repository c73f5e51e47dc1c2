#include "engine/native/mirror/blocking_io.h"

#include <algorithm>

namespace dmsim::native {

void BlockingIo::start(Batch& batch, std::uint32_t part, BlockDevice& device, Op op,
                       SectorRange range, std::span<const Segment> segments, Fua fua) {
  CHECK(part < 64, part);
  batch.io = this;
  if (range.end > device.sectors()) {
    batch.failed_parts |= std::uint64_t{1} << part;
    return;
  }
  Bio shape;
  shape.op = op;
  shape.fua = fua == Fua::kYes;
  shape.segments = segments.empty() ? nullptr : segments.data();
  shape.segment_count = static_cast<std::uint32_t>(segments.size());
  shape.issuer = static_cast<std::uint32_t>(issuer_);
  shape.sector = range.begin;
  if (range.empty()) return submit(batch, part, device, shape);

  const std::uint64_t longest = device.limits().max_sectors;
  CHECK(longest > 0, device.name());
  ++batch.pending;  // the batch is not over before its last piece is on its way
  while (shape.sector < range.end) {
    shape.sectors = static_cast<std::uint32_t>(std::min(longest, range.end - shape.sector));
    submit(batch, part, device, shape);
    shape.data_offset += shape.sectors * kSectorBytes;
    shape.sector += shape.sectors;
  }
  --batch.pending;
}

void BlockingIo::submit(Batch& batch, std::uint32_t part, BlockDevice& device, const Bio& shape) {
  Bio* bio = bios_.allocate();
  *bio = shape;
  bio->end_io = &BlockingIo::on_end;
  bio->context = &batch;
  bio->argument = part;
  ++batch.pending;
  device.submit(*bio);
}

void BlockingIo::on_end(Bio& bio) {
  Batch& batch = *static_cast<Batch*>(bio.context);
  if (!bio.status.ok()) {
    batch.failed_parts |= std::uint64_t{1} << bio.argument;
    batch.injected |= bio.status.injected;
  }
  BlockingIo& io = *batch.io;
  io.bios_.free(&bio);
  if (--batch.pending == 0) io.finished_.wake_all();
}

}  // namespace dmsim::native
