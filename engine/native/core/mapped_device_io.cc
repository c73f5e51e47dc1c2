// The way of a bio through a MappedDevice: admitted or deferred, cut into parts, cloned to targets,
// gathered again. Counterpart of the upper half of dm.c.
//
// Statuses: the last error of a part wins over earlier ones, except that a push-back wins while a
// noflush suspend runs; the last part with an error decides for the bio (dm_io_set_error).
#include <algorithm>

#include "base/reached.h"
#include "engine/dm_trace.h"
#include "engine/native/core/mapped_device.h"

namespace dmsim::native {
namespace {

constexpr BlockStatus kEio = BlockStatus::of(BlockStatus::Code::kIoError);

bool is_requeue(BlockStatus status) { return status.code == BlockStatus::Code::kRequeue; }

}  // namespace

void MappedDevice::submit(Bio& bio) {
  scheduler_.preempt_point();
  Io& io = context_.ios.take();
  io.device = this;
  io.bio = &bio;
  io.whole = &io;
  io.first = 0;
  io.sectors = bio.sectors;
  io.parts = 1;
  io.preflush = bio.op == Op::kWrite && bio.preflush;
  io.outcome = BlockStatus::okay();
  ++bios_;
  ++context_.bios_in_flight;
  io.trace_id = trace_.emit_caused(kDmSubmit, actor_, bio.trace_id != 0 ? bio.trace_id : trace_.cause(),
                                   static_cast<std::uint64_t>(bio.op), bio.sector, bio.sectors, bio.fua,
                                   bio.issuer);
  bio.trace_id = io.trace_id;
  pass(io);
}

// One way through the table, for an Io that is neither deferred nor under way.
void MappedDevice::pass(Io& io) {
  const Reader reader(*this);
  // What is left after a cut goes through admission again: I/O may have been blocked meanwhile.
  for (Io* at = &io; at != nullptr && admit(*at);) at = map_part(*at);
}

// What the block layer and dm's entry check, each time. False: the Io has ended, or is deferred.
bool MappedDevice::admit(Io& io) {
  const Bio& bio = *io.bio;
  if (!limits_.volatile_cache && (io.preflush || bio.op == Op::kFlush)) {
    // Nothing below has a cache: there is nothing to flush.
    io.preflush = false;
    if (io.sectors == 0) return end_part(io, BlockStatus::okay()), false;
  }
  if (io.sectors == 0 ? !io.is_flush() : bio.op == Op::kFlush) {
    return end_part(io, kEio), false;
  }
  if (io.sectors > 0) {
    const std::uint64_t size = sectors();
    if (io.sectors > size || io.begin() > size - io.sectors) {
      REACHED("a bio reaches beyond the end of its mapped device");
      return end_part(io, kEio), false;
    }
    if (bio.op == Op::kDiscard && !limits_.discard) {
      return end_part(io, BlockStatus::of(BlockStatus::Code::kNotSupported)), false;
    }
  }
  if (live_ == nullptr || deleting_) return end_part(io, kEio), false;
  if (context_.switches.flush != FlushWay::kForwarded) [[unlikely]] {
    if (refuses(io)) return end_part(io, BlockStatus::of(BlockStatus::Code::kNotSupported)), false;
    if (keeps_its_place(io)) return defer(io), false;
  }
  if (blocked_) [[unlikely]] {
    trace_.emit_caused(kDmDefer, actor_, io.trace_id, static_cast<std::uint64_t>(bio.op), io.begin(),
                       io.sectors);
    return defer(io), false;
  }
  return true;
}

// Sends the first piece of `part` on its way. What does not fit into it is returned, as a part of its
// own; null: nothing is left to send.
Io* MappedDevice::map_part(Io& part) {
  ++pending_;
  part.references = 1;
  part.clone_taken = false;
  part.status = BlockStatus::okay();
  if (part.is_flush()) {
    send_flush(part);
    drop(part, BlockStatus::okay());
    return nullptr;
  }
  const Table::Row* row = live_->find(part.begin());
  CHECK(row != nullptr, part.begin());
  const bool discard = part.bio->op == Op::kDiscard;
  const std::uint32_t copies = discard ? row->discard_bios : 1;
  if (copies == 0) {
    drop(part, BlockStatus::of(BlockStatus::Code::kNotSupported));
    return nullptr;
  }
  const std::uint32_t length = piece_length(part, *row);
  Io* const rest = length < part.sectors ? &split_off(part, length) : nullptr;
  send(part, *row, copies);
  drop(part, BlockStatus::okay());
  return rest;
}

std::uint32_t MappedDevice::piece_length(const Io& part, const Table::Row& row) const {
  std::uint64_t length = std::min<std::uint64_t>(part.sectors, row.end - part.begin());
  // Discards keep to the target's own ends, unless it splits each kind of bio in its own way.
  std::uint32_t split = part.bio->op == Op::kDiscard ? 0 : row.split_sectors;
  if (row.split_varies) split = row.target->split_sectors_for(part.bio->op);
  if (split > 0) {
    const std::uint64_t offset = part.begin() - row.begin;
    length = std::min(length, split - offset % split);
  }
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(length, row.max_sectors));
}

// Shortens `part` to `length`; what follows becomes a part of its own.
Io& MappedDevice::split_off(Io& part, std::uint32_t length) {
  Io& rest = context_.ios.take();
  rest.device = this;
  rest.bio = part.bio;
  rest.whole = part.whole;
  rest.first = part.first + length;
  rest.sectors = part.sectors - length;
  rest.preflush = false;
  rest.trace_id = part.trace_id;
  ++part.whole->parts;
  part.sectors = length;
  return rest;
}

// An empty flush goes to every target of the table, in as many copies as it asks for.
void MappedDevice::send_flush(Io& part) {
  for (const Table::Row& row : live_->rows()) send(part, row, row.flush_bios);
}

void MappedDevice::send(Io& part, const Table::Row& row, std::uint32_t copies) {
  part.references += copies;
  for (std::uint32_t copy = 0; copy < copies; ++copy) map_clone(take_clone(part, row, copy));
}

TargetBio& MappedDevice::take_clone(Io& part, const Table::Row& row, std::uint32_t copy) {
  TargetBio& clone = part.clone_taken ? context_.clones.take() : part.clone;
  part.clone_taken = true;
  const Bio& from = *part.bio;
  Bio& to = clone.bio;
  const bool flush = part.is_flush();
  to.op = flush ? Op::kFlush : from.op;
  to.fua = !flush && from.fua && limits_.volatile_cache && context_.switches.flush != FlushWay::kOrdered;
  to.preflush = false;
  to.sector = flush ? 0 : part.begin();
  to.sectors = flush ? 0 : part.sectors;
  to.segments = flush ? nullptr : from.segments;
  to.segment_count = flush ? 0 : from.segment_count;
  to.data_offset = flush ? 0 : from.data_offset + part.first * kSectorBytes;
  to.status = BlockStatus::okay();
  to.end_io = &clone_ended;
  to.context = nullptr;
  to.argument = 0;
  to.trace_id = part.trace_id;
  to.issuer = from.issuer;
  to.next = nullptr;
  clone.device = nullptr;
  clone.duplicate = copy;
  clone.original = &part;
  std::fill(std::begin(clone.words), std::end(clone.words), 0);
  clone.target = row.target;
  return clone;
}

void MappedDevice::map_clone(TargetBio& clone) {
  switch (clone.target->map(clone)) {
    case MapResult::kSubmitted: return;  // the clone may be gone already
    case MapResult::kRemapped: return submit_clone(clone);
    case MapResult::kKill: return end_clone(clone, kEio);
    case MapResult::kRequeue: return end_clone(clone, BlockStatus::of(BlockStatus::Code::kRequeue));
  }
  UNMODELLED("map result");
}

void MappedDevice::submit_clone(TargetBio& clone) {
  CHECK(clone.device != nullptr, "a target has remapped a bio to nowhere");
  CHECK(clone.original != nullptr, "a target submits a clone that has ended");
  const Io& part = *static_cast<const Io*>(clone.original);
  Bio& bio = clone.bio;
  bio.trace_id = trace_.emit_caused(
      kDmMap, actor_, part.trace_id, static_cast<std::uint64_t>(live_->actor_of(clone.device)),
      static_cast<std::uint64_t>(bio.op), bio.sector, bio.sectors, bio.fua);
  clone.device->submit(bio);
}

void MappedDevice::clone_ended(Bio& bio) {
  TargetBio& clone = target_bio_of(bio);
  MappedDevice& device = *static_cast<Io*>(clone.original)->device;
  BlockStatus status = bio.status;
  switch (clone.target->end_io(clone, status)) {
    case EndResult::kIncomplete: return;
    case EndResult::kDone: return device.end_clone(clone, status);
    case EndResult::kRequeue:
      return device.end_clone(clone, BlockStatus::of(BlockStatus::Code::kRequeue));
  }
  UNMODELLED("end_io result");
}

void MappedDevice::finish_clone(TargetBio& clone, BlockStatus status) { end_clone(clone, status); }

void MappedDevice::end_clone(TargetBio& clone, BlockStatus status) {
  CHECK(clone.original != nullptr, "a clone ends twice");
  Io& part = *static_cast<Io*>(clone.original);
  clone.original = nullptr;
  if (&clone != &part.clone) context_.clones.give_back(clone);
  drop(part, status);
}

void MappedDevice::drop(Io& part, BlockStatus status) {
  if (!status.ok() && !(is_requeue(part.status) && noflush_suspending_)) part.status = status;
  CHECK(part.references > 0);
  if (--part.references == 0) part_done(part);
}

void MappedDevice::part_done(Io& part) {
  const bool pushed_back = is_requeue(part.status) && push_back(part);
  CHECK(pending_ > 0);
  if (--pending_ == 0) drain_queue_.wake_all();
  if (pushed_back) return kick_worker();
  if (!part.preflush) return end_part(part, part.status);
  if (!part.status.ok()) {
    REACHED("the flush before a write fails");
    if (context_.switches.preflush_error_kept) return end_part(part, part.status);
  }
  // The flush of a write is done: its data follows, in the worker's fiber.
  part.preflush = false;
  defer(part);
}

// A target wants `part` to come again. True: it will. False: nobody may have it back now, and the
// status says EIO.
bool MappedDevice::push_back(Io& part) {
  if (!noflush_suspending_ && context_.switches.requeue_to_eio) {
    REACHED("a push-back outside a noflush suspend becomes EIO");
    part.status = kEio;
    return false;
  }
  REACHED("a bio is pushed back to the deferred list");
  trace_.emit_caused(kDmRequeue, actor_, part.trace_id, static_cast<std::uint64_t>(part.bio->op),
                     part.begin(), part.sectors);
  deferred_.push_front(part);
  return true;
}

void MappedDevice::end_part(Io& part, BlockStatus status) {
  CHECK(!is_requeue(status));
  Io& whole = *part.whole;
  if (!status.ok()) whole.outcome = status;
  if (&part != &whole) context_.ios.give_back(part);
  CHECK(whole.parts > 0);
  if (--whole.parts > 0) return;
  Bio& bio = *whole.bio;
  const BlockStatus outcome = whole.outcome;
  trace_.emit_caused(kDmComplete, actor_, whole.trace_id, static_cast<std::uint64_t>(outcome.code),
                     outcome.injected);
  context_.ios.give_back(whole);
  --bios_;
  --context_.bios_in_flight;
  bio.complete(outcome);
}

void MappedDevice::defer(Io& io) {
  deferred_.push_back(io);
  kick_worker();
}

void MappedDevice::kick_worker() {
  if (worker_runs_ || blocked_ || deferred_.empty()) return;
  worker_runs_ = true;
  scheduler_.spawn(worker_actor_, FiberRole::kDaemon, [this] { work(); });
}

// The worker's life: passes deferred bios on until there are none, or until I/O is blocked.
void MappedDevice::work() {
  while (!blocked_) {
    Io* io = deferred_.pop_front();
    if (io == nullptr) break;
    context_.switches.flush == FlushWay::kOrdered ? pass_in_order(*io) : pass(*io);
    // A bio that is pushed back over and over must not keep time from passing.
    if (!deferred_.empty()) scheduler_.yield();
  }
  worker_runs_ = false;
  worker_queue_.wake_all();
  kick_worker();
}

}  // namespace dmsim::native
