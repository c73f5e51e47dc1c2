// SPDX-License-Identifier: GPL-2.0-only
/*
 * What oracles see, between two steps of the simulator: no locks, as nothing else runs.
 */
#include "parts.h"

static struct dm_table *live_table(const char *name)
{
	struct mapping *mapping = control_mapping(name);

	return mapping ? (struct dm_table *)mapping->md->map : NULL;
}

static struct dm_target *live_target(const char *name, abi_u32 target)
{
	struct dm_table *table = live_table(name);

	return table && target < table->num_targets ? dm_table_get_target(table, target) : NULL;
}

abi_u32 control_target_count(const char *name)
{
	struct dm_table *table = live_table(name);

	return table ? table->num_targets : 0;
}

const char *control_target_type(const char *name, abi_u32 target)
{
	struct dm_target *found = live_target(name, target);

	return found ? found->type->name : "";
}

int control_mirror(const char *name, abi_u32 target, struct abi_mirror *out)
{
	struct dm_target *found = live_target(name, target);

	return found ? shim_peek_mirror(found, out) : -ENXIO;
}

int control_mirror_region(const char *name, abi_u32 target, abi_u64 region, struct abi_mirror_region *out)
{
	struct dm_target *found = live_target(name, target);

	return found ? shim_peek_mirror_region(found, region, out) : -ENXIO;
}

abi_u64 control_mirror_tracked(const char *name, abi_u32 target)
{
	struct dm_target *found = live_target(name, target);

	return found ? shim_peek_mirror_tracked(found) : 0;
}

abi_u64 control_mirror_held(const char *name, abi_u32 target)
{
	struct dm_target *found = live_target(name, target);

	return found ? shim_peek_mirror_held(found) : 0;
}

abi_u64 control_claim_generation(void) { return shim_claims; }

int control_clone(const char *name, abi_u32 target, struct abi_clone *out)
{
	struct dm_target *found = live_target(name, target);

	return found ? shim_peek_clone(found, out) : -ENXIO;
}

int control_clone_hydrated(const char *name, abi_u32 target, abi_u64 region)
{
	struct dm_target *found = live_target(name, target);

	return found ? shim_peek_clone_hydrated(found, region) : -ENXIO;
}

/* While a device stands, its targets rightly hold memory; so what may be missing is told when the last has gone. */
void control_leaks(void (*emit)(void *argument, const char *what), void *argument)
{
	if (!mappings)
		shim_memory_leaks(emit, argument);
}
