/* SPDX-License-Identifier: GPL-2.0-only
 *
 * What the files of peek/ offer each other.
 */
#ifndef SHIM_PEEK_H
#define SHIM_PEEK_H

struct dm_dirty_log;
struct dm_region_hash;
struct dm_clone_metadata;

/* Each fills in what it knows. */
void shim_peek_log_region(struct dm_dirty_log *log, u64 region, struct abi_mirror_region *out);
void shim_peek_hash_region(struct dm_region_hash *rh, u64 region, struct abi_mirror_region *out);
struct block_device *shim_peek_log_device(struct dm_dirty_log *log); /* null: in memory */
u64 shim_peek_hash_tracked(struct dm_region_hash *rh);

/* Regions that are not copied yet, and whether metadata in memory are newer than on disk or being committed. */
bool shim_peek_clone_commit_pending(struct dm_clone_metadata *cmd);

#endif
