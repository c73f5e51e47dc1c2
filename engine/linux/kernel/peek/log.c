/* SPDX-License-Identifier: GPL-2.0-only
 *
 * dm-log.c as it is, and what oracles ask of a dirty log: its three bitmaps, and the device that it lies on.
 *
 * Every change of a bit counts as a change of some region's claim: the two functions that make them do so in
 * this file. The log that lives in memory has the same private struct.
 *
 * dm-log.c trusts its callers to name regions that exist. Here the two types of log get functions in front that look:
 * bits beyond a bitmap are somebody else's memory, and who asks for them is told, and answered no.
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

static bool exists(struct dm_dirty_log *log, region_t region, const char *function)
{
	struct log_c *lc = log->context;

	if (likely(region < lc->region_count))
		return true;
	shim_trouble(ABI_WARN, "drivers/md/dm-log.c", 0, "%s() goes beyond a bitmap: region %llu of %u", function,
		     (unsigned long long)region, lc->region_count);
	return false;
}

static int checked_is_clean(struct dm_dirty_log *log, region_t region)
{
	return exists(log, region, "is_clean") && core_is_clean(log, region);
}

static int checked_in_sync(struct dm_dirty_log *log, region_t region, int block)
{
	return exists(log, region, "in_sync") && core_in_sync(log, region, block);
}

static void checked_mark_region(struct dm_dirty_log *log, region_t region)
{
	if (exists(log, region, "mark_region"))
		core_mark_region(log, region);
}

static void checked_clear_region(struct dm_dirty_log *log, region_t region)
{
	if (exists(log, region, "clear_region"))
		core_clear_region(log, region);
}

static void checked_set_region_sync(struct dm_dirty_log *log, region_t region, int in_sync)
{
	if (exists(log, region, "set_region_sync"))
		core_set_region_sync(log, region, in_sync);
}

static int look_at_regions(void)
{
	struct dm_dirty_log_type *types[] = { &_core_type, &_disk_type };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		types[i]->is_clean = checked_is_clean;
		types[i]->in_sync = checked_in_sync;
		types[i]->mark_region = checked_mark_region;
		types[i]->clear_region = checked_clear_region;
		types[i]->set_region_sync = checked_set_region_sync;
	}
	return 0;
}
module_init(look_at_regions);

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
