// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tasks: one for each fiber of the simulator that ever came in, and one for interrupt context.
 *
 * A task blocks in shim_park(), and nowhere else: bios that its plug still holds go out first, and blocking under
 * a spinlock or in an interrupt is told. Whoever wakes a task sets its state first: a task that was woken before it
 * slept does not sleep. Tasks whose fiber has ended are kept for the next, for a late alarm may still name them.
 */
#include "control.h"

struct task_struct shim_interrupt_task;
struct task_struct *current;
bool shim_preempt_at_locks;
bool shim_preempt_at_atomics;
bool shim_preempt_in_rcu;

#define TASK_CHAINS 64
static struct task_struct *chains[TASK_CHAINS]; /* by fiber */
static struct task_struct *free_tasks;
static pid_t last_pid;

struct kthread {
	int (*function)(void *data);
	void *data;
	bool stop;
	int result;
	struct completion ended;
};

void shim_boot_tasks(void)
{
	strscpy(shim_interrupt_task.comm, "interrupt", sizeof(shim_interrupt_task.comm));
	shim_interrupt_task.preempt_count = 1;
	current = &shim_interrupt_task;
	shim_preempt_at_locks = true;
}

static struct task_struct **chain_of(void *fiber)
{
	return &chains[((unsigned long)fiber >> 5) % TASK_CHAINS];
}

struct task_struct *shim_task_of(void *fiber, const char *comm)
{
	struct task_struct **chain = chain_of(fiber), *task;

	for (task = *chain; task; task = task->next)
		if (task->fiber == fiber)
			return task;
	task = free_tasks;
	if (task)
		free_tasks = task->next;
	else
		task = shim_host->alloc(shim_host->self, sizeof(*task), 64, 1);
	*task = (struct task_struct){ .fiber = fiber, .pid = ++last_pid, .sleep = task->sleep, .next = *chain };
	strscpy(task->comm, comm, sizeof(task->comm));
	*chain = task;
	return task;
}

void shim_enter(void *fiber, const char *comm)
{
	current = fiber ? shim_task_of(fiber, comm) : &shim_interrupt_task;
}

void shim_fiber_ended(void *fiber)
{
	struct task_struct **link = chain_of(fiber), *task;

	for (; *link; link = &(*link)->next) {
		if ((*link)->fiber != fiber)
			continue;
		task = *link;
		*link = task->next;
		if (task->preempt_count || task->rcu_depth || task->bio_list)
			shim_trouble(ABI_LOCK_MISUSE, NULL, 0, "%s ends with %d spinlocks and %d RCU sections held",
				     task->comm, task->preempt_count, task->rcu_depth);
		task->fiber = NULL;
		task->next = free_tasks;
		free_tasks = task;
		return;
	}
}

/* --- blocking --- */

void shim_might_sleep(const char *file, int line)
{
	if (likely(current->preempt_count == 0))
		return;
	shim_trouble(ABI_ATOMIC_SLEEP, file, line, "%s may sleep here: %s", current->comm,
		     current->fiber ? "it holds a spinlock" : "in interrupt context");
}

static void park(const char *why, struct task_struct *holder, bool idle, bool interruptible)
{
	struct task_struct *self = current;

	if (unlikely(self->preempt_count || self->rcu_depth))
		shim_trouble(ABI_ATOMIC_SLEEP, NULL, 0, "%s blocks on %s %s", self->comm, why,
			     !self->fiber ? "in interrupt context" :
			     self->rcu_depth ? "in an RCU read section" : "with a spinlock held");
	shim_flush_current_plug();
	if (shim_host->park(shim_host->self, why, holder ? holder->fiber : NULL, idle, interruptible))
		self->__state = TASK_RUNNING; /* a signal */
	current = self;
}

void shim_park(const char *waits_for, struct task_struct *waits_on)
{
	while (current->__state != TASK_RUNNING)
		park(waits_for, waits_on, false, current->__state & TASK_INTERRUPTIBLE);
}

void shim_park_idle(const char *waits_for)
{
	while (current->__state != TASK_RUNNING)
		park(waits_for, NULL, true, false);
}

void yield(void)
{
	struct task_struct *self = current;

	shim_flush_current_plug();
	shim_host->yield(shim_host->self);
	current = self;
}

void shim_schedule(const char *caller)
{
	const char *why = current->waits_for ? current->waits_for : caller;

	current->waits_for = NULL;
	if (current->__state == TASK_RUNNING) {
		shim_might_sleep(caller, 0);
		yield();
		return;
	}
	shim_park(why, current->waits_on);
	current->waits_on = NULL;
}

int wake_up_state(struct task_struct *task, unsigned int states)
{
	if (!(task->__state & states))
		return 0;
	task->__state = TASK_RUNNING;
	if (task != current)
		shim_host->unpark(shim_host->self, task->fiber);
	return 1;
}

int wake_up_process(struct task_struct *task) { return wake_up_state(task, ~0u); }

int signal_pending(struct task_struct *task)
{
	return task->fiber && shim_host->signal_pending(shim_host->self, task->fiber);
}

void shim_preempt_slow(void)
{
	struct task_struct *self = current;

	if (self->fiber && (!self->rcu_depth || shim_preempt_in_rcu))
		shim_host->preempt_point(shim_host->self);
	current = self;
}

void shim_atomic_point_slow(void)
{
	if (current->preempt_count == 0)
		shim_preempt_slow();
}

/* --- sleeping for a time --- */

static void sleep_over(void *argument, abi_u64 sleep)
{
	struct task_struct *task = argument;

	if (task->sleep == sleep && task->fiber)
		wake_up_process(task);
}

static void wake_at(u64 when_ns)
{
	shim_host->at(shim_host->self, when_ns, sleep_over, current, ++current->sleep);
}

void shim_sleep_ns(u64 ns)
{
	wake_at(ktime_get_ns() + ns);
	current->__state = TASK_UNINTERRUPTIBLE;
	shim_park("time to pass", NULL);
}

long schedule_timeout(long timeout)
{
	unsigned long until = jiffies + timeout;
	long left;

	if (timeout == MAX_SCHEDULE_TIMEOUT) {
		shim_schedule("a wake-up");
		return timeout;
	}
	wake_at(ktime_get_ns() + (u64)timeout * SHIM_JIFFY_NS);
	shim_schedule("time to pass or a wake-up");
	current->sleep++; /* the alarm is stale now */
	left = (long)(until - jiffies);
	return left < 0 ? 0 : left;
}

long schedule_timeout_interruptible(long timeout)
{
	__set_current_state(TASK_INTERRUPTIBLE);
	return schedule_timeout(timeout);
}

long schedule_timeout_uninterruptible(long timeout)
{
	__set_current_state(TASK_UNINTERRUPTIBLE);
	return schedule_timeout(timeout);
}

long io_schedule_timeout(long timeout) { return schedule_timeout(timeout); }

/* --- threads --- */

static void begin_thread(void *argument)
{
	struct task_struct *task = argument;

	current = task;
	task->thread(task->thread_argument);
}

struct task_struct *shim_spawn(const char *name, bool daemon, void (*thread)(void *argument), void *argument)
{
	/* The task must be known before its fiber is, and its fiber's name only comes out of spawn(). */
	struct task_struct *task = free_tasks;
	void *fiber;

	if (task)
		free_tasks = task->next;
	else
		task = shim_host->alloc(shim_host->self, sizeof(*task), 64, 1);
	*task = (struct task_struct){ .pid = ++last_pid, .sleep = task->sleep, .daemon = daemon, .thread = thread,
				      .thread_argument = argument };
	strscpy(task->comm, name, sizeof(task->comm));
	fiber = shim_host->spawn(shim_host->self, task->comm, daemon, begin_thread, task);
	task->fiber = fiber;
	task->next = *chain_of(fiber);
	*chain_of(fiber) = task;
	return task;
}

static void run_kthread(void *argument)
{
	struct kthread *thread = argument;

	current->kthread = thread;
	shim_park_idle("to be started"); /* unless somebody already has */
	if (!thread->stop)
		thread->result = thread->function(thread->data);
	complete(&thread->ended);
}

struct task_struct *kthread_create(int (*function)(void *data), void *data, const char *format, ...)
{
	struct kthread *thread = kzalloc(sizeof(*thread), GFP_KERNEL);
	struct task_struct *task;
	char name[32];
	va_list arguments;

	va_start(arguments, format);
	vscnprintf(name, sizeof(name), format, arguments);
	va_end(arguments);
	thread->function = function;
	thread->data = data;
	init_completion(&thread->ended);
	task = shim_spawn(name, true, run_kthread, thread);
	task->kthread = thread;
	task->__state = TASK_UNINTERRUPTIBLE;
	return task;
}

bool kthread_should_stop(void) { return current->kthread->stop; }

int kthread_stop(struct task_struct *task)
{
	struct kthread *thread = task->kthread;
	int result;

	thread->stop = true;
	wake_up_process(task);
	wait_for_completion(&thread->ended);
	result = thread->result;
	kfree(thread);
	return result;
}
