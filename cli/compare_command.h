// dmsim compare: the same plans on two engines, and where they can be told apart.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace dmsim {

struct CompareCommand {
  std::vector<std::string> paths;      // of scenarios
  std::string variant;                 // empty: all
  std::string left = "native";
  std::string right;
  std::uint64_t seed = 1;
  std::uint64_t runs = 10;             // on each engine
  unsigned jobs = 0;                   // 0: one per processor
  unsigned seconds_per_variant = 600;  // a worker that takes longer hangs
};
int compare_command(const CompareCommand& command);

}  // namespace dmsim
