// Writes the snapshot store's format. Pure functions on bytes; store_reader.h is the mirror of this.
#pragma once

#include <cstddef>
#include <span>

#include "engine/native/snapshot/store_format.h"

namespace dmsim::snapshot_store {

// Puts the header into the first kHeaderBytes of a chunk; the rest is left alone. Requires as many bytes.
void write_header(const Header& header, std::span<std::byte> chunk);
// Puts a record into an area. Requires that it lies within.
void write_record(const Record& record, std::uint32_t index, std::span<std::byte> area);

}  // namespace dmsim::snapshot_store
