// SPDX-License-Identifier: GPL-2.0-only
/*
 * Randomness inside the kernel is the simulator's chance, so that a run can be played again. Zero is the plainest.
 */
#include "control.h"

u64 get_random_u64(void) { return shim_host->draw(shim_host->self, ABI_CHOICE_RANDOM, U64_MAX); }
u32 get_random_u32_below(u32 bound) { return bound ? shim_host->draw(shim_host->self, ABI_CHOICE_RANDOM, bound) : 0; }
u32 get_random_u32(void) { return shim_host->draw(shim_host->self, ABI_CHOICE_RANDOM, 1ull << 32); }

void get_random_bytes(void *to, size_t bytes)
{
	u8 *at = to;

	while (bytes--)
		*at++ = (u8)get_random_u32_below(256);
}
