/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Searching, filling and counting bits, and the integer square root.
 *
 * A bitmap is searched a word at a time; a little-endian one is the same on this machine, but it may lie at any
 * address and end with any byte, so its words are put together with care.
 */

/* The word with bit 64 * n of a bitmap, as far as the bitmap goes; its other bits are 0. */
static __always_inline u64 le_word(const void *map, unsigned long size, unsigned long n)
{
	unsigned long bytes = DIV_ROUND_UP(size, 8) - n * 8;
	u64 word = 0;

	if (bytes >= 8)
		memcpy(&word, (const u8 *)map + n * 8, 8);
	else
		memcpy(&word, (const u8 *)map + n * 8, bytes);
	return word;
}

/* The first bit from `from` on that is set in (word ^ flip); `size`: none. */
#define FIND_NEXT(size, from, word_of, flip) \
	({ \
		unsigned long found_ = (size); \
		unsigned long n_ = BIT_WORD(from); \
		u64 mask_ = ~0ull << ((from) % 64); \
		for (; (from) < (size) && n_ * 64 < (size); n_++, mask_ = ~0ull) { \
			u64 word_ = ((word_of) ^ (flip)) & mask_; \
			if (word_) { \
				found_ = min(n_ * 64 + __ffs(word_), (size)); \
				break; \
			} \
		} \
		found_; \
	})

unsigned long find_next_bit(const unsigned long *p, unsigned long size, unsigned long from)
{
	return FIND_NEXT(size, from, p[n_], 0);
}

unsigned long find_next_zero_bit(const unsigned long *p, unsigned long size, unsigned long from)
{
	return FIND_NEXT(size, from, p[n_], ~0ull);
}

unsigned long find_next_bit_le(const void *p, unsigned long size, unsigned long from)
{
	return FIND_NEXT(size, from, le_word(p, size, n_), 0);
}

unsigned long find_next_zero_bit_le(const void *p, unsigned long size, unsigned long from)
{
	return FIND_NEXT(size, from, le_word(p, size, n_), ~0ull);
}

/* Calls body with a word's index and the mask of its bits within [from, from + count). */
#define FOR_EACH_MASK(from, count, body) \
	do { \
		unsigned long at_ = (from), end_ = at_ + (count); \
		while (at_ < end_) { \
			unsigned long n = BIT_WORD(at_), low_ = at_ % 64, high_ = min(end_ - n * 64, 64ul); \
			unsigned long mask = GENMASK(high_ - 1, low_); \
			body; \
			at_ = n * 64 + high_; \
		} \
	} while (0)

void bitmap_set(unsigned long *p, unsigned int from, unsigned int count)
{
	FOR_EACH_MASK(from, count, p[n] |= mask);
}

void bitmap_clear(unsigned long *p, unsigned int from, unsigned int count)
{
	FOR_EACH_MASK(from, count, p[n] &= ~mask);
}

unsigned int bitmap_weight(const unsigned long *p, unsigned int bits)
{
	unsigned int weight = 0;

	FOR_EACH_MASK(0, bits, weight += hweight_long(p[n] & mask));
	return weight;
}

size_t memweight(const void *start, size_t bytes)
{
	size_t weight = 0, n;

	for (n = 0; n * 8 < bytes; n++)
		weight += hweight_long(le_word(start, bytes * 8, n));
	return weight;
}

/* The largest number whose square is not larger than x: its bits, from the top. */
unsigned long int_sqrt(unsigned long x)
{
	unsigned long root = 0, bit;

	for (bit = 1ul << 31; bit; bit >>= 1)
		if ((root | bit) * (root | bit) <= x)
			root |= bit;
	return root;
}
