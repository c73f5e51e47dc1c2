/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Linux 6.12's prototypes that shim/block.h builds on.
 */
#ifndef SHIM_SERIES_TYPES_H
#define SHIM_SERIES_TYPES_H

struct gendisk;
struct block_device;
typedef unsigned int blk_mode_t;
typedef int shim_open_t(struct gendisk *disk, blk_mode_t mode);
typedef void shim_release_t(struct gendisk *disk);
typedef int shim_ioctl_t(struct block_device *device, blk_mode_t mode, unsigned int command, unsigned long argument);
#define SHIM_CALL_OPEN(disk, mode) (disk)->fops->open(disk, mode)
#define SHIM_CALL_RELEASE(disk, mode) (disk)->fops->release(disk)

#endif
