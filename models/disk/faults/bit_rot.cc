// A bit of the medium rots: the read that finds it delivers it flipped, and so does every later one,
// power cut or not, until the sector is written again. The honest content is kept: rot is an overlay
// on what reads deliver. `heals` ends new rot, not old.
#include <algorithm>

#include "models/disk/faults/kinds.h"

namespace dmsim {
namespace {

// Which sector of the read has rotted, and which bit of it.
constexpr ChoicePoint kRotSector{"fault.rot_sector"};
constexpr ChoicePoint kRotBit{"fault.rot_bit"};

class BitRot final : public Fault {
 public:
  using Fault::Fault;

  void decide(const FaultSubject& subject, Fate&, FaultContext& context) override {
    if (subject.op != Op::kRead || !strikes(subject, context)) return;
    const SectorRange range = affected(subject);
    const Sector sector =
        range.begin + context.choices.draw(kRotSector, context.disk, range.count());
    const auto bit = static_cast<std::uint32_t>(
        context.choices.draw(kRotBit, context.disk, kSectorBytes * 8));
    const RottenBit rot{sector, bit};
    // A bit that has rotted already stays flipped.
    if (std::ranges::find(*context.rotten, rot) == context.rotten->end()) {
      context.rotten->push_back(rot);
    }
    trace(subject, context, sector);
  }
};

}  // namespace

std::unique_ptr<Fault> make_bit_rot(const FaultOptions& options) {
  return std::make_unique<BitRot>(options);
}

}  // namespace dmsim
