// Generated plans as RapidCheck sees them: a list of numbers, each the raw material of one draw. Shrinking
// the list or its numbers shrinks the plan, since a draw of 0 is always the plainest.
#pragma once

#include <rapidcheck.h>

#include <cstdint>
#include <ostream>
#include <vector>

#include "harness/generate.h"
#include "harness/run.h"
#include "sim/choice.h"

namespace dmsim {

// A draw takes the next number modulo its bound; a list that has ended goes on with zeros.
class ListedDraws final : public ChoiceSource {
 public:
  explicit ListedDraws(const std::vector<std::uint32_t>& numbers) : numbers_(numbers) {}

 private:
  std::uint64_t choose(const ChoicePoint&, Actor, std::uint64_t bound) override {
    return next_ < numbers_.size() ? numbers_[next_++] % bound : 0;
  }
  const std::vector<std::uint32_t>& numbers_;
  std::size_t next_ = 0;
};

struct PropertyInput {
  std::vector<std::uint32_t> draws;  // of the plan
  std::uint32_t seed = 1;            // of its run
};

inline std::ostream& operator<<(std::ostream& out, const PropertyInput& input) {
  out << "seed " << input.seed << ", draws";
  for (const std::uint32_t draw : input.draws) out << " " << draw;
  return out;
}

}  // namespace dmsim

namespace rc {
template <>
struct Arbitrary<dmsim::PropertyInput> {
  static Gen<dmsim::PropertyInput> arbitrary() {
    // Long enough for every plan; numbers of full width whatever RapidCheck's size.
    const auto number = gen::resize(1000, gen::inRange<std::uint32_t>(0, 1u << 30));
    return gen::build<dmsim::PropertyInput>(
        gen::set(&dmsim::PropertyInput::draws,
                 gen::resize(1000, gen::container<std::vector<std::uint32_t>>(260, number))),
        gen::set(&dmsim::PropertyInput::seed, number));
  }
};
}  // namespace rc
