/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Memory: pages, slabs, vmalloc, reserves, shrinkers.
 *
 * A struct page is 4096 bytes large and its pointer is the address of those bytes; so page + n, vmalloc_to_page
 * and multi-page vectors work on plain memory. A pointer with ABI_FRAME_TAG names a page of simulated memory that
 * comes from the simulator: only page_address() and the kmap family know how to reach its bytes, and nothing
 * adds to it. Such are the pages of a user's request, and high memory: what is copied by way of it, as dm-kcopyd does,
 * is never looked at.
 *
 * A small allocation that may wait for memory never fails. One that may not, or that was told not to try hard,
 * fails when chance says so (ABI_CHOICE_ALLOC_FAILS): that is where reserves are tried.
 *
 * What was allocated is counted where it was allocated (struct shim_site), for leaks and for double frees.
 */
#ifndef SHIM_MEMORY_H
#define SHIM_MEMORY_H

#define PAGE_SHIFT 12
#define PAGE_SIZE (1UL << PAGE_SHIFT)
#define PAGE_MASK (~(PAGE_SIZE - 1))
#define PAGE_ALIGN(x) ALIGN(x, PAGE_SIZE)
#define offset_in_page(p) ((unsigned long)(p) & ~PAGE_MASK)

struct page { u8 bytes[PAGE_SIZE]; };
struct folio { struct page page; };
#define SHIM_IS_FRAME(page) (unlikely((unsigned long)(page) & ABI_FRAME_TAG))
static inline void *page_address(const struct page *page)
{
	return SHIM_IS_FRAME(page) ? shim_host->frame_bytes(shim_host->self, (void *)page) : (void *)page;
}
#define virt_to_page(address) ((struct page *)((unsigned long)(address) & PAGE_MASK))
#define vmalloc_to_page(address) virt_to_page(address)
#define page_to_pfn(page) ((unsigned long)(page) >> PAGE_SHIFT)
#define pfn_to_page(pfn) ((struct page *)((unsigned long)(pfn) << PAGE_SHIFT))
#define page_to_phys(page) ((phys_addr_t)(unsigned long)(page))
#define PFN_PHYS(pfn) ((phys_addr_t)(pfn) << PAGE_SHIFT)
#define nth_page(page, n) ((page) + (n))
#define PageHighMem(page) SHIM_IS_FRAME(page)
#define kmap_local_page(page) page_address(page)
#define kunmap_local(address) ((void)(address))
#define kmap_atomic(page) page_address(page)
#define kunmap_atomic(address) ((void)(address))
#define kmap(page) page_address(page)
#define kunmap(page) ((void)(page))
#define flush_kernel_vmap_range(address, bytes) ((void)(address), (void)(bytes))
#define invalidate_kernel_vmap_range(address, bytes) ((void)(address), (void)(bytes))
#define flush_dcache_page(page) ((void)(page))
static inline void memcpy_from_page(void *to, struct page *page, size_t offset, size_t bytes)
{
	memcpy(to, (u8 *)page_address(page) + offset, bytes);
}
static inline void memcpy_to_page(struct page *page, size_t offset, const void *from, size_t bytes)
{
	memcpy((u8 *)page_address(page) + offset, from, bytes);
}
static inline void memzero_page(struct page *page, size_t offset, size_t bytes)
{
	memset((u8 *)page_address(page) + offset, 0, bytes);
}
#define clear_page(address) memset(address, 0, PAGE_SIZE)
#define copy_page(to, from) memcpy(to, from, PAGE_SIZE)
struct page *shim_zero_page(void);
#define ZERO_PAGE(address) shim_zero_page()
#define page_folio(page) ((struct folio *)(page))
#define folio_page(folio, n) (&(folio)->page + (n))
#define folio_page_idx(folio, page) 0
#define folio_size(folio) PAGE_SIZE
#define folio_next(folio) ((folio) + 1)
#define folio_put(folio) __free_page(&(folio)->page)
#define page_to_virt(page) page_address(page)
#define MAX_PAGE_ORDER 0 /* compound pages are not modelled: whoever tries large pieces first gets single ones */
static inline int get_order(unsigned long bytes) { return bytes <= PAGE_SIZE ? 0 : fls64((bytes - 1) >> PAGE_SHIFT); }
#define totalram_pages() (1UL << 20)
#define totalhigh_pages() 0UL
#define VMALLOC_TOTAL (1UL << 45)

/* --- what an allocation may do --- */
#define __GFP_IO 0x01u
#define __GFP_FS 0x02u
#define __GFP_DIRECT_RECLAIM 0x04u
#define __GFP_KSWAPD_RECLAIM 0x08u
#define __GFP_RECLAIM (__GFP_DIRECT_RECLAIM | __GFP_KSWAPD_RECLAIM)
#define __GFP_HIGH 0x10u
#define __GFP_NOWARN 0x20u
#define __GFP_NORETRY 0x40u
#define __GFP_NOMEMALLOC 0x80u
#define __GFP_ZERO 0x100u
#define __GFP_HIGHMEM 0x200u
#define __GFP_NOFAIL 0x400u
#define __GFP_RETRY_MAYFAIL 0x800u
#define __GFP_RECLAIMABLE 0x1000u
#define __GFP_MEMALLOC 0x2000u
#define __GFP_COMP 0x4000u
#define SHIM_GFP_RESERVE 0x8000u /* ours: the element comes from a reserve, so this cannot fail */
#define GFP_KERNEL (__GFP_RECLAIM | __GFP_IO | __GFP_FS)
#define GFP_NOIO __GFP_RECLAIM
#define GFP_NOFS (__GFP_RECLAIM | __GFP_IO)
#define GFP_ATOMIC (__GFP_HIGH | __GFP_KSWAPD_RECLAIM)
#define GFP_NOWAIT __GFP_KSWAPD_RECLAIM
#define GFP_USER GFP_KERNEL
#define NUMA_NO_NODE (-1)
static inline bool gfpflags_allow_blocking(gfp_t gfp) { return gfp & __GFP_DIRECT_RECLAIM; }

/* --- allocations --- */
struct shim_site {
	const char *file;
	int line;
	long live;               /* allocated here and not freed */
	long baseline;           /* of them, at the end of the boot */
	struct shim_site *next;  /* of those that ever allocated */
	bool listed;
	bool is_pool;            /* makes mempools: then `live` counts their elements in use, and this the mempools: */
	int pools, pools_baseline;
};
#define SHIM_SITE \
	({ \
		static struct shim_site site_ = { __FILE__, __LINE__ }; \
		&site_; \
	})
void *shim_kmalloc(size_t bytes, gfp_t gfp, struct shim_site *site);
void shim_kfree(const void *memory, const char *file, int line);
void *shim_vmalloc(size_t bytes, gfp_t gfp, struct shim_site *site);
void shim_vfree(const void *memory, const char *file, int line);
void shim_kvfree(const void *memory, const char *file, int line);
#define kmalloc(bytes, gfp) shim_kmalloc(bytes, gfp, SHIM_SITE)
#define kzalloc(bytes, gfp) kmalloc(bytes, (gfp) | __GFP_ZERO)
#define kmalloc_array(count, bytes, gfp) kmalloc(size_mul(count, bytes), gfp)
#define kcalloc(count, bytes, gfp) kzalloc(size_mul(count, bytes), gfp)
#define kmalloc_node(bytes, gfp, node) kmalloc(bytes, gfp)
#define kzalloc_node(bytes, gfp, node) kzalloc(bytes, gfp)
#define kfree(memory) shim_kfree(memory, __FILE__, __LINE__)
#define kfree_const kfree
char *shim_kstrdup(const char *text, gfp_t gfp, struct shim_site *site);
char *shim_kasprintf(struct shim_site *site, gfp_t gfp, const char *format, ...) __attribute__((format(printf, 3, 4)));
void *shim_kmemdup(const void *from, size_t bytes, gfp_t gfp, struct shim_site *site);
#define kstrdup(text, gfp) shim_kstrdup(text, gfp, SHIM_SITE)
#define kstrndup(text, most, gfp) \
	({ \
		const char *text_ = (text); \
		size_t length_ = strnlen(text_, most); \
		char *copy_ = kzalloc(length_ + 1, gfp); \
		if (copy_) \
			memcpy(copy_, text_, length_); \
		copy_; \
	})
#define kasprintf(gfp, format, ...) shim_kasprintf(SHIM_SITE, gfp, format, ##__VA_ARGS__)
#define kmemdup(from, bytes, gfp) shim_kmemdup(from, bytes, gfp, SHIM_SITE)
#define __vmalloc(bytes, gfp) shim_vmalloc(bytes, gfp, SHIM_SITE)
#define vmalloc(bytes) __vmalloc(bytes, GFP_KERNEL)
#define vzalloc(bytes) __vmalloc(bytes, GFP_KERNEL | __GFP_ZERO)
#define vmalloc_array(count, bytes) vmalloc(size_mul(count, bytes))
#define vcalloc(count, bytes) vzalloc(size_mul(count, bytes))
#define vfree(memory) shim_vfree(memory, __FILE__, __LINE__)
#define kvmalloc(bytes, gfp) shim_vmalloc(bytes, gfp, SHIM_SITE)
#define kvzalloc(bytes, gfp) kvmalloc(bytes, (gfp) | __GFP_ZERO)
#define kvmalloc_array(count, bytes, gfp) kvmalloc(size_mul(count, bytes), gfp)
#define kvcalloc(count, bytes, gfp) kvzalloc(size_mul(count, bytes), gfp)
#define kvzalloc_node(bytes, gfp, node) kvzalloc(bytes, gfp)
#define kvmalloc_node(bytes, gfp, node) kvmalloc(bytes, gfp)
#define kvfree(memory) shim_kvfree(memory, __FILE__, __LINE__)
#define is_vmalloc_addr(memory) false /* every page's address is also its mapping */
struct page *shim_alloc_pages(gfp_t gfp, unsigned int order, struct shim_site *site);
#define alloc_pages(gfp, order) shim_alloc_pages(gfp, order, SHIM_SITE)
void shim_free_pages(const void *pages, unsigned int order, const char *file, int line);
#define alloc_page(gfp) alloc_pages(gfp, 0)
#define __get_free_pages(gfp, order) ((unsigned long)alloc_pages(gfp, order))
#define __get_free_page(gfp) __get_free_pages(gfp, 0)
#define get_zeroed_page(gfp) __get_free_page((gfp) | __GFP_ZERO)
#define __free_pages(page, order) shim_free_pages(page, order, __FILE__, __LINE__)
#define __free_page(page) __free_pages(page, 0)
#define free_pages(address, order) __free_pages((void *)(address), order)
#define free_page(address) free_pages(address, 0)

/* --- slabs --- */
#define ARCH_KMALLOC_MINALIGN 8
#define KMALLOC_MAX_SIZE (4UL << 20)
#define SLAB_RECLAIM_ACCOUNT 0
#define SLAB_HWCACHE_ALIGN 0
#define SLAB_MEM_SPREAD 0
#define SLAB_TYPESAFE_BY_RCU 0
struct kmem_cache {
	const char *name;
	unsigned int size, align;
	void (*constructor)(void *object);
	long live, baseline;
	struct kmem_cache *next;
	bool at_boot;            /* made during the boot, so nobody has to destroy it */
};
struct kmem_cache *kmem_cache_create(const char *name, unsigned int size, unsigned int align, slab_flags_t flags,
				     void (*constructor)(void *object));
void shim_cache_destroy(struct kmem_cache *cache, const char *file, int line);
void *shim_cache_alloc(struct kmem_cache *cache, gfp_t gfp, const char *file, int line);
void shim_cache_free(struct kmem_cache *cache, void *object, const char *file, int line);
#define kmem_cache_destroy(cache) shim_cache_destroy(cache, __FILE__, __LINE__)
#define kmem_cache_alloc(cache, gfp) shim_cache_alloc(cache, gfp, __FILE__, __LINE__)
#define kmem_cache_free(cache, object) shim_cache_free(cache, object, __FILE__, __LINE__)
#define kmem_cache_zalloc(cache, gfp) kmem_cache_alloc(cache, (gfp) | __GFP_ZERO)
#define KMEM_CACHE(type, flags) kmem_cache_create(#type, sizeof(struct type), __alignof__(struct type), flags, NULL)

/* --- reserves --- */
typedef void *(mempool_alloc_t)(gfp_t gfp, void *data);
typedef void (mempool_free_t)(void *element, void *data);
/* The elements in reserve are counted, not kept: as nothing ever really runs out of memory, one that is taken
 * from the reserve is made at that moment, and one that goes back is freed. Whoever finds the reserve
 * empty waits, as on a real machine. */
typedef struct mempool_s {
	int min_nr;    /* size of the reserve */
	int curr_nr;   /* in the reserve now */
	int out;       /* taken by users, from reserve or not */
	bool ready;
	void *pool_data;
	mempool_alloc_t *alloc;
	mempool_free_t *free;
	struct wait_queue_head wait;
	struct shim_site *site;
} mempool_t;
int shim_mempool_init(mempool_t *pool, int min_nr, mempool_alloc_t *alloc, mempool_free_t *release, void *data,
		      struct shim_site *site);
mempool_t *shim_mempool_create(int min_nr, mempool_alloc_t *alloc, mempool_free_t *release, void *data,
			       struct shim_site *site);
void shim_mempool_exit(mempool_t *pool, const char *file, int line);
void shim_mempool_destroy(mempool_t *pool, const char *file, int line);
int mempool_resize(mempool_t *pool, int min_nr);
void *shim_mempool_alloc(mempool_t *pool, gfp_t gfp, const char *file, int line);
void shim_mempool_free(void *element, mempool_t *pool, const char *file, int line);
#define mempool_alloc(pool, gfp) shim_mempool_alloc(pool, gfp, __FILE__, __LINE__)
#define mempool_free(element, pool) shim_mempool_free(element, pool, __FILE__, __LINE__)
void *mempool_alloc_slab(gfp_t gfp, void *cache);
void mempool_free_slab(void *element, void *cache);
void *mempool_kmalloc(gfp_t gfp, void *bytes);
void mempool_kfree(void *element, void *bytes);
void *mempool_alloc_pages(gfp_t gfp, void *order);
void mempool_free_pages(void *element, void *order);
static inline bool mempool_initialized(mempool_t *pool) { return pool->ready; }
#define mempool_init(pool, least, get, put, data) shim_mempool_init(pool, least, get, put, data, SHIM_SITE)
#define mempool_create(least, get, put, data) shim_mempool_create(least, get, put, data, SHIM_SITE)
#define mempool_exit(pool) shim_mempool_exit(pool, __FILE__, __LINE__)
#define mempool_destroy(pool) shim_mempool_destroy(pool, __FILE__, __LINE__)
#define mempool_init_slab_pool(pool, least, cache) \
	mempool_init(pool, least, mempool_alloc_slab, mempool_free_slab, (void *)(cache))
#define mempool_create_slab_pool(least, cache) \
	mempool_create(least, mempool_alloc_slab, mempool_free_slab, (void *)(cache))
#define mempool_init_kmalloc_pool(pool, least, bytes) \
	mempool_init(pool, least, mempool_kmalloc, mempool_kfree, (void *)(unsigned long)(bytes))
#define mempool_create_kmalloc_pool(least, bytes) \
	mempool_create(least, mempool_kmalloc, mempool_kfree, (void *)(unsigned long)(bytes))
#define mempool_init_page_pool(pool, least, order) \
	mempool_init(pool, least, mempool_alloc_pages, mempool_free_pages, (void *)(long)(order))
#define mempool_create_page_pool(least, order) \
	mempool_create(least, mempool_alloc_pages, mempool_free_pages, (void *)(long)(order))

/* --- shrinkers: called when the simulator says that memory is short --- */
#define DEFAULT_SEEKS 2
#define SHRINK_STOP (~0UL)
#define SHRINK_EMPTY (~0UL - 1)
struct shrink_control { gfp_t gfp_mask; int nid; unsigned long nr_to_scan, nr_scanned; };
struct shrinker {
	unsigned long (*count_objects)(struct shrinker *shrinker, struct shrink_control *control);
	unsigned long (*scan_objects)(struct shrinker *shrinker, struct shrink_control *control);
	long batch;
	int seeks;
	unsigned int flags;
	void *private_data;
	struct shrinker *next;
};
int register_shrinker(struct shrinker *shrinker, const char *format, ...);
void unregister_shrinker(struct shrinker *shrinker);
struct shrinker *shrinker_alloc(unsigned int flags, const char *format, ...);
void shrinker_register(struct shrinker *shrinker);
void shrinker_free(struct shrinker *shrinker);
extern struct shrinker *shim_shrinkers;
void shim_memory_pressure(gfp_t gfp);  /* of an allocation that may wait, if there are shrinkers: by chance */
u64 shim_shrink(u64 objects);          /* abi_kernel::shrink */

/* --- what is left at the end (custom/memory.c) --- */
extern bool shim_allocations_fail;     /* by chance, those that may */
extern bool shim_for_ever;             /* allocations made now are not leaks, and wait for nobody */
void shim_memory_baseline(void);       /* the boot is over: what lives now may live for ever */
void shim_memory_leaks(void (*emit)(void *argument, const char *what), void *argument);
void shim_list_site(struct shim_site *site);

#include <linux/rbtree.h>

#endif
