#include "engine/native/mirror/mirror_set.h"

#include <bit>
#include <utility>

#include "base/reached.h"
#include "engine/native/mirror/mirror_trace.h"

namespace dmsim::native {

MirrorSet::MirrorSet(const TargetArguments& arguments, std::unique_ptr<MirrorSwitches> switches,
                     Actor actor, MirrorTable table)
    : Target(arguments.begin, arguments.length),
      host_(arguments.host),
      env_(arguments.host.environment()),
      scheduler_(env_.scheduler),
      switches_(std::move(switches)),
      actor_(actor),
      handle_errors_(table.handle_errors || table.log->block_on_error()),
      keep_log_(table.keep_log),
      log_(std::move(table.log)),
      region_shift_(static_cast<std::uint32_t>(std::countr_zero(log_->region_sectors()))),
      hash_(*log_, *this, LogSite{host_, *switches_, actor_}),
      legs_(std::move(table.legs)),
      copier_(env_.bios, env_.pages, actor_),
      bounce_(scheduler_, env_.pages, actor_),
      leg_io_(scheduler_, env_.bios, "flush of the legs of mirror " + host_.device_name(), actor_),
      worker_(scheduler_, actor_, "the worker of mirror " + host_.device_name(), *this) {
  CHECK(legs_.count() >= 2 && legs_.count() <= kMaxLegs, legs_.count());
  for (native::Leg& leg : legs_.all()) leg.mirror = this;
  log_->set_leg_flusher(*this);
  if (switches_->buffer == BufferMode::kDelayedClean) {
    aging_ = std::make_unique<Timer>(scheduler_, [this] { worker_.wake(); });
  }
  Trace& trace = scheduler_.trace();
  phases_ = {trace.text("copy begins"), trace.text("copied"), trace.text("read failed"),
             trace.text("write failed")};
  // A table that calls its legs synchronised is believed before it runs, and nobody is told.
  in_sync_ = log_->sync_count() == log_->region_count();
}

MirrorSet::~MirrorSet() = default;

void MirrorSet::queue(BioList& list, Bio& bio) {
  const bool was_empty = list.empty();
  list.push_back(bio);
  if (was_empty) worker_.wake();
}

MapResult MirrorSet::map(TargetBio& bio) {
  Bio& request = bio.bio;
  CHECK(request.op == Op::kFlush || region_of(request) < log_->region_count(), request.sector);
  if (request.op != Op::kRead) {
    CHECK(!request.preflush, "core sends flushes on their own");
    if (request.op == Op::kFlush && !switches_->forward_flush) {
      host_.finish(bio, BlockStatus::okay());
      return MapResult::kSubmitted;
    }
    bio.words[kWriteRegion] = request.op == Op::kWrite ? region_of(request) : 0;
    ++kept_;
    queue(writes_, request);
    return MapResult::kSubmitted;
  }
  if (!log_->in_sync(region_of(request))) {
    ++kept_;
    queue(reads_, request);
    return MapResult::kSubmitted;
  }
  native::Leg* leg = choose_leg();
  if (leg == nullptr) {
    host_.finish(bio, {BlockStatus::Code::kIoError, legs_.any_injected()});
    return MapResult::kSubmitted;
  }
  remap_read(bio, *leg);
  return MapResult::kRemapped;
}

EndResult MirrorSet::end_io(TargetBio& bio, BlockStatus& status) {
  if (bio.bio.op == Op::kRead) return read_ended(bio, status);
  // A write that went to the default leg alone: its error goes up as it is.
  CHECK(bio.bio.op == Op::kWrite);
  hash_.end_write(bio.words[kWriteRegion]);
  return EndResult::kDone;
}

void MirrorSet::fail_leg(native::Leg& leg, LegError error, bool injected) {
  const MirrorLegs::FailRules rules{
      .errors_handled = handle_errors_,
      .may_move_default = may_continue_after_errors(),
      .count_errors = handle_errors_ || switches_->read_retry != ReadRetry::kLivelock};
  ++failures_seen_;
  const bool tell = legs_.fail(leg, error, injected, rules);
  const char letter = MirrorLegs::health(leg);
  scheduler_.trace().emit(kTraceLegFailed, actor_, leg.index,
                          scheduler_.trace().text(std::string_view(&letter, 1)),
                          legs_.default_index());
  if (tell) host_.event();
}

bool MirrorSet::flush_legs() {
  BlockingIo::Batch batch;
  for (native::Leg& leg : legs_.all()) {
    leg_io_.start(batch, leg.index, *leg.device, Op::kFlush, {0, 0}, {});
  }
  leg_io_.wait(batch);
  scheduler_.trace().emit(kTraceLegFlush, actor_, batch.failed_parts);
  for (native::Leg& leg : legs_.all()) {
    if ((batch.failed_parts >> leg.index & 1) != 0) fail_leg(leg, LegError::kFlush, batch.injected);
  }
  return batch.failed_parts == 0;
}

// Nothing is held back and no recovery runs afterwards; whatever the worker had to do is done.
void MirrorSet::quiesce() {
  suspended_ = true;
  BioList held = std::exchange(holds_, {});
  while (Bio* bio = held.pop_front()) hold(target_bio_of(*bio));
  hash_.stop_recovery();
  quiesced_ = true;
  worker_.flush();
}

void MirrorSet::presuspend() {
  if (switches_->requeue_phase == RequeuePhase::kPresuspend) quiesce();
}

void MirrorSet::presuspend_undo() {
  if (!switches_->undo_presuspend || !quiesced_) return;
  REACHED("an interrupted suspend of a mirror is undone");
  suspended_ = false;
  quiesced_ = false;
  hash_.start_recovery();
}

void MirrorSet::postsuspend() {
  if (switches_->requeue_phase == RequeuePhase::kPostsuspend) quiesce();
  if (aging_ != nullptr) aging_->cancel();
  log_->postsuspend();
  worker_.flush();
}

void MirrorSet::resume() {
  worker_.start();
  suspended_ = false;
  quiesced_ = false;
  log_->resume();  // a log that fails here says so in its status, and in every flush to come
  if (switches_->self_sufficient && log_->failed_legs().count > 0) {
    REACHED("a mirror knows from its log which leg not to believe");
    legs_.avoid(log_->failed_legs());
  }
  hash_.start_recovery();
}

}  // namespace dmsim::native
