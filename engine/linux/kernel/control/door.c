// SPDX-License-Identifier: GPL-2.0-only
/*
 * The image's only door: struct abi_kernel. What dm-ioctl.c and libdevmapper would do around dm.c, by subject: names,
 * verbs, questions, requests, oracles.
 *
 * A device has a name (the scenario's), a live table that dm.c keeps, and an inactive one that is kept here. Lookups
 * by name and the inactive slot are guarded by one rwsem, as in dm-ioctl.c; a verb that sleeps holds a reference.
 *
 * Not modelled: uuids, renaming, deferred removal, read-only tables, dm-stats' messages.
 */
#include "parts.h"

extern const struct shim_initcall __start_shim_initcalls[], __stop_shim_initcalls[];

static void boot(const struct abi_host *host)
{
	const struct shim_initcall *call;

	shim_host = host;
	shim_boot_tasks();
	shim_interrupt_task.preempt_count = 0; /* the boot may do what a thread may, but has nobody to wait for */
	shim_boot_workqueues();
	shim_boot_bios();
	for (call = __start_shim_initcalls; call < __stop_shim_initcalls; call++) {
		if (call->function())
			shim_bug(call->name, 0, "an init call fails");
	}
	shim_interrupt_task.preempt_count = 1;
	shim_memory_baseline();
}

/* A disk of the simulator never goes, and comes in any context. */
static void introduce_disk(abi_u32 number, const char *name, const struct abi_disk_limits *limits)
{
	shim_for_ever = true;
	shim_add_disk(number, name, limits);
	shim_for_ever = false;
}

static void disk_done(void *cookie, enum abi_status status)
{
	shim_disk_bio_done(cookie, status);
}

static void configure(int preempt_at_locks, int preempt_at_atomics, int preempt_in_rcu, int allocations_fail)
{
	shim_preempt_at_locks = preempt_at_locks;
	shim_preempt_at_atomics = preempt_at_atomics;
	shim_preempt_in_rcu = preempt_in_rcu;
	shim_allocations_fail = allocations_fail;
}

#ifdef SHIM_COVERAGE
extern const char __ehdr_start[], etext[]; /* the linker's: where the object begins, where its code ends */
static u8 *covered;

void __sanitizer_cov_trace_pc(void);
void __sanitizer_cov_trace_pc(void)
{
	if (covered)
		covered[(const char *)__builtin_return_address(0) - __ehdr_start] = 1;
}

static void cover(u8 *table) { covered = table; }
#endif

static struct abi_kernel image = {
	.version = ABI_VERSION,
	.series = SHIM_SERIES_NAME,
	.release = SHIM_RELEASE,
	.boot = boot,
	.enter = shim_enter,
	.fiber_ended = shim_fiber_ended,
	.add_disk = introduce_disk,
	.disk_done = disk_done,
	.create = control_create,
	.load = control_load,
	.suspend = control_suspend,
	.resume = control_resume,
	.remove = control_remove,
	.status = control_status,
	.message = control_message,
	.wait_event = control_wait_event,
	.event_number = control_event_number,
	.limits = control_limits,
	.find = control_find,
	.submit = control_submit,
	.device_numbers = control_device_numbers,
	.target_count = control_target_count,
	.target_type = control_target_type,
	.mirror = control_mirror,
	.mirror_region = control_mirror_region,
	.mirror_tracked = control_mirror_tracked,
	.mirror_held = control_mirror_held,
	.claim_generation = control_claim_generation,
	.clone = control_clone,
	.clone_hydrated = control_clone_hydrated,
	.requests_in_flight = control_requests_in_flight,
	.leaks = control_leaks,
	.shrink = shim_shrink,
	.configure = configure,
#ifdef SHIM_COVERAGE
	.cover = cover,
#endif
};

SHIM_EXPORT const struct abi_kernel *dmsim_kernel_image(void)
{
#ifdef SHIM_COVERAGE
	image.places = etext - __ehdr_start;
#endif
	return &image;
}
