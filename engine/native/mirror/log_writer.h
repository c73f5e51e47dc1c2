// Writes the dirty log's format. Pure functions on bytes; log_reader.h is the mirror of this.
#pragma once

#include <cstddef>
#include <span>

#include "engine/native/mirror/log_format.h"

namespace dmsim::mirror_log {

// Puts the header into its first kHeaderBytes; the rest is left alone. Requires as many bytes.
void write_header(const Header& header, std::span<std::byte> log);
// Puts the failed legs into their sector, kFailedLegsBytes from kFailedLegsOffset on.
void write_failed_legs(const FailedLegs& failed, std::span<std::byte> log);
// Sets or clears one bit of a whole log (header included). Requires that the bit lies within `log`.
void write_clean_bit(std::span<std::byte> log, std::uint64_t region, bool clean);

}  // namespace dmsim::mirror_log
