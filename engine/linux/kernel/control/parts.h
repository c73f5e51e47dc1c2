/* SPDX-License-Identifier: GPL-2.0-only
 *
 * What the parts of the door know of each other. Everything named control_X is abi_kernel::X, if it is not
 * explained here.
 */
#ifndef SHIM_CONTROL_PARTS_H
#define SHIM_CONTROL_PARTS_H

#include "control.h"
#include "dm-core.h"

struct mapping {
	char name[128];
	struct mapped_device *md;
	struct dm_table *inactive;
	struct mapping *next;
};
extern struct mapping *mappings;
extern struct rw_semaphore mappings_lock; /* of the list and the inactive tables */

/* Null: there is none. */
struct mapping *control_mapping(const char *name);
/* The same with a reference, for who may sleep, and for oracles. */
struct mapped_device *control_get_device(const char *name);

/* An error number as user space sees it. */
static inline int control_answer(int r) { return r == -ERESTARTSYS ? -EINTR : r; }

/* verbs.c */
int control_create(const char *name);
int control_load(const char *name, const char *text, struct abi_text reason);
int control_suspend(const char *name, int noflush, int skip_lockfs);
int control_resume(const char *name, struct abi_text reason);
int control_remove(const char *name);

/* questions.c */
int control_status(const char *name, int inactive, int as_table, struct abi_text out);
int control_message(const char *name, abi_u64 sector, const char *text, struct abi_text out);
int control_wait_event(const char *name, abi_u32 seen, abi_u32 *number);
int control_event_number(const char *name, abi_u32 *number);
int control_limits(const char *name, struct abi_disk_limits *out);
int control_device_numbers(const char *name, abi_u32 *major, abi_u32 *minor);

/* requests.c */
void *control_find(const char *name);
void control_submit(void *mapped, const struct abi_request *asked);
abi_u64 control_requests_in_flight(void);

/* oracles.c */
abi_u32 control_target_count(const char *name);
const char *control_target_type(const char *name, abi_u32 target);
int control_mirror(const char *name, abi_u32 target, struct abi_mirror *out);
int control_mirror_region(const char *name, abi_u32 target, abi_u64 region, struct abi_mirror_region *out);
abi_u64 control_mirror_tracked(const char *name, abi_u32 target);
abi_u64 control_mirror_held(const char *name, abi_u32 target);
abi_u64 control_claim_generation(void);
int control_clone(const char *name, abi_u32 target, struct abi_clone *out);
int control_clone_hydrated(const char *name, abi_u32 target, abi_u64 region);
void control_leaks(void (*emit)(void *argument, const char *what), void *argument);

#endif
