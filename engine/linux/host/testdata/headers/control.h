/* SPDX-License-Identifier: GPL-2.0-only
 *
 * What the files of kernel/duplicates/ use of the rest of an image, so that they can be compiled without the kernel's
 * sources: testdata/duplicates.c. Memory comes from the C library; nobody is preempted.
 */
#ifndef DUPLICATES_CONTROL_H
#define DUPLICATES_CONTROL_H

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

typedef unsigned char u8;
typedef unsigned short u16, __le16;
typedef unsigned int u32, __le32, __be32, gfp_t;
typedef unsigned long long u64, __le64, __be64;
typedef signed char s8;
typedef short s16;
typedef int s32;
typedef long long s64;
typedef long ssize_t;

#define SIZE_MAX (~(size_t)0)
#define BITS_PER_LONG 64
#define BITS_PER_BYTE 8
#define PAGE_SIZE 4096ul
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#undef __always_inline
#define __always_inline inline __attribute__((__always_inline__))
#define fallthrough __attribute__((__fallthrough__))
#define typeof __typeof__
#define GENMASK(high, low) (((~0UL) << (low)) & (~0UL >> (BITS_PER_LONG - 1 - (high))))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define min(a, b) ({ typeof(a) a_ = (a); typeof(b) b_ = (b); a_ < b_ ? a_ : b_; })
#define max(a, b) ({ typeof(a) a_ = (a); typeof(b) b_ = (b); a_ > b_ ? a_ : b_; })
#define min_t(type, a, b) min((type)(a), (type)(b))
#define ERR_PTR(error) ((void *)(long)(error))
#define PTR_ERR(pointer) ((long)(pointer))
#define IS_ERR(pointer) ((unsigned long)(pointer) >= (unsigned long)-4095)

#define BUG_ON(condition) do { if (condition) __builtin_trap(); } while (0)
#define WARN_ON_ONCE(condition) (condition)
#define shim_unmodelled(what) __builtin_trap()
struct va_format { const char *fmt; va_list *va; };

struct shim_site { int unused; };
void *calloc(size_t count, size_t bytes);
void free(void *memory);
static inline void *shim_kmalloc(size_t bytes, gfp_t gfp, struct shim_site *site)
{
	(void)gfp;
	(void)site;
	return calloc(bytes, 1);
}
#define kfree(memory) free(memory)
#define GFP_NOWAIT 0
#define __GFP_ZERO 0
#define SHIM_GFP_RESERVE 0

#include <shim/string.h>
#include <shim/bits.h>
#include <shim/math.h>
#include <shim/idr.h>

char *shim_kasprintf(struct shim_site *site, gfp_t gfp, const char *format, ...);
void *shim_kmemdup(const void *from, size_t bytes, gfp_t gfp, struct shim_site *site);
char *shim_kstrdup(const char *text, gfp_t gfp, struct shim_site *site);
const char *shim_device_name(const void *device);

#endif
