// A write does all that it should, then reports an error: the answer was lost on the way back.
#include "models/disk/faults/kinds.h"

namespace dmsim {
namespace {

class WriteLandsFails final : public Fault {
 public:
  using Fault::Fault;

  void decide(const FaultSubject& subject, Fate& fate, FaultContext& context) override {
    if (subject.op != Op::kWrite || !strikes(subject, context)) return;
    inject(BlockStatus::Code::kIoError, subject, fate, context);
  }
};

}  // namespace

std::unique_ptr<Fault> make_write_lands_fails(const FaultOptions& options) {
  return std::make_unique<WriteLandsFails>(options);
}

}  // namespace dmsim
