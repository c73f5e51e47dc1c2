// A read fails. The sectors before the bad one may have reached memory: a choice. Without a range
// any sector may be the bad one.
#include <algorithm>

#include "models/disk/faults/kinds.h"

namespace dmsim {
namespace {

// Leading sectors delivered before the error; 0: none.
constexpr ChoicePoint kReadDelivers{"fault.read_delivers"};

class ReadError final : public Fault {
 public:
  using Fault::Fault;

  void decide(const FaultSubject& subject, Fate& fate, FaultContext& context) override {
    if (subject.op != Op::kRead || !strikes(subject, context)) return;
    const std::uint64_t before_bad =
        options().range ? affected(subject).begin - subject.range.begin : subject.range.count() - 1;
    const auto delivered = static_cast<std::uint32_t>(
        context.choices.draw(kReadDelivers, context.disk, before_bad + 1));
    fate.moved_sectors = std::min(fate.moved_sectors, delivered);
    inject(BlockStatus::Code::kIoError, subject, fate, context);
  }
};

}  // namespace

std::unique_ptr<Fault> make_read_error(const FaultOptions& options) {
  return std::make_unique<ReadError>(options);
}

}  // namespace dmsim
