// SPDX-License-Identifier: GPL-2.0-only
#include "engine/linux/host/mapped_device.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/reached.h"
#include "engine/dm_trace.h"

namespace dmsim::kernel {
namespace {

abi_op op_of(Op op) {
  switch (op) {
    case Op::kRead: return ABI_READ;
    case Op::kWrite: return ABI_WRITE;
    case Op::kFlush: return ABI_FLUSH;
    case Op::kDiscard: return ABI_DISCARD;
  }
  UNMODELLED("operation for the kernel image");
}

}  // namespace

LinuxMappedDevice::LinuxMappedDevice(DeviceContext context, std::string name)
    : machine_(context.machine),
      records_(context.bios),
      bios_in_flight_(context.bios_in_flight),
      name_(std::move(name)),
      actor_(machine_.scheduler().trace().actors().intern(name_)),
      mapped_(machine_.peek([this](const abi_kernel& kernel) { return kernel.find(name_.c_str()); })) {
  CHECK(mapped_ != nullptr, name_);
}

// The kernel is asked once for each table: users ask for every request.
const LinuxMappedDevice::Shape& LinuxMappedDevice::shape() const {
  if (shape_known_) return shape_;
  abi_disk_limits from{};
  machine_.peek([&](const abi_kernel& kernel) { return kernel.limits(name_.c_str(), &from); });
  shape_.sectors = from.sectors;
  shape_.limits = {};
  BlockLimits& out = shape_.limits;
  out.logical_block_sectors = std::max<std::uint32_t>(1, from.logical_block_bytes / kSectorBytes);
  out.discard = from.discard != 0;
  out.volatile_cache = from.volatile_cache != 0;
  out.stable_writes = from.stable_writes != 0;
  if (from.max_sectors > 0) out.max_sectors = from.max_sectors;
  shape_known_ = true;
  return shape_;
}

void LinuxMappedDevice::submit(Bio& bio) {
  Scheduler& scheduler = machine_.scheduler();
  CHECK(scheduler.in_fiber(), "requests enter the kernel from fibers", name_);
  // From here on it is in use, so that nobody removes it while its user has to let others run.
  ++bios_;
  ++bios_in_flight_;
  scheduler.preempt_point();
  Trace& trace = scheduler.trace();
  UserBio& record = *records_.take();
  record.bio = &bio;
  record.device = this;
  bio.trace_id = trace.emit_caused(kDmSubmit, actor_, bio.trace_id != 0 ? bio.trace_id : trace.cause(),
                                   static_cast<std::uint64_t>(bio.op), bio.sector, bio.sectors, bio.fua,
                                   bio.issuer);
  abi_request& request = record.request;
  request.op = op_of(bio.op);
  request.fua = bio.op == Op::kWrite && bio.fua;
  request.preflush = bio.op == Op::kWrite && bio.preflush;
  request.sector = bio.sector;
  request.sectors = bio.sectors;
  request.cookie = &record;
  request.trace_id = bio.trace_id;
  request.issuer = bio.issuer;
  if (bio.segment_count > 0) fill_vecs(record, bio);
  const std::uint64_t size = sectors();
  if (bio.sectors > size || bio.sector > size - bio.sectors) {
    REACHED("a bio reaches beyond the end of a kernel's mapped device");
    return end(record, ABI_IOERR);
  }
  machine_.enter([&](const abi_kernel& kernel) { kernel.submit(mapped_, &request); });
}

// The part of the bio's segments that the bio is about.
void LinuxMappedDevice::fill_vecs(UserBio& record, const Bio& bio) {
  abi_vec* vecs = record.own;
  if (bio.segment_count > UserBio::kInline) {
    vecs = static_cast<abi_vec*>(machine_.arena().allocate(bio.segment_count * sizeof(abi_vec), 16, false));
  }
  std::uint64_t skip = bio.data_offset;
  std::uint64_t left = std::uint64_t{bio.sectors} * kSectorBytes;
  std::uint32_t count = 0;
  for (std::uint32_t i = 0; i < bio.segment_count && left > 0; ++i) {
    const Segment& segment = bio.segments[i];
    if (skip >= segment.length) {
      skip -= segment.length;
      continue;
    }
    const auto from = static_cast<std::uint32_t>(segment.offset + skip);
    const auto length = static_cast<std::uint32_t>(std::min<std::uint64_t>(segment.length - skip, left));
    skip = 0;
    left -= length;
    if (segment.frame != nullptr) {
      vecs[count++] = {tagged(segment.frame), from, length};
    } else {
      // Kernels split memory at pages, so where an allocator put it would show in the trace.
      const auto begin = reinterpret_cast<std::uintptr_t>(segment.bytes);
      CHECK(begin % kPageBytes == 0, "plain memory for a kernel begins at a page", bio_notation(bio));
      const std::uintptr_t address = begin + from;
      const std::uintptr_t offset = address % kPageBytes;
      vecs[count++] = {reinterpret_cast<void*>(address - offset), static_cast<abi_u32>(offset), length};
    }
  }
  CHECK(left == 0, left, bio_notation(bio));
  record.request.vecs = vecs;
  record.request.vec_count = count;
}

void LinuxMappedDevice::end(UserBio& record, abi_status status) {
  BlockStatus result = BlockStatus::of(code_of(status));
  if (result.code == BlockStatus::Code::kRequeue) {
    machine_.note_trouble(ABI_WARN, "", "a request left device " + name_ + " with BLK_STS_DM_REQUEUE");
    result.code = BlockStatus::Code::kIoError;
  }
  result.injected = !result.ok() && machine_.injected_errors() > 0;
  Bio& bio = *record.bio;
  if (record.request.vecs != nullptr && record.request.vecs != record.own) {
    machine_.arena().free(record.request.vecs, 0);
  }
  record.device = nullptr;
  records_.give_back(&record);
  --bios_;
  --bios_in_flight_;
  machine_.scheduler().trace().emit_caused(kDmComplete, actor_, bio.trace_id,
                                           static_cast<std::uint64_t>(result.code), result.injected);
  bio.complete(result);
}

void LinuxMappedDevice::set_freezer(Freezer* freezer) {
  if (freezer != frozen_) frozen_ = nullptr;
  freezer_ = freezer;
}

bool LinuxMappedDevice::freeze() {
  Freezer* const freezer = freezer_;
  if (freezer == nullptr) return true;
  if (!freezer->freeze()) {
    REACHED("a file system refuses to freeze for a kernel's suspend");
    return false;
  }
  // It may have been unmounted while it froze.
  if (freezer == freezer_) frozen_ = freezer;
  return true;
}

void LinuxMappedDevice::thaw() {
  if (Freezer* const freezer = std::exchange(frozen_, nullptr)) freezer->thaw();
}

void LinuxMappedDevice::set_inactive(std::string text) {
  inactive_text_ = std::move(text);
  has_inactive_ = true;
}

void LinuxMappedDevice::clear_inactive() {
  inactive_text_.clear();
  has_inactive_ = false;
}

void LinuxMappedDevice::on_table_changed() {
  live_text_ = has_inactive_ ? std::move(inactive_text_) : std::string();
  clear_inactive();
  shape_known_ = false;
  views_known_ = false;
}

// The targets of the live table that oracles know how to look at.
void LinuxMappedDevice::find_views() {
  if (std::exchange(views_known_, true)) return;
  mirrors_.clear();
  clones_.clear();
  const abi_u32 count =
      machine_.peek([this](const abi_kernel& kernel) { return kernel.target_count(name_.c_str()); });
  for (abi_u32 target = 0; target < count; ++target) {
    const char* const type = machine_.peek(
        [&](const abi_kernel& kernel) { return kernel.target_type(name_.c_str(), target); });
    if (std::strcmp(type, "mirror") == 0) {
      all_mirrors_.push_back(std::make_unique<LinuxMirrorView>(machine_, name_, target));
      mirrors_.push_back(all_mirrors_.back().get());
    } else if (std::strcmp(type, "clone") == 0) {
      all_clones_.push_back(std::make_unique<LinuxCloneView>(machine_, name_, target));
      clones_.push_back(all_clones_.back().get());
    }
  }
}

const std::vector<const MirrorView*>& LinuxMappedDevice::mirrors() {
  find_views();
  return mirrors_;
}

const std::vector<const CloneView*>& LinuxMappedDevice::clones() {
  find_views();
  return clones_;
}

}  // namespace dmsim::kernel
