// Reads the format of a clone's metadata. Pure functions on bytes; metadata_writer.h is the mirror of this.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/native/clone/metadata_format.h"

namespace dmsim::clone_metadata {

// Of a block that may hold anything; none: it is no superblock of that slot, or not a whole one.
std::optional<Superblock> read_superblock(std::span<const std::byte> block, std::uint32_t slot);
// Both superblock blocks are zeros: a device that may be formatted.
bool is_unformatted(std::span<const std::byte> store);

struct Loaded {
  Superblock superblock;
  std::vector<std::uint64_t> words;  // bit r: region r is hydrated; padding is zero
};
struct LoadError {
  int errno_value = 0;
  std::string reason;
};
// The newest transaction of a whole store (Layout::sectors() of it) whose bitmap is what its superblock says.
// Requires that the store is not unformatted.
Result<Loaded, LoadError> load(std::span<const std::byte> store, std::uint64_t region_sectors,
                               std::uint64_t target_sectors);

}  // namespace dmsim::clone_metadata
