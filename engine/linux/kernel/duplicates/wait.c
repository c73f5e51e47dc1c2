/* SPDX-License-Identifier: GPL-2.0-only
 *
 * What the borrowed wait.h and wait_bit.h leave to the scheduler: queues of sleepers, and who is woken.
 *
 * A sleeper puts itself on the queue, says with its state that it is about to sleep, looks once more at what it
 * waits for, and calls schedule(). Whoever wakes goes through the queue in order and calls each sleeper's own
 * function; exclusive ones count, and no more than `nr` of them are woken.
 *
 * Waits for a bit or a variable share a single queue. A real kernel has a table of them, by address; but then it
 * would depend on addresses whose sleepers are passed over, and with that where a task may be overtaken.
 */
#undef prepare_to_wait
#undef prepare_to_wait_exclusive
#undef prepare_to_wait_event

void __init_waitqueue_head(struct wait_queue_head *queue, const char *name, struct lock_class_key *key)
{
	spin_lock_init(&queue->lock);
	INIT_LIST_HEAD(&queue->head);
}

/* --- on and off the queue --- */

void add_wait_queue(struct wait_queue_head *queue, struct wait_queue_entry *entry)
{
	unsigned long saved;

	entry->flags &= ~WQ_FLAG_EXCLUSIVE;
	spin_lock_irqsave(&queue->lock, saved);
	__add_wait_queue(queue, entry);
	spin_unlock_irqrestore(&queue->lock, saved);
}

void add_wait_queue_exclusive(struct wait_queue_head *queue, struct wait_queue_entry *entry)
{
	unsigned long saved;

	spin_lock_irqsave(&queue->lock, saved);
	__add_wait_queue_entry_tail_exclusive(queue, entry);
	spin_unlock_irqrestore(&queue->lock, saved);
}

void add_wait_queue_priority(struct wait_queue_head *queue, struct wait_queue_entry *entry)
{
	unsigned long saved;

	entry->flags |= WQ_FLAG_EXCLUSIVE | WQ_FLAG_PRIORITY;
	spin_lock_irqsave(&queue->lock, saved);
	__add_wait_queue(queue, entry);
	spin_unlock_irqrestore(&queue->lock, saved);
}

void remove_wait_queue(struct wait_queue_head *queue, struct wait_queue_entry *entry)
{
	unsigned long saved;

	spin_lock_irqsave(&queue->lock, saved);
	__remove_wait_queue(queue, entry);
	spin_unlock_irqrestore(&queue->lock, saved);
}

void init_wait_entry(struct wait_queue_entry *entry, int flags)
{
	entry->flags = flags;
	entry->private = current;
	entry->func = autoremove_wake_function;
	INIT_LIST_HEAD(&entry->entry);
}

void prepare_to_wait(struct wait_queue_head *queue, struct wait_queue_entry *entry, int state)
{
	unsigned long saved;

	entry->flags &= ~WQ_FLAG_EXCLUSIVE;
	spin_lock_irqsave(&queue->lock, saved);
	if (list_empty(&entry->entry))
		__add_wait_queue(queue, entry);
	set_current_state(state);
	spin_unlock_irqrestore(&queue->lock, saved);
}

/* Whether nobody else was waiting. */
bool prepare_to_wait_exclusive(struct wait_queue_head *queue, struct wait_queue_entry *entry, int state)
{
	unsigned long saved;
	bool first = false;

	entry->flags |= WQ_FLAG_EXCLUSIVE;
	spin_lock_irqsave(&queue->lock, saved);
	if (list_empty(&entry->entry)) {
		first = list_empty(&queue->head);
		__add_wait_queue_entry_tail(queue, entry);
	}
	set_current_state(state);
	spin_unlock_irqrestore(&queue->lock, saved);
	return first;
}

/* With a signal pending the sleeper leaves the queue at once, so that no wake-up is spent on it. */
long prepare_to_wait_event(struct wait_queue_head *queue, struct wait_queue_entry *entry, int state)
{
	unsigned long saved;
	long r = 0;

	spin_lock_irqsave(&queue->lock, saved);
	if (signal_pending_state(state, current)) {
		list_del_init(&entry->entry);
		r = -ERESTARTSYS;
	} else {
		if (!list_empty(&entry->entry))
			;
		else if (entry->flags & WQ_FLAG_EXCLUSIVE)
			__add_wait_queue_entry_tail(queue, entry);
		else
			__add_wait_queue(queue, entry);
		set_current_state(state);
	}
	spin_unlock_irqrestore(&queue->lock, saved);
	return r;
}

void finish_wait(struct wait_queue_head *queue, struct wait_queue_entry *entry)
{
	unsigned long saved;

	__set_current_state(TASK_RUNNING);
	current->waits_for = NULL; /* of a prepare_to_wait() after which nobody slept */
	if (list_empty(&entry->entry))
		return;
	spin_lock_irqsave(&queue->lock, saved);
	list_del_init(&entry->entry);
	spin_unlock_irqrestore(&queue->lock, saved);
}

static int wait_interrupted(wait_queue_head_t *queue, wait_queue_entry_t *entry)
{
	if (list_empty(&entry->entry))
		__add_wait_queue_entry_tail(queue, entry);
	set_current_state(TASK_INTERRUPTIBLE);
	if (signal_pending(current))
		return -ERESTARTSYS;
	spin_unlock(&queue->lock);
	schedule();
	spin_lock(&queue->lock);
	return 0;
}

/* Called, and comes back, with the queue locked. */
int do_wait_intr(wait_queue_head_t *queue, wait_queue_entry_t *entry)
{
	return wait_interrupted(queue, entry);
}

int do_wait_intr_irq(wait_queue_head_t *queue, wait_queue_entry_t *entry)
{
	return wait_interrupted(queue, entry);
}

/* --- waking --- */

int default_wake_function(struct wait_queue_entry *entry, unsigned int mode, int flags, void *key)
{
	return wake_up_state(entry->private, mode);
}

int autoremove_wake_function(struct wait_queue_entry *entry, unsigned int mode, int flags, void *key)
{
	int woken = default_wake_function(entry, mode, flags, key);

	if (woken)
		list_del_init(&entry->entry);
	return woken;
}

/* `nr`: of exclusive sleepers; 0: all. A function that answers a negative value ends it. */
static int wake_in_order(struct wait_queue_head *queue, unsigned int mode, int nr, int flags, void *key)
{
	struct wait_queue_entry *entry, *next;
	int woken = 0;

	list_for_each_entry_safe(entry, next, &queue->head, entry) {
		bool exclusive = entry->flags & WQ_FLAG_EXCLUSIVE;
		int answer = entry->func(entry, mode, flags, key);

		if (answer < 0)
			break;
		woken += answer > 0 && exclusive;
		if (answer > 0 && exclusive && woken == nr)
			break;
	}
	return woken;
}

int __wake_up(struct wait_queue_head *queue, unsigned int mode, int nr, void *key)
{
	unsigned long saved;
	int woken;

	spin_lock_irqsave(&queue->lock, saved);
	woken = wake_in_order(queue, mode, nr, 0, key);
	spin_unlock_irqrestore(&queue->lock, saved);
	return woken;
}

void __wake_up_locked(struct wait_queue_head *queue, unsigned int mode, int nr)
{
	wake_in_order(queue, mode, nr, 0, NULL);
}

void __wake_up_locked_key(struct wait_queue_head *queue, unsigned int mode, void *key)
{
	wake_in_order(queue, mode, 1, 0, key);
}

/* On one CPU there is no difference between synchronous wake-ups and others. */
void __wake_up_sync_key(struct wait_queue_head *queue, unsigned int mode, void *key)
{
	__wake_up(queue, mode, 1, key);
}

void __wake_up_locked_sync_key(struct wait_queue_head *queue, unsigned int mode, void *key)
{
	__wake_up_locked_key(queue, mode, key);
}

void __wake_up_sync(struct wait_queue_head *queue, unsigned int mode)
{
	__wake_up(queue, mode, 1, NULL);
}

/* --- sleepers that note that they were woken, for code that cannot set its state before it looks --- */

int woken_wake_function(struct wait_queue_entry *entry, unsigned int mode, int flags, void *key)
{
	entry->flags |= WQ_FLAG_WOKEN;
	return default_wake_function(entry, mode, flags, key);
}

long wait_woken(struct wait_queue_entry *entry, unsigned int mode, long timeout)
{
	set_current_state(mode);
	if (!(entry->flags & WQ_FLAG_WOKEN))
		timeout = schedule_timeout(timeout);
	__set_current_state(TASK_RUNNING);
	entry->flags &= ~WQ_FLAG_WOKEN;
	return timeout;
}

/* --- bits and variables --- */

static DECLARE_WAIT_QUEUE_HEAD(bit_sleepers);

struct wait_queue_head *bit_waitqueue(void *word, int bit)
{
	return &bit_sleepers;
}

wait_queue_head_t *__var_waitqueue(void *variable)
{
	return &bit_sleepers;
}

#define BIT_OF_A_VARIABLE (-1)

static bool same_key(const struct wait_bit_queue_entry *sleeper, const struct wait_bit_key *key)
{
	return sleeper->key.flags == key->flags && sleeper->key.bit_nr == key->bit_nr;
}

/* Only those who wait for this very bit are woken, and only while it is clear. */
int wake_bit_function(struct wait_queue_entry *entry, unsigned int mode, int flags, void *argument)
{
	struct wait_bit_queue_entry *sleeper = container_of(entry, struct wait_bit_queue_entry, wq_entry);
	struct wait_bit_key *key = argument;

	if (!same_key(sleeper, key) || test_bit(key->bit_nr, key->flags))
		return 0;
	return autoremove_wake_function(entry, mode, flags, key);
}

static int wake_variable_function(struct wait_queue_entry *entry, unsigned int mode, int flags, void *argument)
{
	struct wait_bit_queue_entry *sleeper = container_of(entry, struct wait_bit_queue_entry, wq_entry);

	return same_key(sleeper, argument) ? autoremove_wake_function(entry, mode, flags, argument) : 0;
}

void __wake_up_bit(struct wait_queue_head *queue, void *word, int bit)
{
	struct wait_bit_key key = __WAIT_BIT_KEY_INITIALIZER(word, bit);

	if (waitqueue_active(queue))
		__wake_up(queue, TASK_NORMAL, 1, &key);
}

void wake_up_bit(void *word, int bit)
{
	__wake_up_bit(bit_waitqueue(word, bit), word, bit);
}

void wake_up_var(void *variable)
{
	__wake_up_bit(__var_waitqueue(variable), variable, BIT_OF_A_VARIABLE);
}

void init_wait_var_entry(struct wait_bit_queue_entry *sleeper, void *variable, int flags)
{
	*sleeper = (struct wait_bit_queue_entry){
		.key = { .flags = variable, .bit_nr = BIT_OF_A_VARIABLE },
		.wq_entry = { .flags = flags, .private = current, .func = wake_variable_function },
	};
	INIT_LIST_HEAD(&sleeper->wq_entry.entry);
}

static bool is_set(const struct wait_bit_queue_entry *sleeper)
{
	return test_bit(sleeper->key.bit_nr, sleeper->key.flags);
}

/* `action` sleeps; what it answers other than 0 ends the wait. */
int __wait_on_bit(struct wait_queue_head *queue, struct wait_bit_queue_entry *sleeper, wait_bit_action_f *action,
		  unsigned int mode)
{
	int r = 0;

	do {
		prepare_to_wait(queue, &sleeper->wq_entry, mode);
		current->waits_for = "a bit to be cleared";
		if (is_set(sleeper))
			r = action(&sleeper->key, mode);
	} while (is_set(sleeper) && !r);
	finish_wait(queue, &sleeper->wq_entry);
	return r;
}

int __wait_on_bit_lock(struct wait_queue_head *queue, struct wait_bit_queue_entry *sleeper, wait_bit_action_f *action,
		       unsigned int mode)
{
	int r = 0;

	for (;;) {
		prepare_to_wait_exclusive(queue, &sleeper->wq_entry, mode);
		current->waits_for = "a bit to be cleared, as a lock";
		if (is_set(sleeper))
			r = action(&sleeper->key, mode);
		if (r) /* off the queue before the last look, or a wake-up would be lost with us */
			finish_wait(queue, &sleeper->wq_entry);
		if (!test_and_set_bit(sleeper->key.bit_nr, sleeper->key.flags)) {
			if (!r)
				finish_wait(queue, &sleeper->wq_entry);
			return 0;
		}
		if (r)
			return r;
	}
}

int out_of_line_wait_on_bit(void *word, int bit, wait_bit_action_f *action, unsigned int mode)
{
	DEFINE_WAIT_BIT(sleeper, word, bit);

	return __wait_on_bit(bit_waitqueue(word, bit), &sleeper, action, mode);
}

int out_of_line_wait_on_bit_timeout(void *word, int bit, wait_bit_action_f *action, unsigned int mode,
				    unsigned long timeout)
{
	DEFINE_WAIT_BIT(sleeper, word, bit);

	sleeper.key.timeout = jiffies + timeout;
	return __wait_on_bit(bit_waitqueue(word, bit), &sleeper, action, mode);
}

int out_of_line_wait_on_bit_lock(void *word, int bit, wait_bit_action_f *action, unsigned int mode)
{
	DEFINE_WAIT_BIT(sleeper, word, bit);

	return __wait_on_bit_lock(bit_waitqueue(word, bit), &sleeper, action, mode);
}

int bit_wait(struct wait_bit_key *key, int mode)
{
	schedule();
	return signal_pending_state(mode, current) ? -EINTR : 0;
}

int bit_wait_io(struct wait_bit_key *key, int mode)
{
	io_schedule();
	return signal_pending_state(mode, current) ? -EINTR : 0;
}

int bit_wait_timeout(struct wait_bit_key *key, int mode)
{
	if (time_after_eq(jiffies, key->timeout))
		return -EAGAIN;
	schedule_timeout(key->timeout - jiffies);
	return signal_pending_state(mode, current) ? -EINTR : 0;
}

int bit_wait_io_timeout(struct wait_bit_key *key, int mode)
{
	return bit_wait_timeout(key, mode);
}
