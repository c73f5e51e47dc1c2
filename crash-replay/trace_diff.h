// Where two traces part: the first event that differs, with what came before and after on both sides.
#pragma once

#include <string>
#include <vector>

namespace dmsim {

struct TraceDifference {
  bool same = false;
  std::size_t line = 0;   // 0-based index of the first line that differs or is missing on one side
  std::string report;     // for people; one sentence when the traces are the same
};

// Lines as Trace::render() writes them. `name_a`, `name_b`: what the user calls them. `context`: lines
// shown before and after.
TraceDifference compare_traces(const std::vector<std::string>& a, const std::vector<std::string>& b,
                               const std::string& name_a, const std::string& name_b,
                               std::size_t context = 5);

}  // namespace dmsim
