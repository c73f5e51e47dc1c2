// dmsim run --check-twice: what is said of two executions of a variant that differ.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace dmsim {

// By the fingerprints of their runs: the number of the first run that differs, from 1; a run that only one of
// them made differs. 0: none.
std::uint64_t first_differing_run(const std::vector<std::uint64_t>& first, const std::vector<std::uint64_t>& second);

// Where run `run` parts in two more executions whose traces of its first life these are: the first event that
// differs, with what surrounds it; or that they are the same, and what to think of then.
std::string describe_parting(std::uint64_t run, const std::vector<std::string>& first,
                             const std::vector<std::string>& second);

}  // namespace dmsim
