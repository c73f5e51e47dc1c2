#include "cli/chosen_variants.h"

#include <fmt/format.h>

#include <string_view>

#include "base/nearest.h"
#include "harness/differential.h"

namespace dmsim {

namespace {

// A kernel of the user's own stands in for those that are known, not for one with a planted bug.
bool stands_in_for(std::string_view engine, std::string_view named) {
  return engine == named || (engine.starts_with("linux:") && named.starts_with("linux-") &&
                             named.find('+') == std::string_view::npos);
}

std::string why_not_on(std::string_view engine, const Plan& plan) {
  if (plan.engine_is_named && !stands_in_for(engine, plan.engine)) {
    return fmt::format("it is about the engine {}", plan.engine);
  }
  // Most planted bugs are the native engine's, some troubles the kernels' own: others have no such switch.
  return why_not_done_by(engine, plan);
}

}  // namespace

bool ChosenVariants::take(Plan* plan) {
  names_.push_back(plan->variant);
  if (!variant_.empty() && plan->variant != variant_) return false;
  const std::string engine = engine_.empty() ? plan->engine : engine_;
  const std::string why = why_not_on(engine, *plan);
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
                     left_out_ == 1   ? ""
                     : left_out_ == 2 ? ", and so is one other"
                                      : fmt::format(", and so are {} others", left_out_ - 1));
}

std::string ChosenVariants::why_none() const {
  if (left_out_ > 0) return left_out() + ": nothing is left to run";
  const std::vector<std::string_view> names(names_.begin(), names_.end());
  return fmt::format("no variant named '{}' in these scenarios{}", variant_, did_you_mean(variant_, names));
}

}  // namespace dmsim
