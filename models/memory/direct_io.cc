#include "models/memory/direct_io.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "base/reached.h"

namespace dmsim {

DirectRequest::DirectRequest(Scheduler& scheduler) : wait_(scheduler, *this) {}

std::string DirectRequest::notation() const {
  return bio_notation(op_, fua_, range_.begin, static_cast<std::uint32_t>(range_.count()));
}

std::string DirectRequest::Wait::describe_wait() const { return "c(" + request_.notation() + ")"; }

BlockStatus DirectRequest::status() const {
  CHECK(done());
  return status_;
}

const PageRef& DirectRequest::page(std::size_t index) const {
  CHECK(state_ != State::kSpare);
  CHECK(index < frame_count_, index, frame_count_);
  CHECK(op_ == Op::kWrite || (done() && status_.ok()), "nothing was read");
  return frames_[index].page();
}

const std::byte* DirectRequest::sector_bytes(Sector sector) const {
  CHECK(range_.contains(sector), sector);
  const std::uint64_t first_page = range_.begin / kPageSectors;
  return page(sector / kPageSectors - first_page)
      .sector_bytes(static_cast<std::uint32_t>(sector % kPageSectors));
}

DirectIo::DirectIo(Scheduler& scheduler, PageSpace& pages, BlockDevice& device, Actor actor)
    : scheduler_(scheduler),
      pages_(pages),
      device_(device),
      actor_(actor),
      device_actor_(scheduler.trace().actors().intern(device.name())),
      ended_(scheduler, "any request of " + scheduler.trace().actors().name(actor)) {}

DirectIo::~DirectIo() = default;

DirectRequest& DirectIo::read(SectorRange range) {
  DirectRequest& request = prepare(Op::kRead, range);
  for (std::size_t i = 0; i < request.frame_count_; ++i) request.frames_[i].set(PageRef());
  start(request, false);
  return request;
}

DirectRequest& DirectIo::flush() {
  DirectRequest& request = prepare(Op::kFlush, {});
  start(request, false);
  return request;
}

DirectRequest& DirectIo::discard(SectorRange range) {
  DirectRequest& request = prepare(Op::kDiscard, range);
  start(request, false);
  return request;
}

void DirectIo::start_write(DirectRequest& request, WriteOptions options) {
  request.fua_ = options.fua;
  start(request, options.preflush);
}

bool DirectIo::scribble(DirectRequest& request, Sector sector, std::span<const std::byte> bytes) {
  CHECK(request.owner_ == this);
  CHECK(request.state_ != DirectRequest::State::kSpare);
  CHECK(request.op_ == Op::kWrite);
  CHECK(request.range_.contains(sector), sector);
  CHECK(bytes.size() == kSectorBytes, bytes.size());
  Frame& frame =
      request.frames_[sector / kPageSectors - request.range_.begin / kPageSectors];
  frame.store(pages_, static_cast<std::uint32_t>(sector % kPageSectors) * kSectorBytes,
              bytes.data(), kSectorBytes);
  const bool under_way = !request.done();
  if (under_way) REACHED("an application changes the buffer of its write in flight");
  scheduler_.trace().emit(kDirectScribble, actor_, static_cast<std::uint64_t>(device_actor_),
                          sector, frame.page().version(), under_way ? 1 : 0);
  return under_way;
}

BlockStatus DirectIo::wait(DirectRequest& request) {
  CHECK(request.owner_ == this);
  CHECK(request.state_ != DirectRequest::State::kSpare);
  wait_until(request.wait_, [&request] { return request.done(); });
  if (request.state_ == DirectRequest::State::kDone) take(request);
  return request.status_;
}

DirectRequest& DirectIo::wait_any() {
  CHECK(in_flight_ > 0 || first_done_ != nullptr, "there is no request to wait for");
  wait_until(ended_, [this] { return first_done_ != nullptr; });
  DirectRequest& request = *first_done_;
  take(request);
  return request;
}

void DirectIo::wait_all() {
  wait_until(ended_, [this] { return in_flight_ == 0; });
}

void DirectIo::release(DirectRequest& request) {
  CHECK(request.owner_ == this);
  CHECK(request.state_ != DirectRequest::State::kSpare, "released twice");
  CHECK(request.done(), "released while under way");
  if (request.state_ == DirectRequest::State::kDone) take(request);
  request.state_ = DirectRequest::State::kSpare;
  for (std::size_t i = 0; i < request.frame_count_; ++i) {
    CHECK(request.frames_[i].writes_in_flight == 0, i);
    request.frames_[i].observer = nullptr;
    request.frames_[i].set(PageRef());
  }
  request.frame_count_ = 0;
  spare_.push_back(&request);
}

DirectRequest& DirectIo::prepare(Op op, SectorRange range) {
  CHECK((op == Op::kFlush) == range.empty());
  CHECK(range.end <= device_.sectors(), range.end, device_.sectors());
  if (spare_.empty()) {
    storage_.push_back(std::make_unique<DirectRequest>(scheduler_));
    storage_.back()->owner_ = this;
    spare_.reserve(storage_.size());
    spare_.push_back(storage_.back().get());
  }
  DirectRequest& request = *spare_.back();
  spare_.pop_back();
  request.op_ = op;
  request.fua_ = false;
  request.range_ = range;
  request.status_ = BlockStatus::okay();
  request.frame_count_ = 0;
  if (op == Op::kRead || op == Op::kWrite) {
    request.frame_count_ =
        (range.end + kPageSectors - 1) / kPageSectors - range.begin / kPageSectors;
    if (request.frames_.size() < request.frame_count_) request.frames_.resize(request.frame_count_);
  }
  return request;
}

SectorRange DirectIo::sectors_in_frame(const DirectRequest& request, std::size_t index) {
  const Sector begin = (request.range_.begin / kPageSectors + index) * kPageSectors;
  return request.range_.intersection({begin, begin + kPageSectors});
}

std::byte* DirectIo::fresh_page(DirectRequest& request, std::size_t index) {
  std::byte* bytes = nullptr;
  request.frames_[index].set(pages_.make(&bytes));
  // What the request does not cover is never sent, but it is part of the content's digest.
  if (sectors_in_frame(request, index).count() < kPageSectors) std::memset(bytes, 0, kPageBytes);
  return bytes;
}

void DirectIo::start(DirectRequest& request, bool preflush) {
  request.segments_.clear();
  for (std::size_t i = 0; i < request.frame_count_; ++i) {
    const SectorRange part = sectors_in_frame(request, i);
    request.segments_.push_back({&request.frames_[i], nullptr,
                                 static_cast<std::uint32_t>(part.begin % kPageSectors) * kSectorBytes,
                                 static_cast<std::uint32_t>(part.count()) * kSectorBytes});
  }
  const bool has_data = request.frame_count_ > 0;
  // Only data is limited in length. Cuts fall on page boundaries, so that whole pages stay whole.
  const Sector longest = device_.limits().max_sectors / kPageSectors * kPageSectors;
  CHECK(longest > 0);
  request.bios_.clear();
  Sector at = request.range_.begin;
  do {
    Sector end = request.range_.end;
    if (has_data && end - at > longest) end = at - at % kPageSectors + longest;
    Bio bio;
    bio.op = request.op_;
    bio.fua = request.fua_;
    bio.preflush = preflush && at == request.range_.begin;
    bio.sector = at;
    bio.sectors = static_cast<std::uint32_t>(end - at);
    bio.segments = has_data ? request.segments_.data() : nullptr;
    bio.segment_count = static_cast<std::uint32_t>(request.segments_.size());
    bio.data_offset = static_cast<std::uint32_t>(at - request.range_.begin) * kSectorBytes;
    bio.end_io = &DirectIo::bio_ended;
    bio.context = &request;
    bio.issuer = static_cast<std::uint32_t>(actor_);
    request.bios_.push_back(bio);
    at = end;
  } while (at < request.range_.end);

  request.state_ = DirectRequest::State::kUnderWay;
  request.submitted_at_ = scheduler_.now();
  ++in_flight_;
  // One more than there are bios: the request cannot end, and be used again, while it is being started.
  request.bios_left_ = request.bios_.size() + 1;
  for (Bio& bio : request.bios_) device_.submit(bio);
  if (--request.bios_left_ == 0) request_ended(request);
}

void DirectIo::bio_ended(Bio& bio) {
  auto& request = *static_cast<DirectRequest*>(bio.context);
  if (!bio.status.ok() && request.status_.ok()) request.status_ = bio.status;
  CHECK(request.bios_left_ > 0);
  if (--request.bios_left_ == 0) request.owner_->request_ended(request);
}

void DirectIo::request_ended(DirectRequest& request) {
  CHECK(request.state_ == DirectRequest::State::kUnderWay);
  request.state_ = DirectRequest::State::kDone;
  request.completed_at_ = scheduler_.now();
  request.next_ = nullptr;
  (last_done_ == nullptr ? first_done_ : last_done_->next_) = &request;
  last_done_ = &request;
  CHECK(in_flight_ > 0);
  --in_flight_;
  request.wait_.wake_all();
  ended_.wake_all();
}

void DirectIo::take(DirectRequest& request) {
  CHECK(request.state_ == DirectRequest::State::kDone);
  DirectRequest* before = nullptr;
  for (DirectRequest* at = first_done_; at != &request; at = at->next_) {
    CHECK(at != nullptr);
    before = at;
  }
  (before == nullptr ? first_done_ : before->next_) = request.next_;
  if (last_done_ == &request) last_done_ = before;
  request.next_ = nullptr;
  request.state_ = DirectRequest::State::kTaken;
}

}  // namespace dmsim
