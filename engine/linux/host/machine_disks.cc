// SPDX-License-Identifier: GPL-2.0-only
// Requests of the image on simulated disks.
//
// Data are never copied here: a page of the image's own memory goes to the disk as plain bytes, a tagged one
// as the frame that it names. Writing zeroes is no request that disks know: it becomes a write of zeroes. A
// request beyond the disk's end is refused before it reaches the disk, as the block layer does.
#include <array>

#include "base/reached.h"
#include "engine/linux/host/machine.h"

namespace dmsim::kernel {
namespace {

constexpr std::uint32_t kZeroBytes = 64 * 1024;
constexpr std::array<std::byte, kZeroBytes> kZeroes{};

Op op_of(abi_op op) {
  switch (op) {
    case ABI_READ: return Op::kRead;
    case ABI_WRITE: return Op::kWrite;
    case ABI_WRITE_ZEROES: return Op::kWrite;
    case ABI_FLUSH: return Op::kFlush;
    case ABI_DISCARD: return Op::kDiscard;
  }
  UNMODELLED("operation of the kernel image");
}

}  // namespace

BlockStatus::Code code_of(abi_status status) {
  switch (status) {
    case ABI_OK: return BlockStatus::Code::kOk;
    case ABI_IOERR: return BlockStatus::Code::kIoError;
    case ABI_NOTSUPP: return BlockStatus::Code::kNotSupported;
    case ABI_NOSPC: return BlockStatus::Code::kNoSpace;
    case ABI_REQUEUE: return BlockStatus::Code::kRequeue;
    case ABI_TIMEOUT: return BlockStatus::Code::kTimeout;
    case ABI_MEDIUM: return BlockStatus::Code::kMedium;
  }
  UNMODELLED("status of the kernel image");
}

abi_status status_of(BlockStatus::Code code) {
  switch (code) {
    case BlockStatus::Code::kOk: return ABI_OK;
    case BlockStatus::Code::kIoError: return ABI_IOERR;
    case BlockStatus::Code::kNotSupported: return ABI_NOTSUPP;
    case BlockStatus::Code::kNoSpace: return ABI_NOSPC;
    case BlockStatus::Code::kRequeue: return ABI_REQUEUE;
    case BlockStatus::Code::kTimeout: return ABI_TIMEOUT;
    case BlockStatus::Code::kMedium: return ABI_MEDIUM;
  }
  UNMODELLED("status for the kernel image");
}

void Machine::take_segments(DiskBio& record, std::uint32_t count) {
  record.segments = record.own;
  if (count > DiskBio::kInline) {
    record.segments = static_cast<Segment*>(arena_.allocate(count * sizeof(Segment), 16, false));
  }
  record.bio.segments = record.segments;
  record.bio.segment_count = count;
}

void Machine::fill_segments(DiskBio& record, const abi_request& request) {
  take_segments(record, request.vec_count);
  std::uint64_t bytes = 0;
  for (std::uint32_t i = 0; i < request.vec_count; ++i) {
    const abi_vec& vec = request.vecs[i];
    bytes += vec.length;
    if (is_frame(vec.page)) {
      CHECK(vec.offset + vec.length <= kPageBytes, vec.offset, vec.length);
      record.segments[i] = {frame_of(vec.page), nullptr, vec.offset, vec.length};
    } else {
      record.segments[i] = {nullptr, static_cast<std::byte*>(vec.page), vec.offset, vec.length};
    }
  }
  CHECK(bytes >= std::uint64_t{request.sectors} * kSectorBytes, bytes, request.sectors);
}

void Machine::fill_zeroes(DiskBio& record, const abi_request& request) {
  std::uint64_t left = std::uint64_t{request.sectors} * kSectorBytes;
  take_segments(record, static_cast<std::uint32_t>((left + kZeroBytes - 1) / kZeroBytes));
  for (std::uint32_t i = 0; left > 0; ++i) {
    const auto length = static_cast<std::uint32_t>(std::min<std::uint64_t>(left, kZeroBytes));
    record.segments[i] = {nullptr, const_cast<std::byte*>(kZeroes.data()), 0, length};
    left -= length;
  }
}

void Machine::submit_to_disk(abi_u32 number, const abi_request& request) {
  CHECK(number < disks_.size(), number);
  settle_lent();
  BlockDevice& disk = *disks_[number].device;
  DiskBio& record = *disk_bios_.take();
  record.machine = this;
  record.cookie = request.cookie;
  Bio& bio = record.bio;
  bio.op = op_of(request.op);
  bio.fua = bio.op == Op::kWrite && request.fua != 0;
  bio.preflush = bio.op == Op::kWrite && request.preflush != 0;
  // A flush has no place: a linear target subtracts its begin from one all the same.
  bio.sector = request.op == ABI_FLUSH ? 0 : request.sector;
  bio.sectors = request.sectors;
  bio.trace_id = request.trace_id;
  bio.issuer = request.issuer;
  bio.context = &record;
  bio.end_io = &disk_bio_ended;
  if (request.op == ABI_WRITE_ZEROES) {
    fill_zeroes(record, request);
  } else if (request.op == ABI_READ || request.op == ABI_WRITE) {
    fill_segments(record, request);
  }
  const Inside inside(*this);
  if (bio.sectors > disk.sectors() || bio.sector > disk.sectors() - bio.sectors) {
    REACHED("the kernel asks for sectors beyond the end of a disk");
    return bio.complete(BlockStatus::of(BlockStatus::Code::kIoError));
  }
  disk.submit(bio);
}

void Machine::disk_bio_ended(Bio& bio) {
  auto& record = *static_cast<DiskBio*>(bio.context);
  record.machine->end_disk_bio(record);
}

void Machine::end_disk_bio(DiskBio& record) {
  if (record.bio.status.injected) ++injected_errors_;
  void* const cookie = record.cookie;
  const abi_status status = status_of(record.bio.status.code);
  if (record.bio.segment_count > DiskBio::kInline) arena_.free(record.segments, 0);
  disk_bios_.give_back(&record);
  interrupt([cookie, status](const abi_kernel& kernel) { kernel.disk_done(cookie, status); });
}

}  // namespace dmsim::kernel
