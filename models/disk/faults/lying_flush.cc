// Flush and FUA are acknowledged without effect: what should be durable stays in the volatile cache.
#include "models/disk/faults/kinds.h"

namespace dmsim {
namespace {

class LyingFlush final : public Fault {
 public:
  using Fault::Fault;

  void decide(const FaultSubject& subject, Fate& fate, FaultContext& context) override {
    const bool asks_for_durability = subject.op == Op::kFlush || subject.fua;
    if (!asks_for_durability || !strikes(subject, context)) return;
    fate.flushes = false;
    trace(subject, context);
  }
};

}  // namespace

std::unique_ptr<Fault> make_lying_flush(const FaultOptions& options) {
  return std::make_unique<LyingFlush>(options);
}

}  // namespace dmsim
