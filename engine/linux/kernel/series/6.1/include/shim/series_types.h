/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Linux 6.1's prototypes that shim/block.h builds on.
 */
#ifndef SHIM_SERIES_TYPES_H
#define SHIM_SERIES_TYPES_H

struct gendisk;
struct block_device;
typedef fmode_t blk_mode_t;
typedef int shim_open_t(struct block_device *device, fmode_t mode);
typedef void shim_release_t(struct gendisk *disk, fmode_t mode);
typedef int shim_ioctl_t(struct block_device *device, fmode_t mode, unsigned int command, unsigned long argument);
#define SHIM_CALL_OPEN(disk, mode) (disk)->fops->open((disk)->part0, mode)
#define SHIM_CALL_RELEASE(disk, mode) (disk)->fops->release(disk, mode)

#endif
