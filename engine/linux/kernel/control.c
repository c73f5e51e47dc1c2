// SPDX-License-Identifier: GPL-2.0-only
/*
 * The image's only door: struct abi_kernel. What dm-ioctl.c and libdevmapper would do around dm.c, with its order of
 * steps and its error numbers, and a mapped device as a block device for the simulator.
 *
 * A device has a name (the scenario's), a live table that dm.c keeps, and an inactive one that is kept here. Lookups
 * by name and the inactive slot are guarded by one rwsem, as in dm-ioctl.c; a verb that sleeps holds a reference.
 *
 * A request of the simulator is a bio that nobody accounts for: its memory is the image's own.
 *
 * Not modelled: uuids, renaming, deferred removal, read-only tables, dm-stats' messages.
 */
#include "control.h"
#include "dm-core.h"

#define STATUS_BYTES (64 * 1024)

struct mapping {
	char name[128];
	struct mapped_device *md;
	struct dm_table *inactive;
	struct mapping *next;
};

/* A request of abi_kernel::submit, as a bio. */
struct user_request {
	void *cookie;
	struct user_request *next; /* of those that are free */
	struct bio bio;
	struct bio_vec vecs[16];
};

static struct mapping *mappings;
static DECLARE_RWSEM(mappings_lock);
static struct user_request *free_requests;
static u64 requests_under_way;

/* --- life --- */

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

/* --- names --- */

static struct mapping *find_mapping(const char *name)
{
	struct mapping *mapping;

	for (mapping = mappings; mapping; mapping = mapping->next)
		if (!strcmp(mapping->name, name))
			return mapping;
	return NULL;
}

/* With a reference. */
static struct mapped_device *get_device(const char *name)
{
	struct mapping *mapping;
	struct mapped_device *md = NULL;
	bool may_wait = in_task(); /* else it is an oracle, which comes between two steps and leaves before the next */

	if (may_wait)
		down_read(&mappings_lock);
	mapping = find_mapping(name);
	if (mapping) {
		md = mapping->md;
		dm_get(md);
	}
	if (may_wait)
		up_read(&mappings_lock);
	return md;
}

/* The mapping's inactive table is the caller's now. */
static struct dm_table *take_inactive(struct mapping *mapping)
{
	struct dm_table *table = mapping->inactive;

	mapping->inactive = NULL;
	return table;
}

static void drop_table(struct mapped_device *md, struct dm_table *table)
{
	if (!table)
		return;
	dm_sync_table(md);
	dm_table_destroy(table);
}

/* The kernel's own explanation, of the form "device-mapper: table: 253:0: mirror: TEXT (-EINVAL)": TEXT. */
static void explain(struct abi_text reason)
{
	const char *text = shim_last_error(), *next;
	unsigned int length;

	if (!strncmp(text, "device-mapper: ", 15)) {
		for (next = strstr(text, ": "); next; next = strstr(text, ": "))
			text = next + 2;
	}
	length = strlen(text);
	next = strrchr(text, '(');
	if (next && next > text && next[1] == '-' && text[length - 1] == ')')
		length = next - text - 1;
	if (!reason.size)
		return;
	length = min(length, reason.size - 1);
	memcpy(reason.bytes, text, length);
	reason.bytes[length] = 0;
}

static int answer(int r)
{
	return r == -ERESTARTSYS ? -EINTR : r;
}

/* --- verbs --- */

static int create(const char *name)
{
	struct mapping *mapping;
	struct mapped_device *md;
	int r;

	if (strchr(name, '/') || !*name || strlen(name) >= sizeof(mapping->name))
		return -EINVAL;
	r = dm_create(DM_ANY_MINOR, &md);
	if (r)
		return r;
	down_write(&mappings_lock);
	if (find_mapping(name) || shim_find_disk(name)) {
		up_write(&mappings_lock);
		dm_put(md);
		dm_destroy(md);
		return -EBUSY;
	}
	mapping = kzalloc(sizeof(*mapping), GFP_KERNEL);
	strscpy(mapping->name, name, sizeof(mapping->name));
	mapping->md = md;
	mapping->next = mappings;
	mappings = mapping;
	dm_get(md);
	dm_set_mdptr(md, mapping);
	shim_name_disk(dm_disk(md), name);
	up_write(&mappings_lock);
	dm_put(md);
	return 0;
}

static bool next_line(const char **text, char *line, unsigned int size)
{
	unsigned int length = 0;

	while (**text == '\n' || **text == ' ')
		(*text)++;
	if (!**text)
		return false;
	while (**text && **text != '\n') {
		if (length < size - 1)
			line[length++] = **text;
		(*text)++;
	}
	line[length] = 0;
	return true;
}

/* "START LENGTH TARGET ARGS" */
static int add_line(struct dm_table *table, char *line)
{
	unsigned long long start, length;
	char *at = line, *type;

	start = simple_strtoull(at, &at, 10);
	at = skip_spaces(at);
	length = simple_strtoull(at, &at, 10);
	at = skip_spaces(at);
	type = strsep(&at, " \t");
	if (!type || !*type)
		return -EINVAL;
	return dm_table_add_target(table, type, start, length, at ?: type + strlen(type));
}

static int fill_table(struct dm_table *table, const char *text)
{
	char *line = kmalloc(strlen(text) + 1, GFP_KERNEL);
	const char *at = text;
	int r = 0;

	while (!r && next_line(&at, line, strlen(text) + 1))
		r = add_line(table, line);
	kfree(line);
	return r ?: dm_table_complete(table);
}

static unsigned int count_lines(const char *text)
{
	char first[2];
	unsigned int lines = 0;

	while (next_line(&text, first, sizeof(first)))
		lines++;
	return lines;
}

static bool can_follow(struct mapped_device *md, struct dm_table *table)
{
	enum dm_queue_mode now = dm_get_md_type(md), wanted = dm_table_get_type(table);

	return now == wanted || (now == DM_TYPE_BIO_BASED && wanted == DM_TYPE_DAX_BIO_BASED);
}

/* With the device's type locked. */
static int prepare_table(struct mapped_device *md, struct dm_table *table, const char *text)
{
	struct target_type *kept = dm_get_immutable_target_type(md);
	int r = fill_table(table, text);

	if (r)
		return r;
	if (kept && kept != dm_table_get_immutable_target_type(table) && !dm_table_get_wildcard_target(table))
		return -EINVAL;
	if (dm_get_md_type(md) == DM_TYPE_NONE)
		return dm_setup_md_queue(md, table);
	return can_follow(md, table) ? 0 : -EINVAL;
}

static int load(const char *name, const char *text, struct abi_text reason)
{
	struct mapped_device *md = get_device(name);
	struct dm_table *table, *old = NULL;
	struct mapping *mapping;
	int r;

	shim_forget_last_error();
	if (reason.size)
		reason.bytes[0] = 0;
	if (!md)
		return -ENXIO;
	if (!count_lines(text)) {
		dm_put(md);
		return -EINVAL;
	}
	r = dm_table_create(&table, FMODE_READ | FMODE_WRITE, count_lines(text), md);
	if (r)
		goto out;
	dm_lock_md_type(md);
	r = prepare_table(md, table, text);
	dm_unlock_md_type(md);
	if (r) {
		explain(reason);
		dm_table_destroy(table);
		goto out;
	}
	down_write(&mappings_lock);
	mapping = dm_get_mdptr(md);
	if (mapping) {
		old = take_inactive(mapping);
		mapping->inactive = table;
	} else {
		r = -ENXIO;
		old = table;
	}
	up_write(&mappings_lock);
	drop_table(md, old);
out:
	dm_put(md);
	return answer(r);
}

static int suspend(const char *name, int noflush, int skip_lockfs)
{
	struct mapped_device *md = get_device(name);
	unsigned int flags = (noflush ? DM_SUSPEND_NOFLUSH_FLAG : 0) | (skip_lockfs ? 0 : DM_SUSPEND_LOCKFS_FLAG);
	int r = 0;

	if (!md)
		return -ENXIO;
	if (!dm_suspended_md(md))
		r = dm_suspend(md, flags);
	dm_put(md);
	return answer(r);
}

/* The suspend before a swap has failed: the table goes back into its slot, unless another came meanwhile. */
static int put_back(struct mapped_device *md, struct dm_table *table, int r)
{
	struct mapping *mapping;

	down_write(&mappings_lock);
	mapping = dm_get_mdptr(md);
	if (mapping && !mapping->inactive) {
		mapping->inactive = table;
		table = NULL;
	} else {
		r = -ENXIO;
	}
	up_write(&mappings_lock);
	drop_table(md, table);
	return r;
}

static int resume_with(struct mapped_device *md, struct dm_table *fresh)
{
	struct dm_table *old = NULL;
	int r = 0;

	if (fresh) {
		if (!dm_suspended_md(md)) {
			r = dm_suspend(md, DM_SUSPEND_LOCKFS_FLAG);
			if (r)
				return put_back(md, fresh, r);
		}
		old = dm_swap_table(md, fresh);
		if (IS_ERR(old)) {
			drop_table(md, fresh);
			return PTR_ERR(old);
		}
	}
	if (dm_suspended_md(md))
		r = dm_resume(md);
	if (old)
		dm_table_destroy(old); /* dm_swap_table() has waited for its readers */
	return r;
}

static int resume(const char *name, struct abi_text reason)
{
	struct mapped_device *md;
	struct mapping *mapping;
	struct dm_table *fresh = NULL;
	int r;

	shim_forget_last_error();
	if (reason.size)
		reason.bytes[0] = 0;
	down_write(&mappings_lock);
	mapping = find_mapping(name);
	md = mapping ? mapping->md : NULL;
	if (mapping) {
		dm_get(md);
		fresh = take_inactive(mapping);
	}
	up_write(&mappings_lock);
	if (!md)
		return -ENXIO;
	r = resume_with(md, fresh);
	if (r)
		explain(reason);
	dm_put(md);
	return answer(r);
}

/* Whoever waits for an event of a device that goes must let go of it. */
static void wake_event_waiters(struct mapped_device *md)
{
	int index;
	struct dm_table *live = dm_get_live_table(md, &index);

	if (live)
		dm_table_event(live);
	dm_put_live_table(md, index);
}

static int remove_device(const char *name)
{
	struct mapping *mapping, **link;
	struct mapped_device *md;
	int r;

	down_write(&mappings_lock);
	mapping = find_mapping(name);
	if (!mapping) {
		up_write(&mappings_lock);
		return -ENXIO;
	}
	md = mapping->md;
	r = dm_lock_for_deletion(md, false, false);
	if (r) {
		up_write(&mappings_lock);
		return r;
	}
	for (link = &mappings; *link != mapping; link = &(*link)->next)
		;
	*link = mapping->next;
	dm_set_mdptr(md, NULL);
	shim_host->table_changed(shim_host->self, mapping->name); /* from here on nobody finds it by name */
	wake_event_waiters(md);
	up_write(&mappings_lock);
	drop_table(md, take_inactive(mapping));
	kfree(mapping);
	dm_put(md);
	dm_destroy(md);
	return 0;
}

/* --- questions --- */

struct writer { struct abi_text out; unsigned int used; };

static void write_text(struct writer *writer, const char *format, ...)
{
	va_list arguments;

	if (writer->used >= writer->out.size)
		return;
	va_start(arguments, format);
	writer->used += vscnprintf(writer->out.bytes + writer->used, writer->out.size - writer->used, format, arguments);
	va_end(arguments);
}

static void write_status(struct writer *writer, struct dm_target *target, bool as_table, char *text)
{
	text[0] = 0;
	if (target->type->status)
		target->type->status(target, as_table ? STATUSTYPE_TABLE : STATUSTYPE_INFO, 0, text, STATUS_BYTES);
	write_text(writer, "%llu %llu %s%s%s\n", (unsigned long long)target->begin, (unsigned long long)target->len,
		   target->type->name, text[0] ? " " : "", text);
}

static int status(const char *name, int inactive, int as_table, struct abi_text out)
{
	struct mapped_device *md = get_device(name);
	struct writer writer = { out, 0 };
	struct dm_table *table;
	char *text;
	unsigned int i;
	int index = 0;

	if (out.size)
		out.bytes[0] = 0;
	if (!md)
		return -ENXIO;
	/* The host's: oracles ask, too, and must not change what the kernel's own memory sees. */
	text = shim_host->alloc(shim_host->self, STATUS_BYTES, 8, 0);
	if (inactive)
		down_read(&mappings_lock);
	table = inactive ? ((struct mapping *)dm_get_mdptr(md))->inactive : dm_get_live_table(md, &index);
	for (i = 0; table && i < table->num_targets; i++)
		write_status(&writer, dm_table_get_target(table, i), as_table, text);
	if (inactive)
		up_read(&mappings_lock);
	else
		dm_put_live_table(md, index);
	shim_host->free(shim_host->self, text);
	dm_put(md);
	return 0;
}

static int send_message(struct mapped_device *md, sector_t sector, int argc, char **argv, struct abi_text out)
{
	struct dm_target *target = NULL;
	struct dm_table *table;
	int index, r = -EINVAL;

	if (!argc || argv[0][0] == '@')
		return -EINVAL;
	table = dm_get_live_table(md, &index);
	if (table && dm_deleting_md(md))
		r = -ENXIO;
	else if (table)
		target = dm_table_find_target(table, sector);
	if (target && target->type->message)
		r = target->type->message(target, argc, argv, out.bytes, out.size);
	dm_put_live_table(md, index);
	return r == 1 ? 0 : r; /* 1: there is an answer */
}

static int message(const char *name, abi_u64 sector, const char *text, struct abi_text out)
{
	struct mapped_device *md = get_device(name);
	char *copy, **argv = NULL;
	int argc, r;

	if (out.size)
		out.bytes[0] = 0;
	if (!md)
		return -ENXIO;
	copy = kstrdup(text, GFP_KERNEL);
	r = dm_split_args(&argc, &argv, copy);
	if (!r)
		r = send_message(md, sector, argc, argv, out);
	kfree(argv);
	kfree(copy);
	dm_put(md);
	return answer(r);
}

static int wait_event_number(const char *name, abi_u32 seen, abi_u32 *number)
{
	struct mapped_device *md = get_device(name);
	int r;

	if (!md)
		return -ENXIO;
	r = dm_wait_event(md, seen);
	*number = dm_get_event_nr(md);
	dm_put(md);
	return r ? -EINTR : 0;
}

static int event_number(const char *name, abi_u32 *number)
{
	struct mapping *mapping = find_mapping(name);

	if (!mapping)
		return -ENXIO;
	*number = dm_get_event_nr(mapping->md);
	return 0;
}

/* --- a mapped device as a block device --- */

static int limits_of(const char *name, struct abi_disk_limits *out)
{
	struct gendisk *disk = shim_find_disk(name);
	struct mapping *mapping = find_mapping(name);
	struct queue_limits *limits;

	if (!disk && mapping)
		disk = dm_disk(mapping->md);
	if (!disk)
		return -ENXIO;
	limits = &disk->queue->limits;
	*out = (struct abi_disk_limits){
		.sectors = get_capacity(disk),
		.logical_block_bytes = limits->logical_block_size,
		.max_sectors = limits->max_sectors,
		.discard = limits->max_discard_sectors != 0,
		.volatile_cache = bdev_write_cache(disk->part0),
		.fua = bdev_fua(disk->part0),
		.stable_writes = bdev_stable_writes(disk->part0),
	};
	return 0;
}

static void *find(const char *name) { return find_mapping(name); }

static struct user_request *new_request(unsigned int vecs)
{
	struct user_request *request;
	size_t bytes = offsetof(struct user_request, vecs) + vecs * sizeof(struct bio_vec);

	if (vecs > ARRAY_SIZE(request->vecs))
		return shim_host->alloc(shim_host->self, bytes, 16, 0);
	request = free_requests;
	if (request)
		free_requests = request->next;
	else
		request = shim_host->alloc(shim_host->self, sizeof(*request), 16, 0);
	return request;
}

static void end_of_request(struct bio *bio)
{
	struct user_request *request = bio->bi_private;
	enum abi_status status = shim_status_to_abi(bio->bi_status);
	void *cookie = request->cookie;
	struct task_struct *self = current;

	if (!cookie)
		shim_trouble(ABI_DOUBLE_COMPLETION, NULL, 0, "a request to %s ends twice",
			     bio->bi_bdev->bd_disk->disk_name);
	requests_under_way--;
	request->cookie = NULL;
	if (bio->bi_max_vecs > ARRAY_SIZE(request->vecs)) {
		shim_host->free(shim_host->self, request);
	} else {
		request->next = free_requests;
		free_requests = request;
	}
	shim_host->done(shim_host->self, cookie, status);
	current = self;
}

static blk_opf_t flags_of(const struct abi_request *asked)
{
	static const blk_opf_t ops[] = {
		[ABI_READ] = REQ_OP_READ,
		[ABI_WRITE] = REQ_OP_WRITE,
		[ABI_FLUSH] = REQ_OP_WRITE | REQ_PREFLUSH,
		[ABI_DISCARD] = REQ_OP_DISCARD,
		[ABI_WRITE_ZEROES] = REQ_OP_WRITE_ZEROES,
	};

	return ops[asked->op] | (asked->fua ? REQ_FUA : 0) | (asked->preflush ? REQ_PREFLUSH : 0);
}

static void submit(void *mapped, const struct abi_request *asked)
{
	struct mapping *mapping = mapped;
	struct user_request *request = new_request(asked->vec_count);
	struct bio *bio = &request->bio;
	unsigned int i;

	request->cookie = asked->cookie;
	bio_init(bio, dm_disk(mapping->md)->part0, request->vecs, asked->vec_count, flags_of(asked));
	for (i = 0; i < asked->vec_count; i++)
		bvec_set_page(&request->vecs[i], asked->vecs[i].page, asked->vecs[i].length, asked->vecs[i].offset);
	bio->bi_vcnt = asked->vec_count;
	bio->bi_iter.bi_sector = asked->sector;
	bio->bi_iter.bi_size = asked->sectors << SECTOR_SHIFT;
	bio->bi_end_io = end_of_request;
	bio->bi_private = request;
	shim_set_cause(bio, asked->trace_id, asked->issuer);
	requests_under_way++;
	submit_bio(bio);
}

static int device_numbers(const char *name, abi_u32 *major, abi_u32 *minor)
{
	struct mapping *mapping = find_mapping(name);
	struct gendisk *disk = mapping ? dm_disk(mapping->md) : shim_find_disk(name);

	if (!disk)
		return -ENXIO;
	*major = disk->major;
	*minor = disk->first_minor;
	return 0;
}

/* --- oracles: no locks, as nothing else runs --- */

static struct dm_table *live_table(const char *name)
{
	struct mapping *mapping = find_mapping(name);

	return mapping ? (struct dm_table *)mapping->md->map : NULL;
}

static struct dm_target *live_target(const char *name, abi_u32 target)
{
	struct dm_table *table = live_table(name);

	return table && target < table->num_targets ? dm_table_get_target(table, target) : NULL;
}

static abi_u32 target_count(const char *name)
{
	struct dm_table *table = live_table(name);

	return table ? table->num_targets : 0;
}

static const char *target_type(const char *name, abi_u32 target)
{
	struct dm_target *found = live_target(name, target);

	return found ? found->type->name : "";
}

static int mirror(const char *name, abi_u32 target, struct abi_mirror *out)
{
	struct dm_target *found = live_target(name, target);

	return found ? shim_peek_mirror(found, out) : -ENXIO;
}

static int mirror_region(const char *name, abi_u32 target, abi_u64 region, struct abi_mirror_region *out)
{
	struct dm_target *found = live_target(name, target);

	return found ? shim_peek_mirror_region(found, region, out) : -ENXIO;
}

static abi_u64 mirror_tracked(const char *name, abi_u32 target)
{
	struct dm_target *found = live_target(name, target);

	return found ? shim_peek_mirror_tracked(found) : 0;
}

static abi_u64 mirror_held(const char *name, abi_u32 target)
{
	struct dm_target *found = live_target(name, target);

	return found ? shim_peek_mirror_held(found) : 0;
}

static abi_u64 claim_generation(void) { return shim_claims; }

static int clone(const char *name, abi_u32 target, struct abi_clone *out)
{
	struct dm_target *found = live_target(name, target);

	return found ? shim_peek_clone(found, out) : -ENXIO;
}

static int clone_hydrated(const char *name, abi_u32 target, abi_u64 region)
{
	struct dm_target *found = live_target(name, target);

	return found ? shim_peek_clone_hydrated(found, region) : -ENXIO;
}

static abi_u64 requests_in_flight(void) { return requests_under_way; }

/* While a device stands, its targets rightly hold memory; so what may be missing is told when the last has gone. */
static void leaks(void (*emit)(void *argument, const char *what), void *argument)
{
	if (!mappings)
		shim_memory_leaks(emit, argument);
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
	.create = create,
	.load = load,
	.suspend = suspend,
	.resume = resume,
	.remove = remove_device,
	.status = status,
	.message = message,
	.wait_event = wait_event_number,
	.event_number = event_number,
	.limits = limits_of,
	.find = find,
	.submit = submit,
	.device_numbers = device_numbers,
	.target_count = target_count,
	.target_type = target_type,
	.mirror = mirror,
	.mirror_region = mirror_region,
	.mirror_tracked = mirror_tracked,
	.mirror_held = mirror_held,
	.claim_generation = claim_generation,
	.clone = clone,
	.clone_hydrated = clone_hydrated,
	.requests_in_flight = requests_in_flight,
	.leaks = leaks,
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
