/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Shrinkers: who holds memory that can be done without, and gives it back when asked.
 *
 * They are asked when the simulator says so, and, by chance, by whoever allocates memory and may wait: then a
 * shrinker runs in the middle of somebody else's work, with whatever locks are held there, and must heed what
 * that allocation may do (gfp_mask). Nobody registers or leaves while shrinkers run.
 */

#define BATCH 128 /* objects asked for at once, if the shrinker does not say */
#define PRESSURE_ONE_IN 32

struct shrinker *shim_shrinkers;
static DECLARE_RWSEM(shrinkers_lock);

/* How many went. */
static u64 ask(struct shrinker *shrinker, u64 objects, gfp_t gfp)
{
	struct shrink_control control = { .gfp_mask = gfp };
	unsigned long there = shrinker->count_objects(shrinker, &control), went;
	u64 sum = 0;

	if (there == SHRINK_EMPTY)
		return 0;
	objects = min_t(u64, objects, there);
	while (objects) {
		control.nr_to_scan = min_t(u64, objects, shrinker->batch ? shrinker->batch : BATCH);
		control.nr_scanned = control.nr_to_scan;
		went = shrinker->scan_objects(shrinker, &control);
		if (went == SHRINK_STOP)
			break;
		sum += went;
		objects -= min_t(u64, objects, max(control.nr_scanned, 1ul));
		cond_resched();
	}
	return sum;
}

static u64 ask_all(u64 objects, gfp_t gfp)
{
	unsigned int flags = shim_flags_save(PF_MEMALLOC); /* what they allocate does not ask again */
	struct shrinker *shrinker;
	u64 sum = 0;

	if (down_read_trylock(&shrinkers_lock)) {
		for (shrinker = shim_shrinkers; shrinker && sum < objects; shrinker = shrinker->next)
			sum += ask(shrinker, objects - sum, gfp);
		up_read(&shrinkers_lock);
	}
	shim_flags_restore(PF_MEMALLOC, flags);
	return sum;
}

void shim_memory_pressure(gfp_t gfp)
{
	if (in_interrupt() || (current->flags & PF_MEMALLOC))
		return;
	if (shim_host->draw(shim_host->self, ABI_CHOICE_SHRINK, PRESSURE_ONE_IN) < PRESSURE_ONE_IN - 1)
		return;
	if (current->flags & PF_MEMALLOC_NOIO)
		gfp &= ~(__GFP_IO | __GFP_FS);
	if (current->flags & PF_MEMALLOC_NOFS)
		gfp &= ~__GFP_FS;
	ask_all(BATCH, gfp);
}

u64 shim_shrink(u64 objects)
{
	return ask_all(objects, GFP_KERNEL);
}

static void enlist(struct shrinker *shrinker)
{
	down_write(&shrinkers_lock);
	shrinker->next = shim_shrinkers;
	shim_shrinkers = shrinker;
	up_write(&shrinkers_lock);
}

static void delist(struct shrinker *shrinker)
{
	struct shrinker **link = &shim_shrinkers;

	down_write(&shrinkers_lock);
	while (*link && *link != shrinker)
		link = &(*link)->next;
	if (*link)
		*link = shrinker->next;
	up_write(&shrinkers_lock);
}

int register_shrinker(struct shrinker *shrinker, const char *format, ...)
{
	enlist(shrinker);
	return 0;
}

void unregister_shrinker(struct shrinker *shrinker)
{
	delist(shrinker);
}

struct shrinker *shrinker_alloc(unsigned int flags, const char *format, ...)
{
	struct shrinker *shrinker = kzalloc(sizeof(*shrinker), GFP_KERNEL);

	shrinker->flags = flags;
	shrinker->seeks = DEFAULT_SEEKS;
	return shrinker;
}

void shrinker_register(struct shrinker *shrinker)
{
	enlist(shrinker);
}

void shrinker_free(struct shrinker *shrinker)
{
	if (!shrinker)
		return;
	delist(shrinker);
	kfree(shrinker);
}
