/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Bit operations, bitmaps and byte order (of a little-endian machine).
 *
 * There is one CPU, so an atomic bit operation is a plain one. Where the simulator asks for it, the atomic
 * ones are places where others may run first (shim_atomic_point, see sched.h).
 */
#ifndef SHIM_BITS_H
#define SHIM_BITS_H

void shim_atomic_point_slow(void);
extern bool shim_preempt_at_atomics;
static __always_inline void shim_atomic_point(void)
{
	if (unlikely(shim_preempt_at_atomics))
		shim_atomic_point_slow();
}

#define BIT_MASK(nr) (1UL << ((nr) % BITS_PER_LONG))
#define BIT_WORD(nr) ((nr) / BITS_PER_LONG)
#define BITS_TO_LONGS(n) (((n) + BITS_PER_LONG - 1) / BITS_PER_LONG)
#define BITS_PER_TYPE(type) (sizeof(type) * BITS_PER_BYTE)
#define DECLARE_BITMAP(name, bits) unsigned long name[BITS_TO_LONGS(bits)]

static __always_inline void __set_bit(unsigned long n, volatile unsigned long *p) { p[BIT_WORD(n)] |= BIT_MASK(n); }
static __always_inline void __clear_bit(unsigned long n, volatile unsigned long *p) { p[BIT_WORD(n)] &= ~BIT_MASK(n); }
static __always_inline void __change_bit(unsigned long n, volatile unsigned long *p) { p[BIT_WORD(n)] ^= BIT_MASK(n); }
static __always_inline bool test_bit(unsigned long n, const volatile unsigned long *p)
{
	return (p[BIT_WORD(n)] >> (n % BITS_PER_LONG)) & 1;
}
static __always_inline bool __test_and_set_bit(unsigned long n, volatile unsigned long *p)
{
	bool old = test_bit(n, p);

	__set_bit(n, p);
	return old;
}
static __always_inline bool __test_and_clear_bit(unsigned long n, volatile unsigned long *p)
{
	bool old = test_bit(n, p);

	__clear_bit(n, p);
	return old;
}
static __always_inline void set_bit(unsigned long n, volatile unsigned long *p) { shim_atomic_point(); __set_bit(n, p); }
static __always_inline void clear_bit(unsigned long n, volatile unsigned long *p) { shim_atomic_point(); __clear_bit(n, p); }
static __always_inline bool test_and_set_bit(unsigned long n, volatile unsigned long *p)
{
	shim_atomic_point();
	return __test_and_set_bit(n, p);
}
static __always_inline bool test_and_clear_bit(unsigned long n, volatile unsigned long *p)
{
	shim_atomic_point();
	return __test_and_clear_bit(n, p);
}
#define test_and_set_bit_lock test_and_set_bit
#define test_bit_acquire test_bit
#define clear_bit_unlock clear_bit
#define assign_bit(n, p, value) ((value) ? set_bit(n, p) : clear_bit(n, p))
#define __assign_bit(n, p, value) ((value) ? __set_bit(n, p) : __clear_bit(n, p))

/* Little-endian bitmaps, by bytes: they may lie at any address. */
static inline int test_bit_le(unsigned long n, const void *p) { return (((const u8 *)p)[n / 8] >> (n % 8)) & 1; }
static inline void __set_bit_le(unsigned long n, void *p) { ((u8 *)p)[n / 8] |= (u8)(1u << (n % 8)); }
static inline void __clear_bit_le(unsigned long n, void *p) { ((u8 *)p)[n / 8] &= (u8)~(1u << (n % 8)); }
static inline int __test_and_set_bit_le(unsigned long n, void *p)
{
	int old = test_bit_le(n, p);

	__set_bit_le(n, p);
	return old;
}
static inline int __test_and_clear_bit_le(unsigned long n, void *p)
{
	int old = test_bit_le(n, p);

	__clear_bit_le(n, p);
	return old;
}

unsigned long find_next_bit(const unsigned long *p, unsigned long size, unsigned long from);
unsigned long find_next_zero_bit(const unsigned long *p, unsigned long size, unsigned long from);
unsigned long find_next_bit_le(const void *p, unsigned long size, unsigned long from);
unsigned long find_next_zero_bit_le(const void *p, unsigned long size, unsigned long from);
#define find_first_bit(p, size) find_next_bit(p, size, 0)
#define find_first_zero_bit(p, size) find_next_zero_bit(p, size, 0)
#define for_each_set_bit(bit, p, size) \
	for ((bit) = find_next_bit(p, size, 0); (bit) < (size); (bit) = find_next_bit(p, size, (bit) + 1))

static inline int fls(unsigned int x) { return x ? 32 - __builtin_clz(x) : 0; }
static inline int fls64(u64 x) { return x ? 64 - __builtin_clzll(x) : 0; }
static inline int fls_long(unsigned long x) { return fls64(x); }
static inline unsigned long __fls(unsigned long x) { return BITS_PER_LONG - 1 - __builtin_clzl(x); }
static inline int ffs(int x) { return __builtin_ffs(x); }
static inline unsigned long __ffs(unsigned long x) { return __builtin_ctzl(x); }
static inline unsigned long ffz(unsigned long x) { return __builtin_ctzl(~x); }
static inline unsigned int hweight_long(unsigned long x)
{
	x -= (x >> 1) & 0x5555555555555555ul;
	x = (x & 0x3333333333333333ul) + ((x >> 2) & 0x3333333333333333ul);
	x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0ful;
	return (x * 0x0101010101010101ul) >> 56;
}
#define hweight64 hweight_long
#define hweight32(x) hweight_long((u32)(x))
#define hweight8(x) hweight_long((u8)(x))
static inline int get_count_order(unsigned int x) { return x ? fls(x - 1) : -1; }

static inline void bitmap_zero(unsigned long *to, unsigned int bits) { memset(to, 0, BITS_TO_LONGS(bits) * 8); }
static inline void bitmap_fill(unsigned long *to, unsigned int bits) { memset(to, 0xff, BITS_TO_LONGS(bits) * 8); }
static inline size_t bitmap_size(unsigned long bits) { return BITS_TO_LONGS(bits) * sizeof(unsigned long); }
static inline void bitmap_copy(unsigned long *to, const unsigned long *from, unsigned int bits)
{
	memcpy(to, from, bitmap_size(bits));
}
static inline bool bitmap_full(const unsigned long *p, unsigned int bits) { return find_first_zero_bit(p, bits) >= bits; }
static inline bool bitmap_empty(const unsigned long *p, unsigned int bits) { return find_first_bit(p, bits) >= bits; }
void bitmap_set(unsigned long *p, unsigned int from, unsigned int count);
void bitmap_clear(unsigned long *p, unsigned int from, unsigned int count);
unsigned int bitmap_weight(const unsigned long *p, unsigned int bits);

#define cpu_to_le16(x) ((__le16)(x))
#define cpu_to_le32(x) ((__le32)(x))
#define cpu_to_le64(x) ((__le64)(x))
#define le16_to_cpu(x) ((u16)(x))
#define le32_to_cpu(x) ((u32)(x))
#define le64_to_cpu(x) ((u64)(x))
#define cpu_to_be32(x) ((__be32)__builtin_bswap32(x))
#define cpu_to_be64(x) ((__be64)__builtin_bswap64(x))
static inline u32 le32_to_cpup(const __le32 *p) { return *p; }
static inline u64 le64_to_cpup(const __le64 *p) { return *p; }
static inline void le16_add_cpu(__le16 *p, u16 value) { *p += value; }
static inline void le32_add_cpu(__le32 *p, u32 value) { *p += value; }
static inline void le64_add_cpu(__le64 *p, u64 value) { *p += value; }

#include <linux/log2.h>
#include <linux/hash.h>

#endif
