/* SPDX-License-Identifier: GPL-2.0-only
 *
 * What is Linux 6.12's own, after everything else: a write cache is a feature bit of the limits, and block
 * devices are opened as files.
 */
#ifndef SHIM_SERIES_H
#define SHIM_SERIES_H

#define SHIM_SERIES_6_12 1

#include <linux/bio-integrity.h>

#define blk_alloc_disk(limits, node) shim_alloc_disk()
#define blk_queue_io_stat(queue) ((queue)->limits.features & BLK_FEAT_IO_STAT)
static inline bool bdev_nowait(struct block_device *d) { return d->bd_queue->limits.features & BLK_FEAT_NOWAIT; }
static inline bool bdev_stable_writes(struct block_device *d) { return d->bd_queue->limits.features & BLK_FEAT_STABLE_WRITES; }
static inline bool bdev_write_cache(struct block_device *d) { return d->bd_queue->limits.features & BLK_FEAT_WRITE_CACHE; }
static inline bool bdev_fua(struct block_device *d) { return d->bd_queue->limits.features & BLK_FEAT_FUA; }
static inline void shim_set_features(struct request_queue *queue, bool cache, bool fua, bool stable)
{
	queue->limits.features = BLK_FEAT_NOWAIT | (cache ? BLK_FEAT_WRITE_CACHE : 0) | (fua ? BLK_FEAT_FUA : 0)
		| (stable ? BLK_FEAT_STABLE_WRITES : 0);
}
int queue_limits_set(struct request_queue *queue, struct queue_limits *limits);
#define queue_limits_stack_integrity(top, bottom) true
#define queue_limits_stack_integrity_bdev(top, device) ((void)(device))

struct file *bdev_file_open_by_dev(dev_t number, blk_mode_t mode, void *holder, const void *operations);
static inline struct block_device *file_bdev(struct file *file) { return file->device; }
void fput(struct file *file);
#define __fput_sync(file) fput(file)
#define early_lookup_bdev(path, number) (-ENODEV) /* lookup_bdev() has been asked already */
#define bdev_start_io_acct(device, op, from) ((void)(device))
#define bdev_end_io_acct(device, op, sectors, from) ((void)(device))

#endif
