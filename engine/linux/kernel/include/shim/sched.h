/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Tasks, and where they may be switched.
 *
 * A task is a fiber of the simulator. `current` is whoever called into the image, or the one task that stands
 * for interrupt context. A task that holds a spinlock, or is in interrupt context, has a preempt_count and
 * may not block; one that has none may be overtaken by others at the places that call shim_preempt(): where a
 * lock is taken, at cond_resched() and, on request, before atomic operations.
 */
#ifndef SHIM_SCHED_H
#define SHIM_SCHED_H

struct bio_list;
struct blk_plug;
struct io_context;

struct task_struct {
	unsigned int __state;
	int preempt_count;           /* spinlocks held; 1 more in interrupt context */
	int rcu_depth;               /* rcu_read_lock()s held */
	unsigned int flags;          /* PF_* */
	struct bio_list *bio_list;   /* bios submitted from within a ->submit_bio() */
	struct blk_plug *plug;
	struct io_context *io_context;
	void *journal_info;
	pid_t pid;
	bool daemon;                 /* serves others for ever: kthreads, workers */
	char comm[32];
	void *fiber;                 /* the simulator's name for it; null: interrupt context */
	const char *waits_for;       /* what the next schedule() waits for, in words */
	struct task_struct *waits_on;/* who would have to act; null: unknown */
	u64 sleep;                   /* number of its latest timed sleep */
	u64 cause;                   /* trace id that bios made by it inherit */
	u32 issuer;                  /* actor that bios made by it inherit */
	struct task_struct *next;    /* in a chain of custom/task.c */
	void (*thread)(void *argument);
	void *thread_argument;
	struct kthread *kthread;
};

extern struct task_struct *current;
extern struct task_struct shim_interrupt_task;

#define TASK_RUNNING 0
#define TASK_INTERRUPTIBLE 1
#define TASK_UNINTERRUPTIBLE 2
#define TASK_NORMAL (TASK_INTERRUPTIBLE | TASK_UNINTERRUPTIBLE)
#define TASK_WAKEKILL 0x100
#define TASK_KILLABLE (TASK_WAKEKILL | TASK_UNINTERRUPTIBLE)
#define TASK_FREEZABLE 0x2000
#define TASK_IDLE (0x400 | TASK_UNINTERRUPTIBLE)
#define PF_MEMALLOC 0x800
#define PF_MEMALLOC_NOFS 0x40000
#define PF_MEMALLOC_NOIO 0x80000
#define PF_LOCAL_THROTTLE 0x100000
#define MAX_SCHEDULE_TIMEOUT LONG_MAX

#define set_current_state(state) (current->__state = (state))
#define __set_current_state(state) (current->__state = (state))
#define get_current_state() (current->__state)

/* --- switching --- */
extern bool shim_preempt_at_locks;
extern bool shim_preempt_in_rcu; /* a kernel with CONFIG_PREEMPT_RCU, or another CPU */
void shim_preempt_slow(void);
static __always_inline void shim_preempt(void)
{
	if (shim_preempt_at_locks && current->preempt_count == 0)
		shim_preempt_slow();
}
void shim_might_sleep(const char *file, int line);
#define might_sleep() shim_might_sleep(__FILE__, __LINE__)
#define might_sleep_if(condition) \
	do { \
		if (condition) \
			might_sleep(); \
	} while (0)
#define cond_resched() \
	({ \
		might_sleep(); \
		shim_preempt_slow(); \
		0; \
	})
#define need_resched() false
#define preempt_disable() (current->preempt_count++)
#define preempt_enable() (current->preempt_count--)
#define in_interrupt() (current->fiber == NULL)
#define in_task() (current->fiber != NULL)
#define irqs_disabled() (current->fiber == NULL)
#define in_atomic() (current->preempt_count != 0)

void shim_schedule(const char *caller);
#define schedule() shim_schedule(__func__)
#define io_schedule() shim_schedule(__func__)
long schedule_timeout(long timeout);
long schedule_timeout_interruptible(long timeout);
long schedule_timeout_uninterruptible(long timeout);
long io_schedule_timeout(long timeout);
void yield(void);
int wake_up_process(struct task_struct *task);
int wake_up_state(struct task_struct *task, unsigned int states);
int signal_pending(struct task_struct *task);
static inline int fatal_signal_pending(struct task_struct *task) { return signal_pending(task); }
static inline int signal_pending_state(unsigned int state, struct task_struct *task)
{
	return (state & (TASK_INTERRUPTIBLE | TASK_WAKEKILL)) && signal_pending(task);
}
#define get_task_struct(task) ((void)(task))
#define put_task_struct(task) ((void)(task))
#define task_pid_nr(task) ((task)->pid)

/* Blocks until some other task or event makes this task runnable with wake_up_process(). */
void shim_park(const char *waits_for, struct task_struct *waits_on);
/* What custom/ needs of the simulator's fibers. */
struct task_struct *shim_task_of(void *fiber, const char *comm);
struct task_struct *shim_spawn(const char *name, bool daemon, void (*thread)(void *argument), void *argument);

static inline unsigned int shim_flags_save(unsigned int flag)
{
	unsigned int old = current->flags & flag;

	current->flags |= flag;
	return old;
}
static inline void shim_flags_restore(unsigned int flag, unsigned int old)
{
	current->flags = (current->flags & ~flag) | old;
}
#define memalloc_noio_save() shim_flags_save(PF_MEMALLOC_NOIO)
#define memalloc_noio_restore(old) shim_flags_restore(PF_MEMALLOC_NOIO, old)
#define memalloc_nofs_save() shim_flags_save(PF_MEMALLOC_NOFS)
#define memalloc_nofs_restore(old) shim_flags_restore(PF_MEMALLOC_NOFS, old)

/* --- kthreads --- */
struct task_struct *kthread_create(int (*thread)(void *data), void *data, const char *format, ...);
#define kthread_run(thread, data, format, ...) \
	({ \
		struct task_struct *made_ = kthread_create(thread, data, format, ##__VA_ARGS__); \
		if (!IS_ERR(made_)) \
			wake_up_process(made_); \
		made_; \
	})
int kthread_stop(struct task_struct *task);
bool kthread_should_stop(void);
#define set_freezable() false /* nothing suspends the machine to disk */
#define try_to_freeze() false

#define smp_processor_id() 0
#define raw_smp_processor_id() 0
#define get_cpu() 0
#define put_cpu() ((void)0)
#define num_online_cpus() 1
#define num_possible_cpus() 1
#define num_online_nodes() 1
#define cpu_to_node(cpu) 0
#define for_each_possible_cpu(cpu) for ((cpu) = 0; (cpu) < 1; (cpu)++)
#define cpu_relax() barrier()
#define SYSTEM_RUNNING 1
#define system_state SYSTEM_RUNNING
#define capable(capability) true
#define CAP_SYS_RAWIO 17
#define CAP_SYS_ADMIN 21
#define scoped_with_kernel_creds()

#endif
