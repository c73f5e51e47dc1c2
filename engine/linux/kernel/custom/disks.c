// SPDX-License-Identifier: GPL-2.0-only
/*
 * Disks: those of the simulator, which never go, and those that mapped devices make. How limits are stacked, how a
 * device is opened by number or name, and how a file system on it is frozen.
 *
 * The numbers that status lines show: 8:N for the simulator's disks, 253:N for mapped devices. A name is the
 * scenario's, for both.
 */
#include "control.h"

#define DISK_MAJOR 8

static struct gendisk *all_disks;

void blk_set_stacking_limits(struct queue_limits *limits)
{
	memset(limits, 0, sizeof(*limits));
	limits->logical_block_size = SECTOR_SIZE;
	limits->physical_block_size = SECTOR_SIZE;
	limits->io_min = SECTOR_SIZE;
	limits->discard_granularity = SHIM_SERIES >= 612 ? SECTOR_SIZE : 0;
	limits->dma_alignment = SECTOR_SIZE - 1;
	limits->seg_boundary_mask = BLK_SEG_BOUNDARY_MASK;
	limits->max_segments = ((unsigned short)~0);
	limits->max_discard_segments = SHIM_SERIES >= 612 ? ((unsigned short)~0) : 1;
	limits->max_hw_sectors = UINT_MAX;
	limits->max_segment_size = UINT_MAX;
	limits->max_sectors = UINT_MAX;
	limits->max_dev_sectors = UINT_MAX;
	limits->max_user_discard_sectors = UINT_MAX;
	limits->max_write_zeroes_sectors = UINT_MAX;
	limits->max_hw_zone_append_sectors = UINT_MAX;
	limits->max_zone_append_sectors = UINT_MAX;
#if SHIM_SERIES >= 612
	limits->max_hw_discard_sectors = UINT_MAX;
#endif
}

static unsigned int least(unsigned int a, unsigned int b) { return min(a, b); }
static unsigned int least_not_zero(unsigned int a, unsigned int b) { return !a ? b : !b ? a : min(a, b); }

/* Alignment is not modelled: nothing in a scenario is misaligned. */
int blk_stack_limits(struct queue_limits *top, struct queue_limits *bottom, sector_t start)
{
	const unsigned int all_must_have = BLK_FEAT_NOWAIT | BLK_FEAT_POLL;

	top->features |= bottom->features & ~all_must_have;
	if (!(bottom->features & BLK_FEAT_NOWAIT))
		top->features &= ~BLK_FEAT_NOWAIT;
	if (!(bottom->features & BLK_FEAT_POLL))
		top->features &= ~BLK_FEAT_POLL;
	top->max_sectors = least_not_zero(top->max_sectors, bottom->max_sectors);
	top->max_hw_sectors = least_not_zero(top->max_hw_sectors, bottom->max_hw_sectors);
	top->max_dev_sectors = least_not_zero(top->max_dev_sectors, bottom->max_dev_sectors);
	top->max_write_zeroes_sectors = least(top->max_write_zeroes_sectors, bottom->max_write_zeroes_sectors);
	top->max_zone_append_sectors = least(top->max_zone_append_sectors, bottom->max_zone_append_sectors);
	top->max_segments = least_not_zero(top->max_segments, bottom->max_segments);
	top->max_discard_segments = least_not_zero(top->max_discard_segments, bottom->max_discard_segments);
	top->max_segment_size = least_not_zero(top->max_segment_size, bottom->max_segment_size);
	top->logical_block_size = max(top->logical_block_size, bottom->logical_block_size);
	top->physical_block_size = max(top->physical_block_size, bottom->physical_block_size);
	top->io_min = max(top->io_min, bottom->io_min);
	top->io_opt = max(top->io_opt, bottom->io_opt);
	top->chunk_sectors = least_not_zero(top->chunk_sectors, bottom->chunk_sectors);
	top->max_discard_sectors = least_not_zero(top->max_discard_sectors, bottom->max_discard_sectors);
	top->max_hw_discard_sectors = least_not_zero(top->max_hw_discard_sectors, bottom->max_hw_discard_sectors);
	top->discard_granularity = max(top->discard_granularity, bottom->discard_granularity);
	top->max_secure_erase_sectors = least_not_zero(top->max_secure_erase_sectors, bottom->max_secure_erase_sectors);
	return 0;
}

void blk_queue_write_cache(struct request_queue *queue, bool write_cache, bool fua)
{
	if (write_cache)
		blk_queue_flag_set(QUEUE_FLAG_WC, queue);
	else
		blk_queue_flag_clear(QUEUE_FLAG_WC, queue);
	if (fua)
		blk_queue_flag_set(QUEUE_FLAG_FUA, queue);
	else
		blk_queue_flag_clear(QUEUE_FLAG_FUA, queue);
}

/* --- making and finding --- */

struct gendisk *shim_alloc_disk(void)
{
	struct gendisk *disk = kzalloc(sizeof(*disk), GFP_KERNEL);

	disk->part0 = kzalloc(sizeof(*disk->part0), GFP_KERNEL);
	disk->queue = kzalloc(sizeof(*disk->queue), GFP_KERNEL);
	disk->queue->disk = disk;
	disk->number = -1;
	disk->part0->bd_disk = disk;
	disk->part0->bd_queue = disk->queue;
	disk->queue->limits.logical_block_size = SECTOR_SIZE;
	disk->queue->limits.max_sectors = BLK_DEF_MAX_SECTORS;
	disk->queue->limits.max_segments = BLK_MAX_SEGMENTS;
	BUG_ON(bioset_init(&disk->bio_split, BIO_POOL_SIZE, 0, 0));
	return disk;
}

int add_disk(struct gendisk *disk)
{
	disk->part0->bd_dev = MKDEV(disk->major, disk->first_minor);
	disk->next = all_disks;
	all_disks = disk;
	disk->live = true;
	return 0;
}

void del_gendisk(struct gendisk *disk)
{
	struct gendisk **link;

	for (link = &all_disks; *link; link = &(*link)->next) {
		if (*link == disk) {
			*link = disk->next;
			break;
		}
	}
	disk->live = false;
}

void blk_mark_disk_dead(struct gendisk *disk) { disk->dead = true; }

void put_disk(struct gendisk *disk)
{
	bioset_exit(&disk->bio_split);
	kfree(disk->queue);
	kfree(disk->part0);
	kfree(disk);
}

void shim_name_disk(struct gendisk *disk, const char *name)
{
	strscpy(disk->disk_name, name, sizeof(disk->disk_name));
}

void shim_add_disk(abi_u32 number, const char *name, const struct abi_disk_limits *told)
{
	struct gendisk *disk = shim_alloc_disk();
	struct queue_limits *limits = &disk->queue->limits;

	shim_name_disk(disk, name);
	disk->number = number;
	disk->major = DISK_MAJOR;
	disk->first_minor = number;
	set_capacity(disk, told->sectors);
	blk_set_stacking_limits(limits);
	limits->logical_block_size = limits->physical_block_size = limits->io_min = told->logical_block_bytes;
	limits->max_sectors = limits->max_hw_sectors = told->max_sectors;
	limits->max_segments = BLK_MAX_SEGMENTS;
	limits->max_discard_sectors = told->discard ? UINT_MAX >> SECTOR_SHIFT : 0;
	limits->max_hw_discard_sectors = limits->max_discard_sectors;
	limits->discard_granularity = told->discard ? told->logical_block_bytes : 0;
	limits->max_write_zeroes_sectors = 0; /* kcopyd and others write zeroes themselves then */
	limits->max_secure_erase_sectors = 0;
	shim_set_features(disk->queue, told->volatile_cache, told->volatile_cache && told->fua, told->stable_writes);
	add_disk(disk);
}

struct gendisk *shim_find_disk(const char *name)
{
	struct gendisk *disk;

	for (disk = all_disks; disk; disk = disk->next)
		if (!strcmp(disk->disk_name, name))
			return disk;
	return NULL;
}

struct gendisk *shim_disk_by_number(dev_t number)
{
	struct gendisk *disk;

	for (disk = all_disks; disk; disk = disk->next)
		if (disk_devt(disk) == number)
			return disk;
	return NULL;
}

const char *shim_device_name(const void *device)
{
	return device ? ((const struct block_device *)device)->bd_disk->disk_name : "(null)";
}

/* --- opening --- */

int lookup_bdev(const char *path, dev_t *number)
{
	struct gendisk *disk = shim_find_disk(path);

	if (!disk)
		return -ENOENT;
	*number = disk_devt(disk);
	return 0;
}

int shim_open_device(dev_t number, fmode_t mode, void *holder, struct block_device **device)
{
	struct gendisk *disk = shim_disk_by_number(number);
	int r = 0;

	if (!disk || disk->dead)
		return -ENXIO;
	if (disk->fops && disk->fops->open)
		r = SHIM_CALL_OPEN(disk, mode);
	*device = disk->part0;
	return r;
}

void shim_close_device(struct block_device *device, fmode_t mode)
{
	struct gendisk *disk = device->bd_disk;

	if (disk->fops && disk->fops->release)
		SHIM_CALL_RELEASE(disk, mode);
}

int bd_link_disk_holder(struct block_device *device, struct gendisk *disk) { return 0; } /* a link in sysfs */
void bd_unlink_disk_holder(struct block_device *device, struct gendisk *disk) {}

void set_capacity(struct gendisk *disk, sector_t sectors) { disk->part0->bd_nr_sectors = sectors; }

bool set_capacity_and_notify(struct gendisk *disk, sector_t sectors)
{
	set_capacity(disk, sectors);
	return false;
}

int freeze_bdev(struct block_device *device)
{
	shim_might_sleep(__func__, 0);
	return shim_host->freeze(shim_host->self, device->bd_disk->disk_name);
}

int thaw_bdev(struct block_device *device)
{
	shim_host->thaw(shim_host->self, device->bd_disk->disk_name);
	return 0;
}
