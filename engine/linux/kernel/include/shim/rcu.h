/* SPDX-License-Identifier: GPL-2.0-only
 *
 * RCU and SRCU. Readers may be overtaken while they read (on a real machine others run on other CPUs), so
 * they are counted, and writers wait until the readers of their time have gone. A grace period may last
 * longer here than it needs to: until no reader is left at all. Callbacks run in interrupt context.
 */
#ifndef SHIM_RCU_H
#define SHIM_RCU_H

extern unsigned int shim_rcu_readers;
void shim_rcu_quiet(void);

static inline void rcu_read_lock(void)
{
	current->rcu_depth++;
	shim_rcu_readers++;
}
static inline void shim_rcu_read_unlock(const char *file, int line)
{
	if (unlikely(current->rcu_depth <= 0))
		shim_lock_trouble(file, line, "unlocks, without holding it,", "RCU", NULL);
	current->rcu_depth--;
	if (--shim_rcu_readers == 0)
		shim_rcu_quiet();
}
#define rcu_read_unlock() shim_rcu_read_unlock(__FILE__, __LINE__)
void synchronize_rcu(void);
#define synchronize_rcu_expedited synchronize_rcu
#define synchronize_rcu_mult(...) synchronize_rcu()
void call_rcu(struct rcu_head *head, void (*function)(struct rcu_head *head));
void rcu_barrier(void);
#define rcu_read_lock_held() (current->rcu_depth > 0)
#define rcu_dereference(p) READ_ONCE(p)
#define rcu_dereference_raw(p) READ_ONCE(p)
#define rcu_dereference_protected(p, condition) (p)
#define rcu_dereference_check(p, condition) READ_ONCE(p)
#define rcu_access_pointer(p) READ_ONCE(p)
#define rcu_assign_pointer(p, value) WRITE_ONCE(p, value)
#define RCU_INIT_POINTER(p, value) WRITE_ONCE(p, value)
#define kfree_rcu(p, member) UNMODELLED_kfree_rcu(p, member)
#define list_for_each_entry_rcu(position, head, member, ...) list_for_each_entry(position, head, member)
#define list_add_rcu list_add
#define list_add_tail_rcu list_add_tail
#define list_del_rcu list_del

struct srcu_struct {
	int index;             /* which count new readers join */
	unsigned int readers[2];
	struct wait_queue_head quiet;
};
#define init_srcu_struct(s) shim_init_srcu(s)
int shim_init_srcu(struct srcu_struct *s);
void shim_cleanup_srcu(struct srcu_struct *s, const char *file, int line);
#define cleanup_srcu_struct(s) shim_cleanup_srcu(s, __FILE__, __LINE__)
static inline int srcu_read_lock(struct srcu_struct *s)
{
	shim_preempt();
	s->readers[s->index]++;
	return s->index;
}
static inline void srcu_read_unlock(struct srcu_struct *s, int index)
{
	BUG_ON(!s->readers[index]);
	if (--s->readers[index] == 0 && waitqueue_active(&s->quiet))
		wake_up_all(&s->quiet);
}
void synchronize_srcu(struct srcu_struct *s);
#define synchronize_srcu_expedited synchronize_srcu
#define srcu_dereference(p, s) READ_ONCE(p)
#define srcu_dereference_check(p, s, condition) READ_ONCE(p)
#define lockdep_is_held_srcu(s) 1

#endif
