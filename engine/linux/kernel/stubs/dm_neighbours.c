// SPDX-License-Identifier: GPL-2.0-only
/*
 * The neighbours of dm.c that an image is built without. Two kinds, told apart below: what a kernel in which
 * nobody asks for statistics or looks into sysfs never notices, and what must never be reached.
 *
 * dm-ioctl.c is replaced by control/; dm-stats.c, dm-sysfs.c and dm-rq.c (multipath's requests) are left out.
 */
#include "control.h"
#include "dm-core.h"
#include "dm-rq.h"

/* --- nobody asks --- */

int dm_interface_init(void) { return 0; }
void dm_interface_exit(void) {}
int dm_statistics_init(void) { return 0; }
void dm_statistics_exit(void) {}

int dm_stats_init(struct dm_stats *stats)
{
	mutex_init(&stats->mutex);
	INIT_LIST_HEAD(&stats->list);
	stats->precise_timestamps = false;
	return 0;
}

void dm_stats_cleanup(struct dm_stats *stats) {}

int dm_sysfs_init(struct mapped_device *md) { return 0; }
void dm_sysfs_exit(struct mapped_device *md) {}

/* A device of bios, always. */
int dm_request_based(struct mapped_device *md) { return 0; }
void dm_mq_cleanup_mapped_device(struct mapped_device *md) {}
unsigned int dm_get_reserved_rq_based_ios(void) { return 256; }

/* --- never reached --- */

void dm_stats_account_io(struct dm_stats *stats, unsigned long rw, sector_t sector, unsigned int sectors, bool end,
			 unsigned long from, struct dm_stats_aux *aux)
{
	UNMODELLED();
}
int dm_mq_init_request_queue(struct mapped_device *md, struct dm_table *table) { UNMODELLED(); }
void dm_start_queue(struct request_queue *queue) { UNMODELLED(); }
void dm_stop_queue(struct request_queue *queue) { UNMODELLED(); }
/* Removal that waits for the last closer: abi_kernel::remove never asks for it. */
void dm_deferred_remove(void) { UNMODELLED(); }
