/* SPDX-License-Identifier: GPL-2.0-only
 *
 * dm-log.c as it is, and what oracles ask of a dirty log: its three bitmaps, and the device that it lies on.
 *
 * Every change of a bit counts as a change of some region's claim: the two functions that make them do so in
 * this file. The log that lives in memory has the same private struct.
 */
#include "control.h"

u64 shim_claims;

#undef __set_bit_le
#undef __clear_bit_le
#define __set_bit_le(bit, map) (shim_claims++, (__set_bit_le)(bit, map))
#define __clear_bit_le(bit, map) (shim_claims++, (__clear_bit_le)(bit, map))

#include "dm-log.c"
#include "peek.h"

static struct log_c *log_of(struct dm_dirty_log *log)
{
	return log->type == &_core_type || log->type == &_disk_type ? log->context : NULL;
}

void shim_peek_log_region(struct dm_dirty_log *log, u64 region, struct abi_mirror_region *out)
{
	struct log_c *lc = log_of(log);

	if (!lc || region >= lc->region_count)
		return;
	out->in_sync = log_test_bit(lc->sync_bits, region);
	out->clean = log_test_bit(lc->clean_bits, region);
	out->recovering = log_test_bit(lc->recovering_bits, region);
}

struct block_device *shim_peek_log_device(struct dm_dirty_log *log)
{
	struct log_c *lc = log_of(log);

	/* A log in memory leaves the field as it found it. */
	return lc && log->type == &_disk_type ? lc->log_dev->bdev : NULL;
}
