// BlockingIo: reads, writes and flushes that a fiber waits for (what dm_io does without a
// callback).
//
// A batch is started bio by bio and then waited for as a whole; which of its parts failed comes
// back as bits. Several fibers may have a batch each under way. A part that reaches past the
// device's end fails as the block layer would fail it. Bios longer than the device takes are split.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "block/device.h"
#include "sim/wait.h"

namespace dmsim::native {

class BlockingIo {
 public:
  // On the waiting fiber's stack.
  struct Batch {
    BlockingIo* io = nullptr;        // set when started
    std::uint32_t pending = 0;       // bios under way
    std::uint64_t failed_parts = 0;  // bit n: part n
    bool injected = false;           // some failure was a fault's
  };

  enum class Fua : bool { kNo, kYes };

  // `what` words the wait; `issuer` is whom the bios belong to. The pool outlives this.
  BlockingIo(Scheduler& scheduler, BioPool& bios, std::string what, Actor issuer)
      : bios_(bios), finished_(scheduler, std::move(what)), issuer_(issuer) {}

  // Starts part `part` (< 64) of `batch`. `segments` live until the wait is over; none for a flush.
  void start(Batch& batch, std::uint32_t part, BlockDevice& device, Op op, SectorRange range,
             std::span<const Segment> segments, Fua fua = Fua::kNo);
  void wait(Batch& batch) {
    wait_until(finished_, [&batch] { return batch.pending == 0; });
  }

 private:
  static void on_end(Bio& bio);
  void submit(Batch& batch, std::uint32_t part, BlockDevice& device, const Bio& shape);

  BioPool& bios_;
  WaitQueue finished_;
  Actor issuer_;
};

}  // namespace dmsim::native
