/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Memory: blocks, pages and slab objects, all from the simulator's allocator.
 *
 * Every block in use has a record in a table by its address, which says of which kind it is and whose: so it must be
 * given back to where it came from, and what is left at the end is told with the line that made it. The
 * table's order depends on addresses, so nothing ever goes through it; what is counted is counted at the sites and slabs.
 * The simulator itself poisons what is freed, and finds writes to it.
 *
 * Which allocations may fail: those that may not wait, those that were told not to try hard, and long ones that want
 * contiguous memory. Not modelled: who may use the last reserves of a machine (GFP_ATOMIC fails like GFP_NOWAIT), and
 * a machine so short of memory that the kernel ends processes.
 */
#include "control.h"

enum kind { BLOCK, MAPPED, PAGES, OBJECT }; /* kmalloc, vmalloc, alloc_pages, kmem_cache */

struct record {
	const void *memory; /* null: unused */
	void *owner;        /* site or slab; null: nobody counts it */
	u64 bytes;
	enum kind kind;
};

static const char *const freed_by[] = { "kfree()", "vfree()", "free_pages()", "kmem_cache_free()" };
static const char *const made_by[] = { "kmalloc()", "vmalloc() or kvmalloc()", "alloc_pages()", "a slab" };

/* What kmalloc() makes of 0 bytes: not null, and a fault to touch. */
#define NO_BYTES ((void *)16)
#define IS_NOTHING(memory) ((unsigned long)(memory) <= (unsigned long)NO_BYTES)

#define COSTLY_BYTES (PAGE_SIZE << 3) /* contiguous memory up to here can always be made by waiting */
#define FAILS_ONE_IN 8
#define FIRST_RECORDS_SHIFT 10

static struct record *records;         /* a hash table, the next free place being used when one is taken */
static unsigned long record_places;    /* a power of two */
static unsigned int record_shift;      /* how often 2 goes into it */
static unsigned long record_count;
static struct shim_site *sites;        /* the latest to allocate for the first time comes first */
static struct kmem_cache *slabs;
static bool booted;
bool shim_allocations_fail = true;
bool shim_for_ever; /* what is made now is never given back: a disk of the simulator */

/* --- records --- */

static unsigned long place_of(const void *memory)
{
	return (unsigned long)memory * 0x9e3779b97f4a7c15ull >> (64 - record_shift);
}

/* Where it goes; filled field by field, as the processor is slow to read at once what was just written in parts. */
static struct record *free_place(const void *memory)
{
	unsigned long at = place_of(memory);

	while (records[at].memory)
		at = (at + 1) & (record_places - 1);
	return &records[at];
}

static void make_room(void)
{
	struct record *old = records;
	unsigned long n, places = record_places;

	record_shift = places ? record_shift + 1 : FIRST_RECORDS_SHIFT;
	record_places = 1ul << record_shift;
	records = shim_host->alloc(shim_host->self, record_places * sizeof(*records), 64, 1);
	for (n = 0; n < places; n++)
		if (old[n].memory)
			*free_place(old[n].memory) = old[n];
	shim_host->free(shim_host->self, old);
}

static void remember(void *memory, u64 bytes, enum kind kind, void *owner)
{
	struct record *record;

	if (unlikely(2 * record_count >= record_places))
		make_room();
	record_count++;
	record = free_place(memory);
	record->memory = memory;
	record->owner = owner;
	record->bytes = bytes;
	record->kind = kind;
}

/* Null: no such block is in use. */
static struct record *find_record(const void *memory)
{
	unsigned long at;

	if (!record_places)
		return NULL;
	for (at = place_of(memory); records[at].memory; at = (at + 1) & (record_places - 1))
		if (records[at].memory == memory)
			return &records[at];
	return NULL;
}

/* Those that had to go further because of it move up. */
static void forget(struct record *record)
{
	unsigned long last = record_places - 1, hole = record - records, at = hole;

	record_count--;
	for (;;) {
		records[hole].memory = NULL;
		do {
			at = (at + 1) & last;
			if (!records[at].memory)
				return;
		} while (((at - place_of(records[at].memory)) & last) < ((at - hole) & last));
		records[hole] = records[at];
		hole = at;
	}
}

/* --- what may fail --- */

static bool contiguous_may_fail(u64 bytes, gfp_t gfp)
{
	if (gfp & (__GFP_NOFAIL | SHIM_GFP_RESERVE))
		return false;
	return !(gfp & __GFP_DIRECT_RECLAIM) || (gfp & (__GFP_NORETRY | __GFP_RETRY_MAYFAIL)) || bytes > COSTLY_BYTES;
}

static bool fails_by_chance(void)
{
	return shim_allocations_fail &&
	       shim_host->draw(shim_host->self, ABI_CHOICE_ALLOC_FAILS, FAILS_ONE_IN) == FAILS_ONE_IN - 1;
}

/* What comes before every allocation: it may wait, and others may have to give memory back. */
static __always_inline void before_allocation(gfp_t gfp, const char *file, int line)
{
	if (!(gfp & __GFP_DIRECT_RECLAIM) || !booted || shim_for_ever)
		return;
	shim_might_sleep(file, line);
	if (unlikely(shim_shrinkers))
		shim_memory_pressure(gfp);
}

static __always_inline void before_allocation_at(gfp_t gfp, const struct shim_site *site)
{
	before_allocation(gfp, site ? site->file : NULL, site ? site->line : 0);
}

/* --- blocks and pages --- */

void shim_list_site(struct shim_site *site)
{
	site->listed = true;
	site->next = sites;
	sites = site;
}

static void *known_block(void *memory, u64 bytes, enum kind kind, struct shim_site *site)
{
	remember(memory, bytes, kind, site);
	if (site) {
		site->live++;
		if (unlikely(shim_for_ever))
			site->baseline++;
		if (unlikely(!site->listed))
			shim_list_site(site);
	}
	return memory;
}

static void *new_block(u64 bytes, u64 align, gfp_t gfp, enum kind kind, struct shim_site *site)
{
	return known_block(shim_host->alloc(shim_host->self, bytes, align, (gfp & __GFP_ZERO) != 0), bytes, kind, site);
}

/* Sizes that are a power of two are aligned to it, up to a page. */
static u64 natural_alignment(size_t bytes)
{
	return is_power_of_2(bytes) ? clamp_t(u64, bytes, 8, PAGE_SIZE) : 8;
}

void *shim_kmalloc(size_t bytes, gfp_t gfp, struct shim_site *site)
{
	before_allocation_at(gfp, site);
	if (unlikely(bytes == 0))
		return NO_BYTES;
	if (unlikely(bytes > KMALLOC_MAX_SIZE)) {
		if (!(gfp & __GFP_NOWARN))
			shim_trouble(ABI_WARN, site ? site->file : NULL, site ? site->line : 0,
				     "kmalloc() of %zu bytes: more than there can be", bytes);
		return NULL;
	}
	if (contiguous_may_fail(bytes, gfp) && fails_by_chance())
		return NULL;
	return new_block(bytes, natural_alignment(bytes), gfp, BLOCK, site);
}

/* Made of single pages, so its length is no reason to fail. */
void *shim_vmalloc(size_t bytes, gfp_t gfp, struct shim_site *site)
{
	before_allocation_at(gfp, site);
	if (bytes == 0)
		return NO_BYTES;
	if (bytes > totalram_pages() * PAGE_SIZE)
		return NULL;
	if (contiguous_may_fail(PAGE_SIZE, gfp) && fails_by_chance())
		return NULL;
	return new_block(bytes, PAGE_SIZE, gfp, MAPPED, site);
}

struct page *shim_alloc_pages(gfp_t gfp, unsigned int order, struct shim_site *site)
{
	before_allocation_at(gfp, site);
	if (order > 10)
		return NULL;
	if (contiguous_may_fail(PAGE_SIZE << order, gfp) && fails_by_chance())
		return NULL;
	if (order == 0 && (gfp & (__GFP_HIGHMEM | __GFP_ZERO)) == __GFP_HIGHMEM && shim_host->alloc_frame)
		return known_block(shim_host->alloc_frame(shim_host->self), PAGE_SIZE, PAGES, site);
	return new_block(PAGE_SIZE << order, PAGE_SIZE, gfp, PAGES, site);
}

struct page *shim_zero_page(void)
{
	static const struct page zeros __aligned(PAGE_SIZE) = { { 0 } }; /* who writes to it does not get far */

	return (struct page *)&zeros;
}

/* --- giving back --- */

/* The record of what is freed by the function of that kind, in `file`. Anything else is told, and does not come back. */
static struct record *record_to_free(const void *memory, enum kind kind, const char *file, int line)
{
	struct record *record = find_record(memory);
	struct shim_site *site;

	if (!record) {
		shim_host->free(shim_host->self, memory); /* knows who freed it before, if anybody did */
		shim_trouble(ABI_USE_AFTER_FREE, file, line, "%s of memory that is not in use", freed_by[kind]);
		return NULL;
	}
	if (likely(record->kind == kind))
		return record;
	site = record->kind == OBJECT ? NULL : record->owner;
	shim_trouble(ABI_BUG, file, line, "%s of memory that %s made, at %s:%d", freed_by[kind], made_by[record->kind],
		     site ? site->file : "an unknown place", site ? site->line : 0);
	return NULL;
}

static void free_block(struct record *record, const void *memory, const char *file, int line)
{
	struct shim_site *site = record->owner;

	shim_no_timer_inside(memory, record->bytes, file, line);
	if (site)
		site->live--;
	forget(record);
	shim_host->free(shim_host->self, memory);
}

void shim_kfree(const void *memory, const char *file, int line)
{
	struct record *record;

	if (IS_NOTHING(memory))
		return;
	record = record_to_free(memory, BLOCK, file, line);
	if (record)
		free_block(record, memory, file, line);
}

void shim_vfree(const void *memory, const char *file, int line)
{
	struct record *record;

	if (IS_NOTHING(memory))
		return;
	if (in_task())
		shim_might_sleep(file, line); /* interrupts leave it to somebody else */
	record = record_to_free(memory, MAPPED, file, line);
	if (record)
		free_block(record, memory, file, line);
}

/* Whatever kmalloc() or vmalloc() made. */
void shim_kvfree(const void *memory, const char *file, int line)
{
	struct record *record = find_record(memory);

	if (record && record->kind == BLOCK)
		shim_kfree(memory, file, line);
	else
		shim_vfree(memory, file, line);
}

void shim_free_pages(const void *pages, unsigned int order, const char *file, int line)
{
	struct record *record;

	if (!pages)
		return;
	record = record_to_free(pages, PAGES, file, line);
	if (!record)
		return;
	if (record->bytes != PAGE_SIZE << order) {
		shim_trouble(ABI_BUG, file, line, "%lu pages are freed of the %llu that were allocated",
			     1ul << order, record->bytes >> PAGE_SHIFT);
		return;
	}
	free_block(record, pages, file, line);
}

/* --- slabs --- */

struct kmem_cache *kmem_cache_create(const char *name, unsigned int size, unsigned int align, slab_flags_t flags,
				     void (*constructor)(void *object))
{
	size_t length = strlen(name) + 1;
	struct kmem_cache *cache = shim_host->alloc(shim_host->self, sizeof(*cache) + length, 8, 1);

	*cache = (struct kmem_cache){
		.name = memcpy(cache + 1, name, length),
		.size = size,
		.align = max(align, 8u),
		.constructor = constructor,
		.next = slabs,
		.at_boot = !booted,
	};
	slabs = cache;
	return cache;
}

/* One whose objects are still in use is told, and stays. */
void shim_cache_destroy(struct kmem_cache *cache, const char *file, int line)
{
	struct kmem_cache **link = &slabs;

	if (!cache)
		return;
	if (cache->live) {
		shim_trouble(ABI_WARN, file, line, "kmem_cache_destroy() of %s, which still has %ld objects", cache->name,
			     cache->live);
		return;
	}
	while (*link && *link != cache)
		link = &(*link)->next;
	if (!*link) {
		shim_trouble(ABI_USE_AFTER_FREE, file, line, "kmem_cache_destroy() of what is no slab");
		return;
	}
	*link = cache->next;
	shim_host->free(shim_host->self, cache);
}

void *shim_cache_alloc(struct kmem_cache *cache, gfp_t gfp, const char *file, int line)
{
	void *object;

	before_allocation(gfp, file, line);
	if (contiguous_may_fail(cache->size, gfp) && fails_by_chance())
		return NULL;
	object = shim_host->alloc(shim_host->self, cache->size, cache->align, (gfp & __GFP_ZERO) != 0);
	remember(object, cache->size, OBJECT, cache);
	cache->live++;
	if (cache->constructor)
		cache->constructor(object);
	return object;
}

void shim_cache_free(struct kmem_cache *cache, void *object, const char *file, int line)
{
	struct record *record;

	if (!object)
		return;
	record = record_to_free(object, OBJECT, file, line);
	if (!record)
		return;
	if (record->owner != cache) {
		shim_trouble(ABI_BUG, file, line, "kmem_cache_free() to slab %s of an object of slab %s", cache->name,
			     ((struct kmem_cache *)record->owner)->name);
		return;
	}
	cache->live--;
	forget(record);
	shim_host->free(shim_host->self, object);
}

/* --- what is left --- */

void shim_memory_baseline(void)
{
	struct kmem_cache *cache;
	struct shim_site *site;

	for (site = sites; site; site = site->next) {
		site->baseline = site->live;
		site->pools_baseline = site->pools;
	}
	for (cache = slabs; cache; cache = cache->next)
		cache->baseline = cache->live;
	booted = true;
}

struct leaks {
	void (*emit)(void *argument, const char *what);
	void *argument;
};

static void tell(const struct leaks *leaks, const char *format, ...)
{
	char text[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	leaks->emit(leaks->argument, text);
}

static const char *plural(long count)
{
	return count == 1 ? "" : "s";
}

/* A site either makes blocks or mempools; of a mempool's site, `live` counts elements. */
static void tell_of_site(const struct leaks *leaks, const struct shim_site *site)
{
	long blocks = site->live - site->baseline, pools = site->pools - site->pools_baseline;

	if (pools)
		tell(leaks, "%ld mempool%s made at %s:%d", pools, plural(pools), site->file, site->line);
	if (!blocks)
		return;
	if (site->is_pool)
		tell(leaks, "%ld element%s in use of the mempool made at %s:%d", blocks, plural(blocks), site->file,
		     site->line);
	else
		tell(leaks, "%ld block%s allocated at %s:%d", blocks, plural(blocks), site->file, site->line);
}

void shim_memory_leaks(void (*emit)(void *argument, const char *what), void *argument)
{
	const struct leaks leaks = { emit, argument };
	const struct kmem_cache *cache;
	const struct shim_site *site;

	for (site = sites; site; site = site->next)
		tell_of_site(&leaks, site);
	for (cache = slabs; cache; cache = cache->next) {
		long objects = cache->live - cache->baseline;

		if (objects)
			tell(&leaks, "%ld object%s of slab %s", objects, plural(objects), cache->name);
		if (!cache->at_boot)
			tell(&leaks, "slab %s, which was not destroyed", cache->name);
	}
}
