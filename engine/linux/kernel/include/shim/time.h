/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Time is the simulator's. Jiffies begin five minutes before they wrap at 32 bits, as the kernel's do.
 */
#ifndef SHIM_TIME_H
#define SHIM_TIME_H

#define HZ CONFIG_HZ
#define SHIFT_HZ (HZ <= 128 ? 7 : HZ <= 256 ? 8 : HZ <= 512 ? 9 : 10)
#define NSEC_PER_SEC 1000000000L
#define NSEC_PER_MSEC 1000000L
#define NSEC_PER_USEC 1000L
#define USEC_PER_SEC 1000000L
#define USEC_PER_MSEC 1000L
#define MSEC_PER_SEC 1000L
#define INITIAL_JIFFIES ((unsigned long)(unsigned int)(-300 * HZ))
#define SHIM_JIFFY_NS (NSEC_PER_SEC / HZ)
#define MAX_JIFFY_OFFSET ((LONG_MAX >> 1) - 1)

static inline u64 ktime_get_ns(void) { return shim_host->now_ns(shim_host->self); }
static inline ktime_t ktime_get(void) { return ktime_get_ns(); }
#define ktime_get_boottime ktime_get
static inline s64 ktime_to_ns(ktime_t t) { return t; }
static inline s64 ktime_to_us(ktime_t t) { return t / NSEC_PER_USEC; }
static inline s64 ktime_to_ms(ktime_t t) { return t / NSEC_PER_MSEC; }
static inline ktime_t ktime_sub(ktime_t a, ktime_t b) { return a - b; }
static inline s64 ktime_us_delta(ktime_t later, ktime_t earlier) { return ktime_to_us(later - earlier); }
#define jiffies (INITIAL_JIFFIES + ktime_get_ns() / SHIM_JIFFY_NS)
#define get_jiffies_64() ((u64)jiffies)
#define time_after(a, b) ((long)((b) - (a)) < 0)
#define time_before(a, b) time_after(b, a)
#define time_after_eq(a, b) ((long)((a) - (b)) >= 0)
#define time_before_eq(a, b) time_after_eq(b, a)
#define time_in_range(a, from, to) (time_after_eq(a, from) && time_before_eq(a, to))
#define time_is_before_jiffies(a) time_after(jiffies, a)
#define time_is_after_jiffies(a) time_before(jiffies, a)
static inline unsigned long msecs_to_jiffies(unsigned int ms) { return ((unsigned long)ms * HZ + MSEC_PER_SEC - 1) / MSEC_PER_SEC; }
static inline unsigned int jiffies_to_msecs(unsigned long j) { return j * MSEC_PER_SEC / HZ; }
static inline unsigned int jiffies_to_usecs(unsigned long j) { return j * USEC_PER_SEC / HZ; }
static inline u64 jiffies_to_nsecs(unsigned long j) { return (u64)j * SHIM_JIFFY_NS; }
static inline u64 jiffies64_to_nsecs(u64 j) { return j * SHIM_JIFFY_NS; }
#define secs_to_jiffies(s) ((unsigned long)(s) * HZ)
static inline time64_t ktime_get_real_seconds(void) { return ktime_get_ns() / NSEC_PER_SEC; }
#define ktime_get_seconds ktime_get_real_seconds

void shim_sleep_ns(u64 ns);
static inline void msleep(unsigned int ms) { shim_sleep_ns((u64)ms * NSEC_PER_MSEC); }
#define msleep_interruptible msleep
static inline void fsleep(unsigned long us) { shim_sleep_ns((u64)us * NSEC_PER_USEC); }
#define usleep_range(least, most) fsleep(least)
#define udelay(us) ((void)(us)) /* busy waiting takes no virtual time */

u32 get_random_u32(void);
u64 get_random_u64(void);
static inline u8 get_random_u8(void) { return (u8)get_random_u32(); }
u32 get_random_u32_below(u32 bound);
void get_random_bytes(void *to, size_t bytes);
#define prandom_u32_max get_random_u32_below

#endif
