/* SPDX-License-Identifier: GPL-2.0-only
 *
 * dm.c as it is, with two instants made visible: a device's event number has been raised, and its live table has
 * been put in or taken out. Both are seen by giving the macros that do it a second half.
 */
#include "control.h"
#include "dm-core.h"

static void shim_table_is(struct mapped_device *md)
{
	shim_host->table_changed(shim_host->self, md->disk->disk_name);
}

static void shim_woken(struct wait_queue_head *queue, const char *name)
{
	if (!__builtin_strcmp(name, "&md->eventq"))
		shim_host->device_event(shim_host->self,
					container_of(queue, struct mapped_device, eventq)->disk->disk_name);
}

#undef wake_up
#define wake_up(queue) \
	do { \
		shim_woken(queue, #queue); \
		__wake_up(queue, TASK_NORMAL, 1, NULL); \
	} while (0)

/* The one pointer that dm.c publishes is md->map. */
#undef rcu_assign_pointer
#undef RCU_INIT_POINTER
#define rcu_assign_pointer(pointer, value) \
	do { \
		WRITE_ONCE(pointer, value); \
		shim_table_is(container_of(&(pointer), struct mapped_device, map)); \
	} while (0)
#define RCU_INIT_POINTER(pointer, value) rcu_assign_pointer(pointer, value)

#include "dm.c"
