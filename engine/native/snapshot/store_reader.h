// Reads the snapshot store's format. Pure functions on bytes; store_writer.h is the mirror of this.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "base/result.h"
#include "engine/native/snapshot/store_format.h"

namespace dmsim::snapshot_store {

// Whatever stands there; whether it is a store is for the caller to see.
Header read_header(std::span<const std::byte> chunk);
Record read_record(std::uint32_t index, std::span<const std::byte> area);

// A store as an activation would find it.
struct Store {
  Header header;
  std::vector<Record> records;  // in the order of the list
  // The first chunk that is free for an activation: above all that is named, areas skipped.
  std::uint64_t next_free = 0;
  // Chunks below next_free that hold neither header, area nor data of a record: lost for good.
  std::uint64_t lost_chunks = 0;
};
// Copies `count` sectors from `first` of the store's device to `out`; the whole lies within the device.
using ReadSectors = std::function<void(Sector first, std::uint32_t count, std::byte* out)>;
// Failure, in words: it is no valid store of this version, or it names chunks beyond the device's end.
Result<Store, std::string> read_store(const ReadSectors& read, std::uint64_t device_sectors);

}  // namespace dmsim::snapshot_store
