// Writes: to all legs, to the default leg, or later; and what becomes of those that failed.
#include "base/reached.h"
#include "engine/native/mirror/mirror_set.h"
#include "engine/native/mirror/mirror_trace.h"

namespace dmsim::native {
namespace {

// Flushes and discards concern all legs whatever the state of a region, and are never counted in
// it.
bool counts_in_region(const Bio& bio) { return bio.op == Op::kWrite; }

}  // namespace

void MirrorSet::do_writes(BioList& writes) {
  if (writes.empty()) return;
  BioList to_all;
  BioList to_default;
  BioList delayed;
  while (Bio* bio = writes.pop_front()) {
    if (!counts_in_region(*bio)) {
      to_all.push_back(*bio);
      continue;
    }
    switch (hash_.state(region_of(*bio))) {
      case RegionState::kClean:
      case RegionState::kDirty: to_all.push_back(*bio); break;
      case RegionState::kNosync: to_default.push_back(*bio); break;
      case RegionState::kRecovering: delayed.push_back(*bio); break;
    }
  }
  for (BioList* list : {&to_all, &to_default}) {
    for (Bio* bio = list->first(); bio != nullptr; bio = bio->next) {
      if (counts_in_region(*bio)) hash_.begin_write(region_of(*bio));
    }
  }
  // Once failed, always failed: a later success does not tell which marks were lost.
  if (!log_->flush()) log_failed_ = true;

  if (log_failed_ && (handle_errors_ || !switches_->issue_on_log_fail_without_he)) {
    REACHED("writes cannot be marked in the log");
    failures_.take_all(to_all);
    worker_.wake();
  }
  while (Bio* bio = to_all.pop_front()) issue_to_all(target_bio_of(*bio));
  while (Bio* bio = delayed.pop_front()) {
    REACHED("a write waits for recovery of its region");
    hash_.delay(region_of(*bio), *bio);
  }
  // A log that nobody has read may call a region clean: when it is read again, the other legs would be believed.
  const bool unknown = log_failed_ && handle_errors_ && log_->unread() && switches_->unread_log_holds;
  if (unknown && !to_default.empty()) {
    REACHED("a write waits because nobody knows what the log says");
    failures_.take_all(to_default);
    worker_.wake();
  }
  while (Bio* bio = to_default.pop_front()) {
    if (legs_.any_failure() && handle_errors_ && !keep_log_ && !keeps_failures()) {
      queue(failures_, *bio);
    } else {
      issue_to_default(target_bio_of(*bio));
    }
  }
}

void MirrorSet::issue_to_default(TargetBio& write) {
  native::Leg& leg = legs_.default_leg();
  write.bio.sector = on_leg(leg, write.bio);
  write.device = leg.device;
  scheduler_.trace().emit(kTraceWrite, actor_, leg.index, write.bio.sector, write.bio.sectors);
  --kept_;
  host_.submit(write);
}

void MirrorSet::issue_to_all(TargetBio& write) {
  const Bio& bio = write.bio;
  BounceBuffer* bounce = nullptr;
  if (bio.op == Op::kWrite && switches_->buffer == BufferMode::kBounce) bounce = &bounce_.copy(bio);
  write.words[kWriteBounce] = reinterpret_cast<std::uintptr_t>(bounce);
  write.words[kWriteErrors] = 0;
  write.words[kWriteLegsPending] = legs_.count();
  for (native::Leg& leg : legs_.all()) {
    Bio* clone = env_.bios.clone(bio, 0, bio.sectors);
    clone->sector = bio.op == Op::kFlush ? 0 : on_leg(leg, bio);
    if (bounce != nullptr) {
      clone->segments = bounce->segments.data();
      clone->segment_count = bounce->segment_count;
      clone->data_offset = 0;
    }
    clone->end_io = &MirrorSet::on_leg_write_end;
    clone->context = &leg;
    clone->argument = reinterpret_cast<std::uintptr_t>(&write);
    scheduler_.trace().emit(kTraceWrite, actor_, leg.index, clone->sector, clone->sectors);
    if (bio.op == Op::kDiscard && !leg.device->limits().discard) {
      clone->complete(BlockStatus::of(BlockStatus::Code::kNotSupported));
    } else {
      leg.device->submit(*clone);
    }
  }
}

void MirrorSet::on_leg_write_end(Bio& leg_bio) {
  const native::Leg& leg = *static_cast<const native::Leg*>(leg_bio.context);
  auto& write = *reinterpret_cast<TargetBio*>(static_cast<std::uintptr_t>(leg_bio.argument));
  if (!leg_bio.status.ok()) {
    write.words[kWriteErrors] |= std::uint64_t{1} << leg.index;
    if (leg_bio.status.injected) write.words[kWriteErrors] |= kInjected;
  }
  MirrorSet& mirror = *leg.mirror;
  mirror.env_.bios.free(&leg_bio);
  if (--write.words[kWriteLegsPending] == 0) mirror.legs_written(write);
}

// All legs have answered. Interrupt context.
void MirrorSet::legs_written(TargetBio& write) {
  if (write.words[kWriteBounce] != 0) {
    bounce_.release(
        *reinterpret_cast<BounceBuffer*>(static_cast<std::uintptr_t>(write.words[kWriteBounce])));
  }
  const std::uint64_t errors = write.words[kWriteErrors] & ~kInjected;
  if (errors == 0) return finish_write(write, BlockStatus::okay());

  const Op op = write.bio.op;
  const bool injected = (write.words[kWriteErrors] & kInjected) != 0;
  if (op == Op::kDiscard && !switches_->discard_error_degrades) {
    REACHED("a leg refuses a discard");
    return finish_write(write, {BlockStatus::Code::kNotSupported, injected});
  }
  const std::uint64_t all = (std::uint64_t{1} << legs_.count()) - 1;
  if (op == Op::kWrite && switches_->partial_write == PartialWrite::kIgnore) {
    return finish_write(write, errors == all ? write_error(write) : BlockStatus::okay());
  }
  // Known from now on: the first synchronisation may end, and forgive all legs, before the worker is there.
  if (op == Op::kFlush) flush_failed_ = true;
  if (op == Op::kWrite) ++unheard_failures_;
  for (native::Leg& leg : legs_.all()) {
    if ((errors >> leg.index & 1) != 0) fail_leg(leg, LegError::kWrite, injected);
  }
  queue(failures_, write.bio);
}

bool MirrorSet::keeps_failures() {
  return switches_->self_sufficient && !log_failed_ && log_->keep_failed_legs(legs_.failed_legs());
}

BlockStatus MirrorSet::write_error(const TargetBio& write) const {
  const bool injected = (write.words[kWriteErrors] & kInjected) != 0 || legs_.any_injected() ||
                        (log_failed_ && log_->failure_injected());
  return {BlockStatus::Code::kIoError, injected};
}

void MirrorSet::do_failures(BioList& failures) {
  while (Bio* bio = failures.pop_front()) {
    TargetBio& write = target_bio_of(*bio);
    if (!log_failed_) note_failure(*bio);
    if (bio->op == Op::kWrite && write.words[kWriteErrors] != 0) {
      CHECK(unheard_failures_ > 0, bio->sector);
      --unheard_failures_;
    }
    // Its own errors count as well: the legs may have been forgiven since.
    const std::uint64_t all = (std::uint64_t{1} << legs_.count()) - 1;
    const bool failed_everywhere = switches_->failed_flush_remembered &&
                                   (write.words[kWriteErrors] & ~kInjected) == all;
    const bool beyond_repair = (legs_.first_valid() == nullptr || failed_everywhere) &&
                               (switches_->no_valid_leg == NoValidLeg::kEio || !handle_errors_);
    if (beyond_repair || (keep_log_ && log_failed_)) {
      finish_write(write, write_error(write));
    } else if (keeps_failures()) {
      REACHED("a mirror goes on without a leg, and without user space");
      finish_write(write, BlockStatus::okay());
    } else if (handle_errors_ && !keep_log_ &&
               (switches_->partial_write != PartialWrite::kAck || log_failed_)) {
      hold(write);
    } else {
      // Wrong if the failed leg comes back after a restart and is taken for the good one.
      finish_write(write, BlockStatus::okay());
    }
  }
}

void MirrorSet::note_failure(const Bio& write) {
  in_sync_ = false;
  switch (write.op) {
    case Op::kFlush:
      REACHED("a flush from above fails on a leg");
      if (switches_->flush_error_sticky) hash_.flush_failed();
      return;
    case Op::kDiscard: return;
    case Op::kWrite: hash_.write_failed(region_of(write)); return;
    case Op::kRead: break;
  }
  UNMODELLED("failed read among failed writes");
}

void MirrorSet::hold(TargetBio& write) {
  const Bio& bio = write.bio;
  if (!suspended_) {
    REACHED("a write is held until suspend");
    scheduler_.trace().emit(kTraceHold, actor_, bio.sector, bio.sectors);
    holds_.push_back(write.bio);
    return;
  }
  if (host_.noflush_suspending() || !switches_->error_in_suspend) {
    scheduler_.trace().emit(kTraceRequeue, actor_, bio.sector, bio.sectors);
    finish_write(write, BlockStatus::of(BlockStatus::Code::kRequeue));
  } else {
    finish_write(write, write_error(write));
  }
}

void MirrorSet::finish_write(TargetBio& write, BlockStatus status) {
  if (counts_in_region(write.bio)) hash_.end_write(write.words[kWriteRegion]);
  --kept_;
  host_.finish(write, status);
}

}  // namespace dmsim::native
