// SurvivorSets: which sets of survivors are tried at a power cut.
//
// When all of them fit into the budget: all, the product over every free unit of every disk. Else: none;
// all; then in turn each unit alone, all but one, the first n of one disk, and random subsets, which ones
// being drawn by seed. Sets that give equal images are tried once (by the caller, by fingerprint).
#pragma once

#include <cstdint>
#include <vector>

#include "harness/afterlife.h"

namespace dmsim {

class SurvivorSets {
 public:
  // `moment` outlives this. `policy`: kNone and kAll leave only that one set.
  SurvivorSets(const CutMoment& moment, SurvivorPolicy policy, std::uint64_t budget,
               std::uint64_t seed);

  // One candidate number for each free unit, disk by disk; false: there is no further set.
  bool next(std::vector<std::uint32_t>* chosen);
  // Every possible set is among those that next() gives.
  bool exhaustive() const { return exhaustive_; }

 private:
  void none_or_all(bool all, std::vector<std::uint32_t>* chosen) const;
  void random_set(std::vector<std::uint32_t>* chosen);
  void one_different(bool alone, std::vector<std::uint32_t>* chosen);
  void prefix(std::vector<std::uint32_t>* chosen);
  bool count_up(std::vector<std::uint32_t>* chosen);

  SurvivorPolicy policy_;
  std::uint64_t budget_;
  RandomNumbers random_;
  std::vector<std::uint32_t> counts_;      // of each unit's candidates
  std::vector<std::size_t> disk_begin_;    // in counts_, one more than disks
  std::vector<std::uint32_t> counter_;     // of an exhaustive walk
  bool exhaustive_ = false;
  std::uint64_t given_ = 0;
};

}  // namespace dmsim
