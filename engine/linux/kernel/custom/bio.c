// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bios: making, cloning, splitting, chaining and ending them.
 *
 * A bio_set has a real reserve, of bios and of vector tables (custom/mempool.c): whoever finds it empty waits. A task
 * that waits for a bio while bios that it submitted itself are still on its own list would wait for ever, so those
 * are handed to the set's rescuer first, if it has one; that a set has none is where deadlocks live.
 *
 * A clone inherits the simulator's trace id and actor of the bio that it stands for.
 */
#include "control.h"

struct bio_set fs_bio_set;

#define INLINE_VECS 4

static void *new_bio(gfp_t gfp, void *data)
{
	struct bio_set *set = data;

	return kmalloc(set->front_pad + sizeof(struct bio) + set->back_pad, gfp);
}

static void drop_bio(void *memory, void *data) { kfree(memory); }

static void rescue(struct work_struct *work)
{
	struct bio_set *set = container_of(work, struct bio_set, rescue_work);
	struct bio *bio;

	while ((bio = bio_list_pop(&set->rescue_list)))
		submit_bio_noacct(bio);
}

int bioset_init(struct bio_set *set, unsigned int size, unsigned int front_pad, int flags)
{
	int r;

	memset(set, 0, sizeof(*set));
	set->front_pad = front_pad;
	set->back_pad = flags & BIOSET_NEED_BVECS ? INLINE_VECS * sizeof(struct bio_vec) : 0;
	bio_list_init(&set->rescue_list);
	INIT_WORK(&set->rescue_work, rescue);
	r = mempool_init(&set->bio_pool, size, new_bio, drop_bio, set);
	if (r)
		return r;
	if (flags & BIOSET_NEED_BVECS) {
		r = mempool_init_kmalloc_pool(&set->bvec_pool, size, BIO_MAX_VECS * sizeof(struct bio_vec));
		if (r)
			return r;
	}
	if (flags & BIOSET_NEED_RESCUER)
		set->rescue_workqueue = alloc_workqueue("bioset", WQ_MEM_RECLAIM, 0);
	set->bio_slab = (struct kmem_cache *)set; /* only ever compared with null */
	return 0;
}

void bioset_exit(struct bio_set *set)
{
	if (set->rescue_workqueue)
		destroy_workqueue(set->rescue_workqueue);
	set->rescue_workqueue = NULL;
	mempool_exit(&set->bio_pool);
	mempool_exit(&set->bvec_pool);
	set->bio_slab = NULL;
}

void shim_boot_bios(void)
{
	BUG_ON(bioset_init(&fs_bio_set, BIO_POOL_SIZE, 0, BIOSET_NEED_BVECS));
}

/* Hands to the rescuer what this task has submitted to its own list and what comes from this set. */
static void punt(struct bio_set *set)
{
	int i;

	for (i = 0; i < 2; i++) {
		struct bio_list stay, *list = &current->bio_list[i];
		struct bio *bio;

		bio_list_init(&stay);
		while ((bio = bio_list_pop(list)))
			bio_list_add(bio->bi_pool == set ? &set->rescue_list : &stay, bio);
		*list = stay;
	}
	queue_work(set->rescue_workqueue, &set->rescue_work);
}

static bool has_submitted(const struct task_struct *task)
{
	return task->bio_list && (!bio_list_empty(&task->bio_list[0]) || !bio_list_empty(&task->bio_list[1]));
}

void bio_init(struct bio *bio, struct block_device *device, struct bio_vec *table, unsigned short max_vecs, blk_opf_t opf)
{
	memset(bio, 0, sizeof(*bio));
	bio->bi_bdev = device;
	bio->bi_opf = opf;
	atomic_set(&bio->__bi_remaining, 1);
	atomic_set(&bio->__bi_cnt, 1);
	bio->bi_max_vecs = max_vecs;
	bio->bi_io_vec = table;
}

void bio_uninit(struct bio *bio) {}

void bio_reset(struct bio *bio, struct block_device *device, blk_opf_t opf)
{
	struct bio_set *pool = bio->bi_pool;

	bio_init(bio, device, bio->bi_io_vec, bio->bi_max_vecs, opf);
	bio->bi_pool = pool;
}

struct bio *bio_alloc_bioset(struct block_device *device, unsigned short vecs, blk_opf_t opf, gfp_t gfp, struct bio_set *set)
{
	gfp_t first_try = gfp;
	struct bio_vec *table = NULL;
	struct bio *bio;
	void *memory;

	WARN_ON_ONCE(vecs > 0 && !mempool_initialized(&set->bvec_pool));
	if (has_submitted(current) && set->rescue_workqueue)
		first_try &= ~__GFP_DIRECT_RECLAIM;
	memory = mempool_alloc(&set->bio_pool, first_try);
	if (!memory && first_try != gfp) {
		punt(set);
		memory = mempool_alloc(&set->bio_pool, gfp);
	}
	if (!memory)
		return NULL;
	bio = memory + set->front_pad;
	if (vecs > INLINE_VECS) {
		table = vecs < BIO_MAX_VECS ? kmalloc_array(vecs, sizeof(*table), (gfp & ~__GFP_DIRECT_RECLAIM) | __GFP_NORETRY) : NULL;
		if (!table) {
			vecs = BIO_MAX_VECS;
			table = mempool_alloc(&set->bvec_pool, gfp);
		}
		if (!table) {
			mempool_free(memory, &set->bio_pool);
			return NULL;
		}
	} else if (vecs) {
		table = bio->bi_inline_vecs;
		vecs = INLINE_VECS;
	}
	bio_init(bio, device, table, vecs, opf);
	bio->bi_pool = set;
	return bio;
}

struct bio *bio_kmalloc(unsigned short vecs, gfp_t gfp)
{
	return kmalloc(sizeof(struct bio) + vecs * sizeof(struct bio_vec), gfp);
}

static void bio_free(struct bio *bio)
{
	struct bio_set *set = bio->bi_pool;

	if (!set) {
		kfree(bio);
		return;
	}
	if (bio->bi_max_vecs == BIO_MAX_VECS)
		mempool_free(bio->bi_io_vec, &set->bvec_pool);
	else if (bio->bi_max_vecs > INLINE_VECS)
		kfree(bio->bi_io_vec);
	mempool_free((void *)bio - set->front_pad, &set->bio_pool);
}

void bio_put(struct bio *bio)
{
	if (bio_flagged(bio, BIO_REFFED)) {
		BUG_ON(!atomic_read(&bio->__bi_cnt));
		if (!atomic_dec_and_test(&bio->__bi_cnt))
			return;
	}
	bio_free(bio);
}

int bio_init_clone(struct block_device *device, struct bio *bio, struct bio *source, gfp_t gfp)
{
	bio_init(bio, device, source->bi_io_vec, 0, source->bi_opf);
	bio_set_flag(bio, BIO_CLONED);
	bio->bi_ioprio = source->bi_ioprio;
	bio->bi_iter = source->bi_iter;
	shim_set_cause(bio, shim_cause(source), shim_issuer(source));
	return 0;
}

struct bio *bio_alloc_clone(struct block_device *device, struct bio *source, gfp_t gfp, struct bio_set *set)
{
	struct bio *bio = bio_alloc_bioset(device, 0, source->bi_opf, gfp, set);

	if (!bio)
		return NULL;
	bio_init_clone(device, bio, source, gfp);
	bio->bi_pool = set;
	return bio;
}

struct bio *bio_split(struct bio *bio, int sectors, gfp_t gfp, struct bio_set *set)
{
	struct bio *front;

	BUG_ON(sectors <= 0 || sectors >= bio_sectors(bio));
	front = bio_alloc_clone(bio->bi_bdev, bio, gfp, set);
	if (!front)
		return NULL;
	front->bi_iter.bi_size = (unsigned int)sectors << SECTOR_SHIFT;
	bio_advance(bio, front->bi_iter.bi_size);
	return front;
}

void bio_trim(struct bio *bio, sector_t offset, sector_t size)
{
	if (offset == 0 && size << SECTOR_SHIFT == bio->bi_iter.bi_size)
		return;
	bio_advance(bio, offset << SECTOR_SHIFT);
	bio->bi_iter.bi_size = size << SECTOR_SHIFT;
}

void __bio_advance(struct bio *bio, unsigned int bytes) { bio_advance_iter(bio, &bio->bi_iter, bytes); }

int bio_add_page(struct bio *bio, struct page *page, unsigned int length, unsigned int offset)
{
	struct bio_vec *last = bio->bi_vcnt ? &bio->bi_io_vec[bio->bi_vcnt - 1] : NULL;

	if (bio_flagged(bio, BIO_CLONED) || bio->bi_iter.bi_size > UINT_MAX - length)
		return 0;
	if (last && !SHIM_IS_FRAME(page) && !SHIM_IS_FRAME(last->bv_page) &&
	    (void *)last->bv_page + last->bv_offset + last->bv_len == (void *)page + offset) {
		last->bv_len += length;
		bio->bi_iter.bi_size += length;
		return length;
	}
	if (bio->bi_vcnt >= bio->bi_max_vecs)
		return 0;
	__bio_add_page(bio, page, length, offset);
	return length;
}

void __bio_add_page(struct bio *bio, struct page *page, unsigned int length, unsigned int offset)
{
	BUG_ON(bio->bi_vcnt >= bio->bi_max_vecs);
	bvec_set_page(&bio->bi_io_vec[bio->bi_vcnt++], page, length, offset);
	bio->bi_iter.bi_size += length;
}

static void fill_with_zeroes(struct bio *bio, struct bvec_iter from)
{
	struct bvec_iter at;
	struct bio_vec part;

	__bio_for_each_segment(part, bio, at, from)
		memzero_page(part.bv_page, part.bv_offset, part.bv_len);
}
#if SHIM_SERIES >= 612
void zero_fill_bio_iter(struct bio *bio, struct bvec_iter start) { fill_with_zeroes(bio, start); }
#else
void zero_fill_bio(struct bio *bio) { fill_with_zeroes(bio, bio->bi_iter); }
#endif

void bio_copy_data(struct bio *to, struct bio *from)
{
	struct bvec_iter to_at = to->bi_iter, from_at = from->bi_iter;

	while (to_at.bi_size && from_at.bi_size) {
		struct bio_vec a = bio_iter_iovec(to, to_at), b = bio_iter_iovec(from, from_at);
		unsigned int bytes = min(a.bv_len, b.bv_len);

		memcpy(page_address(a.bv_page) + a.bv_offset, page_address(b.bv_page) + b.bv_offset, bytes);
		bio_advance_iter_single(to, &to_at, bytes);
		bio_advance_iter_single(from, &from_at, bytes);
	}
}

void bio_free_pages(struct bio *bio)
{
	struct bvec_iter_all all;
	struct bio_vec *vec;

	bio_for_each_segment_all(vec, bio, all)
		__free_page(vec->bv_page);
}

/* --- chains and ends --- */

static void end_of_chained(struct bio *bio)
{
	struct bio *parent = bio->bi_private;

	if (bio->bi_status && !parent->bi_status)
		parent->bi_status = bio->bi_status;
	bio_put(bio);
	bio_endio(parent);
}

void bio_chain(struct bio *bio, struct bio *parent)
{
	BUG_ON(bio->bi_private || bio->bi_end_io);
	bio->bi_private = parent;
	bio->bi_end_io = end_of_chained;
	bio_set_flag(parent, BIO_CHAIN);
	atomic_inc(&parent->__bi_remaining);
}

void bio_endio(struct bio *bio)
{
	if (bio_flagged(bio, BIO_CHAIN)) {
		if (atomic_read(&bio->__bi_remaining) <= 0)
			shim_trouble(ABI_DOUBLE_COMPLETION, NULL, 0, "a bio ends more often than its parts");
		if (!atomic_dec_and_test(&bio->__bi_remaining))
			return;
		bio_clear_flag(bio, BIO_CHAIN);
	}
	if (bio->bi_end_io)
		bio->bi_end_io(bio);
}

static void end_of_waited(struct bio *bio) { complete(bio->bi_private); }

int submit_bio_wait(struct bio *bio)
{
	DECLARE_COMPLETION_ONSTACK(done);

	bio->bi_private = &done;
	bio->bi_end_io = end_of_waited;
	bio->bi_opf |= REQ_SYNC;
	submit_bio(bio);
	shim_wait_for_completion(&done, "the end of a bio", __FILE__, __LINE__);
	return blk_status_to_errno(bio->bi_status);
}

int blkdev_issue_flush(struct block_device *device)
{
	struct bio bio;

	bio_init(&bio, device, NULL, 0, REQ_OP_WRITE | REQ_PREFLUSH);
	return submit_bio_wait(&bio);
}

static const struct { int error; blk_status_t status; enum abi_status told; } statuses[] = {
	{ 0, BLK_STS_OK, ABI_OK },
	{ -EOPNOTSUPP, BLK_STS_NOTSUPP, ABI_NOTSUPP },
	{ -ETIMEDOUT, BLK_STS_TIMEOUT, ABI_TIMEOUT },
	{ -ENOSPC, BLK_STS_NOSPC, ABI_NOSPC },
	{ -ENODATA, BLK_STS_MEDIUM, ABI_MEDIUM },
	{ -ENOLINK, BLK_STS_TRANSPORT, ABI_IOERR },
	{ -EREMOTEIO, BLK_STS_TARGET, ABI_IOERR },
	{ -EILSEQ, BLK_STS_PROTECTION, ABI_IOERR },
	{ -ENOMEM, BLK_STS_RESOURCE, ABI_IOERR },
	{ -EAGAIN, BLK_STS_AGAIN, ABI_IOERR },
	{ -EBUSY, BLK_STS_DEV_RESOURCE, ABI_IOERR },
	{ -EREMCHG, BLK_STS_DM_REQUEUE, ABI_REQUEUE },
	{ -EIO, BLK_STS_IOERR, ABI_IOERR },
};

int blk_status_to_errno(blk_status_t status)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(statuses); i++)
		if (statuses[i].status == status)
			return statuses[i].error;
	return -EIO;
}

blk_status_t errno_to_blk_status(int error)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(statuses); i++)
		if (statuses[i].error == error)
			return statuses[i].status;
	return BLK_STS_IOERR;
}

enum abi_status shim_status_to_abi(blk_status_t status)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(statuses); i++)
		if (statuses[i].status == status)
			return statuses[i].told;
	return ABI_IOERR;
}

int bio_poll(struct bio *bio, struct io_comp_batch *batch, unsigned int flags) { UNMODELLED(); }
void bio_associate_blkg(struct bio *bio) {}
void bio_clone_blkg_association(struct bio *to, struct bio *from)
{
	shim_set_cause(to, shim_cause(from), shim_issuer(from));
}
