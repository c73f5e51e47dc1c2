// A flush fails: an empty one, or the one before a write, which then is not begun. Whether the
// cache reached the media all the same is a choice. (What lies between all and nothing needs none:
// cached writes may survive a power cut anyway.)
#include "models/disk/faults/kinds.h"

namespace dmsim {
namespace {

// 0: nothing was made durable; 1: everything was.
constexpr ChoicePoint kFlushLands{"fault.flush_lands"};

class FlushError final : public Fault {
 public:
  using Fault::Fault;

  void decide(const FaultSubject& subject, Fate& fate, FaultContext& context) override {
    if (subject.op != Op::kFlush || !strikes(subject, context)) return;
    fate.flushes = context.choices.draw(kFlushLands, context.disk, 2) == 1 && fate.flushes;
    inject(BlockStatus::Code::kIoError, subject, fate, context);
  }
};

}  // namespace

std::unique_ptr<Fault> make_flush_error(const FaultOptions& options) {
  return std::make_unique<FlushError>(options);
}

}  // namespace dmsim
