// Reads the dirty log's format. Pure functions on bytes; log_writer.h is the mirror of this.
#pragma once

#include <cstddef>
#include <span>

#include "engine/native/mirror/log_format.h"

namespace dmsim::mirror_log {

// Whatever stands there; nothing is judged. Requires kHeaderBytes.
Header read_header(std::span<const std::byte> log);
// A log that a resume would believe: its magic and a version whose bits it can read.
bool is_valid(const Header& header);
// The failed legs that are kept there; none if there are none, or it is something else.
FailedLegs read_failed_legs(std::span<const std::byte> log);
// One bit of a whole log (header included). Requires that the bit lies within `log`.
bool read_clean_bit(std::span<const std::byte> log, std::uint64_t region);

}  // namespace dmsim::mirror_log
