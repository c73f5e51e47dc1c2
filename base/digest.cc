#include "base/digest.h"

// Header-only XXH3: the short fixed sizes used here (512 and 4096 bytes) are worth inlining.
#define XXH_INLINE_ALL
#include <xxhash.h>

namespace dmsim {

std::uint64_t digest_bytes(const void* bytes, std::size_t size) { return XXH3_64bits(bytes, size); }

}  // namespace dmsim
