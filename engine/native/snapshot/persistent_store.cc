#include "engine/native/snapshot/persistent_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <limits>

#include "base/reached.h"
#include "engine/native/snapshot/snapshot_trace.h"
#include "engine/native/snapshot/store_reader.h"
#include "engine/native/snapshot/store_writer.h"

namespace dmsim::native {
namespace {

constexpr std::uint32_t kDefaultChunkSectors = 32;

Failure<DmError> refuse(std::string reason) { return {DmError{EINVAL, std::move(reason)}}; }

}  // namespace

ChunkSize ChunkSize::of(std::uint32_t sectors) {
  CHECK(sectors == 0 || std::has_single_bit(sectors), sectors);
  return {sectors, sectors == 0 ? 0 : static_cast<std::uint32_t>(std::countr_zero(sectors))};
}

PersistentStore::PersistentStore(const EngineEnvironment& environment, BlockDevice& origin,
                                 BlockDevice& cow, const SnapshotSwitches& switches, Actor actor,
                                 const std::string& name)
    : scheduler_(environment.scheduler),
      origin_(origin),
      cow_(cow),
      switches_(switches),
      actor_(actor),
      io_(environment.scheduler, environment.bios, "the exception store of " + name, actor) {}

DmResult<ChunkSize> PersistentStore::check_chunk(std::uint64_t sectors, const BlockDevice& origin,
                                                 const BlockDevice& cow) {
  if (sectors == 0) return ChunkSize{};
  if (!std::has_single_bit(sectors)) return refuse("Chunk size is not a power of 2");
  if (sectors % cow.limits().logical_block_sectors != 0 ||
      sectors % origin.limits().logical_block_sectors != 0) {
    return refuse("Chunk size is not a multiple of device blocksize");
  }
  if (sectors > static_cast<std::uint64_t>(std::numeric_limits<std::int32_t>::max()) / kSectorBytes) {
    return refuse("Chunk size is too high");
  }
  return ChunkSize::of(static_cast<std::uint32_t>(sectors));
}

bool PersistentStore::chunk_io(Op op, Chunk chunk_number, std::span<std::byte> bytes, Fua fua) {
  const Segment segment{nullptr, bytes.data(), 0, static_cast<std::uint32_t>(bytes.size())};
  const Sector first = chunk().sector_of(chunk_number);
  BlockingIo::Batch batch;
  io_.start(batch, 0, cow_, op, {first, first + chunk().sectors}, {&segment, 1}, fua);
  io_.wait(batch);
  injected_ = injected_ || batch.injected;
  return batch.failed_parts == 0;
}

bool PersistentStore::flush_device() {
  BlockingIo::Batch batch;
  io_.start(batch, 0, cow_, Op::kFlush, {}, {});
  io_.wait(batch);
  injected_ = injected_ || batch.injected;
  return batch.failed_parts == 0;
}

void PersistentStore::allocate_buffers() {
  const std::size_t bytes = std::size_t{chunk().sectors} * kSectorBytes;
  area_.assign(bytes, std::byte{0});
  zeroes_.assign(bytes, std::byte{0});
  header_.assign(bytes, std::byte{0});
}

// Also takes over the chunk size that the header names, whatever the table said.
bool PersistentStore::read_header(bool* is_new, int* errno_value) {
  if (chunk().sectors == 0) {
    set_chunk(ChunkSize::of(
        std::max(kDefaultChunkSectors, cow_.limits().logical_block_sectors)));
  }
  allocate_buffers();
  *errno_value = EIO;
  if (!chunk_io(Op::kRead, 0, header_, Fua::kNo)) return false;
  const snapshot_store::Header header = snapshot_store::read_header(header_);
  *is_new = header.magic == 0;
  if (*is_new) return true;
  *errno_value = ENXIO;
  if (header.magic != snapshot_store::kMagic) return false;
  valid_ = header.valid != 0;
  version_ = header.version;
  if (header.chunk_sectors == chunk().sectors) return true;
  REACHED("a snapshot's store has another chunk size than the table");
  *errno_value = EINVAL;
  auto size = check_chunk(header.chunk_sectors, origin_, cow_);
  if (!size || size->sectors == 0) return false;
  set_chunk(*size);
  allocate_buffers();
  return true;
}

bool PersistentStore::write_header() {
  std::vector<std::byte>& buffer = switches_.own_header_buffer ? header_ : area_;
  std::fill(buffer.begin(), buffer.end(), std::byte{0});
  snapshot_store::write_header(
      {snapshot_store::kMagic, valid_ ? 1u : 0u, version_, chunk().sectors}, buffer);
  const Fua fua = switches_.header_fua ? Fua::kYes : Fua::kNo;
  const bool ok = chunk_io(Op::kWrite, 0, buffer, fua);
  scheduler_.trace().emit(kTraceHeader, actor_, valid_, fua == Fua::kYes, ok);
  return ok;
}

// A header makes a store of what follows it: it comes last, when there is nothing to be taken for records.
bool PersistentStore::create() {
  const Chunk first_area = snapshot_store::area_chunk(0, per_area_);
  if (!switches_.create_area_first) {
    if (!write_header()) return false;
    return chunk_io(Op::kWrite, first_area, zeroes_, Fua::kNo);
  }
  return chunk_io(Op::kWrite, first_area, zeroes_, Fua::kNo) && flush_device() && write_header();
}

ExceptionStore::Read PersistentStore::read_metadata(ExceptionTable* into) {
  Read out;
  bool is_new = false;
  if (!read_header(&is_new, &out.errno_value)) return out;
  out.errno_value = 0;
  per_area_ = snapshot_store::records_per_area(chunk().sectors);
  next_free_ = snapshot_store::area_chunk(0, per_area_) + 1;
  ready_ = true;
  if (is_new) {
    if (!create()) out.errno_value = EIO;
    return out;
  }
  if (version_ != snapshot_store::kVersion) {
    out.errno_value = EINVAL;
    return out;
  }
  if (!valid_) {
    REACHED("a snapshot's store is found invalid");
    out.invalid = true;
    return out;
  }
  if (!read_areas(into)) out.errno_value = EIO;
  return out;
}

// All areas up to the first that is not full, which becomes the current one.
bool PersistentStore::read_areas(ExceptionTable* into) {
  for (current_area_ = 0;; ++current_area_) {
    if (!chunk_io(Op::kRead, current_chunk(), area_, Fua::kNo)) return false;
    std::uint32_t index = 0;
    for (; index < per_area_; ++index) {
      const snapshot_store::Record record = snapshot_store::read_record(index, area_);
      if (record.new_chunk == 0) break;
      next_free_ = std::max(next_free_, record.new_chunk + 1);
      into->insert_or_assign(record.old_chunk, record.new_chunk);
    }
    in_area_ = index;
    if (index < per_area_) break;
    REACHED("a snapshot is loaded whose exceptions fill an area");
  }
  skip_area();
  if (!switches_.load_last_area) std::fill(area_.begin(), area_.end(), std::byte{0});
  return true;
}

void PersistentStore::skip_area() {
  if (snapshot_store::is_area_chunk(next_free_, per_area_)) ++next_free_;
}

std::optional<Chunk> PersistentStore::allocate() {
  if (!ready_ || cow_.sectors() < chunk().sector_of(next_free_ + 1)) return std::nullopt;
  const Chunk place = next_free_++;
  skip_area();
  ++pending_;
  return place;
}

void PersistentStore::commit(const Exception& exception, bool copied, bool injected, Done done,
                             void* context) {
  if (!ready_) {
    // The store went to another table since this was allocated in it (fault snap-handover-pending). Linux
    // stops at a BUG here: a store that was never read has no room for a record. What that comes to is that nobody
    // records the exception, and the store that it was allocated in waits for it for ever.
    REACHED("an exception comes back to a store that was handed over");
    return done(context, false, injected);
  }
  if (!copied) {
    valid_ = false;
    injected_ = injected_ || injected;
  }
  if (in_area_ == per_area_) {
    // Another table's copies end here too, while the full area is being written (snapshot.suspend_on_handover=off).
    // Linux puts the record behind its buffer: it never comes to disk.
    CHECK(!switches_.suspend_on_handover, pending_);
    --pending_;
    return done(context, valid_, injected_);
  }
  CHECK(in_area_ < per_area_, in_area_);
  snapshot_store::write_record({exception.old_chunk, exception.new_chunk}, in_area_, area_);
  ++in_area_;
  waiting_.push_back({done, context});
  CHECK(pending_ > 0);
  const bool last = --pending_ == 0;
  if (!last && !area_is_full()) return;
  const bool was_full = area_is_full();
  if (was_full) {
    REACHED("a snapshot's area is full, and the next one is emptied");
    const Chunk next = snapshot_store::area_chunk(current_area_ + 1, per_area_);
    if (!chunk_io(Op::kWrite, next, zeroes_, Fua::kNo)) valid_ = false;
  }
  if (valid_ && !write_area()) valid_ = false;
  end_area_write(was_full);
}

bool PersistentStore::write_area() {
  Trace& trace = scheduler_.trace();
  trace.emit(kTraceArea, actor_, current_area_, in_area_, switches_.area_preflush, switches_.area_fua);
  bool ok = !switches_.area_preflush || flush_device();
  ok = ok && chunk_io(Op::kWrite, current_chunk(), area_, switches_.area_fua ? Fua::kYes : Fua::kNo);
  trace.emit(kTraceAreaWritten, actor_, current_area_, ok);
  return ok;
}

void PersistentStore::end_area_write(bool was_full) {
  if (was_full) {
    in_area_ = 0;
    ++current_area_;
    std::fill(area_.begin(), area_.end(), std::byte{0});
  }
  // Who is called back may come to commit() again only from this fiber: not before the loop has ended.
  std::vector<Waiting> called;
  called.swap(waiting_);
  for (const Waiting& each : called) each.done(each.context, valid_, injected_);
  called.clear();
  if (waiting_.empty()) waiting_.swap(called);  // keep the capacity
}

ExceptionStore::MergeRun PersistentStore::prepare_merge() {
  MergeRun run;
  if (in_area_ == 0) {
    if (current_area_ == 0) return run;
    REACHED("a merge goes back to the area before");
    --current_area_;
    if (!chunk_io(Op::kRead, current_chunk(), area_, Fua::kNo)) {
      run.failed = true;
      return run;
    }
    in_area_ = per_area_;
  }
  const snapshot_store::Record last = snapshot_store::read_record(in_area_ - 1, area_);
  run.last = {last.old_chunk, last.new_chunk};
  for (run.chunks = 1; run.chunks < in_area_; ++run.chunks) {
    const snapshot_store::Record next = snapshot_store::read_record(in_area_ - 1 - run.chunks, area_);
    if (next.old_chunk + run.chunks != last.old_chunk ||
        next.new_chunk + run.chunks != last.new_chunk) {
      break;
    }
  }
  return run;
}

bool PersistentStore::commit_merge(std::uint32_t chunks) {
  CHECK(chunks <= in_area_, chunks, in_area_);
  for (std::uint32_t i = 0; i < chunks; ++i) {
    snapshot_store::write_record({0, 0}, in_area_ - 1 - i, area_);
  }
  if (!write_area()) return false;
  in_area_ -= chunks;
  // Where it would be had all records been made in the order of their places.
  next_free_ = current_chunk() + in_area_ + 1;
  return true;
}

void PersistentStore::drop() {
  valid_ = false;
  if (ready_ && !write_header()) REACHED("the header that invalidates a snapshot cannot be written");
}

StoreUsage PersistentStore::usage() const {
  return {chunk().sector_of(next_free_), cow_.sectors(),
          chunk().sector_of(current_area_ + 1 + snapshot_store::kHeaderChunks)};
}

std::string PersistentStore::table_words() const {
  return fmt::format("{} {}", supports_overflow ? "PO" : "P", chunk().sectors);
}

}  // namespace dmsim::native
