// SPDX-License-Identifier: GPL-2.0-only
/*
 * Linux 6.1 opens a block device by number and gets a struct block_device. Claims are not checked: device-mapper
 * is the only one who ever claims.
 */
#include "control.h"

struct block_device *blkdev_get_by_dev(dev_t number, fmode_t mode, void *holder)
{
	struct block_device *device;
	int r = shim_open_device(number, mode, holder, &device);

	return r ? ERR_PTR(r) : device;
}

void blkdev_put(struct block_device *device, fmode_t mode) { shim_close_device(device, mode); }
