// SPDX-License-Identifier: GPL-2.0-only
/*
 * RCU and SRCU: see shim/rcu.h. A grace period of RCU ends when no reader is left; one of SRCU when those are gone
 * that had begun before it.
 */
#include "control.h"

unsigned int shim_rcu_readers;
static struct callback_head *callbacks, **callbacks_end;
static bool callbacks_due;
static DECLARE_WAIT_QUEUE_HEAD(quiet);

static void run_callbacks(void *unused, abi_u64 unused_too)
{
	struct callback_head *head = callbacks, *next;

	callbacks_due = false;
	if (shim_rcu_readers)
		return; /* shim_rcu_quiet() comes */
	callbacks = NULL;
	callbacks_end = NULL;
	for (; head; head = next) {
		next = head->next;
		head->func(head);
	}
	wake_up_all(&quiet);
}

void shim_rcu_quiet(void)
{
	if (callbacks && !callbacks_due) {
		callbacks_due = true;
		shim_host->at(shim_host->self, ktime_get_ns(), run_callbacks, NULL, 0);
	}
	if (waitqueue_active(&quiet))
		wake_up_all(&quiet);
}

void call_rcu(struct callback_head *head, void (*function)(struct callback_head *head))
{
	head->func = function;
	head->next = NULL;
	if (callbacks)
		*callbacks_end = head;
	else
		callbacks = head;
	callbacks_end = &head->next;
	if (!shim_rcu_readers)
		shim_rcu_quiet();
}

void synchronize_rcu(void)
{
	shim_might_sleep("synchronize_rcu", 0);
	shim_preempt();
	wait_event(quiet, !shim_rcu_readers);
}

void rcu_barrier(void)
{
	wait_event(quiet, !callbacks);
}

int shim_init_srcu(struct srcu_struct *s)
{
	s->index = 0;
	s->readers[0] = s->readers[1] = 0;
	init_waitqueue_head(&s->quiet);
	return 0;
}

void shim_cleanup_srcu(struct srcu_struct *s, const char *file, int line)
{
	if (s->readers[0] || s->readers[1])
		shim_trouble(ABI_LOCK_MISUSE, file, line, "an SRCU domain goes while %u readers are in it",
			     s->readers[0] + s->readers[1]);
}

void synchronize_srcu(struct srcu_struct *s)
{
	int old = s->index;

	shim_might_sleep("synchronize_srcu", 0);
	shim_preempt();
	/* Who began before the grace period before this one may still be counted on the other side. */
	wait_event(s->quiet, !s->readers[!old]);
	s->index = !old;
	wait_event(s->quiet, !s->readers[old]);
}
