/* SPDX-License-Identifier: GPL-2.0-only
 *
 * The kernel API as device-mapper sees it, in one place: every file of an image begins with this one.
 *
 * Each header below stands for a part of the kernel, in the order in which the parts build on each other,
 * and declares only what the compiled files use. What a header declares and some file of stubs/, duplicates/
 * or custom/ does not define is an error of the linker; what nobody declares is an error of the compiler. So
 * nothing is missing silently.
 *
 * Borrowed headers of the kernel (borrowed.txt) are included in between, where our own need them.
 */
#ifndef SHIM_KERNEL_H
#define SHIM_KERNEL_H

#include <generated/autoconf.h>
#include <shim/base.h>
#include <shim/bug.h>
#include <shim/string.h>
#include <shim/bits.h>
#include <shim/math.h>
#include <shim/atomic.h>
#include <shim/sched.h>
#include <shim/time.h>
#include <shim/locks.h>
#include <shim/waiting.h>
#include <shim/rcu.h>
#include <shim/timers.h>
#include <shim/workqueue.h>
#include <shim/module.h>
#include <shim/memory.h>
#include <shim/idr.h>
#include <shim/device.h>
#include <shim/series_types.h>
#include <shim/block.h>
#include <shim/series.h>

#endif
