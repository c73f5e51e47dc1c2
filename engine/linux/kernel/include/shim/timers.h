/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Timers: one-shot, in interrupt context, at jiffies. An armed timer has a record (custom/timer.c) that the
 * simulator's event points to, so that a timer whose memory goes is never looked at again; memory freed
 * with an armed timer inside is told as trouble.
 */
#ifndef SHIM_TIMERS_H
#define SHIM_TIMERS_H

struct shim_alarm;
struct timer_list {
	unsigned long expires; /* jiffies */
	void (*function)(struct timer_list *timer);
	struct shim_alarm *alarm; /* null: not armed */
	u32 flags;
};
#define TIMER_DEFERRABLE 1
#define TIMER_IRQSAFE 2
#define __TIMER_INITIALIZER(called, how) { .function = (called), .flags = (how) }
#define DEFINE_TIMER(name, called) struct timer_list name = __TIMER_INITIALIZER(called, 0)
#define timer_setup(timer, called, how) \
	do { \
		(timer)->function = (called); \
		(timer)->flags = (how); \
		(timer)->alarm = NULL; \
	} while (0)
#define timer_setup_on_stack timer_setup
#define destroy_timer_on_stack(timer) ((void)(timer))
#define from_timer(variable, pointer, field) container_of(pointer, typeof(*variable), field)
#define timer_container_of from_timer
#define timer_pending(timer) ((timer)->alarm != NULL)
void add_timer(struct timer_list *timer);
int mod_timer(struct timer_list *timer, unsigned long expires);
int timer_reduce(struct timer_list *timer, unsigned long expires);
int del_timer(struct timer_list *timer);
#define timer_delete del_timer
/* A timer function never runs while a task does, so there is nothing to wait for. */
#define del_timer_sync del_timer
#define timer_delete_sync del_timer
#define timer_shutdown_sync del_timer

#endif
