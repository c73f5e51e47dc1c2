/* SPDX-License-Identifier: GPL-2.0-only
 *
 * What is Linux 6.1's own, after everything else: a write cache is a queue flag, and block devices are opened
 * by number into a struct block_device.
 */
#ifndef SHIM_SERIES_H
#define SHIM_SERIES_H

#define SHIM_SERIES_6_1 1

#define blk_alloc_disk(node) shim_alloc_disk()
#define blk_queue_add_random(queue) SHIM_QUEUE_FLAG(QUEUE_FLAG_ADD_RANDOM, queue)
#define blk_queue_nowait(queue) SHIM_QUEUE_FLAG(QUEUE_FLAG_NOWAIT, queue)
static inline bool bdev_nowait(struct block_device *d) { return SHIM_QUEUE_FLAG(QUEUE_FLAG_NOWAIT, d->bd_queue); }
static inline bool bdev_stable_writes(struct block_device *d) { return SHIM_QUEUE_FLAG(QUEUE_FLAG_STABLE_WRITES, d->bd_queue); }
static inline bool bdev_nonrot(struct block_device *d) { return SHIM_QUEUE_FLAG(QUEUE_FLAG_NONROT, d->bd_queue); }
static inline bool bdev_write_cache(struct block_device *d) { return SHIM_QUEUE_FLAG(QUEUE_FLAG_WC, d->bd_queue); }
static inline bool bdev_fua(struct block_device *d) { return SHIM_QUEUE_FLAG(QUEUE_FLAG_FUA, d->bd_queue); }
static inline void shim_set_features(struct request_queue *queue, bool cache, bool fua, bool stable)
{
	blk_queue_write_cache(queue, cache, fua);
	if (stable)
		blk_queue_flag_set(QUEUE_FLAG_STABLE_WRITES, queue);
	blk_queue_flag_set(QUEUE_FLAG_NONROT, queue);
	blk_queue_flag_set(QUEUE_FLAG_NOWAIT, queue);
}

struct block_device *blkdev_get_by_dev(dev_t number, fmode_t mode, void *holder);
void blkdev_put(struct block_device *device, fmode_t mode);
static inline dev_t name_to_dev_t(const char *path) { return 0; } /* lookup_bdev() has been asked already */
#define bdev_start_io_acct(device, sectors, op, from) (from)
#define bdev_end_io_acct(device, op, from) ((void)(device))

#endif
