// SPDX-License-Identifier: GPL-2.0-only
/*
 * Workqueues. Each has up to max_active workers of its own, started when there is work for them and kept. Items begin
 * in the order in which they were queued. An item that is queued while it runs runs again afterwards, never twice at
 * the same time.
 *
 * An item's memory may go while its function runs, so a worker keeps what it needs to know of it; and whoever flushes
 * waits by numbers: every queueing has one, and a flush waits until no smaller one is waiting or running.
 */
#include "control.h"

struct worker {
	struct worker *next; /* of the same queue */
	struct workqueue_struct *queue;
	struct task_struct *task;
	struct work_struct *running; /* null: none; only its address may be used */
	u64 number;                  /* of what runs */
	bool leaves;
};

struct workqueue_struct {
	char name[32];
	unsigned int flags;
	int max_active;
	int workers, busy;
	bool draining, dying;
	u64 last_number;
	struct list_head items; /* waiting, in order */
	struct worker *first;
	struct wait_queue_head ended; /* something has */
};

struct workqueue_struct *system_wq, *system_highpri_wq, *system_long_wq, *system_unbound_wq, *system_percpu_wq;

void shim_boot_workqueues(void)
{
	system_wq = alloc_workqueue("events", 0, 0);
	system_percpu_wq = system_wq;
	system_highpri_wq = alloc_workqueue("events_highpri", WQ_HIGHPRI, 0);
	system_long_wq = alloc_workqueue("events_long", 0, 0);
	system_unbound_wq = alloc_workqueue("events_unbound", WQ_UNBOUND, 0);
}

struct workqueue_struct *alloc_workqueue(const char *format, unsigned int flags, int max_active, ...)
{
	struct workqueue_struct *queue = kzalloc(sizeof(*queue), GFP_KERNEL);
	va_list arguments;

	va_start(arguments, max_active);
	vscnprintf(queue->name, sizeof(queue->name), format, arguments);
	va_end(arguments);
	queue->flags = flags;
	queue->max_active = flags & __WQ_ORDERED ? 1 : max_active ? max_active : WQ_DFL_ACTIVE;
	INIT_LIST_HEAD(&queue->items);
	init_waitqueue_head(&queue->ended);
	return queue;
}

static struct worker *runner_of(const struct workqueue_struct *queue, const struct work_struct *work)
{
	struct worker *worker;

	for (worker = queue->first; worker; worker = worker->next)
		if (worker->running == work)
			return worker;
	return NULL;
}

/* The first item that is not running already. */
static struct work_struct *next_item(const struct workqueue_struct *queue)
{
	struct work_struct *work;

	list_for_each_entry(work, &queue->items, entry)
		if (!runner_of(queue, work))
			return work;
	return NULL;
}

static void work_for(struct worker *worker)
{
	struct workqueue_struct *queue = worker->queue;
	struct work_struct *work = next_item(queue);

	list_del_init(&work->entry);
	worker->running = work;
	worker->number = work->number;
	work->pending = 0;
	queue->busy++;
	work->func(work);
	if (current->preempt_count || current->rcu_depth)
		shim_trouble(ABI_LOCK_MISUSE, NULL, 0, "work of %s ends with a spinlock or RCU section held", queue->name);
	/* In one go: as soon as nothing runs any more, somebody else may destroy the queue. */
	preempt_disable();
	queue->busy--;
	worker->running = NULL;
	wake_up_all(&queue->ended);
	preempt_enable();
}

static void run_worker(void *argument)
{
	struct worker *worker = argument;
	struct workqueue_struct *queue = worker->queue;

	for (;;) {
		while (!worker->leaves && next_item(queue)) {
			work_for(worker);
			cond_resched();
		}
		if (worker->leaves)
			break;
		current->__state = TASK_IDLE;
		shim_park_idle(queue->name);
	}
	shim_host->free(shim_host->self, worker);
}

static void add_worker(struct workqueue_struct *queue)
{
	/* Ours, not the kernel's: nobody counts it, and interrupts may ask for it. */
	struct worker *worker = shim_host->alloc(shim_host->self, sizeof(*worker), 8, 1);

	worker->queue = queue;
	worker->next = queue->first;
	queue->first = worker;
	queue->workers++;
	worker->task = shim_spawn(queue->name, true, run_worker, worker);
}

static void wake_worker(struct workqueue_struct *queue)
{
	struct worker *worker;

	for (worker = queue->first; worker; worker = worker->next) {
		if (!worker->running && worker->task->__state != TASK_RUNNING) {
			wake_up_process(worker->task);
			return;
		}
	}
	/* Idle workers that have been woken and have not run yet will look for more than one item. */
	if (queue->workers < queue->max_active && queue->workers <= queue->busy + 1)
		add_worker(queue);
}

static void insert(struct workqueue_struct *queue, struct work_struct *work)
{
	if (queue->dying)
		shim_trouble(ABI_WARN, work->entry.next ? "workqueue" : "", 0, "work is queued on %s, which is being destroyed",
			     queue->name);
	work->queue = queue;
	work->number = ++queue->last_number;
	list_add_tail(&work->entry, &queue->items);
	if (!runner_of(queue, work)) /* else whoever runs it takes it up again */
		wake_worker(queue);
}

void shim_init_work(struct work_struct *work, work_func_t function)
{
	work->pending = 0;
	INIT_LIST_HEAD(&work->entry);
	work->func = function;
	work->queue = NULL;
	work->number = 0;
}

bool queue_work(struct workqueue_struct *queue, struct work_struct *work)
{
	if (work->pending)
		return false;
	work->pending = 1;
	insert(queue, work);
	return true;
}

void shim_delayed_work_due(struct timer_list *timer)
{
	struct delayed_work *delayed = from_timer(delayed, timer, timer);

	insert(delayed->wq, &delayed->work);
}

bool queue_delayed_work(struct workqueue_struct *queue, struct delayed_work *delayed, unsigned long delay)
{
	if (delayed->work.pending)
		return false;
	delayed->work.pending = 1;
	delayed->wq = queue;
	if (!delay)
		insert(queue, &delayed->work);
	else
		mod_timer(&delayed->timer, jiffies + delay);
	return true;
}

bool mod_delayed_work(struct workqueue_struct *queue, struct delayed_work *delayed, unsigned long delay)
{
	bool was_pending = cancel_delayed_work(delayed);

	queue_delayed_work(queue, delayed, delay);
	return was_pending;
}

/* --- waiting for work to end --- */

static bool busy_up_to(const struct workqueue_struct *queue, u64 number)
{
	const struct work_struct *work;
	const struct worker *worker;

	list_for_each_entry(work, &queue->items, entry)
		if (work->number <= number)
			return true;
	for (worker = queue->first; worker; worker = worker->next)
		if (worker->running && worker->number <= number)
			return true;
	return false;
}

static struct task_struct *some_worker(const struct workqueue_struct *queue)
{
	const struct worker *worker;

	for (worker = queue->first; worker; worker = worker->next)
		if (worker->running && worker->task != current)
			return worker->task;
	return NULL;
}

#define wait_for_queue(queue, condition) \
	do { \
		shim_might_sleep(__func__, 0); \
		shim_preempt(); \
		while (!(condition)) { \
			current->waits_on = some_worker(queue); \
			wait_event((queue)->ended, condition); \
		} \
		current->waits_on = NULL; \
	} while (0)

void flush_workqueue(struct workqueue_struct *queue)
{
	u64 number = queue->last_number;

	wait_for_queue(queue, !busy_up_to(queue, number));
}

void drain_workqueue(struct workqueue_struct *queue)
{
	wait_for_queue(queue, list_empty(&queue->items) && !queue->busy);
}

void destroy_workqueue(struct workqueue_struct *queue)
{
	struct worker *worker, *next;

	drain_workqueue(queue);
	queue->dying = true;
	for (worker = queue->first; worker; worker = next) {
		next = worker->next;
		worker->leaves = true;
		if (worker->task->__state != TASK_RUNNING)
			wake_up_process(worker->task);
	}
	queue->first = NULL;
	/* Workers that leave look at their queue no more. */
	kfree(queue);
}

static bool is_waiting(const struct work_struct *work) { return work->pending && !list_empty(&work->entry); }

bool flush_work(struct work_struct *work)
{
	struct workqueue_struct *queue = work->queue;
	struct worker *runner;
	u64 number;

	if (!queue)
		return false;
	runner = runner_of(queue, work);
	if (!is_waiting(work) && !runner)
		return false;
	number = is_waiting(work) ? work->number : runner->number;
	wait_for_queue(queue, !(is_waiting(work) && work->number <= number) &&
			      !(runner_of(queue, work) && runner_of(queue, work)->number <= number));
	return true;
}

static bool take_back(struct work_struct *work)
{
	if (!is_waiting(work))
		return false;
	list_del_init(&work->entry);
	work->pending = 0;
	return true;
}

bool cancel_work_sync(struct work_struct *work)
{
	bool was_pending = take_back(work);
	struct workqueue_struct *queue = work->queue;

	if (queue)
		wait_for_queue(queue, !runner_of(queue, work));
	return was_pending;
}

bool cancel_delayed_work(struct delayed_work *delayed)
{
	if (del_timer(&delayed->timer)) {
		delayed->work.pending = 0;
		return true;
	}
	return take_back(&delayed->work);
}

bool cancel_delayed_work_sync(struct delayed_work *delayed)
{
	bool was_pending = cancel_delayed_work(delayed);

	cancel_work_sync(&delayed->work);
	return was_pending;
}

bool flush_delayed_work(struct delayed_work *delayed)
{
	if (del_timer(&delayed->timer))
		insert(delayed->wq, &delayed->work);
	return flush_work(&delayed->work);
}
