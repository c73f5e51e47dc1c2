/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Divisions, roundings and sizes.
 */
#ifndef SHIM_MATH_H
#define SHIM_MATH_H

#include <linux/overflow.h>

#define DIV_ROUND_UP(n, by) (((n) + (by) - 1) / (by))
#define DIV_ROUND_UP_ULL(n, by) DIV_ROUND_UP((unsigned long long)(n), by)
#define DIV_ROUND_UP_SECTOR_T(n, by) DIV_ROUND_UP_ULL(n, by)
#define DIV_ROUND_CLOSEST(n, by) (((n) + (by) / 2) / (by))
#define round_up(x, to) ((((x) - 1) | ((typeof(x))((to) - 1))) + 1)
#define round_down(x, to) ((x) & ~((typeof(x))((to) - 1)))
#define roundup(x, to) ((((x) + (to) - 1) / (to)) * (to))
#define rounddown(x, to) ((x) - ((x) % (to)))
#define mult_frac(x, n, by) \
	({ \
		typeof(x) whole_ = (x) / (by); \
		typeof(x) rest_ = (x) % (by); \
		whole_ * (n) + rest_ * (n) / (by); \
	})
#define do_div(n, by) \
	({ \
		u32 by_ = (by); \
		u32 rest_ = (u32)((n) % by_); \
		(n) /= by_; \
		rest_; \
	})
#define sector_div(n, by) \
	({ \
		u64 by_ = (by); \
		u64 rest_ = (n) % by_; \
		(n) /= by_; \
		rest_; \
	})
static inline u64 div64_u64(u64 n, u64 by) { return n / by; }
static inline u64 div_u64(u64 n, u32 by) { return n / by; }
static inline s64 div_s64(s64 n, s32 by) { return n / by; }
#define div64_ul div64_u64
#define div64_long div_s64
static inline u64 div64_u64_rem(u64 n, u64 by, u64 *rest)
{
	*rest = n % by;
	return n / by;
}
static inline u64 div_u64_rem(u64 n, u32 by, u32 *rest)
{
	*rest = n % by;
	return n / by;
}
static inline u64 mul_u64_u32_shr(u64 a, u32 by, unsigned int shift) { return (u64)(((unsigned __int128)a * by) >> shift); }
static inline u32 reciprocal_scale(u32 value, u32 bound) { return (u32)(((u64)value * bound) >> 32); }
unsigned long int_sqrt(unsigned long x);

#endif
