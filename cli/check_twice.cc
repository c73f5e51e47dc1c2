#include "cli/check_twice.h"

#include <fmt/format.h>

#include <algorithm>

#include "crash-replay/trace_diff.h"

namespace dmsim {
namespace {

constexpr std::size_t kContext = 3;  // events on each side

}  // namespace

std::uint64_t first_differing_run(const std::vector<std::uint64_t>& first, const std::vector<std::uint64_t>& second) {
  const auto [a, b] = std::mismatch(first.begin(), first.end(), second.begin(), second.end());
  if (a == first.end() && b == second.end()) return 0;
  return static_cast<std::uint64_t>(a - first.begin()) + 1;
}

std::string describe_parting(std::uint64_t run, const std::vector<std::string>& first,
                             const std::vector<std::string>& second) {
  const TraceDifference difference = compare_traces(first, second, "one execution", "another", kContext);
  if (!difference.same) return fmt::format("run {}: {}", run, difference.report);
  return fmt::format("run {}: in two further executions its first life was the same ({} events): either a life after a "
                     "power cut differs, or not every execution does\n",
                     run, first.size());
}

}  // namespace dmsim
