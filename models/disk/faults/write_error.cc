// A write fails. Its leading sectors, up to the bad one, may have landed: a choice. Without a range
// all of it may have. Data lands as if the write had completed: in the cache, or, on a write-through
// disk, on the media.
#include <algorithm>

#include "models/disk/faults/kinds.h"

namespace dmsim {
namespace {

// Leading sectors that landed before the error; 0: none.
constexpr ChoicePoint kWriteLands{"fault.write_lands"};

class WriteError final : public Fault {
 public:
  using Fault::Fault;

  void decide(const FaultSubject& subject, Fate& fate, FaultContext& context) override {
    if (subject.op != Op::kWrite || !strikes(subject, context)) return;
    const std::uint64_t most =
        options().range ? affected(subject).begin - subject.range.begin : subject.range.count();
    const auto landed =
        static_cast<std::uint32_t>(context.choices.draw(kWriteLands, context.disk, most + 1));
    fate.moved_sectors = std::min(fate.moved_sectors, landed);
    inject(BlockStatus::Code::kIoError, subject, fate, context);
  }
};

}  // namespace

std::unique_ptr<Fault> make_write_error(const FaultOptions& options) {
  return std::make_unique<WriteError>(options);
}

}  // namespace dmsim
