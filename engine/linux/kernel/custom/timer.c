// SPDX-License-Identifier: GPL-2.0-only
/*
 * Timers. The simulator's events cannot be called off, so an armed timer has an alarm between itself and its event:
 * disarming cuts the alarm loose, and the event that comes later finds nobody. Memory that is freed with an armed
 * timer inside is told: on a real machine it would ring in what somebody else keeps there by then.
 */
#include "control.h"

struct shim_alarm {
	struct timer_list *timer; /* null: disarmed */
	struct shim_alarm *next;  /* of those that are free */
	struct list_head armed;   /* in armed_alarms, while it has a timer */
};
static struct shim_alarm *free_alarms;
static LIST_HEAD(armed_alarms);

void shim_no_timer_inside(const void *memory, u64 bytes, const char *file, int line)
{
	struct shim_alarm *alarm;

	list_for_each_entry(alarm, &armed_alarms, armed)
		if ((const char *)alarm->timer >= (const char *)memory && (const char *)alarm->timer < (const char *)memory + bytes)
			shim_trouble(ABI_USE_AFTER_FREE, file, line, "memory is freed with an armed timer inside");
}

static void alarm_rings(void *argument, abi_u64 unused)
{
	struct shim_alarm *alarm = argument;
	struct timer_list *timer = alarm->timer;

	alarm->next = free_alarms;
	free_alarms = alarm;
	if (!timer)
		return;
	timer->alarm = NULL;
	list_del(&alarm->armed);
	timer->function(timer);
}

static bool disarm(struct timer_list *timer)
{
	if (!timer->alarm)
		return false;
	timer->alarm->timer = NULL;
	list_del(&timer->alarm->armed);
	timer->alarm = NULL;
	return true;
}

static void arm(struct timer_list *timer, unsigned long expires)
{
	struct shim_alarm *alarm = free_alarms;
	unsigned long now = jiffies;
	u64 when;

	if (alarm)
		free_alarms = alarm->next;
	else
		alarm = shim_host->alloc(shim_host->self, sizeof(*alarm), 8, 1);
	alarm->timer = timer;
	list_add(&alarm->armed, &armed_alarms);
	timer->alarm = alarm;
	timer->expires = expires;
	/* At the tick, not some time after it: jiffies must have come when the function looks. */
	when = (ktime_get_ns() / SHIM_JIFFY_NS + (time_after(expires, now) ? expires - now : 0)) * SHIM_JIFFY_NS;
	shim_host->at(shim_host->self, when, alarm_rings, alarm, 0);
}

int mod_timer(struct timer_list *timer, unsigned long expires)
{
	bool was_armed = disarm(timer);

	arm(timer, expires);
	return was_armed;
}

int timer_reduce(struct timer_list *timer, unsigned long expires)
{
	if (timer->alarm && time_before_eq(timer->expires, expires))
		return 1;
	return mod_timer(timer, expires);
}

void add_timer(struct timer_list *timer)
{
	BUG_ON(timer->alarm);
	arm(timer, timer->expires);
}

int del_timer(struct timer_list *timer) { return disarm(timer); }
