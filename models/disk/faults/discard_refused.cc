// A discard is refused with EOPNOTSUPP by a disk that says it understands discards.
#include "models/disk/faults/kinds.h"

namespace dmsim {
namespace {

class DiscardRefused final : public Fault {
 public:
  using Fault::Fault;

  void decide(const FaultSubject& subject, Fate& fate, FaultContext& context) override {
    if (subject.op != Op::kDiscard || !strikes(subject, context)) return;
    fate.moved_sectors = 0;
    inject(BlockStatus::Code::kNotSupported, subject, fate, context);
  }
};

}  // namespace

std::unique_ptr<Fault> make_discard_refused(const FaultOptions& options) {
  return std::make_unique<DiscardRefused>(options);
}

}  // namespace dmsim
