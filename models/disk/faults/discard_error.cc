// A discard fails and leaves the data as it was.
#include "models/disk/faults/kinds.h"

namespace dmsim {
namespace {

class DiscardError final : public Fault {
 public:
  using Fault::Fault;

  void decide(const FaultSubject& subject, Fate& fate, FaultContext& context) override {
    if (subject.op != Op::kDiscard || !strikes(subject, context)) return;
    fate.moved_sectors = 0;
    inject(BlockStatus::Code::kIoError, subject, fate, context);
  }
};

}  // namespace

std::unique_ptr<Fault> make_discard_error(const FaultOptions& options) {
  return std::make_unique<DiscardError>(options);
}

}  // namespace dmsim
