// A write is acknowledged but lands at another place, a whole number of pages away: the old content
// stays where it should have gone, and something that nobody meant to touch is overwritten.
#include "models/disk/faults/kinds.h"

namespace dmsim {
namespace {

// How many pages after its own the write lands, less one, around the end of the disk.
constexpr ChoicePoint kMisdirect{"fault.misdirect"};

class MisdirectedWrite final : public Fault {
 public:
  using Fault::Fault;

  void decide(const FaultSubject& subject, Fate& fate, FaultContext& context) override {
    if (subject.op != Op::kWrite) return;
    const std::uint64_t own = subject.range.begin / kPageSectors;
    const std::uint64_t offset = subject.range.begin % kPageSectors;
    const std::uint64_t last =
        (subject.disk_sectors - offset - subject.range.count()) / kPageSectors;
    if (last == 0) return;  // it fits nowhere else
    if (!strikes(subject, context)) return;
    const std::uint64_t further = context.choices.draw(kMisdirect, context.disk, last);
    fate.lands_at = (own + 1 + further) % (last + 1) * kPageSectors + offset;
    CHECK(fate.lands_at != subject.range.begin, fate.lands_at);
    trace(subject, context, fate.lands_at);
  }
};

}  // namespace

std::unique_ptr<Fault> make_misdirected_write(const FaultOptions& options) {
  return std::make_unique<MisdirectedWrite>(options);
}

}  // namespace dmsim
