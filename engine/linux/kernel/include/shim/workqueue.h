/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Workqueues: each has fibers of its own that work (custom/workqueue.c). An item never runs twice at the same
 * time on one queue, and may be freed or queued again by its own function.
 */
#ifndef SHIM_WORKQUEUE_H
#define SHIM_WORKQUEUE_H

struct work_struct;
struct workqueue_struct;
typedef void (*work_func_t)(struct work_struct *work);

struct work_struct {
	unsigned long pending; /* queued, or its delay is running */
	struct list_head entry;
	work_func_t func;
	struct workqueue_struct *queue; /* of the latest queueing */
	u64 number;            /* of the latest queueing, in that queue */
};
struct delayed_work {
	struct work_struct work;
	struct timer_list timer;
	struct workqueue_struct *wq;
	int cpu;
};

enum {
	WQ_UNBOUND = 1 << 1,
	WQ_FREEZABLE = 1 << 2,
	WQ_MEM_RECLAIM = 1 << 3,
	WQ_HIGHPRI = 1 << 4,
	WQ_CPU_INTENSIVE = 1 << 5,
	WQ_SYSFS = 1 << 6,
	WQ_PERCPU = 1 << 8,
	__WQ_ORDERED = 1 << 17,
	WQ_DFL_ACTIVE = 256,
	WQ_MAX_ACTIVE = 512,
	WORK_CPU_UNBOUND = NR_CPUS,
};

void shim_init_work(struct work_struct *work, work_func_t function);
void shim_delayed_work_due(struct timer_list *timer);
#define __WORK_INITIALIZER(name, function) { .entry = LIST_HEAD_INIT((name).entry), .func = (function) }
#define DECLARE_WORK(name, function) struct work_struct name = __WORK_INITIALIZER(name, function)
#define DECLARE_DELAYED_WORK(name, function) \
	struct delayed_work name = { .work = __WORK_INITIALIZER((name).work, function), \
				     .timer = __TIMER_INITIALIZER(shim_delayed_work_due, 0) }
#define INIT_WORK(work, function) shim_init_work(work, function)
#define INIT_WORK_ONSTACK(work, function) shim_init_work(work, function)
#define destroy_work_on_stack(work) ((void)(work))
#define INIT_DELAYED_WORK(delayed, function) \
	do { \
		shim_init_work(&(delayed)->work, function); \
		timer_setup(&(delayed)->timer, shim_delayed_work_due, 0); \
	} while (0)
#define to_delayed_work(item) container_of(item, struct delayed_work, work)
#define work_pending(work) ((work)->pending != 0)
#define delayed_work_pending(delayed) work_pending(&(delayed)->work)

extern struct workqueue_struct *system_wq, *system_highpri_wq, *system_long_wq, *system_unbound_wq, *system_percpu_wq;
struct workqueue_struct *alloc_workqueue(const char *format, unsigned int flags, int max_active, ...)
	__attribute__((format(printf, 1, 4)));
#define alloc_ordered_workqueue(format, flags, ...) \
	alloc_workqueue(format, WQ_UNBOUND | __WQ_ORDERED | (flags), 1, ##__VA_ARGS__)
#define create_singlethread_workqueue(name) alloc_ordered_workqueue("%s", WQ_MEM_RECLAIM, name)
#define create_workqueue(name) alloc_workqueue("%s", WQ_MEM_RECLAIM, 1, name)
void destroy_workqueue(struct workqueue_struct *queue);
bool queue_work(struct workqueue_struct *queue, struct work_struct *work);
#define queue_work_on(cpu, queue, work) queue_work(queue, work)
bool queue_delayed_work(struct workqueue_struct *queue, struct delayed_work *delayed, unsigned long delay);
bool mod_delayed_work(struct workqueue_struct *queue, struct delayed_work *delayed, unsigned long delay);
bool flush_work(struct work_struct *work);
bool flush_delayed_work(struct delayed_work *delayed);
bool cancel_work_sync(struct work_struct *work);
bool cancel_delayed_work(struct delayed_work *delayed);
bool cancel_delayed_work_sync(struct delayed_work *delayed);
void flush_workqueue(struct workqueue_struct *queue);
#define __flush_workqueue flush_workqueue
void drain_workqueue(struct workqueue_struct *queue);
#define schedule_work(work) queue_work(system_wq, work)
#define schedule_delayed_work(delayed, delay) queue_delayed_work(system_wq, delayed, delay)
#define flush_scheduled_work() flush_workqueue(system_wq)

#endif
