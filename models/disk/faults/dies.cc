// A disk dies: the request that the fault strikes and every later one fails, and so does whatever is
// on its way then. Nothing is written or delivered from that instant; what the media and the cache
// hold stays. `heals` brings it back with that old content, and so does a power cut if it is of the
// reviving kind.
#include "base/reached.h"
#include "models/disk/faults/kinds.h"

namespace dmsim {
namespace {

class Dies final : public Fault {
 public:
  using Fault::Fault;

  void decide(const FaultSubject& subject, Fate& fate, FaultContext& context) override {
    if (!in_time(context.now)) state().dead = false;
    if (!state().dead && strikes(subject, context)) state().dead = true;
    if (!state().dead) return;
    fate.moved_sectors = 0;
    fate.flushes = false;
    inject(BlockStatus::Code::kIoError, subject, fate, context);
  }

  void finish(const FaultSubject& subject, Fate& fate, FaultContext& context) override {
    if (!fate.status.ok() || !in_time(context.now)) return;
    // Data moved before the death. A death at a given instant strikes whatever ends after it; one that
    // waits for a matching request waits for that.
    const bool at_an_instant = options().skip == 0 && !options().range &&
                               options().probability.numerator >= options().probability.denominator;
    if (!state().dead && at_an_instant && strikes(subject, context)) state().dead = true;
    if (!state().dead) return;
    REACHED("a disk dies while a request is on its way");
    inject(BlockStatus::Code::kIoError, subject, fate, context);
  }
};

}  // namespace

std::unique_ptr<Fault> make_dies(const FaultOptions& options) {
  return std::make_unique<Dies>(options);
}

}  // namespace dmsim
