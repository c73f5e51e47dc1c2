/* SPDX-License-Identifier: GPL-2.0-only
 *
 * dm-clone-target.c as it is, and what oracles ask of a clone. Its only rate-limited error line says that a region could
 * not be copied; that leaves a mark in the clone's flags, at the far end from the kernel's own.
 */
#include "control.h"
#include <linux/device-mapper.h>

#define SHIM_HYDRATION_FAILED 63

#undef DMERR_LIMIT
#define DMERR_LIMIT(format, ...) \
	do { \
		DMERR(format, ##__VA_ARGS__); \
		__set_bit(SHIM_HYDRATION_FAILED, &clone->flags); \
	} while (0)

#include "dm-clone-target.c"
#include "peek.h"

static struct clone *clone_of(struct dm_target *target)
{
	return target->type == &clone_target ? target->private : NULL;
}

static void name_device(char *to, size_t size, struct dm_dev *device)
{
	strscpy(to, device->bdev->bd_disk->disk_name, size);
}

int shim_peek_clone(struct dm_target *target, struct abi_clone *out)
{
	struct clone *clone = clone_of(target);
	unsigned int hydrating;

	if (!clone)
		return -EINVAL;
	hydrating = atomic_read(&clone->hydrations_in_flight);
	*out = (struct abi_clone){
		.begin = target->begin,
		.sectors = target->len,
		.region_sectors = clone->region_size,
		.region_count = clone->nr_regions,
		.mode = get_clone_mode(clone) - CM_WRITE,
		.hydrates = test_bit(DM_CLONE_HYDRATION_ENABLED, &clone->flags) && get_clone_mode(clone) == CM_WRITE &&
			    dm_clone_nr_of_hydrated_regions(clone->cmd) < clone->nr_regions &&
			    !test_bit(SHIM_HYDRATION_FAILED, &clone->flags),
		.hydrating = hydrating,
		.commit_pending = shim_peek_clone_commit_pending(clone->cmd),
	};
	name_device(out->metadata_device, sizeof(out->metadata_device), clone->metadata_dev);
	name_device(out->destination_device, sizeof(out->destination_device), clone->dest_dev);
	name_device(out->source_device, sizeof(out->source_device), clone->source_dev);
	return 0;
}

int shim_peek_clone_hydrated(struct dm_target *target, u64 region)
{
	struct clone *clone = clone_of(target);

	if (!clone || region >= clone->nr_regions)
		return -EINVAL;
	return dm_clone_is_region_hydrated(clone->cmd, region);
}
