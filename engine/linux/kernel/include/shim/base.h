/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Compiler annotations, fixed-size types, error numbers and the small macros that everything uses.
 */
#ifndef SHIM_BASE_H
#define SHIM_BASE_H

#include <stddef.h>
#include <stdarg.h>

#define BITS_PER_LONG 64
#define BITS_PER_LONG_LONG 64
#define BITS_PER_BYTE 8
#define __LITTLE_ENDIAN 1234
#define __LITTLE_ENDIAN_BITFIELD 1
#define NR_CPUS 1
#define L1_CACHE_BYTES 64

/* --- the compiler --- */
#include <linux/compiler_attributes.h>
#include <linux/kconfig.h>
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define barrier() __asm__ __volatile__("" ::: "memory")
#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, value) (*(volatile __typeof__(x) *)&(x) = (value))
#define data_race(x) (x)
#define typeof __typeof__
#define inline inline __attribute__((__unused__))
#define __user
#define __kernel
#define __iomem
#define __rcu
#define __percpu
#define __force
#define __bitwise
#define __init
#define __exit
#define __initdata
#define __ref
#define __read_mostly
#define __ro_after_init
#define __acquires(x)
#define __releases(x)
#define __acquire(x) ((void)0)
#define __release(x) ((void)0)
#define __must_hold(x)
#define __must_check __attribute__((__warn_unused_result__))
#define __randomize_layout
#define asmlinkage
#define notrace
#ifndef __visible
#define __visible
#endif
#define noinline_for_stack noinline
#define ____cacheline_aligned
#define ____cacheline_aligned_in_smp
#ifndef __counted_by
#define __counted_by(member)
#endif
#ifndef __aligned
#define __aligned(bytes) __attribute__((__aligned__(bytes)))
#endif
#define __same_type(a, b) __builtin_types_compatible_p(__typeof__(a), __typeof__(b))
#define __must_be_array(a) BUILD_BUG_ON_ZERO(__same_type((a), &(a)[0]))
#define SHIM_PASTE(a, b) a##b
#define SHIM_UNIQUE(a, b) SHIM_PASTE(a, b)
#define __UNIQUE_ID(prefix) SHIM_UNIQUE(__unique_##prefix, __COUNTER__)
#define compiletime_assert(condition, text) _Static_assert(1, text)
#define is_signed_type(type) (((type)(-1)) < (__force type)1)
#if SHIM_SERIES >= 612 /* 6.1 says it in minmax.h */
#define __is_constexpr(x) __builtin_constant_p(x)
#endif
#define struct_group(name, ...) struct { __VA_ARGS__ }
#define SHIM_EXPORT __attribute__((visibility("default")))

/* --- types --- */
typedef unsigned char u8, __u8, uint8_t, u_char;
typedef unsigned short u16, __u16, uint16_t, umode_t;
typedef unsigned int u32, __u32, uint32_t, uint;
typedef unsigned long long u64, __u64, uint64_t;
typedef signed char s8, __s8, int8_t;
typedef short s16, __s16, int16_t;
typedef int s32, __s32, int32_t;
typedef long long s64, __s64, int64_t;
typedef u16 __le16, __be16;
typedef u32 __le32, __be32;
typedef u64 __le64, __be64;
typedef _Bool bool;
enum { false = 0, true = 1 };
typedef unsigned long uintptr_t, ulong, pgoff_t;
typedef long ssize_t;
typedef long long loff_t;
typedef u64 sector_t, blkcnt_t, phys_addr_t, dma_addr_t;
typedef u32 dev_t;
typedef unsigned int gfp_t, fmode_t, slab_flags_t;
typedef struct { u64 val; } pfn_t;
typedef int pid_t;
typedef s64 ktime_t;
typedef s64 time64_t;
typedef struct { int counter; } atomic_t;
typedef struct { s64 counter; } atomic64_t;
typedef atomic64_t atomic_long_t;
typedef struct refcount_struct { atomic_t refs; } refcount_t;
struct list_head { struct list_head *next, *prev; };
struct hlist_head { struct hlist_node *first; };
struct hlist_node { struct hlist_node *next, **pprev; };
struct callback_head { struct callback_head *next; void (*func)(struct callback_head *); };
#define rcu_head callback_head

#define U8_MAX ((u8)~0U)
#define U16_MAX ((u16)~0U)
#define U32_MAX ((u32)~0U)
#define U64_MAX ((u64)~0ULL)
#define S64_MAX ((s64)(U64_MAX >> 1))
#define SHRT_MAX ((short)((unsigned short)~0 >> 1))
#define INT_MAX ((int)(~0U >> 1))
#define INT_MIN (-INT_MAX - 1)
#define UINT_MAX (~0U)
#define LONG_MAX ((long)(~0UL >> 1))
#define ULONG_MAX (~0UL)
#define LLONG_MAX ((long long)(~0ULL >> 1))
#define ULLONG_MAX (~0ULL)
#define SIZE_MAX (~(size_t)0)

#include <linux/errno.h>

/* --- small macros --- */
#include <linux/const.h>
#define BIT(n) (1UL << (n))
#define BIT_ULL(n) (1ULL << (n))
#define GENMASK(high, low) (((~0UL) << (low)) & (~0UL >> (BITS_PER_LONG - 1 - (high))))
#define GENMASK_ULL GENMASK
#include <linux/build_bug.h>
#include <linux/err.h>
#include <linux/container_of.h>
#include <linux/stringify.h>
#include <linux/minmax.h>
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define ALIGN(x, to) (((x) + ((typeof(x))(to) - 1)) & ~((typeof(x))(to) - 1))
#define ALIGN_DOWN(x, to) ((x) & ~((typeof(x))(to) - 1))
#define PTR_ALIGN(p, to) ((typeof(p))ALIGN((unsigned long)(p), (to)))
#define IS_ALIGNED(x, to) (((x) & ((typeof(x))(to) - 1)) == 0)
#define sizeof_field(type, member) sizeof(((type *)0)->member)
#define offsetofend(type, member) (offsetof(type, member) + sizeof_field(type, member))
#define fallthrough __attribute__((__fallthrough__))
#define upper_32_bits(n) ((u32)((u64)(n) >> 32))
#define lower_32_bits(n) ((u32)(n))

#endif
