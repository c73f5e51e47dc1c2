/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Wait queues and bit waits: the kernel's own headers, with names added. Each prepare_to_wait() notes the
 * queue's expression, so that a run that is stuck can say "wait queue &md->wait".
 */
#ifndef SHIM_WAITING_H
#define SHIM_WAITING_H

#include <linux/list.h>
#define rcuwait_active(w) 0
#include <linux/wait.h>

static __always_inline struct wait_queue_head *shim_named(struct wait_queue_head *queue, const char *name)
{
	current->waits_for = name;
	return queue;
}
#define prepare_to_wait(queue, entry, state) prepare_to_wait(shim_named(queue, "wait queue " #queue), entry, state)
#define prepare_to_wait_exclusive(queue, entry, state) \
	prepare_to_wait_exclusive(shim_named(queue, "wait queue " #queue), entry, state)
#define prepare_to_wait_event(queue, entry, state) \
	prepare_to_wait_event(shim_named(queue, "wait queue " #queue), entry, state)

#include <linux/wait_bit.h>

#endif
