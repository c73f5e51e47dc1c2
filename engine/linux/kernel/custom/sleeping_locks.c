// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mutexes, reader-writer semaphores, semaphores and completions.
 *
 * Waiters stand in line. A lock that is let go is not handed over: whoever comes first takes it, and the first in
 * line is woken to try. A writer that waits keeps new readers out, as in the kernel, or it might wait for ever.
 */
#include "control.h"

struct shim_waiter {
	struct task_struct *task;
	struct shim_waiter *next;
	bool writer;
};

static void join(struct shim_waiters *line, struct shim_waiter *waiter)
{
	waiter->task = current;
	waiter->next = NULL;
	if (line->last)
		line->last->next = waiter;
	else
		line->first = waiter;
	line->last = waiter;
}

static void leave(struct shim_waiters *line, struct shim_waiter *waiter)
{
	struct shim_waiter *before = NULL, *at;

	for (at = line->first; at != waiter; at = at->next)
		before = at;
	if (before)
		before->next = waiter->next;
	else
		line->first = waiter->next;
	if (line->last == waiter)
		line->last = before;
}

static void wake_first(struct shim_waiters *line)
{
	if (line->first)
		wake_up_process(line->first->task);
}

static void wake_all(struct shim_waiters *line)
{
	struct shim_waiter *waiter;

	for (waiter = line->first; waiter; waiter = waiter->next)
		wake_up_process(waiter->task);
}

static void wait_in_line(const char *name, struct task_struct *holder)
{
	current->__state = TASK_UNINTERRUPTIBLE;
	shim_park(name, holder);
}

/* --- mutex --- */

void shim_mutex_lock(struct mutex *l, const char *name, const char *file, int line)
{
	struct shim_waiter waiter;

	shim_might_sleep(file, line);
	shim_preempt();
	if (l->owner == current)
		shim_lock_trouble(file, line, "locks again, which it holds,", name, current);
	if (l->owner) {
		join(&l->waiters, &waiter);
		while (l->owner)
			wait_in_line(name, l->owner);
		leave(&l->waiters, &waiter);
	}
	l->owner = current;
}

int shim_mutex_trylock(struct mutex *l)
{
	if (l->owner)
		return 0;
	l->owner = current;
	return 1;
}

void shim_mutex_unlock(struct mutex *l, const char *name, const char *file, int line)
{
	if (l->owner != current)
		shim_lock_trouble(file, line, "unlocks, without holding it,", name, l->owner);
	l->owner = NULL;
	wake_first(&l->waiters);
}

void shim_mutex_destroy(struct mutex *l, const char *name, const char *file, int line)
{
	if (l->owner)
		shim_lock_trouble(file, line, "destroys, while it is held,", name, l->owner);
}

/* --- reader-writer semaphore --- */

static bool writer_waits(const struct rw_semaphore *l, const struct shim_waiter *until)
{
	const struct shim_waiter *waiter;

	for (waiter = l->waiters.first; waiter && waiter != until; waiter = waiter->next)
		if (waiter->writer)
			return true;
	return false;
}

void shim_down_read(struct rw_semaphore *l, const char *name, const char *file, int line)
{
	struct shim_waiter waiter = { .writer = false };

	shim_might_sleep(file, line);
	shim_preempt();
	if (l->writer == current)
		shim_lock_trouble(file, line, "locks again, which it holds,", name, current);
	if (l->writer || writer_waits(l, NULL)) {
		join(&l->waiters, &waiter);
		while (l->writer || writer_waits(l, &waiter))
			wait_in_line(name, l->writer);
		leave(&l->waiters, &waiter);
		wake_all(&l->waiters);
	}
	l->readers++;
}

void shim_down_write(struct rw_semaphore *l, const char *name, const char *file, int line)
{
	struct shim_waiter waiter = { .writer = true };

	shim_might_sleep(file, line);
	shim_preempt();
	if (l->writer == current)
		shim_lock_trouble(file, line, "locks again, which it holds,", name, current);
	if (l->writer || l->readers) {
		join(&l->waiters, &waiter);
		while (l->writer || l->readers)
			wait_in_line(name, l->writer);
		leave(&l->waiters, &waiter);
	}
	l->writer = current;
}

int down_read_trylock(struct rw_semaphore *l)
{
	if (l->writer || writer_waits(l, NULL))
		return 0;
	l->readers++;
	return 1;
}

int down_write_trylock(struct rw_semaphore *l)
{
	if (l->writer || l->readers)
		return 0;
	l->writer = current;
	return 1;
}

void shim_up_read(struct rw_semaphore *l, const char *name, const char *file, int line)
{
	if (l->readers <= 0)
		shim_lock_trouble(file, line, "unlocks, without holding it,", name, l->writer);
	if (--l->readers == 0)
		wake_all(&l->waiters);
}

void shim_up_write(struct rw_semaphore *l, const char *name, const char *file, int line)
{
	if (l->writer != current)
		shim_lock_trouble(file, line, "unlocks, without holding it,", name, l->writer);
	l->writer = NULL;
	wake_all(&l->waiters);
}

void downgrade_write(struct rw_semaphore *l)
{
	BUG_ON(l->writer != current);
	l->writer = NULL;
	l->readers = 1;
	wake_all(&l->waiters);
}

/* --- semaphore --- */

void shim_down(struct semaphore *s, const char *name, const char *file, int line)
{
	struct shim_waiter waiter;

	shim_might_sleep(file, line);
	shim_preempt();
	if (s->count <= 0) {
		join(&s->waiters, &waiter);
		while (s->count <= 0)
			wait_in_line(name, NULL);
		leave(&s->waiters, &waiter);
	}
	s->count--;
}

int down_trylock(struct semaphore *s)
{
	if (s->count <= 0)
		return 1;
	s->count--;
	return 0;
}

void up(struct semaphore *s)
{
	s->count++;
	wake_first(&s->waiters);
}

/* --- completion --- */

#define DONE_FOR_ALL UINT_MAX

void complete(struct completion *c)
{
	if (c->done != DONE_FOR_ALL)
		c->done++;
	wake_first(&c->waiters);
}

void complete_all(struct completion *c)
{
	c->done = DONE_FOR_ALL;
	wake_all(&c->waiters);
}

bool try_wait_for_completion(struct completion *c)
{
	if (!c->done)
		return false;
	if (c->done != DONE_FOR_ALL)
		c->done--;
	return true;
}

void shim_wait_for_completion(struct completion *c, const char *name, const char *file, int line)
{
	struct shim_waiter waiter;

	shim_might_sleep(file, line);
	if (try_wait_for_completion(c))
		return;
	join(&c->waiters, &waiter);
	while (!c->done)
		wait_in_line(name, NULL);
	leave(&c->waiters, &waiter);
	try_wait_for_completion(c);
	if (c->done && c->done != DONE_FOR_ALL)
		wake_first(&c->waiters);
}

unsigned long wait_for_completion_timeout(struct completion *c, unsigned long timeout)
{
	struct shim_waiter waiter;
	long left = timeout;

	shim_might_sleep("wait_for_completion_timeout", 0);
	if (!c->done) {
		join(&c->waiters, &waiter);
		while (!c->done && left > 0)
			left = schedule_timeout_uninterruptible(left);
		leave(&c->waiters, &waiter);
	}
	return try_wait_for_completion(c) ? max(left, 1L) : 0;
}
