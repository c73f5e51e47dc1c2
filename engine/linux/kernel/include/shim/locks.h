/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Locks. With one CPU a spinlock is never contended: whoever takes it while it is held would spin for ever,
 * and that is told at once. The same goes for an unlock of what is not held. Sleeping locks really block, in
 * custom/sleeping_locks.c; their names in reports are the expressions that the kernel code locks.
 *
 * Not modelled: interrupts arriving while a task holds a lock without having disabled them, and lock order
 * (lockdep). Whoever waits in a cycle is found by the simulator, as a deadlock.
 */
#ifndef SHIM_LOCKS_H
#define SHIM_LOCKS_H

void shim_lock_trouble(const char *file, int line, const char *what, const char *name, const struct task_struct *owner);

/* --- spinlocks --- */
typedef struct spinlock { struct task_struct *owner; } spinlock_t, raw_spinlock_t;
#define __SPIN_LOCK_UNLOCKED(name) { NULL }
#define DEFINE_SPINLOCK(name) spinlock_t name = { NULL }
#define DEFINE_RAW_SPINLOCK(name) DEFINE_SPINLOCK(name)
#define spin_lock_init(l) ((l)->owner = NULL)
#define raw_spin_lock_init spin_lock_init

static __always_inline void shim_spin_lock(spinlock_t *l, const char *name, const char *file, int line)
{
	shim_preempt();
	if (unlikely(l->owner))
		shim_lock_trouble(file, line, "spins for ever on spinlock", name, l->owner);
	l->owner = current;
	current->preempt_count++;
}
static __always_inline void shim_spin_unlock(spinlock_t *l, const char *name, const char *file, int line)
{
	if (unlikely(l->owner != current))
		shim_lock_trouble(file, line, "unlocks, without holding it, spinlock", name, l->owner);
	l->owner = NULL;
	current->preempt_count--;
}
static inline int shim_spin_trylock(spinlock_t *l)
{
	shim_preempt();
	if (l->owner)
		return 0;
	l->owner = current;
	current->preempt_count++;
	return 1;
}
#define spin_lock(l) shim_spin_lock(l, #l, __FILE__, __LINE__)
#define spin_unlock(l) shim_spin_unlock(l, #l, __FILE__, __LINE__)
#define spin_trylock(l) shim_spin_trylock(l)
#define spin_is_locked(l) ((l)->owner != NULL)
#define spin_lock_irq spin_lock
#define spin_unlock_irq spin_unlock
#define spin_lock_bh spin_lock
#define spin_unlock_bh spin_unlock
#define spin_lock_nested(l, class) spin_lock(l)
#define spin_lock_irqsave(l, saved) \
	do { \
		(saved) = 0; \
		spin_lock(l); \
	} while (0)
#define spin_lock_irqsave_nested(l, saved, class) spin_lock_irqsave(l, saved)
#define spin_unlock_irqrestore(l, saved) \
	do { \
		(void)(saved); \
		spin_unlock(l); \
	} while (0)
#define spin_trylock_irq spin_trylock
#define spin_trylock_bh spin_trylock
#define raw_spin_lock spin_lock
#define raw_spin_unlock spin_unlock
#define raw_spin_lock_irqsave spin_lock_irqsave
#define raw_spin_unlock_irqrestore spin_unlock_irqrestore
#define assert_spin_locked(l) BUG_ON(!spin_is_locked(l))
#define lockdep_assert_held(l) ((void)(l))
#define lockdep_is_held(l) 1
#define local_irq_save(saved) \
	do { \
		(saved) = 0; \
		preempt_disable(); \
	} while (0)
#define local_irq_restore(saved) \
	do { \
		(void)(saved); \
		preempt_enable(); \
	} while (0)
#define local_irq_disable() preempt_disable()
#define local_irq_enable() preempt_enable()
#define local_bh_disable() preempt_disable()
#define local_bh_enable() preempt_enable()
struct lock_class_key { int unused; };
#define lockdep_set_class(lock, key) ((void)(key))

/* --- spinning reader-writer locks --- */
typedef struct { struct task_struct *writer; int readers; } rwlock_t;
#define __RW_LOCK_UNLOCKED(name) { NULL, 0 }
#define DEFINE_RWLOCK(name) rwlock_t name = __RW_LOCK_UNLOCKED(name)
#define rwlock_init(l) ((l)->writer = NULL, (l)->readers = 0)
static __always_inline void shim_read_lock(rwlock_t *l, const char *name, const char *file, int line)
{
	shim_preempt();
	if (unlikely(l->writer))
		shim_lock_trouble(file, line, "spins for ever on rwlock", name, l->writer);
	l->readers++;
	current->preempt_count++;
}
static __always_inline void shim_read_unlock(rwlock_t *l, const char *name, const char *file, int line)
{
	if (unlikely(!l->readers))
		shim_lock_trouble(file, line, "unlocks, without holding it, rwlock", name, l->writer);
	l->readers--;
	current->preempt_count--;
}
static __always_inline void shim_write_lock(rwlock_t *l, const char *name, const char *file, int line)
{
	shim_preempt();
	if (unlikely(l->writer || l->readers))
		shim_lock_trouble(file, line, "spins for ever on rwlock", name, l->writer);
	l->writer = current;
	current->preempt_count++;
}
static __always_inline void shim_write_unlock(rwlock_t *l, const char *name, const char *file, int line)
{
	if (unlikely(l->writer != current))
		shim_lock_trouble(file, line, "unlocks, without holding it, rwlock", name, l->writer);
	l->writer = NULL;
	current->preempt_count--;
}
#define read_lock(l) shim_read_lock(l, #l, __FILE__, __LINE__)
#define read_unlock(l) shim_read_unlock(l, #l, __FILE__, __LINE__)
#define write_lock(l) shim_write_lock(l, #l, __FILE__, __LINE__)
#define write_unlock(l) shim_write_unlock(l, #l, __FILE__, __LINE__)
#define read_lock_irq read_lock
#define read_unlock_irq read_unlock
#define read_lock_bh read_lock
#define read_unlock_bh read_unlock
#define write_lock_irq write_lock
#define write_unlock_irq write_unlock
#define write_lock_bh write_lock
#define write_unlock_bh write_unlock
#define read_lock_irqsave(l, saved) \
	do { \
		(saved) = 0; \
		read_lock(l); \
	} while (0)
#define read_unlock_irqrestore(l, saved) \
	do { \
		(void)(saved); \
		read_unlock(l); \
	} while (0)
#define write_lock_irqsave(l, saved) \
	do { \
		(saved) = 0; \
		write_lock(l); \
	} while (0)
#define write_unlock_irqrestore(l, saved) \
	do { \
		(void)(saved); \
		write_unlock(l); \
	} while (0)

/* --- one bit as a spinlock --- */
static inline void bit_spin_lock(int bit, unsigned long *word)
{
	shim_preempt();
	if (unlikely(__test_and_set_bit(bit, word)))
		shim_lock_trouble(__FILE__, __LINE__, "spins for ever on a bit spinlock", "", NULL);
	current->preempt_count++;
}
static inline void bit_spin_unlock(int bit, unsigned long *word)
{
	if (unlikely(!__test_and_clear_bit(bit, word)))
		shim_lock_trouble(__FILE__, __LINE__, "unlocks, without holding it, a bit spinlock", "", NULL);
	current->preempt_count--;
}
#define __bit_spin_unlock bit_spin_unlock
static inline int bit_spin_is_locked(int bit, unsigned long *word) { return test_bit(bit, word); }

/* --- sleeping locks; waiters are served in the order in which they came --- */
struct shim_waiter;
struct shim_waiters { struct shim_waiter *first, *last; };
#define SINGLE_DEPTH_NESTING 1

struct mutex { struct task_struct *owner; struct shim_waiters waiters; };
#define __MUTEX_INITIALIZER(name) { NULL, { NULL, NULL } }
#define DEFINE_MUTEX(name) struct mutex name = __MUTEX_INITIALIZER(name)
#define mutex_init(l) (*(l) = (struct mutex)__MUTEX_INITIALIZER(l))
void shim_mutex_lock(struct mutex *l, const char *name, const char *file, int line);
void shim_mutex_unlock(struct mutex *l, const char *name, const char *file, int line);
int shim_mutex_trylock(struct mutex *l);
void shim_mutex_destroy(struct mutex *l, const char *name, const char *file, int line);
#define mutex_lock(l) shim_mutex_lock(l, "mutex " #l, __FILE__, __LINE__)
#define mutex_unlock(l) shim_mutex_unlock(l, "mutex " #l, __FILE__, __LINE__)
#define mutex_trylock(l) shim_mutex_trylock(l)
#define mutex_destroy(l) shim_mutex_destroy(l, "mutex " #l, __FILE__, __LINE__)
#define mutex_lock_nested(l, class) mutex_lock(l)
#define mutex_lock_interruptible(l) (mutex_lock(l), 0) /* no signal ends it: the holder always lets go */
static inline bool mutex_is_locked(struct mutex *l) { return l->owner != NULL; }

struct rw_semaphore { struct task_struct *writer; int readers; struct shim_waiters waiters; };
#define __RWSEM_INITIALIZER(name) { NULL, 0, { NULL, NULL } }
#define DECLARE_RWSEM(name) struct rw_semaphore name = __RWSEM_INITIALIZER(name)
#define init_rwsem(l) (*(l) = (struct rw_semaphore)__RWSEM_INITIALIZER(l))
void shim_down_read(struct rw_semaphore *l, const char *name, const char *file, int line);
void shim_down_write(struct rw_semaphore *l, const char *name, const char *file, int line);
void shim_up_read(struct rw_semaphore *l, const char *name, const char *file, int line);
void shim_up_write(struct rw_semaphore *l, const char *name, const char *file, int line);
int down_read_trylock(struct rw_semaphore *l);
int down_write_trylock(struct rw_semaphore *l);
void downgrade_write(struct rw_semaphore *l);
#define down_read(l) shim_down_read(l, "rwsem " #l, __FILE__, __LINE__)
#define down_write(l) shim_down_write(l, "rwsem " #l, __FILE__, __LINE__)
#define up_read(l) shim_up_read(l, "rwsem " #l, __FILE__, __LINE__)
#define up_write(l) shim_up_write(l, "rwsem " #l, __FILE__, __LINE__)
#define down_read_nested(l, class) down_read(l)
#define down_write_nested(l, class) down_write(l)
static inline int rwsem_is_locked(struct rw_semaphore *l) { return l->writer || l->readers; }

struct semaphore { int count; struct shim_waiters waiters; };
static inline void sema_init(struct semaphore *s, int count) { *s = (struct semaphore){ count, { NULL, NULL } }; }
void shim_down(struct semaphore *s, const char *name, const char *file, int line);
int down_trylock(struct semaphore *s);
void up(struct semaphore *s);
#define down(s) shim_down(s, "semaphore " #s, __FILE__, __LINE__)

struct completion { unsigned int done; struct shim_waiters waiters; };
#define COMPLETION_INITIALIZER(name) { 0, { NULL, NULL } }
#define COMPLETION_INITIALIZER_ONSTACK(name) COMPLETION_INITIALIZER(name)
#define DECLARE_COMPLETION(name) struct completion name = COMPLETION_INITIALIZER(name)
#define DECLARE_COMPLETION_ONSTACK(name) DECLARE_COMPLETION(name)
static inline void init_completion(struct completion *c) { *c = (struct completion)COMPLETION_INITIALIZER(c); }
static inline void reinit_completion(struct completion *c) { c->done = 0; }
void complete(struct completion *c);
void complete_all(struct completion *c);
void shim_wait_for_completion(struct completion *c, const char *name, const char *file, int line);
unsigned long wait_for_completion_timeout(struct completion *c, unsigned long timeout);
#define wait_for_completion(c) shim_wait_for_completion(c, "completion " #c, __FILE__, __LINE__)
#define wait_for_completion_io(c) wait_for_completion(c)
bool try_wait_for_completion(struct completion *c);
static inline bool completion_done(struct completion *c) { return c->done != 0; }

#endif
