/* SPDX-License-Identifier: GPL-2.0-only
 *
 * dm-raid1.c as it is, and what oracles ask of a mirror: legs, log, regions. A leg that gets an error flag counts as a
 * change of claims, too.
 */
#include "control.h"

#undef test_and_set_bit
#define test_and_set_bit(bit, word) (shim_claims++, (test_and_set_bit)(bit, word))

#include "dm-raid1.c"
#include "peek.h"

static struct mirror_set *mirror_of(struct dm_target *target)
{
	return target->type == &mirror_target ? target->private : NULL;
}

static void name_device(char *to, size_t size, struct block_device *device)
{
	strscpy(to, device ? device->bd_disk->disk_name : "", size);
}

int shim_peek_mirror(struct dm_target *target, struct abi_mirror *out)
{
	struct mirror_set *ms = mirror_of(target);
	unsigned int i;

	if (!ms)
		return -EINVAL;
	*out = (struct abi_mirror){
		.begin = target->begin,
		.sectors = target->len,
		.region_sectors = dm_rh_get_region_size(ms->rh),
		.region_count = ms->nr_regions,
		.leg_count = ms->nr_mirrors,
	};
	BUG_ON(ms->nr_mirrors > ARRAY_SIZE(out->legs));
	for (i = 0; i < ms->nr_mirrors; i++) {
		name_device(out->legs[i].device, sizeof(out->legs[i].device), ms->mirror[i].dev->bdev);
		out->legs[i].offset = ms->mirror[i].offset;
		out->legs[i].failed = atomic_read(&ms->mirror[i].error_count) != 0;
	}
	name_device(out->log_device, sizeof(out->log_device), shim_peek_log_device(dm_rh_dirty_log(ms->rh)));
	return 0;
}

int shim_peek_mirror_region(struct dm_target *target, u64 region, struct abi_mirror_region *out)
{
	struct mirror_set *ms = mirror_of(target);

	if (!ms || region >= ms->nr_regions)
		return -EINVAL;
	memset(out, 0, sizeof(*out));
	shim_peek_log_region(dm_rh_dirty_log(ms->rh), region, out);
	shim_peek_hash_region(ms->rh, region, out);
	return 0;
}

u64 shim_peek_mirror_tracked(struct dm_target *target)
{
	struct mirror_set *ms = mirror_of(target);

	return ms ? shim_peek_hash_tracked(ms->rh) : 0;
}

u64 shim_peek_mirror_held(struct dm_target *target)
{
	struct mirror_set *ms = mirror_of(target);

	return ms ? bio_list_size(&ms->holds) : 0;
}
