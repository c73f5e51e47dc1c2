// SPDX-License-Identifier: GPL-2.0-only
/*
 * Linux 6.12 opens a block device by number and gets a file. Claims are not checked: device-mapper is the only one
 * who ever claims. Limits are set by handing over a whole set of them.
 */
#include "control.h"

struct file *bdev_file_open_by_dev(dev_t number, blk_mode_t mode, void *holder, const void *operations)
{
	struct block_device *device;
	struct file *file;
	int r = shim_open_device(number, mode, holder, &device);

	if (r)
		return ERR_PTR(r);
	file = kzalloc(sizeof(*file), GFP_KERNEL);
	file->device = device;
	return file;
}

void fput(struct file *file)
{
	shim_close_device(file->device, 0);
	kfree(file);
}

int queue_limits_set(struct request_queue *queue, struct queue_limits *limits)
{
	limits->max_discard_sectors = min(limits->max_hw_discard_sectors, limits->max_user_discard_sectors);
	queue->limits = *limits;
	return 0;
}
