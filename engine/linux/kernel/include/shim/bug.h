/* SPDX-License-Identifier: GPL-2.0-only
 *
 * BUG, WARN and printk. The simulator hears of all three: the first two as trouble with the kernel's own
 * source line, the last as a line of the kernel's log. A _ONCE speaks once in the life of a machine, because
 * its flag lies in the segment that a boot restores.
 */
#ifndef SHIM_BUG_H
#define SHIM_BUG_H

#include "abi.h"

extern const struct abi_host *shim_host; /* of this life */

/* Tells the simulator; comes back for ABI_WARN and ABI_LEAK only. */
void shim_trouble(enum abi_trouble kind, const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 4, 5), cold));
void __attribute__((noreturn, cold)) shim_bug(const char *file, int line, const char *what);
void __attribute__((noreturn, cold)) shim_unmodelled(const char *function);

/* For functions of the shim that exist so that kernel code links, and are never to be reached. */
#define UNMODELLED() shim_unmodelled(__func__)

#define BUG() shim_bug(__FILE__, __LINE__, "BUG")
#define BUG_ON(condition) \
	do { \
		if (unlikely(condition)) \
			shim_bug(__FILE__, __LINE__, "BUG_ON(" #condition ")"); \
	} while (0)
#define WARN(condition, format, ...) \
	({ \
		bool warns_ = !!(condition); \
		if (unlikely(warns_)) \
			shim_trouble(ABI_WARN, __FILE__, __LINE__, format, ##__VA_ARGS__); \
		unlikely(warns_); \
	})
#define WARN_ON(condition) WARN(condition, "WARN_ON(" #condition ")")
#define WARN_ONCE(condition, format, ...) \
	({ \
		static bool warned_; \
		bool warns_once_ = !!(condition); \
		if (unlikely(warns_once_ && !warned_)) { \
			warned_ = true; \
			shim_trouble(ABI_WARN, __FILE__, __LINE__, format, ##__VA_ARGS__); \
		} \
		unlikely(warns_once_); \
	})
#define WARN_ON_ONCE(condition) WARN_ONCE(condition, "WARN_ON_ONCE(" #condition ")")
#define CHECK_DATA_CORRUPTION(condition, format, ...) WARN(condition, format, ##__VA_ARGS__)

#define KERN_SOH "\001"
#define KERN_EMERG KERN_SOH "0"
#define KERN_ALERT KERN_SOH "1"
#define KERN_CRIT KERN_SOH "2"
#define KERN_ERR KERN_SOH "3"
#define KERN_WARNING KERN_SOH "4"
#define KERN_NOTICE KERN_SOH "5"
#define KERN_INFO KERN_SOH "6"
#define KERN_DEBUG KERN_SOH "7"
#define KERN_CONT ""

#ifndef pr_fmt
#define pr_fmt(format) format
#endif
int _printk(const char *format, ...) __attribute__((format(printf, 1, 2)));
#define printk _printk
#define no_printk(format, ...) \
	do { \
		if (0) \
			_printk(format, ##__VA_ARGS__); \
	} while (0)
#define pr_emerg(format, ...) printk(KERN_EMERG pr_fmt(format), ##__VA_ARGS__)
#define pr_crit(format, ...) printk(KERN_CRIT pr_fmt(format), ##__VA_ARGS__)
#define pr_err(format, ...) printk(KERN_ERR pr_fmt(format), ##__VA_ARGS__)
#define pr_warn(format, ...) printk(KERN_WARNING pr_fmt(format), ##__VA_ARGS__)
#define pr_info(format, ...) printk(KERN_INFO pr_fmt(format), ##__VA_ARGS__)
#define pr_debug(format, ...) no_printk(KERN_DEBUG pr_fmt(format), ##__VA_ARGS__)

/* Rate limits are not modelled: each line is evidence, and a run is short. */
#define printk_ratelimited printk
#define pr_err_ratelimited pr_err
#define pr_warn_ratelimited pr_warn
#define pr_info_ratelimited pr_info
#define pr_debug_ratelimited pr_debug
struct ratelimit_state { int unused; };
#define DEFINE_RATELIMIT_STATE(name, interval, burst) struct ratelimit_state name
#define __ratelimit(state) ((void)(state), 1)
#define printk_ratelimit() 1

struct va_format { const char *fmt; va_list *va; }; /* %pV */

void dump_stack(void);
void panic(const char *format, ...) __attribute__((noreturn));

#endif
