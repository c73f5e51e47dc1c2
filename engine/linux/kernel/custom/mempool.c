/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Reserves (mempool_t): so that what must go on can go on when memory is short.
 *
 * An element comes from the pool's own allocator, which is asked not to wait and not to try hard, and so may fail. Then it
 * comes from the reserve; and when that is empty, whoever may wait waits until some element comes back. What comes back
 * fills the reserve first.
 *
 * The reserve is a number, not a list: nothing here runs out of memory for real, so an element from the reserve is
 * made when it is taken, with an allocation that cannot fail. That changes nothing that can be seen, except that
 * making a pool costs nothing.
 *
 * A real kernel looks again every five seconds whether the allocator has recovered. This one does not: who waits here for
 * an element that can only come back after it went on is a deadlock, and is to be found.
 */

int shim_mempool_init(mempool_t *pool, int min_nr, mempool_alloc_t *alloc, mempool_free_t *release, void *data,
		      struct shim_site *site)
{
	memset(pool, 0, sizeof(*pool));
	pool->min_nr = min_nr;
	pool->curr_nr = min_nr;
	pool->pool_data = data;
	pool->alloc = alloc;
	pool->free = release;
	pool->site = site;
	pool->ready = true;
	init_waitqueue_head(&pool->wait);
	site->is_pool = true;
	site->pools++;
	site->pools_baseline += shim_for_ever;
	if (!site->listed)
		shim_list_site(site);
	return 0;
}

mempool_t *shim_mempool_create(int min_nr, mempool_alloc_t *alloc, mempool_free_t *release, void *data,
			       struct shim_site *site)
{
	mempool_t *pool = shim_kmalloc(sizeof(*pool), GFP_KERNEL, NULL); /* counted as a pool */

	shim_mempool_init(pool, min_nr, alloc, release, data, site);
	return pool;
}

void shim_mempool_exit(mempool_t *pool, const char *file, int line)
{
	if (!pool->ready)
		return;
	if (pool->out)
		shim_trouble(ABI_WARN, file, line, "the mempool made at %s:%d goes, and %d of its elements are in use",
			     pool->site->file, pool->site->line, pool->out);
	BUG_ON(waitqueue_active(&pool->wait));
	pool->ready = false;
	pool->site->pools--;
}

void shim_mempool_destroy(mempool_t *pool, const char *file, int line)
{
	if (!pool)
		return;
	shim_mempool_exit(pool, file, line);
	kfree(pool);
}

int mempool_resize(mempool_t *pool, int min_nr)
{
	might_sleep();
	BUG_ON(min_nr <= 0 || !pool->ready);
	if (min_nr > pool->min_nr)
		pool->curr_nr = min_nr; /* it is filled up at once */
	else
		pool->curr_nr = min(pool->curr_nr, min_nr);
	pool->min_nr = min_nr;
	if (pool->curr_nr)
		wake_up_all(&pool->wait);
	return 0;
}

/* --- elements --- */

static void *from_reserve(mempool_t *pool, gfp_t gfp)
{
	void *element;

	if (!pool->curr_nr)
		return NULL;
	pool->curr_nr--; /* first, for making the element may take a while */
	element = pool->alloc((gfp & ~__GFP_DIRECT_RECLAIM) | SHIM_GFP_RESERVE, pool->pool_data);
	BUG_ON(!element);
	return element;
}

static void wait_for_element(mempool_t *pool)
{
	char name[128];
	DEFINE_WAIT(wait);

	snprintf(name, sizeof(name), "an element of the mempool made at %s:%d, of which all %d are in use",
		 pool->site->file, pool->site->line, pool->min_nr);
	prepare_to_wait(&pool->wait, &wait, TASK_UNINTERRUPTIBLE);
	current->waits_for = name;
	if (!pool->curr_nr)
		io_schedule();
	finish_wait(&pool->wait, &wait); /* which forgets the name */
}

void *shim_mempool_alloc(mempool_t *pool, gfp_t gfp, const char *file, int line)
{
	bool may_wait = gfp & __GFP_DIRECT_RECLAIM;
	void *element;

	if (unlikely(!pool->ready)) {
		shim_trouble(ABI_BUG, file, line, "mempool_alloc() from a pool that is not there");
		return NULL;
	}
	if (may_wait)
		shim_might_sleep(file, line);
	gfp |= __GFP_NOMEMALLOC | __GFP_NORETRY | __GFP_NOWARN;
	for (;;) {
		element = pool->alloc(gfp & ~(__GFP_DIRECT_RECLAIM | __GFP_IO), pool->pool_data);
		if (!element)
			element = from_reserve(pool, gfp);
		if (!element && may_wait)
			element = pool->alloc(gfp, pool->pool_data);
		if (element)
			break;
		if (!may_wait)
			return NULL;
		wait_for_element(pool);
	}
	pool->out++;
	pool->site->live++;
	return element;
}

void shim_mempool_free(void *element, mempool_t *pool, const char *file, int line)
{
	if (!element)
		return;
	if (unlikely(!pool->ready)) {
		shim_trouble(ABI_BUG, file, line, "mempool_free() to a pool that is gone");
		return;
	}
	if (unlikely(pool->out <= 0)) {
		shim_trouble(ABI_BUG, file, line, "mempool_free() of more than was allocated");
		return;
	}
	pool->out--;
	pool->site->live--;
	pool->free(element, pool->pool_data);
	if (likely(pool->curr_nr == pool->min_nr))
		return;
	pool->curr_nr++;
	wake_up(&pool->wait);
}

/* --- the usual allocators; what they make is counted at the pool's site or the slab --- */

void *mempool_alloc_slab(gfp_t gfp, void *cache)
{
	return kmem_cache_alloc(cache, gfp);
}

void mempool_free_slab(void *element, void *cache)
{
	kmem_cache_free(cache, element);
}

void *mempool_kmalloc(gfp_t gfp, void *bytes)
{
	return shim_kmalloc((size_t)bytes, gfp, NULL);
}

void mempool_kfree(void *element, void *bytes)
{
	kfree(element);
}

void *mempool_alloc_pages(gfp_t gfp, void *order)
{
	return shim_alloc_pages(gfp, (long)order, NULL);
}

void mempool_free_pages(void *element, void *order)
{
	__free_pages(element, (long)order);
}
