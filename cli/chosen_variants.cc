#include "cli/chosen_variants.h"

#include <fmt/format.h>

#include <string_view>

#include "base/nearest.h"
#include "harness/differential.h"

namespace dmsim {

bool ChosenVariants::take(Plan* plan) {
  names_.push_back(plan->variant);
  if (!variant_.empty() && plan->variant != variant_) return false;
  const std::string engine = engine_.empty() ? plan->engine : engine_;
  // Most planted bugs are the native engine's, some troubles the kernels' own: others have no such switch.
  const std::string why = why_not_done_by(engine, *plan);
  if (!why.empty()) {
    if (++left_out_ == 1) {
      first_left_out_ = fmt::format("{}{}{} cannot be run by {}: {}", plan->scenario, plan->variant.empty() ? "" : "/",
                                    plan->variant, engine, why);
    }
    return false;
  }
  plan->engine = engine;
  return true;
}

std::string ChosenVariants::left_out() const {
  if (left_out_ == 0) return {};
  return fmt::format("{}. It is left out{}", first_left_out_,
                     left_out_ == 1 ? "" : fmt::format(", and so are {} others", left_out_ - 1));
}

std::string ChosenVariants::why_none() const {
  if (left_out_ > 0) return left_out() + ": nothing is left to run";
  const std::vector<std::string_view> names(names_.begin(), names_.end());
  return fmt::format("no variant named '{}' in these scenarios{}", variant_, did_you_mean(variant_, names));
}

}  // namespace dmsim
