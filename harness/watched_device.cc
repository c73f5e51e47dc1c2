#include "harness/watched_device.h"

#include <algorithm>

#include <utility>

namespace dmsim {

WatchedDevice::WatchedDevice(std::string name, std::function<BlockDevice*()> find,
                             Scheduler& scheduler, Reference* reference, AnswerListener& listener)
    : name_(std::move(name)),
      find_(std::move(find)),
      scheduler_(scheduler),
      reference_(reference),
      listener_(listener),
      sectors_when_gone_(reference == nullptr ? 0 : reference->sectors()) {}

std::uint64_t WatchedDevice::sectors() const {
  const BlockDevice* device = find_();
  return device == nullptr || device->sectors() == 0 ? sectors_when_gone_ : device->sectors();
}

BlockLimits WatchedDevice::limits() const {
  const BlockDevice* device = find_();
  return device == nullptr ? BlockLimits{} : device->limits();
}

UserRequest& WatchedDevice::take_request() {
  if (free_requests_ == nullptr) {
    all_requests_.push_back(std::make_unique<UserRequest>());
    free_requests_ = all_requests_.back().get();
  }
  UserRequest& request = *free_requests_;
  free_requests_ = request.next_free;
  request = UserRequest{};
  return request;
}

std::vector<std::string> WatchedDevice::unanswered() const {
  std::vector<std::string> out;
  for (const auto& request : all_requests_) {
    if (request->bio == nullptr) continue;
    out.push_back(fmt::format("{} of {}, submitted at {} ns", bio_notation(*request->bio), name_,
                              request->submitted.ns()));
  }
  return out;
}

bool WatchedDevice::owes(Actor issuer) const {
  return std::any_of(all_requests_.begin(), all_requests_.end(), [issuer](const auto& request) {
    return request->bio != nullptr && request->bio->issuer == static_cast<std::uint32_t>(issuer);
  });
}

void WatchedDevice::submit(Bio& bio) {
  UserRequest& request = take_request();
  request.bio = &bio;
  request.end_io = std::exchange(bio.end_io, &on_end);
  request.context = std::exchange(bio.context, &request);
  request.device = this;
  request.submitted = scheduler_.now();
  ++requests_;
  ++in_flight_;
  if (reference_ != nullptr) {
    switch (bio.op) {
      case Op::kRead: request.begun = reference_->begin_read(); break;
      case Op::kFlush: request.begun = reference_->begin_flush(); break;
      case Op::kWrite:
      case Op::kDiscard:
        if (bio.preflush) request.begun = reference_->begin_flush();
        request.write = reference_->begin_write(bio);
        break;
    }
  }
  BlockDevice* device = find_();
  if (device == nullptr) {
    bio.complete(BlockStatus::of(BlockStatus::Code::kIoError));
    return;
  }
  device->submit(bio);
}

bool WatchedDevice::congested() {
  BlockDevice* const device = find_();
  return device != nullptr && device->congested();
}

void WatchedDevice::on_end(Bio& bio) {
  auto& request = *static_cast<UserRequest*>(bio.context);
  request.device->answer(request, bio);
}

void WatchedDevice::answer(UserRequest& request, Bio& bio) {
  const BlockStatus status = bio.status;
  CHECK(in_flight_ > 0);
  --in_flight_;
  ++answers_[static_cast<std::size_t>(bio.op)][static_cast<std::size_t>(status.code)];
  wrong_.clear();
  if (reference_ != nullptr) {
    switch (bio.op) {
      case Op::kRead:
        if (status.ok()) {
          reference_->check_read(bio, request.begun, &wrong_);
        } else {
          reference_->abandon_read(request.begun);
        }
        break;
      case Op::kFlush: reference_->end_flush(request.begun, status.ok()); break;
      case Op::kWrite:
      case Op::kDiscard:
        if (bio.preflush) reference_->end_flush(request.begun, status.ok());
        reference_->end_write(*request.write, status.ok());
        break;
    }
  }
  listener_.on_answer(request, status);
  if (!wrong_.empty()) listener_.on_mismatches(*this, wrong_);
  bio.end_io = request.end_io;
  bio.context = request.context;
  request.bio = nullptr;
  request.next_free = free_requests_;
  free_requests_ = &request;
  bio.end_io(bio);
}

}  // namespace dmsim
