// What the judge adds to a violation (who waits for whom, what was not answered, what is still held), as sentences.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace dmsim {

// A detail as a sentence with its full stop; one of no known form is given back as it is.
std::string sentence_of_detail(const std::string& detail);

// The first region whose entry is found left over.
struct LeftOverRegion {
  std::uint64_t region = 0;
  std::string device;
};
std::optional<LeftOverRegion> left_over_region(const std::vector<std::string>& details);

}  // namespace dmsim
