#include "harness/survivor_sets.h"

namespace dmsim {
SurvivorSets::SurvivorSets(const CutMoment& moment, SurvivorPolicy policy, std::uint64_t budget,
                           std::uint64_t seed)
    : policy_(policy), budget_(budget), random_(seed) {
  for (const CrashSpace& space : moment.spaces) {
    disk_begin_.push_back(counts_.size());
    for (const FreeUnit& unit : space.units) counts_.push_back(unit.count);
  }
  disk_begin_.push_back(counts_.size());
  if (policy_ != SurvivorPolicy::kChosen) {
    budget_ = 1;
    return;
  }
  std::uint64_t product = 1;
  for (const std::uint32_t count : counts_) {
    product *= count + 1;
    if (product > budget_) return;
  }
  exhaustive_ = true;
  budget_ = product;
}

void SurvivorSets::none_or_all(bool all, std::vector<std::uint32_t>* chosen) const {
  chosen->assign(counts_.size(), 0);
  if (all) *chosen = counts_;
}

void SurvivorSets::random_set(std::vector<std::uint32_t>* chosen) {
  chosen->resize(counts_.size());
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    (*chosen)[i] = static_cast<std::uint32_t>(random_.below(counts_[i] + 1));
  }
}

void SurvivorSets::one_different(bool alone, std::vector<std::uint32_t>* chosen) {
  none_or_all(!alone, chosen);
  const std::size_t unit = random_.below(counts_.size());
  (*chosen)[unit] = alone ? 1 + static_cast<std::uint32_t>(random_.below(counts_[unit]))
                          : static_cast<std::uint32_t>(random_.below(counts_[unit]));
}

// Everything of the other disks, and of one disk what comes first.
void SurvivorSets::prefix(std::vector<std::uint32_t>* chosen) {
  none_or_all(true, chosen);
  const std::size_t disk = random_.below(disk_begin_.size() - 1);
  const std::size_t units = disk_begin_[disk + 1] - disk_begin_[disk];
  for (std::size_t i = random_.below(units + 1); i < units; ++i) (*chosen)[disk_begin_[disk] + i] = 0;
}

bool SurvivorSets::count_up(std::vector<std::uint32_t>* chosen) {
  if (given_ == 0) counter_.assign(counts_.size(), 0);
  *chosen = counter_;
  for (std::size_t i = 0; i < counter_.size(); ++i) {
    if (counter_[i] < counts_[i]) {
      ++counter_[i];
      break;
    }
    counter_[i] = 0;
  }
  ++given_;
  return true;
}

bool SurvivorSets::next(std::vector<std::uint32_t>* chosen) {
  if (given_ >= budget_) return false;
  if (exhaustive_) return count_up(chosen);
  const std::uint64_t number = given_++;
  if (policy_ != SurvivorPolicy::kChosen) {
    none_or_all(policy_ == SurvivorPolicy::kAll, chosen);
  } else if (number < 2) {
    none_or_all(number == 1, chosen);
  } else {
    switch (number % 4) {
      case 0: one_different(true, chosen); break;
      case 1: one_different(false, chosen); break;
      case 2: random_set(chosen); break;
      case 3: prefix(chosen); break;
    }
  }
  return true;
}

}  // namespace dmsim
