#include "base/digest.h"

// On x86 the library picks the widest vector unit at run time; elsewhere the inlined baseline serves.
#if defined(__x86_64__) && __has_include(<xxh_x86dispatch.h>)
#include <xxh_x86dispatch.h>
#else
#define XXH_INLINE_ALL
#include <xxhash.h>
#endif

namespace dmsim {

std::uint64_t digest_bytes(const void* bytes, std::size_t size) { return XXH3_64bits(bytes, size); }

}  // namespace dmsim
