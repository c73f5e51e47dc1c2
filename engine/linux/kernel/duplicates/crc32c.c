/* SPDX-License-Identifier: GPL-2.0-only
 *
 * CRC-32C (Castagnoli), reflected, without the inversions at either end: those are the callers'.
 *
 * Eight bytes at a time, by eight tables: table k has the effect of a byte that k further bytes follow. Because a
 * CRC is linear, the entry of a byte is the sum (modulo 2) of the entries of its bits: eight numbers describe a table, and
 * the compiler computes the rest.
 */
#define BIT_OF(n, bit, value) (((n) >> (bit) & 1) * (value))
#define ENTRY(n, a, b, c, d, e, f, g, h) \
	(BIT_OF(n, 0, a) ^ BIT_OF(n, 1, b) ^ BIT_OF(n, 2, c) ^ BIT_OF(n, 3, d) ^ \
	 BIT_OF(n, 4, e) ^ BIT_OF(n, 5, f) ^ BIT_OF(n, 6, g) ^ BIT_OF(n, 7, h))
#define ENTRIES_4(n, ...) \
	ENTRY(n, __VA_ARGS__), ENTRY((n) + 1, __VA_ARGS__), ENTRY((n) + 2, __VA_ARGS__), ENTRY((n) + 3, __VA_ARGS__)
#define ENTRIES_16(n, ...) \
	ENTRIES_4(n, __VA_ARGS__), ENTRIES_4((n) + 4, __VA_ARGS__), \
	ENTRIES_4((n) + 8, __VA_ARGS__), ENTRIES_4((n) + 12, __VA_ARGS__)
#define ENTRIES_64(n, ...) \
	ENTRIES_16(n, __VA_ARGS__), ENTRIES_16((n) + 16, __VA_ARGS__), \
	ENTRIES_16((n) + 32, __VA_ARGS__), ENTRIES_16((n) + 48, __VA_ARGS__)
#define TABLE(...) \
	{ ENTRIES_64(0u, __VA_ARGS__), ENTRIES_64(64u, __VA_ARGS__), \
	  ENTRIES_64(128u, __VA_ARGS__), ENTRIES_64(192u, __VA_ARGS__) }

static const u32 effect[8][256] = {
	TABLE(0xf26b8303, 0xe13b70f7, 0xc79a971f, 0x8ad958cf, 0x105ec76f, 0x20bd8ede, 0x417b1dbc, 0x82f63b78),
	TABLE(0x13a29877, 0x274530ee, 0x4e8a61dc, 0x9d14c3b8, 0x3fc5f181, 0x7f8be302, 0xff17c604, 0xfbc3faf9),
	TABLE(0xa541927e, 0x4f6f520d, 0x9edea41a, 0x38513ec5, 0x70a27d8a, 0xe144fb14, 0xc76580d9, 0x8b277743),
	TABLE(0xdd45aab8, 0xbf672381, 0x7b2231f3, 0xf64463e6, 0xe964b13d, 0xd725148b, 0xaba65fe7, 0x52a0c93f),
	TABLE(0x38116fac, 0x7022df58, 0xe045beb0, 0xc5670b91, 0x8f2261d3, 0x1ba8b557, 0x37516aae, 0x6ea2d55c),
	TABLE(0xef306b19, 0xdb8ca0c3, 0xb2f53777, 0x6006181f, 0xc00c303e, 0x85f4168d, 0x0e045beb, 0x1c08b7d6),
	TABLE(0x68032cc8, 0xd0065990, 0xa5e0c5d1, 0x4e2dfd53, 0x9c5bfaa6, 0x3d5b83bd, 0x7ab7077a, 0xf56e0ef4),
	TABLE(0x493c7d27, 0x9278fa4e, 0x211d826d, 0x423b04da, 0x847609b4, 0x0d006599, 0x1a00cb32, 0x34019664),
};

u32 crc32c(u32 crc, const void *start, unsigned int bytes)
{
	const u8 *at = start;

	for (; bytes >= 8; bytes -= 8, at += 8) {
		u64 word;

		memcpy(&word, at, sizeof(word));
		word ^= crc;
		crc = effect[7][word & 0xff] ^ effect[6][word >> 8 & 0xff] ^ effect[5][word >> 16 & 0xff] ^
		      effect[4][word >> 24 & 0xff] ^ effect[3][word >> 32 & 0xff] ^ effect[2][word >> 40 & 0xff] ^
		      effect[1][word >> 48 & 0xff] ^ effect[0][word >> 56];
	}
	for (; bytes; bytes--, at++)
		crc = crc >> 8 ^ effect[0][(crc ^ *at) & 0xff];
	return crc;
}
