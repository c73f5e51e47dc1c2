// MirrorStatus: a mirror's status line as lvm2's tools take it apart.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace dmsim::lvm {

// "START LENGTH mirror IMAGES DEVICE... COPIED/REGIONS 1 LETTERS LOGWORDS TYPE [DEVICE LETTER]". Views into the line.
struct MirrorStatus {
  std::vector<std::string_view> devices;  // of the images
  std::uint64_t copied = 0;               // regions
  std::uint64_t regions = 0;
  std::string_view letters;  // one for each image: A, or what is wrong with it
  char log_letter = 'A';     // of a log that has a device
};

// Nothing: no status of a mirror.
std::optional<MirrorStatus> read_mirror_status(std::string_view line);

}  // namespace dmsim::lvm
