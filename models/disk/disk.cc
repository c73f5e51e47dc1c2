// A request's way through the disk: submit, preflush, completion, and what evicts. The transfer in between
// is in disk_transfer.cc; what a power cut leaves in disk_crash.cc.
#include "models/disk/disk.h"

#include <algorithm>

#include "base/reached.h"
#include "models/disk/request.h"

namespace dmsim {
namespace {
constexpr std::uint64_t kNoText = ~std::uint64_t{0};
}

DiskPool::DiskPool() : requests(std::make_unique<Slabs<DiskRequest>>()) {}
DiskPool::~DiskPool() = default;

Disk::Disk(Scheduler& scheduler, PageSpace& space, DiskPool& pool, Actor actor,
           const DiskOptions& options, Image media, std::span<const FaultOptions> faults,
           const FaultMemory* before_cut)
    : scheduler_(scheduler),
      space_(space),
      pool_(pool),
      actor_(actor),
      options_(options),
      media_(std::move(media)),
      cache_(pool.caches, space, media_),
      faults_(faults, options.name, before_cut) {
  CHECK(options_.sectors == media_.sectors(), options_.sectors, media_.sectors());
  CHECK(options_.atomic_sectors == 1 || options_.atomic_sectors == kPageSectors,
        options_.atomic_sectors);
  CHECK(options_.transfer_steps >= 1);
  op_texts_.fill(kNoText);
  ok_text_ = kNoText;
}

Disk::~Disk() {
  while (first_ != nullptr) {
    DiskRequest* request = first_;
    first_ = request->after;
    cache_.abandon(request->first_write);
    pool_.requests->give_back(request);
  }
}

BlockLimits Disk::limits() const {
  BlockLimits limits;
  limits.discard = options_.discard_supported;
  limits.volatile_cache = write_back();
  return limits;
}

// --- submit ---------------------------------------------------------------------------------------

void Disk::submit(Bio& bio) {
  CHECK(bio.sector <= options_.sectors, name(), bio.sector, options_.sectors);
  CHECK(bio.sectors <= options_.sectors - bio.sector, name(), bio.sector, bio.sectors);
  CHECK((bio.op == Op::kFlush) == (bio.sectors == 0), bio_notation(bio));
  CHECK(bio.op == Op::kWrite || !bio.fua, bio_notation(bio));
  CHECK(bio.op == Op::kWrite || !bio.preflush, bio_notation(bio));
  CHECK(bio.op == Op::kDiscard || bio.sectors <= limits().max_sectors, bio_notation(bio));
  CHECK(bio.end_io != nullptr);
  DiskRequest& request = *pool_.requests->take();
  request = DiskRequest{};
  request.disk = this;
  request.bio = &bio;
  request.op = bio.op;
  // Without a volatile cache the block layer takes the flag off, as it answers flushes itself.
  request.fua = bio.fua && write_back();
  request.range = bio.range();
  request.barrier = cache_.barrier();
  request.before = last_;
  (last_ != nullptr ? last_->after : first_) = &request;
  last_ = &request;
  ++in_flight_;
  emit_submit(request);
  if (bio.op == Op::kWrite || bio.op == Op::kDiscard) ++generation_;
  if (bio.preflush && write_back()) {
    ++stats_.flushes;
    request.phase = DiskRequest::Phase::kPreflush;
    scheduler_.after(draw_latency(Op::kFlush), DiskEvents::end_preflush, &request);
  } else {
    start(request);
  }
}

void Disk::emit_submit(DiskRequest& request) {
  const Bio& bio = *request.bio;
  request.submit = scheduler_.trace().emit_caused(
      kDiskSubmit, actor_, bio.trace_id != 0 ? bio.trace_id : scheduler_.trace().cause(),
      op_text(bio.op), bio.sector, bio.sectors, bio.fua, bio.preflush);
  switch (bio.op) {
    case Op::kRead: ++stats_.reads; break;
    case Op::kWrite: ++stats_.writes; break;
    case Op::kFlush: ++stats_.flushes; break;
    case Op::kDiscard: ++stats_.discards; break;
  }
  if (bio.fua) ++stats_.fua_writes;
}

// The part that the request is named for begins: any preflush is over.
void Disk::start(DiskRequest& request) {
  request.decided = false;
  request.fate = Fate{};
  request.fate.moved_sectors = static_cast<std::uint32_t>(request.range.count());
  request.fate.lands_at = request.range.begin;
  const bool refused = request.op == Op::kDiscard && !options_.discard_supported;
  if (refused) request.fate.status = BlockStatus::of(BlockStatus::Code::kNotSupported);
  request.answered_above = refused || (request.op == Op::kFlush && !write_back());
  request.completes = scheduler_.now();
  if (!request.answered_above) request.completes = request.completes + draw_latency(request.op);
  if (request.answered_above || request.op == Op::kFlush) {
    request.phase = DiskRequest::Phase::kTransferred;
    scheduler_.at(request.completes, DiskEvents::complete, &request);
    return;
  }
  request.phase = DiskRequest::Phase::kWaiting;
  request.steps_left = request.op == Op::kDiscard
      ? 1
      : static_cast<std::uint32_t>(
            std::min<std::uint64_t>(options_.transfer_steps, pages_touched(request.range)));
  schedule_transfer(request);
}

void Disk::schedule_transfer(DiskRequest& request) {
  // A busy CPU lets the transfer before this one happen late, maybe later than the end was to come.
  const Duration left = std::max(Duration(), request.completes - scheduler_.now());
  const Duration delay =
      scheduler_.choices().duration(kDiskTransferDelay, actor_, Duration(), left);
  scheduler_.after(delay, DiskEvents::transfer, &request);
}

Duration Disk::draw_latency(Op op) {
  const auto draw = [&](const ChoicePoint& point, const DurationRange& range) {
    return scheduler_.choices().duration(point, actor_, range.least, range.most);
  };
  switch (op) {
    case Op::kRead: return draw(kDiskReadLatency, options_.read);
    case Op::kWrite: return draw(kDiskWriteLatency, options_.write);
    case Op::kFlush: return draw(kDiskFlushLatency, options_.flush);
    case Op::kDiscard: return draw(kDiskDiscardLatency, options_.discard);
  }
  UNMODELLED("operation");
}

// --- preflush -------------------------------------------------------------------------------------

// Asks the faults about the request, or, with `part` kFlush, about the flush before a write.
void Disk::decide(DiskRequest& request, Op part) {
  if (request.decided) return;
  request.decided = true;
  if (faults_.empty()) return;
  const bool is_flush = part == Op::kFlush;
  const FaultSubject subject{part, request.fua && !is_flush, is_flush ? SectorRange{} : request.range,
                             request.submit, options_.sectors};
  faults_.decide(subject, request.fate,
                 {scheduler_.choices(), scheduler_.trace(), actor_, scheduler_.now()});
}

void Disk::end_preflush(DiskRequest& request) {
  decide(request, Op::kFlush);
  if (request.fate.flushes) {
    cache_.flush(request.barrier);
    ++generation_;
  }
  if (request.fate.status.ok()) return start(request);
  REACHED("the flush before a write fails and the write is not begun");
  request.fate.moved_sectors = 0;
  complete(request);
}

// --- completion -------------------------------------------------------------------------------------

void Disk::complete(DiskRequest& request) {
  if (!request.answered_above) {
    if (request.op == Op::kFlush) decide(request, Op::kFlush);
    if (!faults_.empty()) {
      faults_.finish({request.op, request.fua, request.range, request.submit, options_.sectors},
                     request.fate,
                     {scheduler_.choices(), scheduler_.trace(), actor_, scheduler_.now()});
    }
    settle(request);
  }
  const BlockStatus status = request.fate.status;
  if (!status.ok()) ++stats_.errors;
  Bio& bio = *request.bio;
  // One after the other: a text is folded into the fingerprint when it is asked for, and the order of
  // arguments is the compiler's.
  const std::uint64_t status_word = status_text(status.code);
  const std::uint64_t op_word = op_text(request.op);
  scheduler_.trace().emit_caused(kDiskComplete, actor_, request.submit, op_word,
                                 request.range.begin, request.range.count(), status_word,
                                 status.injected);
  (request.before != nullptr ? request.before->after : first_) = request.after;
  (request.after != nullptr ? request.after->before : last_) = request.before;
  --in_flight_;
  pool_.requests->give_back(&request);
  if (write_back() && !cache_.dirty().empty()) {
    make_room();
    arm_eviction();
  }
  bio.complete(status);
}

// What the completion makes of the data: into the cache, onto the media, or, for a flush, from the one
// to the other.
void Disk::settle(DiskRequest& request) {
  const bool fua_holds = request.fua && request.fate.flushes && request.fate.status.ok();
  if (request.op == Op::kFlush) {
    if (request.fate.flushes) cache_.flush(request.barrier);
    ++generation_;
  } else if (!write_back() || fua_holds) {
    cache_.complete_durably(request.first_write);
    ++generation_;
  } else {
    cache_.complete(request.first_write);
  }
  request.first_write = nullptr;
}

// --- eviction ---------------------------------------------------------------------------------------

void Disk::make_room() {
  while (options_.cache_sectors > 0 && cache_.dirty_sectors() > options_.cache_sectors) {
    REACHED("a full disk cache evicts");
    const std::uint64_t which =
        scheduler_.choices().draw(kDiskEvictWhich, actor_, cache_.dirty().size());
    evict(*cache_.dirty()[which]);
  }
}

void Disk::evict(DirtyPage& page) {
  scheduler_.trace().emit(kDiskEvict, actor_, page.index * kPageSectors, page.current.version());
  cache_.evict(page);
  ++stats_.evictions;
  ++generation_;
}

void Disk::arm_eviction() {
  const auto mean = static_cast<std::uint64_t>(options_.evict_every.count_ns());
  if (mean == 0 || eviction_armed_) return;
  eviction_armed_ = true;
  const std::uint64_t earlier = scheduler_.choices().draw(kDiskEvictWhen, actor_, 2 * mean);
  const auto delay = static_cast<std::int64_t>(2 * mean - earlier);
  scheduler_.after(Duration::nanoseconds(delay), DiskEvents::evict, this);
}

// The timer rests while nothing is dirty, so that an idle machine comes to rest.
void Disk::evict_one() {
  eviction_armed_ = false;
  if (cache_.dirty().empty()) return;
  const std::uint64_t which =
      scheduler_.choices().draw(kDiskEvictWhich, actor_, cache_.dirty().size());
  evict(*cache_.dirty()[which]);
  if (!cache_.dirty().empty()) arm_eviction();
}

std::uint64_t Disk::status_text(BlockStatus::Code code) {
  if (code != BlockStatus::Code::kOk) return scheduler_.trace().text(status_name(code));
  if (ok_text_ == kNoText) ok_text_ = scheduler_.trace().text(status_name(code));
  return ok_text_;
}

std::uint64_t Disk::op_text(Op op) {
  std::uint64_t& text = op_texts_[static_cast<std::size_t>(op)];
  if (text == kNoText) text = scheduler_.trace().text(op_name(op));
  return text;
}

}  // namespace dmsim
