// DMSIM_ADDRESS_SANITIZER is defined when AddressSanitizer watches: gcc and clang say so differently.
#pragma once

#if defined(__SANITIZE_ADDRESS__)
#define DMSIM_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define DMSIM_ADDRESS_SANITIZER 1
#endif
#endif
