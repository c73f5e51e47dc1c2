/* SPDX-License-Identifier: GPL-2.0-only
 *
 * What the files of custom/, control/ and peek/ know of each other and kernel code does not.
 */
#ifndef SHIM_CONTROL_H
#define SHIM_CONTROL_H

/* custom/trouble.c: the last line of the log at level warning or worse, since it was last forgotten. */
void shim_forget_last_error(void);
const char *shim_last_error(void);

/* custom/task.c */
void shim_boot_tasks(void);
void shim_enter(void *fiber, const char *comm);
void shim_fiber_ended(void *fiber);
/* Parks a worker that has nothing to do: it never stands in the way of a run's end. */
void shim_park_idle(const char *waits_for);

/* custom/timer.c: tells when there is one. */
void shim_no_timer_inside(const void *memory, u64 bytes, const char *file, int line);

/* custom/workqueue.c, custom/rcu.c, custom/bio.c: at boot, after memory and tasks. */
void shim_boot_workqueues(void);
void shim_boot_bios(void);

/* custom/disks.c: by the scenario's name, or by number; null: none. */
struct gendisk *shim_find_disk(const char *name);
struct gendisk *shim_disk_by_number(dev_t number);
const char *shim_device_name(const void *device);
void shim_add_disk(abi_u32 number, const char *name, const struct abi_disk_limits *limits);
void shim_name_disk(struct gendisk *disk, const char *name);

/* custom/submit.c */
static inline void shim_flush_current_plug(void)
{
	if (current->plug)
		shim_flush_plug(current->plug);
}
/* Who asked for a bio, and the event that caused it: fields that a real kernel uses for control groups. Clones inherit
 * them; what a target makes of its own accord (kcopyd, a log) has neither. */
static inline void shim_set_cause(struct bio *bio, u64 trace_id, u32 issuer)
{
	bio->bi_issue.value = trace_id;
	bio->bi_blkg = (struct blkcg_gq *)(unsigned long)issuer;
}
static inline u64 shim_cause(const struct bio *bio) { return bio->bi_issue.value; }
static inline u32 shim_issuer(const struct bio *bio) { return (u32)(unsigned long)bio->bi_blkg; }

/* What abi_kernel::disk_done tells. */
void shim_disk_bio_done(struct bio *bio, enum abi_status status);
enum abi_status shim_status_to_abi(blk_status_t status);

/* custom/memory.c */
void shim_memory_baseline(void);
void shim_memory_leaks(void (*emit)(void *argument, const char *what), void *argument);
u64 shim_shrink(u64 objects);

/* peek/: a target of the live table, as oracles see it. */
struct dm_target;
int shim_peek_mirror(struct dm_target *target, struct abi_mirror *out);
int shim_peek_mirror_region(struct dm_target *target, u64 region, struct abi_mirror_region *out);
u64 shim_peek_mirror_tracked(struct dm_target *target);
u64 shim_peek_mirror_held(struct dm_target *target);
extern u64 shim_claims; /* grows whenever some region's claim may have changed */
int shim_peek_clone(struct dm_target *target, struct abi_clone *out);
int shim_peek_clone_hydrated(struct dm_target *target, u64 region);

#endif
