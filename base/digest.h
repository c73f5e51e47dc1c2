// Digest: 64 bits of XXH3 over bytes. The widest vector unit of the CPU is used, the value is the same.
#pragma once

#include <cstddef>
#include <cstdint>

namespace dmsim {

std::uint64_t digest_bytes(const void* bytes, std::size_t size);

}  // namespace dmsim
