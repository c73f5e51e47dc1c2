// What dm core did with barriers before it forwarded flushes: switch core.flush. A barrier is a flush, or a write
// with PREFLUSH or FUA.
//
// Refused: each is answered with EOPNOTSUPP, and a file system that asks for one learns that there are none.
// Later a table of a single linear target passed them on. Then came barriers that keep the order: whatever
// was submitted before has ended when one begins, and what comes after begins when it has ended; but a disk's
// cache does not hear of it, and a cache has no order.
#include "base/reached.h"
#include "engine/native/core/mapped_device.h"

namespace dmsim::native {
namespace {

bool is_barrier(const Io& io) {
  const Bio& bio = *io.bio;
  return bio.op == Op::kFlush || (bio.op == Op::kWrite && (bio.preflush || bio.fua));
}

}  // namespace

bool MappedDevice::refuses(const Io& io) const {
  if (context_.switches.flush == FlushWay::kOrdered || !is_barrier(io)) return false;
  if (context_.switches.flush == FlushWay::kRefused) return true;
  return live_->targets().size() != 1 || live_->targets()[0]->type() != "linear";
}

// Behind a barrier that waits; or a barrier itself. The worker sees to it.
bool MappedDevice::keeps_its_place(const Io& io) const {
  if (context_.switches.flush != FlushWay::kOrdered || passing_ == io.whole) return false;
  return is_barrier(io) || barrier_runs_ || !deferred_.empty();
}

// In the worker's fiber.
void MappedDevice::pass_in_order(Io& io) {
  barrier_runs_ = is_barrier(io);
  if (barrier_runs_) {
    REACHED("a barrier waits for what was submitted before it");
    wait_until(drain_queue_, [this] { return pending_ == 0; });
    io.preflush = false;
  }
  if (io.is_flush()) {
    end_part(io, BlockStatus::okay());
  } else {
    passing_ = io.whole;
    pass(io);
    passing_ = nullptr;
  }
  if (barrier_runs_) wait_until(drain_queue_, [this] { return pending_ == 0; });
  barrier_runs_ = false;
}

}  // namespace dmsim::native
