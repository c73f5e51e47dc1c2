// Thinning: which of a run's opportunities for a power cut are explored when not all of them may be.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "base/fingerprint.h"

namespace dmsim {

// With a limit of n, half of n are the first opportunities, or every second, fourth or eighth of them, the next quarter
// half as dense, and so on. How dense and from where on is the seed's, so that no opportunity, early or late, is
// passed over by every run. A limit of kDense and more asks for nearly everything: it begins with every one.
class Thinning {
 public:
  static constexpr std::uint64_t kDense = 1000;

  Thinning(std::optional<std::uint64_t> limit, std::uint64_t seed)
      : limit_(limit),
        phase_(mix_words(seed, 1) & 0xFFFF),
        stride_(limit >= kDense ? 1 : std::uint64_t{1} << (mix_words(seed, 2) & 3)),
        next_thinning_(limit ? std::max<std::uint64_t>(1, *limit / 2) : 0) {}

  // Whether that opportunity is to be explored. They come in order.
  bool take(std::uint64_t opportunity) {
    if (!limit_) return true;
    if (taken_ >= *limit_ || (opportunity + phase_) % stride_ != 0) return false;
    if (++taken_ >= next_thinning_) {
      stride_ *= 2;
      next_thinning_ += std::max<std::uint64_t>(1, (*limit_ - taken_) / 2);
    }
    return true;
  }

 private:
  std::optional<std::uint64_t> limit_;
  std::uint64_t phase_;
  std::uint64_t stride_;
  std::uint64_t next_thinning_;
  std::uint64_t taken_ = 0;
};

}  // namespace dmsim
