/* SPDX-License-Identifier: GPL-2.0-only
 *
 * The block layer, as far as device-mapper uses it: bios are the kernel's own (blk_types.h, bio.h), queues and
 * disks are ours. A gendisk is either one of the simulator's disks, or a mapped device.
 *
 * queue_limits has the fields of all series together; which of the two ways to say "has a write cache" holds
 * (a queue flag in 6.1, a feature bit in 6.12) is for series.h, through shim_queue_*().
 */
#ifndef SHIM_BLOCK_H
#define SHIM_BLOCK_H

#define READ 0
#define WRITE 1
#define IOPRIO_DEFAULT 0
#define FMODE_READ 0x1u
#define FMODE_WRITE 0x2u
#define FMODE_EXCL 0x80u
#define FMODE_NDELAY 0x40u
#define BLK_OPEN_READ 0x1u
#define BLK_OPEN_WRITE 0x2u
#define BLK_OPEN_EXCL 0x80u
#include <linux/kdev_t.h>
#include <linux/blk_types.h>
#include <linux/bio.h>

#define BDEVNAME_SIZE 32
#define DISK_NAME_LEN 32
#define BLK_DEF_MAX_SECTORS 2560
#define BLK_MAX_SEGMENTS 128
#define BLK_SEG_BOUNDARY_MASK 0xFFFFFFFFUL
#define GENHD_FL_NO_PART 4

enum blk_zoned_model { BLK_ZONED_NONE, BLK_ZONED_HA, BLK_ZONED_HM };
typedef unsigned int blk_features_t;
#define BLK_FEAT_WRITE_CACHE (1u << 0)
#define BLK_FEAT_FUA (1u << 1)
#define BLK_FEAT_ROTATIONAL (1u << 2)
#define BLK_FEAT_ADD_RANDOM (1u << 3)
#define BLK_FEAT_IO_STAT (1u << 4)
#define BLK_FEAT_STABLE_WRITES (1u << 5)
#define BLK_FEAT_NOWAIT (1u << 7)
#define BLK_FEAT_DAX (1u << 8)
#define BLK_FEAT_POLL (1u << 9)
#define BLK_FEAT_ZONED (1u << 10)
#define BLK_FEAT_INHERIT_MASK (BLK_FEAT_WRITE_CACHE | BLK_FEAT_FUA | BLK_FEAT_ROTATIONAL | BLK_FEAT_STABLE_WRITES)
#define BLK_FLAG_MISALIGNED (1u << 1)

struct queue_limits {
	blk_features_t features; /* 6.12 */
	unsigned int flags;      /* 6.12: BLK_FLAG_* */
	unsigned long seg_boundary_mask, virt_boundary_mask;
	unsigned int max_sectors, max_hw_sectors, max_dev_sectors, max_user_sectors;
	unsigned int max_discard_sectors, max_hw_discard_sectors, max_user_discard_sectors;
	unsigned int max_secure_erase_sectors, max_write_zeroes_sectors, max_zone_append_sectors;
	unsigned int max_hw_zone_append_sectors, max_hw_wzeroes_unmap_sectors;
	unsigned int max_segment_size, chunk_sectors;
	unsigned int physical_block_size, logical_block_size, alignment_offset, io_min, io_opt;
	unsigned int discard_granularity, discard_alignment, zone_write_granularity, dma_alignment;
	unsigned int max_open_zones, max_active_zones;
	unsigned short max_segments, max_discard_segments, max_integrity_segments;
	unsigned char misaligned, discard_misaligned; /* 6.1 */
	enum blk_zoned_model zoned;
};

enum { /* request_queue.queue_flags */
	QUEUE_FLAG_NONROT = 6,
	QUEUE_FLAG_IO_STAT = 7,
	QUEUE_FLAG_ADD_RANDOM = 10,
	QUEUE_FLAG_STABLE_WRITES = 15,
	QUEUE_FLAG_POLL = 16,
	QUEUE_FLAG_WC = 17,
	QUEUE_FLAG_FUA = 18,
	QUEUE_FLAG_DAX = 19,
	QUEUE_FLAG_NOWAIT = 29,
};
struct request_queue {
	struct queue_limits limits;
	unsigned long queue_flags;
	struct gendisk *disk;
	void *queuedata;
	const void *mq_ops;
	void *tag_set;
	void *crypto_profile;
	unsigned int nr_zones;
	struct mutex limits_lock;
	struct mutex sysfs_lock;
};
#define blk_queue_flag_set(flag, queue) __set_bit(flag, &(queue)->queue_flags)
#define blk_queue_flag_clear(flag, queue) __clear_bit(flag, &(queue)->queue_flags)

struct blk_zone;
struct io_comp_batch;
struct hd_geometry { unsigned char heads, sectors; unsigned short cylinders; unsigned long start; };
typedef int (*report_zones_cb)(struct blk_zone *zone, unsigned int index, void *data);
struct gendisk;
struct block_device_operations {
	void (*submit_bio)(struct bio *bio);
	int (*poll_bio)(struct bio *bio, struct io_comp_batch *batch, unsigned int flags);
	shim_open_t *open;
	shim_release_t *release;
	shim_ioctl_t *ioctl, *compat_ioctl;
	int (*getgeo)(struct block_device *device, struct hd_geometry *geometry);
	int (*report_zones)(struct gendisk *disk, sector_t from, unsigned int count, report_zones_cb call, void *data);
	const struct pr_ops *pr_ops;
	struct module *owner;
};
struct gendisk {
	char disk_name[128];
	int major, first_minor, minors, flags;
	struct block_device *part0;
	const struct block_device_operations *fops;
	struct request_queue *queue;
	void *private_data;
	struct bio_set bio_split;
	struct kobject *slave_dir;
	struct mutex open_mutex;
	bool live;              /* between add_disk() and del_gendisk() */
	bool dead;              /* blk_mark_disk_dead() */
	int number;             /* the simulator's, of a disk; -1: a mapped device */
	u64 under_way;          /* bios inside ->submit_bio(): what a real queue counts as entered */
	struct gendisk *next;   /* of custom/disks.c */
};
#define disk_devt(disk) MKDEV((disk)->major, (disk)->first_minor)
#define disk_to_dev(disk) (&(disk)->part0->bd_device)
#define dev_name(device) "device"
struct gendisk *shim_alloc_disk(void);
void put_disk(struct gendisk *disk);
int add_disk(struct gendisk *disk);
void del_gendisk(struct gendisk *disk);
void blk_mark_disk_dead(struct gendisk *disk);
static inline sector_t get_capacity(struct gendisk *disk) { return disk->part0->bd_nr_sectors; }
void set_capacity(struct gendisk *disk, sector_t sectors);
bool set_capacity_and_notify(struct gendisk *disk, sector_t sectors);
#define set_disk_ro(disk, read_only) ((void)(disk))
#define get_disk_ro(disk) false
#define disk_live(disk) ((disk)->live)
#define register_blkdev(major, name) 253 /* what Debian's machines show for device-mapper */
#define unregister_blkdev(major, name) ((void)(major))
int bd_link_disk_holder(struct block_device *device, struct gendisk *disk);
void bd_unlink_disk_holder(struct block_device *device, struct gendisk *disk);
int lookup_bdev(const char *path, dev_t *number);
int shim_open_device(dev_t number, fmode_t mode, void *holder, struct block_device **device);
void shim_close_device(struct block_device *device, fmode_t mode);
int freeze_bdev(struct block_device *device);
int thaw_bdev(struct block_device *device);
#define bdev_freeze freeze_bdev
#define bdev_thaw thaw_bdev

/* --- limits --- */
#define SHIM_QUEUE_FLAG(flag, queue) test_bit(flag, &(queue)->queue_flags)
static inline struct request_queue *bdev_get_queue(struct block_device *device) { return device->bd_queue; }
static inline unsigned int bdev_max_discard_sectors(struct block_device *d) { return d->bd_queue->limits.max_discard_sectors; }
static inline unsigned int bdev_max_secure_erase_sectors(struct block_device *d)
{
	return d->bd_queue->limits.max_secure_erase_sectors;
}
static inline unsigned int bdev_write_zeroes_sectors(struct block_device *d) { return d->bd_queue->limits.max_write_zeroes_sectors; }
static inline unsigned int bdev_logical_block_size(struct block_device *d) { return d->bd_queue->limits.logical_block_size; }
static inline unsigned int bdev_physical_block_size(struct block_device *d) { return d->bd_queue->limits.physical_block_size; }
static inline unsigned int bdev_discard_granularity(struct block_device *d) { return d->bd_queue->limits.discard_granularity; }
static inline unsigned int bdev_io_min(struct block_device *d) { return d->bd_queue->limits.io_min; }
static inline unsigned int bdev_io_opt(struct block_device *d) { return d->bd_queue->limits.io_opt; }
static inline unsigned int queue_logical_block_size(const struct request_queue *q) { return q->limits.logical_block_size; }
static inline unsigned int queue_physical_block_size(const struct request_queue *q) { return q->limits.physical_block_size; }
static inline unsigned int queue_max_sectors(const struct request_queue *q) { return q->limits.max_sectors; }
static inline int queue_dma_alignment(const struct request_queue *q) { return q->limits.dma_alignment ?: 511; }
#define bdev_zoned_model(device) BLK_ZONED_NONE
#define blk_queue_zoned_model(queue) BLK_ZONED_NONE
#define bdev_is_zoned(device) false
#define blk_queue_is_zoned(queue) false
#define bdev_zone_sectors(device) ((sector_t)0)
#define bdev_is_partition(device) false
#define bdev_op_is_zoned_write(device, op) false
static inline sector_t bdev_nr_sectors(struct block_device *device) { return device->bd_nr_sectors; }
static inline loff_t bdev_nr_bytes(struct block_device *device) { return (loff_t)device->bd_nr_sectors << SECTOR_SHIFT; }
static inline sector_t get_start_sect(struct block_device *device) { return device->bd_start_sect; }
static inline bool queue_is_mq(struct request_queue *queue) { return queue->mq_ops != NULL; }
static inline unsigned int blk_chunk_sectors_left(sector_t offset, unsigned int chunk)
{
	return is_power_of_2(chunk) ? chunk - (unsigned int)(offset & (chunk - 1)) : chunk - (unsigned int)(offset % chunk);
}
#define blk_boundary_sectors_left blk_chunk_sectors_left
static inline unsigned int blk_max_size_offset(struct request_queue *queue, sector_t offset, unsigned int chunk)
{
	chunk = chunk ?: queue->limits.chunk_sectors;
	return chunk ? min(queue->limits.max_sectors, blk_chunk_sectors_left(offset, chunk)) : queue->limits.max_sectors;
}
static inline void blk_limits_io_min(struct queue_limits *limits, unsigned int bytes) { limits->io_min = bytes; }
static inline void blk_limits_io_opt(struct queue_limits *limits, unsigned int bytes) { limits->io_opt = bytes; }
void blk_set_stacking_limits(struct queue_limits *limits);
int blk_stack_limits(struct queue_limits *top, struct queue_limits *bottom, sector_t start);
void blk_queue_write_cache(struct request_queue *queue, bool cache, bool fua);
#define disk_update_readahead(disk) ((void)(disk))
static inline int bdev_alignment_offset(struct block_device *device) { return 0; }
static inline unsigned int blk_lim_dma_alignment_and_pad(struct queue_limits *limits) { return limits->dma_alignment; }
#define blk_queue_max_integrity_segments(queue, count) ((void)(queue))

/* --- bios --- */
#define BLK_MAX_REQUEST_COUNT 32
struct blk_plug {
	struct bio_list held;   /* for simulated disks, oldest first */
	unsigned int count;
	bool nowait;
};
void blk_start_plug(struct blk_plug *plug);
void blk_finish_plug(struct blk_plug *plug);
void shim_flush_plug(struct blk_plug *plug);
void submit_bio_noacct(struct bio *bio);
void submit_bio_noacct_nocheck(struct bio *bio);
struct bio *bio_split_to_limits(struct bio *bio);
int bio_poll(struct bio *bio, struct io_comp_batch *batch, unsigned int flags);
int blk_status_to_errno(blk_status_t status);
blk_status_t errno_to_blk_status(int error);
const char *blk_op_str(enum req_op op);
int blkdev_issue_flush(struct block_device *device);
int blkdev_issue_discard(struct block_device *device, sector_t sector, sector_t sectors, gfp_t gfp);
#define bio_start_io_acct(bio) jiffies
#define bio_start_io_acct_time(bio, from) ((void)(bio))
#define bio_end_io_acct(bio, from) ((void)(bio))
#define part_stat_local_inc(...) ((void)0)
#define part_in_flight(device) 0
#define blk_mq_run_hw_queues(queue, async) ((void)(queue))
#define blk_mq_queue_inflight(queue) false
#define blk_io_schedule() io_schedule()

#define trace_block_bio_remap(...) ((void)0)
#define trace_block_rq_remap(...) ((void)0)
#define trace_block_split(...) ((void)0)
#define trace_block_bio_queue(...) ((void)0)

#endif
