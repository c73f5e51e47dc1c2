// DirectIo: the application's side of O_DIRECT: buffers of its own, bios straight on them.
//
// A request lies in its buffer as it lies on the device: its first sector stands at sector % 8 of the
// first frame, so that whole pages travel by reference. Requests longer than the device takes in one
// piece go out as several bios; the first error of any is the request's. Requests and their buffers are
// kept for reuse.
//
// The buffer belongs to the application all the time. scribble() changes it while the write is under
// way: what the disks then hold is the application's own fault.
//
// It does not model the page cache's part of O_DIRECT: who mixes both calls PageCache::write_and_wait()
// before and PageCache::invalidate() after.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "block/device.h"
#include "sim/trace.h"
#include "sim/wait.h"

namespace dmsim {

// The application changed the buffer of a write; under_way = 1: while it was in flight.
inline constexpr TraceKind kDirectScribble{
    "direct.scribble", {{{"device", ArgForm::kActor}, {"sector"}, {"version"}, {"under_way"}}}};

class DirectIo;

// One request. Owned by its DirectIo; valid until release().
class DirectRequest {
 public:
  explicit DirectRequest(Scheduler& scheduler);

  Op op() const { return op_; }
  bool fua() const { return fua_; }
  SectorRange range() const { return range_; }
  std::string notation() const;  // "W8+4!"
  bool done() const { return state_ != State::kUnderWay; }
  // Requires done().
  BlockStatus status() const;

  // The buffer: what will be, is being or was written; for a read, what arrived (requires done() and
  // an ok status). `sector` is the device's, within range().
  const std::byte* sector_bytes(Sector sector) const;
  // The frames' contents, one per page of the device that the range touches.
  std::size_t page_count() const { return frame_count_; }
  const PageRef& page(std::size_t index) const;
  Instant submitted_at() const { return submitted_at_; }
  Instant completed_at() const { return completed_at_; }

 private:
  friend class DirectIo;
  enum class State : std::uint8_t { kSpare, kUnderWay, kDone, kTaken };
  class Wait final : public WaitQueue {
   public:
    Wait(Scheduler& scheduler, const DirectRequest& request)
        : WaitQueue(scheduler, {}), request_(request) {}
    std::string describe_wait() const override;

   private:
    const DirectRequest& request_;
  };

  DirectIo* owner_ = nullptr;
  State state_ = State::kSpare;
  Op op_ = Op::kRead;
  bool fua_ = false;
  SectorRange range_;
  BlockStatus status_;
  std::vector<Frame> frames_;      // grows, never shrinks; [0, frame_count_) are in use
  std::vector<Segment> segments_;  // one per frame in use
  std::vector<Bio> bios_;
  std::size_t frame_count_ = 0;
  std::size_t bios_left_ = 0;      // not yet completed
  Instant submitted_at_;
  Instant completed_at_;
  Wait wait_;
  DirectRequest* next_ = nullptr;  // in the list of requests that are done and not taken yet
};

class DirectIo {
 public:
  // All outlive this object. `actor` issues the bios: the application.
  DirectIo(Scheduler& scheduler, PageSpace& pages, BlockDevice& device, Actor actor);
  // Only when nothing is under way, or when the world is torn down.
  ~DirectIo();
  DirectIo(const DirectIo&) = delete;
  DirectIo& operator=(const DirectIo&) = delete;

  struct WriteOptions {
    bool fua = false;
    bool preflush = false;
  };

  // Starts a request. Blocks only if the device does. Requires a range within the device, not empty.
  DirectRequest& read(SectorRange range);
  DirectRequest& flush();
  DirectRequest& discard(SectorRange range);
  // fill(std::byte* out, Sector sector) fills the 512 bytes of each sector in turn.
  template <typename Fill>
  DirectRequest& write(SectorRange range, WriteOptions options, Fill fill) {
    DirectRequest& request = prepare(Op::kWrite, range);
    for (std::size_t i = 0; i < request.frame_count_; ++i) {
      std::byte* const bytes = fresh_page(request, i);
      const SectorRange part = sectors_in_frame(request, i);
      for (Sector sector = part.begin; sector < part.end; ++sector) {
        fill(bytes + sector % kPageSectors * kSectorBytes, sector);
      }
    }
    start_write(request, options);
    return request;
  }
  // The application changes one sector of its write buffer, now. False: the write had ended already
  // (the buffer changes all the same).
  bool scribble(DirectRequest& request, Sector sector, std::span<const std::byte> bytes);

  // Waits until `request` is done and takes it.
  BlockStatus wait(DirectRequest& request);
  // Waits until some request that nobody has taken is done, and takes the one that was done first.
  // Requires one.
  DirectRequest& wait_any();
  // Waits until none is under way. Takes none.
  void wait_all();
  // Gives a request that is done, and its buffer, back.
  void release(DirectRequest& request);

  std::size_t in_flight() const { return in_flight_; }
  // Done and not taken.
  bool any_done() const { return first_done_ != nullptr; }
  BlockDevice& device() { return device_; }

 private:
  DirectRequest& prepare(Op op, SectorRange range);
  std::byte* fresh_page(DirectRequest& request, std::size_t index);
  static SectorRange sectors_in_frame(const DirectRequest& request, std::size_t index);
  void start_write(DirectRequest& request, WriteOptions options);
  void start(DirectRequest& request, bool preflush);
  static void bio_ended(Bio& bio);
  void request_ended(DirectRequest& request);
  void take(DirectRequest& request);

  Scheduler& scheduler_;
  PageSpace& pages_;
  BlockDevice& device_;
  Actor actor_;
  Actor device_actor_;
  std::vector<std::unique_ptr<DirectRequest>> storage_;  // all requests ever made
  std::vector<DirectRequest*> spare_;
  DirectRequest* first_done_ = nullptr;  // in order of completion
  DirectRequest* last_done_ = nullptr;
  std::size_t in_flight_ = 0;
  WaitQueue ended_;
};

}  // namespace dmsim
