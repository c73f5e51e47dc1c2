// WatchedDevice: a mapped device as its users see it. It stands above the engine, passes every bio on
// unchanged, and tells the reference and the judge what was asked and what was answered.
#pragma once

#include <array>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "block/device.h"
#include "engine/device_mapper.h"
#include "harness/reference.h"

namespace dmsim {

// One request of a user, from submission to answer.
struct UserRequest {
  Bio* bio = nullptr;
  EndIo end_io = nullptr;        // the user's own
  void* context = nullptr;       // the user's own
  class WatchedDevice* device = nullptr;
  Instant submitted;
  std::uint64_t begun = 0;       // of a flush or read, by the reference's clock
  Reference::WriteRecord* write = nullptr;
  UserRequest* next_free = nullptr;
};

// Told of every answer before the user is.
class AnswerListener {
 public:
  virtual void on_answer(const UserRequest& request, BlockStatus status) = 0;
  virtual void on_mismatches(WatchedDevice& device, const std::vector<Mismatch>& wrong) = 0;

 protected:
  ~AnswerListener() = default;
};

// How often each operation was answered with each status, by the values of Op and BlockStatus::Code.
using AnswerCounts = std::array<std::array<std::uint64_t, std::size(kStatusNames)>, std::size(kOpNames)>;

class WatchedDevice final : public BlockDevice {
 public:
  // `find` answers with what is behind that name now, mapped device or disk; null: nothing is.
  // `reference` may be null: nothing is compared. Everything outlives the device.
  WatchedDevice(std::string name, std::function<BlockDevice*()> find, Scheduler& scheduler,
                Reference* reference, AnswerListener& listener);

  const std::string& name() const override { return name_; }
  std::uint64_t sectors() const override;
  BlockLimits limits() const override;
  // A device that does not exist (any more) answers EIO.
  void submit(Bio& bio) override;
  bool congested() override;

  Reference* reference() { return reference_; }
  std::uint64_t requests() const { return requests_; }
  std::uint64_t in_flight() const { return in_flight_; }
  const AnswerCounts& answers() const { return answers_; }
  // Each request that has not been answered: "W0+8 of lv, submitted at 1200 ns".
  std::vector<std::string> unanswered() const;
  // Some request of that actor's has not been answered.
  bool owes(Actor issuer) const;

 private:
  static void on_end(Bio& bio);
  void answer(UserRequest& request, Bio& bio);
  UserRequest& take_request();

  std::string name_;
  std::function<BlockDevice*()> find_;
  Scheduler& scheduler_;
  Reference* reference_;
  AnswerListener& listener_;
  std::uint64_t sectors_when_gone_ = 0;
  std::uint64_t requests_ = 0;
  std::uint64_t in_flight_ = 0;
  AnswerCounts answers_{};
  std::vector<std::unique_ptr<UserRequest>> all_requests_;
  UserRequest* free_requests_ = nullptr;
  std::vector<Mismatch> wrong_;
};

}  // namespace dmsim
