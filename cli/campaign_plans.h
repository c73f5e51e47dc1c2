// The plans of a campaign: which one a seed stands for.
//
// Without scenarios they are generated. A seed is generated afresh, or, once there are plans that have
// reached something new, changes one of those: a few of its draws are drawn anew, or its first draws are
// followed by another's. All of it is a function of the seed and of the plans kept so far.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/generate.h"
#include "harness/plan.h"
#include "sim/choice.h"

namespace dmsim {

class CampaignPlans {
 public:
  // Either kind; `scenarios` empty: generated, for `engine` (empty: native).
  CampaignPlans(std::vector<Plan> scenarios, GeneratorOptions generator, std::string engine);

  struct Made {
    Plan plan;
    std::vector<LabelledChoice> draws;  // of a generated plan
    bool changed = false;               // from one that was kept
  };
  Made make(std::uint64_t seed) const;

  bool generated() const { return scenarios_.empty(); }
  // Of all that they say.
  std::uint64_t digest_of_scenarios() const;
  // Keeps the draws of a plan that has reached something new.
  void keep(std::vector<LabelledChoice> draws) { kept_.push_back(std::move(draws)); }
  std::size_t kept() const { return kept_.size(); }

 private:
  std::vector<LabelledChoice> change(std::uint64_t seed) const;

  std::vector<Plan> scenarios_;
  GeneratorOptions generator_;
  std::string engine_;
  std::vector<std::vector<LabelledChoice>> kept_;
};

}  // namespace dmsim
