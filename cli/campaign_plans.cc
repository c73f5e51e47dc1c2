#include "cli/campaign_plans.h"

#include <algorithm>
#include <utility>

#include "base/digest.h"
#include "scenarios/plan_yaml.h"

namespace dmsim {
namespace {

constexpr ChoicePoint kChangeOld{"campaign.change-old"};
constexpr ChoicePoint kWhich{"campaign.which"};
constexpr ChoicePoint kSplice{"campaign.splice"};
constexpr ChoicePoint kWhere{"campaign.where"};
constexpr ChoicePoint kHowMany{"campaign.how-many"};
constexpr ChoicePoint kNewValue{"campaign.value"};

// Kept plans of which new ones are made.
constexpr std::size_t kMostKept = 4096;

// Follows a list of draws label by label; where it has none left, chance goes on.
class FollowedDraws final : public ChoiceSource {
 public:
  FollowedDraws(std::vector<LabelledChoice> draws, std::uint64_t seed)
      : draws_(std::move(draws)), rest_(seed) {}

 private:
  std::uint64_t choose(const ChoicePoint& point, Actor who, std::uint64_t bound) override {
    // Mostly the next one; a change before it may have left some out.
    for (std::size_t at = next_; at < draws_.size() && at < next_ + kLookAhead; ++at) {
      if (draws_[at].point != point.name) continue;
      next_ = at + 1;
      if (draws_[at].value < bound) return draws_[at].value;
      break;
    }
    return rest_.draw(point, who, bound);
  }

  static constexpr std::size_t kLookAhead = 40;
  std::vector<LabelledChoice> draws_;
  RandomChoices rest_;
  std::size_t next_ = 0;
};

constexpr std::uint64_t scattered(std::uint64_t seed) { return mix_words(seed, 0x66757A7A); }

}  // namespace

CampaignPlans::CampaignPlans(std::vector<Plan> scenarios, GeneratorOptions generator, std::string engine)
    : scenarios_(std::move(scenarios)), generator_(std::move(generator)), engine_(std::move(engine)) {
  generator_.engine_has_switches = engine_.empty() || engine_ == "native";
}

std::uint64_t CampaignPlans::digest_of_scenarios() const {
  std::string all;
  for (const Plan& plan : scenarios_) all += write_plan(plan);
  return digest_bytes(all.data(), all.size());
}

std::vector<LabelledChoice> CampaignPlans::change(std::uint64_t seed) const {
  RandomChoices random(mix_words(seed, 0x6368616E));
  if (kept_.empty() || random.draw(kChangeOld, Actor::kNobody, 2) == 0) return {};
  const std::size_t count = std::min(kept_.size(), kMostKept);
  std::vector<LabelledChoice> draws = kept_[kept_.size() - 1 - random.draw(kWhich, Actor::kNobody, count)];
  if (random.draw(kSplice, Actor::kNobody, 4) == 3) {
    const auto& other = kept_[kept_.size() - 1 - random.draw(kWhich, Actor::kNobody, count)];
    const std::size_t at = random.draw(kWhere, Actor::kNobody, draws.size() + 1);
    draws.resize(at);
    if (at < other.size()) {
      draws.insert(draws.end(), other.begin() + static_cast<std::ptrdiff_t>(at), other.end());
    }
    return draws;
  }
  const std::uint64_t changes = 1 + random.draw(kHowMany, Actor::kNobody, 3);
  for (std::uint64_t i = 0; i < changes && !draws.empty(); ++i) {
    LabelledChoice& draw = draws[random.draw(kWhere, Actor::kNobody, draws.size())];
    draw.value = random.draw(kNewValue, Actor::kNobody, draw.bound);
  }
  return draws;
}

CampaignPlans::Made CampaignPlans::make(std::uint64_t seed) const {
  Made made;
  if (!generated()) {
    made.plan = scenarios_[seed % scenarios_.size()];
    for (const auto& [name, value] : generator_.switches) made.plan.switches[name] = value;
    return made;
  }
  std::vector<LabelledChoice> old = change(seed);
  made.changed = !old.empty();
  FollowedDraws draws(std::move(old), scattered(seed));
  made.plan = generate_plan(draws, generator_);
  if (!engine_.empty()) made.plan.engine = engine_;
  made.draws = label_choices(draws.record(), ActorNames());
  return made;
}

}  // namespace dmsim
