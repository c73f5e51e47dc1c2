/* SPDX-License-Identifier: GPL-2.0-only
 *
 * dm-region-hash.c as it is, and what oracles ask of it: whether a region is tracked, and how many writes to it are
 * under way. Whatever enters or leaves a list here, or counts, may change a claim.
 */
#include "control.h"

#undef atomic_inc
#undef atomic_dec_and_test
#define list_add(entry, head) (shim_claims++, (list_add)(entry, head))
#define list_add_tail(entry, head) (shim_claims++, (list_add_tail)(entry, head))
#define list_del(entry) (shim_claims++, (list_del)(entry))
#define list_del_init(entry) (shim_claims++, (list_del_init)(entry))
#define list_move(entry, head) (shim_claims++, (list_move)(entry, head))
#define list_splice_init(from, to) (shim_claims++, (list_splice_init)(from, to))
#define atomic_inc(count) (shim_claims++, (atomic_inc)(count))
#define atomic_dec_and_test(count) (shim_claims++, (atomic_dec_and_test)(count))

#include "dm-region-hash.c"
#include "peek.h"

void shim_peek_hash_region(struct dm_region_hash *rh, u64 region, struct abi_mirror_region *out)
{
	struct dm_region *reg = __rh_lookup(rh, region);

	if (!reg)
		return;
	out->tracked = 1;
	out->pending = atomic_read(&reg->pending);
	if (reg->state == DM_RH_RECOVERING)
		out->recovering = 1;
}

u64 shim_peek_hash_tracked(struct dm_region_hash *rh)
{
	struct dm_region *reg;
	unsigned int i;
	u64 tracked = 0;

	for (i = 0; i < rh->nr_buckets; i++)
		list_for_each_entry(reg, rh->buckets + i, hash_list)
			tracked++;
	return tracked;
}
