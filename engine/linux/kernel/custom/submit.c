// SPDX-License-Identifier: GPL-2.0-only
/*
 * The way of a bio down: submission without recursion, the checks of the block layer, splitting at a queue's limits,
 * plugs, and at the bottom the simulator's disks.
 *
 * Rules of the real block layer that findings depend on: a flush to a queue without a volatile cache ends at once and
 * well, and is taken off a write; FUA likewise. Bios that are submitted from within a driver's ->submit_bio() wait
 * on their task's list until that returns: those for devices further down first. A disk's bio has its
 * iterator advanced to the end when it ends, a mapped device's has not.
 */
#include "control.h"

#define FLUSHES_BEHIND 1 /* in bi_cookie, which nobody else uses */

static void submit_to_disk(struct bio *bio);

/* --- limits --- */

static unsigned int most_sectors(const struct bio *bio, const struct queue_limits *limits)
{
	unsigned int most;

	switch (bio_op(bio)) {
	case REQ_OP_DISCARD:
		most = limits->max_discard_sectors;
		break;
	case REQ_OP_WRITE_ZEROES:
		most = limits->max_write_zeroes_sectors;
		break;
	default:
		most = limits->max_sectors;
	}
	if (limits->chunk_sectors)
		most = min(most, blk_chunk_sectors_left(bio->bi_iter.bi_sector, limits->chunk_sectors));
	return most;
}

/* How much of the bio the queue takes in one piece, in sectors. */
static unsigned int front_sectors(struct bio *bio, const struct queue_limits *limits)
{
	unsigned int most = most_sectors(bio, limits), block = limits->logical_block_size >> SECTOR_SHIFT;
	unsigned int vecs = 0, bytes = 0;
	struct bvec_iter at;
	struct bio_vec part;

	if (bio_has_data(bio)) {
		bio_for_each_bvec(part, bio, at) {
			if (++vecs > limits->max_segments)
				break;
			bytes += part.bv_len;
		}
		most = min(most, bytes >> SECTOR_SHIFT);
	}
	if (most >= bio_sectors(bio))
		return bio_sectors(bio);
	return max(round_down(most, block), block);
}

struct bio *bio_split_to_limits(struct bio *bio)
{
	struct gendisk *disk = bio->bi_bdev->bd_disk;
	unsigned int sectors = front_sectors(bio, &disk->queue->limits);
	struct bio *front;

	if (!bio_sectors(bio) || sectors == bio_sectors(bio))
		return bio;
	front = bio_split(bio, sectors, GFP_NOIO, &disk->bio_split);
	front->bi_opf |= REQ_NOMERGE;
	bio_chain(front, bio);
	submit_bio_noacct(bio);
	return front;
}

/* --- checks --- */

static bool fit(struct bio *bio)
{
	struct block_device *device = bio->bi_bdev;
	sector_t size = bdev_nr_sectors(device);

	if (bio_sectors(bio) && (bio_sectors(bio) > size || bio->bi_iter.bi_sector > size - bio_sectors(bio))) {
		printk(KERN_INFO "%s: attempt to access beyond end of device\n", device->bd_disk->disk_name);
		bio->bi_status = BLK_STS_IOERR;
		return false;
	}
	if (op_is_flush(bio->bi_opf)) {
		if (!bdev_write_cache(device)) {
			bio->bi_opf &= ~(REQ_PREFLUSH | REQ_FUA);
			if (!bio_sectors(bio)) {
				bio->bi_status = BLK_STS_OK;
				return false;
			}
		}
	}
	switch (bio_op(bio)) {
	case REQ_OP_DISCARD:
		if (bdev_max_discard_sectors(device))
			return true;
		break;
	case REQ_OP_WRITE_ZEROES:
		if (bdev_write_zeroes_sectors(device))
			return true;
		break;
	case REQ_OP_READ:
	case REQ_OP_WRITE:
	case REQ_OP_FLUSH:
		return true;
	default:
		break;
	}
	bio->bi_status = BLK_STS_NOTSUPP;
	return false;
}

/* --- submission --- */

static void submit_one(struct bio *bio)
{
	struct gendisk *disk = bio->bi_bdev->bd_disk;

	if (disk->fops && disk->fops->submit_bio)
		disk->fops->submit_bio(bio);
	else
		submit_to_disk(bio);
}

void submit_bio_noacct(struct bio *bio)
{
	struct task_struct *task = current;
	struct bio_list lists[2]; /* of what comes from below this call; of what waited before */

	might_sleep();
	if (!fit(bio)) {
		bio_endio(bio);
		return;
	}
	if (task->bio_list) {
		bio_list_add(&task->bio_list[0], bio);
		return;
	}
	bio_list_init(&lists[0]);
	bio_list_init(&lists[1]);
	task->bio_list = lists;
	do {
		struct block_device *device = bio->bi_bdev;
		struct bio_list lower, same;
		struct bio *made;

		lists[1] = lists[0];
		bio_list_init(&lists[0]);
		submit_one(bio);
		bio_list_init(&lower);
		bio_list_init(&same);
		while ((made = bio_list_pop(&lists[0])))
			bio_list_add(made->bi_bdev == device ? &same : &lower, made);
		bio_list_merge(&lists[0], &lower);
		bio_list_merge(&lists[0], &same);
		bio_list_merge(&lists[0], &lists[1]);
	} while ((bio = bio_list_pop(&lists[0])));
	task->bio_list = NULL;
}

void submit_bio(struct bio *bio) { submit_bio_noacct(bio); }

/* --- plugs --- */

void blk_start_plug(struct blk_plug *plug)
{
	bio_list_init(&plug->held);
	plug->count = 0;
	if (!current->plug)
		current->plug = plug;
}

static void issue(struct bio *bio);

void shim_flush_plug(struct blk_plug *plug)
{
	struct bio *bio;

	plug->count = 0;
	while ((bio = bio_list_pop(&plug->held)))
		issue(bio);
}

void blk_finish_plug(struct blk_plug *plug)
{
	if (plug != current->plug)
		return;
	shim_flush_plug(plug);
	current->plug = NULL;
}

/* --- disks of the simulator --- */

static void submit_to_disk(struct bio *bio)
{
	struct blk_plug *plug = current->plug;

	bio = bio_split_to_limits(bio);
	if (!plug || !current->fiber || op_is_flush(bio->bi_opf)) {
		issue(bio); /* flushes overtake what a plug holds */
		return;
	}
	bio_list_add(&plug->held, bio);
	if (++plug->count >= BLK_MAX_REQUEST_COUNT)
		shim_flush_plug(plug);
}

static enum abi_op op_of(const struct bio *bio)
{
	switch (bio_op(bio)) {
	case REQ_OP_READ:
		return ABI_READ;
	case REQ_OP_WRITE:
		return bio_sectors(bio) ? ABI_WRITE : ABI_FLUSH;
	case REQ_OP_FLUSH:
		return ABI_FLUSH;
	case REQ_OP_DISCARD:
		return ABI_DISCARD;
	case REQ_OP_WRITE_ZEROES:
		return ABI_WRITE_ZEROES;
	default:
		UNMODELLED();
	}
}

static void issue(struct bio *bio)
{
	struct task_struct *self = current; /* a request that is refused at once ends as an interrupt */
	struct abi_vec vecs[BLK_MAX_SEGMENTS];
	struct abi_request request = {
		.op = op_of(bio),
		.fua = (bio->bi_opf & REQ_FUA) && bdev_fua(bio->bi_bdev),
		.preflush = !!(bio->bi_opf & REQ_PREFLUSH) && bio_sectors(bio),
		.sector = bio->bi_iter.bi_sector,
		.sectors = bio_sectors(bio),
		.vecs = vecs,
		.cookie = bio,
		.trace_id = shim_cause(bio),
		.issuer = shim_issuer(bio),
	};
	struct bvec_iter at;
	struct bio_vec part;

	if (bio_has_data(bio)) {
		bio_for_each_bvec(part, bio, at)
			vecs[request.vec_count++] = (struct abi_vec){ part.bv_page, part.bv_offset, part.bv_len };
	} else {
		request.vecs = NULL;
	}
	bio->bi_cookie = 0;
	shim_host->submit(shim_host->self, bio->bi_bdev->bd_disk->number, &request);
	current = self;
}

/* A disk that has a cache and does not know FUA gets a flush behind the write. */
static bool flush_follows(struct bio *bio)
{
	struct abi_request request = { .op = ABI_FLUSH, .cookie = bio, .trace_id = shim_cause(bio), .issuer = shim_issuer(bio) };

	if (!(bio->bi_opf & REQ_FUA) || bdev_fua(bio->bi_bdev) || bio->bi_cookie == FLUSHES_BEHIND)
		return false;
	bio->bi_cookie = FLUSHES_BEHIND;
	shim_host->submit(shim_host->self, bio->bi_bdev->bd_disk->number, &request);
	return true;
}

void shim_disk_bio_done(struct bio *bio, enum abi_status status)
{
	static const blk_status_t meaning[] = {
		[ABI_OK] = BLK_STS_OK,		 [ABI_IOERR] = BLK_STS_IOERR,	  [ABI_NOTSUPP] = BLK_STS_NOTSUPP,
		[ABI_NOSPC] = BLK_STS_NOSPC,	 [ABI_REQUEUE] = BLK_STS_IOERR,	  [ABI_TIMEOUT] = BLK_STS_TIMEOUT,
		[ABI_MEDIUM] = BLK_STS_MEDIUM,
	};

	if (status != ABI_OK && !bio->bi_status)
		bio->bi_status = meaning[status];
	else if (flush_follows(bio))
		return;
	bio_advance(bio, bio->bi_iter.bi_size);
	bio_endio(bio);
}
